"""Stage audit: what the trained model must withstand before it is published."""

from collections.abc import Callable
from typing import Any

import polars as pl

from features.arrays import Floats
from features.plan import Plan
from pipeline import stage
from pipeline.assembly.data import Data, read_data
from pipeline.assembly.values import Tables
from pipeline.leaks.findings import Check, conclude, of_json
from pipeline.leaks.futures import check_future
from pipeline.leaks.results import check_better, check_test
from pipeline.leaks.trials import check_encoding, check_shuffled, check_splits
from pipeline.learning.fitted import read_model
from pipeline.learning.later import Looks, looks_of
from pipeline.params import Definition, Leaks, Source, Train


def predictions_of(data: Data) -> Floats:
    """What evaluate left, in the order of the data."""
    stored = stage.read_table(stage.PREDICTIONS)
    keys = ["lead_id", "as_of"]
    joined = data.examples.select(keys).join(
        stored.select(*keys, "probability"), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["probability"].cast(pl.Float64).to_numpy()


def checks_of(data: Data, plan: Plan) -> list[Check]:
    """Every check of the finished model."""
    params, train, theirs = stage.section(Leaks), stage.section(Train), stage.section(Source).columns
    metrics: dict[str, Any] = stage.read_json(stage.METRICS)
    p, tables = predictions_of(data), stage.read_tables()
    with stage.speaking("audit") as say:
        say("deleting and changing what came later")
        found = [check_future(data, p, tables, plan, read_model(), params.examples, theirs)]
        say("turning labels over, and shuffling them")
        found += [check_encoding(data, train), check_shuffled(data, train, _looking(tables, plan, train))]
        say("splitting at random, to compare")
        found += [check_splits(data, train)]
    importance = stage.read_json(stage.IMPORTANCE)
    return [
        *found,
        check_better(metrics, stage.read_json(stage.INTERVALS)),
        check_test(data, p, metrics["test"]["auc"], importance, plan, params, theirs),
    ]


def _looking(tables: Tables, plan: Plan, train: Train) -> Callable[[Data], Looks | None]:
    """The later looks of examples, where training softens labels by them."""
    within = stage.section(Definition).conversion.within_days
    return lambda data: looks_of(data, tables, plan, within, data.begin_of_test) if train.soft_labels else None


def main() -> None:
    """Read the model and its predictions; write reports/leaks.json, or stop and name what leaks."""
    plan = stage.read_plan()
    data = read_data(plan)
    conclude(checks_of(data, plan), stage.LEAKS, of_json(stage.read_json(stage.SCREENING)))
