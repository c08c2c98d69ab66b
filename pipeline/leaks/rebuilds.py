"""Features and names made again from what was known at the time: any difference is a look ahead."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from features.arrays import Ints
from features.columns import Attribute
from features.plan import Plan
from models import folds
from pipeline.assembly.featuring import features
from pipeline.assembly.matrices import frame_of
from pipeline.assembly.planning import end_of_train, learn_plan
from pipeline.assembly.values import Tables
from pipeline.leaks.culprits import Culprit, culprit_of
from pipeline.leaks.cutting import TIME_OF, cut
from pipeline.leaks.findings import Check
from pipeline.params import Definition

REBUILD = "features from what was known"
VOCABULARY = "names from what was known"
UNDATED_DATA = "Does not apply: without dates nothing is later than anything else."


def some_of(examples: pl.DataFrame, most: int) -> Ints:
    """Places of at most `most` examples, in the order of a hash: the same for the same data."""
    names = [f"{lead} {at}" for lead, at in zip(examples["lead_id"], examples["as_of"].to_physical(), strict=True)]
    return np.argsort(folds.hashed(names, 0, 1 << 30), kind="stable")[:most]


def differing(made: pl.DataFrame, stored: pl.DataFrame) -> dict[str, int]:
    """How many rows differ, by column of `stored` that differs. Bit for bit, null equal to null."""
    found = {c: int(stored[c].ne_missing(made[c]).sum()) for c in stored.columns}
    return {name: count for name, count in found.items() if count}


def blamed(differ: Mapping[str, int], plan: Plan, theirs: Mapping[str, str], of: int, change: str) -> list[str]:
    """A problem for each column, event type or stage of the user's that differing features are made of; where they are
    made of none, for each feature."""
    by_culprit: dict[Culprit, dict[str, int]] = {}
    for column in plan.features:
        if column.name in differ:
            by_culprit.setdefault(culprit_of(column, theirs), {})[column.name] = differ[column.name]
    worst = sorted(by_culprit.items(), key=lambda item: -max(item[1].values()))
    plain = [item for item in worst if item[0].plain or item[0].kind == "own"]
    return [_blame(culprit, counts, of, change) for culprit, counts in plain or worst]


def _blame(culprit: Culprit, counts: Mapping[str, int], of: int, change: str) -> str:
    name = max(counts, key=lambda feature: counts[feature])
    more = f", as do {len(counts) - 1} more made of it" if len(counts) > 1 else ""
    return (
        f"{culprit.said}: feature {name} of {counts[name]} of {of} examples changes when what came after "
        f"their as_of is {change}{more}: it looks ahead. To do: {culprit.remedy}; else mend what computes it"
    )


def check_rebuild(
    tables: Tables, examples: pl.DataFrame, stored: pl.DataFrame, plan: Plan, most: int, theirs: Mapping[str, str]
) -> Check:
    """Make the features of some examples again from tables cut at their instant."""
    if examples["as_of"].null_count():
        return Check(REBUILD, UNDATED_DATA, applies=False)
    some = some_of(examples, most).tolist()
    copies, named = cut(tables, examples[some], "deleted")
    differ = differing(frame_of(features(copies, plan, named)), stored[some].drop("lead_id", "as_of"))
    said = f"The features of {len(some)} examples, made again from tables cut at their as_of, are the same to the bit."
    if differ:
        said = f"{len(differ)} features of {len(some)} examples differ when made from tables cut at their as_of."
    problems = blamed(differ, plan, theirs, len(some), "deleted")
    return Check(REBUILD, said, problems=problems, numbers={"examples": len(some), "differing": differ})


def check_vocabulary(
    tables: Tables, examples: pl.DataFrame, plan: Plan, attributes: Sequence[Attribute], definition: Definition
) -> Check:
    """Learn the plan again from tables without anything that came after train."""
    end = end_of_train(examples)
    if end is None:
        return Check(VOCABULARY, UNDATED_DATA, applies=False)
    before = {n: t.filter(pl.col(TIME_OF[n]) <= end) if n in TIME_OF else t for n, t in tables.items()}
    if learn_plan(before, attributes, definition, end) == plan:
        return Check(VOCABULARY, "Event types, topics and stages are those that had been seen when train ended.")
    said = "Event types, topics or stages of data/plan.json were chosen by what came after train."
    return Check(VOCABULARY, said, problems=(f"{said} Run again from featurize on: make run",))
