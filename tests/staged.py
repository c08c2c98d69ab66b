"""Stages run as DVC could run them elsewhere: among the files that dvc.yaml says they read, and no others."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pipeline.stages import STAGES

DVC: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parents[1] / "dvc.yaml").read_text())["stages"]
ROOMS = ("data", "artifacts", "reports")
AWAY = Path("away")


def run(name: str) -> None:
    """A stage in the working directory. What it reads and dvc.yaml does not name is missing to it."""
    with alone(named(name)):
        STAGES[name]()


def named(name: str) -> list[str]:
    """What a stage may find: its dependencies, and what it left before."""
    entries = [*DVC[name].get("outs", []), *DVC[name].get("metrics", [])]
    return [*DVC[name].get("deps", []), *(path for entry in entries for path in entry)]


@contextmanager
def alone(paths: Iterable[str]) -> Iterator[None]:
    """Put every other file of data, artifacts and reports away meanwhile."""
    kept = [Path(path) for path in paths]
    others = [file for file in files() if not any(file.is_relative_to(path) for path in kept)]
    for file in others:
        move(file, AWAY / file)
    try:
        yield
    finally:
        for file in others:
            move(AWAY / file, file)


def files() -> list[Path]:
    """All that runs leave."""
    return sorted(file for room in ROOMS for file in Path(room).rglob("*") if file.is_file())


def move(file: Path, to: Path) -> None:
    """With the folders that it needs."""
    to.parent.mkdir(parents=True, exist_ok=True)
    file.rename(to)
