"""Stage featurize: the kernel's features of every example. Nothing is fitted here."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import Ints
from features.kernel import Matrix, compute
from features.plan import Attribute, Plan, plan_to_json
from pipeline import stage
from pipeline.matrices import frame_of
from pipeline.params import Definition
from pipeline.planning import learn_plan
from pipeline.records import records_of
from pipeline.values import Tables


def featurize(
    tables: Tables, examples: pl.DataFrame, attributes: Sequence[Attribute], definition: Definition
) -> tuple[Plan, pl.DataFrame]:
    """The plan, and `lead_id, as_of` with one column a feature, a row an example in their order."""
    plan = learn_plan(tables, attributes, definition, known_by(examples))
    return plan, pl.concat([examples.select("lead_id", "as_of"), frame_of(features(tables, plan, examples))],
                           how="horizontal")  # fmt: skip


def known_by(examples: pl.DataFrame) -> datetime | None:
    """The last instant of train: names that came later are none of its business. None without dates."""
    last = examples.filter(pl.col("fold") == "train")["as_of"].max()
    return last if isinstance(last, datetime) else None


PART = 50_000
"""Rows whose features are in memory together where they are only passed through."""


def features(tables: Tables, plan: Plan, examples: pl.DataFrame) -> Matrix:
    """The kernel's features of `lead_id, as_of` rows, in their order."""
    ((_, found),) = in_parts(tables, plan, examples, max(len(examples), 1))
    return found


def in_parts(
    tables: Tables, plan: Plan, examples: pl.DataFrame, size: int = PART
) -> Iterator[tuple[pl.DataFrame, Matrix]]:
    """The same rows in order, `size` at a time, each part with its features; one part where there are no rows. For
    leads looked at week after week: all their features together would not fit into memory."""
    records, order = records_of(tables, plan)
    lead = examples.join(order, on="lead_id", how="left", maintain_order="left")["index"].to_numpy().astype(np.int64)
    at = instants(examples)
    for start in range(0, max(len(examples), 1), size):
        own = slice(start, start + size)
        yield examples[own], compute(records, plan, lead[own], at[own])


def instants(examples: pl.DataFrame) -> Ints:
    """`as_of` in µs; 0 without dates."""
    at = examples["as_of"].cast(pl.Datetime("us", "UTC")).to_physical().fill_null(0)
    return at.to_numpy().astype(np.int64)


def main() -> None:
    """Read tables and examples, write the plan and the features."""
    examples = stage.read_table(stage.EXAMPLES)
    plan, frame = featurize(stage.read_tables(), examples, stage.read_attributes(), stage.section(Definition))
    stage.write_table(frame, stage.FEATURES)
    stage.write_json(plan_to_json(plan), stage.PLAN)
