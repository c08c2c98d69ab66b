"""Scores made again where all that came after the instant is deleted, and where it is changed."""

from collections.abc import Mapping
from typing import get_args

import numpy as np

from features.arrays import Floats
from features.plan import Plan
from pipeline.assembly.data import Data
from pipeline.assembly.featuring import features
from pipeline.assembly.matrices import frame_of
from pipeline.assembly.values import Tables
from pipeline.leaks.cutting import Later, cut
from pipeline.leaks.findings import Check
from pipeline.leaks.rebuilds import UNDATED_DATA, blamed, differing, some_of
from pipeline.leaks.trials import part_of
from pipeline.learning.fitted import Fitted, predict

NAME = "scores without the future"


def check_future(
    data: Data, p: Floats, tables: Tables, plan: Plan, fitted: Fitted, most: int, theirs: Mapping[str, str]
) -> Check:
    """`p` (k,) are the probabilities of data/predictions.parquet: to the last bit the same must come of tables that
    hold nothing later, and of tables that hold something else."""
    if data.examples["as_of"].null_count():
        return Check(NAME, UNDATED_DATA, applies=False)
    some = np.sort(some_of(data.examples, most))
    part = part_of(data, some)
    stored = frame_of(part.matrix)
    changes: dict[str, int] = {}
    problems: list[str] = []
    for later in get_args(Later):
        copies, named = cut(tables, part.examples, later)
        matrix = features(copies, plan, named)
        changes[later] = int((predict(fitted, matrix) != p[some]).sum())
        if changes[later]:
            found = blamed(differing(frame_of(matrix), stored), plan, theirs, len(some), later)
            problems += found or [_unexplained(changes[later], len(some), later)]
    numbers = {"examples": len(some), **{f"{later}_changes": count for later, count in changes.items()}}
    said = ", ".join(f"{count} when it is {later}" for later, count in changes.items())
    told = f"Scores that change with what came after their as_of, of {len(some)}: {said}."
    return Check(NAME, told, problems=problems, numbers=numbers)


def _unexplained(count: int, of: int, later: str) -> str:
    return (
        f"{count} of {of} scores change when what came after their as_of is {later}, though no feature does: what "
        "turns features into scores looks at rows other than its own"
    )
