"""Imagined companies whose tables are spoiled on purpose, and the stages that must notice."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from blinded import blind

from pipeline.errors import Stop
from pipeline.stages import STAGES

WORLDS = ("plain", "interacting", "bursty", "noisy", "hard")
Frames = dict[str, pl.DataFrame]
BEFORE = ("configure", "ingest", "validate", "label", "featurize")
AFTER = ("points", "train", "evaluate", "audit")
SMALL = """
train:
  {least_converting: 2, bags: 2, max_rounds: 40, early_stopping_rounds: 10, min_data_in_leaf: 10, threads: 1}
"""


@contextmanager
def quick(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Stages run in the folder, without what takes time and is not asked about: baselines and intervals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("pipeline.learning.trained.fit_baselines", blind)
        patch.setattr("pipeline.evaluate.intervals", lambda *_: {"test": {}})
        yield patch


def simulated(folder: Path, world: str, leads: int, seed: int) -> None:
    """Parameters of an imagined company."""
    source = f"{{kind: simulated, simulated: {{leads: {leads}, seed: {seed}, world: {world}}}}}"
    (folder / "params.yaml").write_text(f"source: {source}\n{SMALL}")


def brought(folder: Path, frames: Mapping[str, pl.DataFrame], more: str = "", source: str = "") -> None:
    """Parameters and tables of one's own."""
    tables = folder / "tables"
    tables.mkdir()
    for name, frame in frames.items():
        frame.write_parquet(tables / f"{name}.parquet")
    (folder / "params.yaml").write_text(f"source: {{kind: tables, path: tables{source}}}\n{SMALL}{more}")


def run(folder: Path, *names: str, fault: Callable[[pytest.MonkeyPatch], None] = lambda patch: None) -> None:
    """Some stages, with a fault in the code."""
    with quick(folder) as patch:
        fault(patch)
        for name in names:
            STAGES[name]()


def stopped(folder: Path, *names: str, fault: Callable[[pytest.MonkeyPatch], None] = lambda patch: None) -> str:
    """What the run says where it stops, which must be for a leak and must be in reports/leaks.json too."""
    with pytest.raises(Stop) as error:
        run(folder, *names, fault=fault)
    found = leaks(folder)
    problems = [problem for check in found["checks"] for problem in check["problems"]]
    assert found["result"] == "failed"
    assert problems
    assert all(problem in str(error.value) for problem in problems)
    return str(error.value)


def leaks(folder: Path) -> dict[str, Any]:
    """What was found: reports/leaks.json, or what screen left for audit."""
    path = folder / "reports/leaks.json"
    found: dict[str, Any] = json.loads((path if path.exists() else folder / "data/screening.json").read_text())
    return found


def check(folder: Path, name: str) -> dict[str, Any]:
    """One check of those."""
    return next(check for check in leaks(folder)["checks"] if check["name"] == name)


def prove(size: int, seeds: int, worlds: Sequence[str]) -> None:
    """Run honest companies of these kinds; raises where one is stopped. Prints what each check found."""
    for world in worlds:
        for seed in range(seeds):
            with TemporaryDirectory() as name:
                folder = Path(name)
                simulated(folder, world, size, seed)
                run(folder, *BEFORE, "screen", *AFTER)
                single, shuffled = (
                    check(folder, n)["numbers"] for n in ("single features", "labels shuffled within their month")
                )
                best = max(one["value"]["auc"] for one in single["strongest"])
                print(f"{world} {seed}: strongest feature {best:.3f}, shuffled {shuffled}")


if __name__ == "__main__":
    given = sys.argv[1:]  # [LEADS SEEDS [WORLD …]]
    leads, seeds = map(int, given[:2] or (4_000, 3))
    prove(leads, seeds, given[2:] or WORLDS)
