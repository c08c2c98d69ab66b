"""Real servers on loopback, each stopped by its own process id."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

ROOT = Path(__file__).parents[2]
START_S = 60
"""The machine that tests run on may be busy with others."""


class Running:
    """A service in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = int(self._wait_for(r"http://[\w.:\[\]]+:(\d+)")[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def _wait_for(self, pattern: str) -> re.Match[str]:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if found := next((m for line in self.said if (m := re.search(pattern, line))), None):
                return found
            assert self.process.poll() is None, self.said
            time.sleep(0.02)
        raise AssertionError(self.said)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """What it logged of an event."""
        return [
            found for line in list(self.said) if line.startswith("{") and (found := json.loads(line))["event"] == event
        ]

    def until(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait until it has logged an event so often."""
        end = time.monotonic() + START_S
        while len(found := self.lines(event)) < times:
            assert time.monotonic() < end, self.said[-5:]
            time.sleep(0.02)
        return found

    def ready(self) -> "Running":
        """Wait for /readyz."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.said)

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """A request of its own connection."""
        return httpx.post(f"{self.url}{path}", json=body, timeout=60, **more)


@contextmanager
def serving(bundle: Path, home: Path, *words: str, **environment: str) -> Iterator[Running]:
    """`leadscore serve` on a free port, in the folder `home`."""
    command = [sys.executable, "-m", "pipeline", "serve", "--bundle", str(bundle), "--port", "0", *words]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with started(command, home, {**os.environ, "PYTHONPATH": path, **environment}) as running:
        yield running


@contextmanager
def started(command: list[str], home: Path, environment: dict[str, str]) -> Iterator[Running]:
    """A service by its command, which is stopped at the end."""
    process = subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, text=True, env=environment)
    running = None
    try:
        running = Running(process)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if running is not None:
            running.reader.join(10)  # its last words, before they are closed
        assert process.stderr is not None
        process.stderr.close()
