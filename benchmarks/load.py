"""Keep-alive clients for a server on loopback: requests a second, and what each cost its processes."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Timing:
    """Of one turn."""

    a_second: float
    cpu_us: float
    """Processor time of the server a request: what stays the same when others use the machine."""
    p50_ms: float
    p99_ms: float
    failed: int


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and all that it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / TICK
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_s(int(child)) for child in children)


def turn(pid: int, port: int, path: str, bodies: Sequence[bytes], seconds: float, connections: int = 8) -> Timing:
    """Let `connections` clients ask for some seconds, each body in its turn."""
    return asyncio.run(_turn(pid, port, path, bodies, seconds, connections))


async def _turn(pid: int, port: int, path: str, bodies: Sequence[bytes], seconds: float, connections: int) -> Timing:
    found: list[tuple[float, bool]] = []
    begun, before = time.perf_counter(), cpu_s(pid)
    step = len(bodies) // connections
    clients = [_client(port, path, [*bodies[i * step :], *bodies[: i * step]], begun + seconds, found)
               for i in range(connections)]  # fmt: skip
    await asyncio.gather(*clients)
    taken, used = time.perf_counter() - begun, cpu_s(pid) - before
    waits = sorted(wait for wait, _ in found)
    n = len(waits)
    return Timing(
        n / taken, used / n * 1e6, waits[n // 2] * 1e3, waits[n * 99 // 100] * 1e3, sum(not ok for _, ok in found)
    )


async def _client(port: int, path: str, bodies: Sequence[bytes], until: float, found: list[tuple[float, bool]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: "
    n = 0
    while (begun := time.perf_counter()) < until:
        body = bodies[n % len(bodies)]
        n += 1
        writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
        said = await reader.readuntil(b"\r\n\r\n")
        size = int(said.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        found.append((time.perf_counter() - begun, said.startswith(b"HTTP/1.1 200")))
    writer.close()
    await writer.wait_closed()
