"""The whole pipeline on 46,000 leads with two million events: where the time goes, a stage a row.

    .venv/bin/python -m benchmarks.whole [LEADS]

`make bench-pipeline`. The imagined company's tables are written first and read like anybody's; that time is shown, but
not in the sum. Each stage is a process of its own, as DVC starts it. Exits with 1 where the sum is above the target.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.stages import STAGES

LEADS = 46_000
TARGET_S = 240.0
COMMAND = str(Path(sys.executable).with_name("leadscore"))
PARAMS = "source: {kind: tables, path: company}\n"


@dataclass(frozen=True)
class Cost:
    """Of one process and its children, in seconds and GB."""

    wall: float
    cpu: float
    memory: float


def cost(arguments: list[str], folder: Path) -> Cost:
    """Run to the end. Raises CalledProcessError where it fails."""
    begun = time.perf_counter()
    process = subprocess.Popen([COMMAND, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(said.decode())
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2)


def show(name: str, one: Cost) -> None:
    """A row of the table."""
    print(f"  {name:<12} {one.wall:8.1f} {one.cpu:8.1f} {one.memory:8.2f}", flush=True)


def main(leads: int) -> int:
    """Print the table; 1 where it took too long."""
    import polars as pl

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
        print(f"{leads:,} leads          wall s    CPU s  peak GB")
        show("(simulate)", cost(["simulate", "company", "--leads", str(leads), "--seed", "1"], folder))
        costs = []
        for stage in STAGES:
            costs.append(cost(["stage", stage], folder))
            show(stage, costs[-1])
        events = pl.scan_parquet(folder / "data/tables/events.parquet").select(pl.len()).collect().item()
        examples = pl.scan_parquet(folder / "data/examples.parquet").select(pl.len()).collect().item()
    wall = sum(one.wall for one in costs)
    show("sum", Cost(wall, sum(one.cpu for one in costs), max(one.memory for one in costs)))
    print(f"{events:,} events, {examples:,} examples; target {TARGET_S:.0f} s on two cores of their own")
    return 0 if wall <= TARGET_S else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEADS))
