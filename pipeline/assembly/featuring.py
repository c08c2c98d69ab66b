"""The kernel's features of rows of `lead_id, as_of`, from the validated tables."""

from collections.abc import Iterator

import polars as pl

from features.kernel import Matrix, compute
from features.plan import Plan
from pipeline.assembly.records import records_of
from pipeline.assembly.values import Tables, instants, places

PART = 50_000
"""How many rows' features are in memory at once where they are only passed through."""


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
    lead, at = places(examples["lead_id"], order["lead_id"]), instants(examples)
    for start in range(0, max(len(examples), 1), size):
        own = slice(start, start + size)
        yield examples[own], compute(records, plan, lead[own], at[own])
