"""Whether the leads that are left out at their own wish are those that would not have converted."""

from collections.abc import Mapping

import polars as pl

from models.judging.rates import wilson
from pipeline.params import Definition
from pipeline.reading.checks.sift import Sifted

SURE_Z = 2.576
"""Two-sided 99 %."""
FAR = 3.0
"""How many times as often the others must surely convert."""


def selective(sifted: Mapping[str, Sifted], shape: str, definition: Definition) -> list[str]:
    """A warning where hardly anybody who objected converted: then it was noted after the contact, and what is left
    converts more often than the leads that will come. Only counted: no objector is looked at alone."""
    leads = sifted["leads"]
    there = leads.rows.with_columns(_objected=leads.code.eq_missing("objected"), _kept=leads.code.is_null())
    told = there.filter(pl.col("_objected") | pl.col("_kept")).with_columns(_won=_won(sifted, shape, definition))
    counted = told.filter(pl.col("_won").is_not_null()).group_by("_objected").agg(n=pl.len(), won=pl.col("_won").sum())
    found = {objected: (n, won) for objected, n, won in counted.iter_rows()}
    if len(found) < 2:
        return []
    (n, won), (others, converted) = found[True], found[False]
    if FAR * wilson(won / n, n, SURE_Z)[1] >= wilson(converted / others, others, SURE_Z)[0]:
        return []
    return [
        f"leads.objected: of {n:,} leads that object {won:,} convert, of the {others:,} others {converted:,}: where "
        "people object after the contact, those who do not convert are left out, and the probabilities of new leads, "
        "who have not objected yet, come out too high"
    ]


def _won(sifted: Mapping[str, Sifted], shape: str, definition: Definition) -> pl.Expr:
    """Whether each lead converts; null where nobody knows."""
    if shape != "dated":
        return pl.col("converted")
    event = definition.conversion.event
    name, column, what = ("events", "type", event) if event else ("stages", "stage", definition.conversion.stage)
    return pl.col("lead_id").is_in(sifted[name].rows.filter(pl.col(column) == what)["lead_id"].unique().implode())
