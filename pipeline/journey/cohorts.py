"""Conversion by source, campaign and month of beginning, each a cohort whose young leads are not over."""

from typing import Any

import polars as pl

from features.levels import texts
from features.plan import Plan
from features.records import Records, attribute_at
from models.funnel.ways import ON, Episodes, whole_way
from models.judging.survival import Spells
from pipeline.journey.spells import Telling, told
from pipeline.judging.partings import column_of
from pipeline.judging.rare import MISSING, gathered, ordered
from pipeline.params import Definition

SLICINGS = ("source", "campaign")
MOST = 10
EARLY_D = 30.0
"""Shares are told by this day too: a young month has no other yet."""


def cohorts(records: Records, plan: Plan, e: Episodes, definition: Definition, telling: Telling) -> dict[str, Any]:
    """By slicing its `column` and `cohorts`, each with `name`, `early` (by EARLY_D) and `whole`."""
    found: dict[str, Any] = {}
    for by in SLICINGS:
        column = column_of(plan, definition, by)
        if column is not None:
            found[by] = {"column": column, "cohorts": _parted(_texts(records, plan, column, e), e, telling)}
    months = pl.Series(e.begin.astype("M8[us]").astype("M8[M]").astype(str).tolist(), dtype=pl.String)
    found["month"] = {"column": None, "cohorts": _parted(months, e, telling, in_order=True)}
    return found


def _texts(records: Records, plan: Plan, column: str, e: Episodes) -> pl.Series:
    """The column's text of each episode's lead as it was when the episode began."""
    found = texts(attribute_at(records, plan, column, e.lead, e.begin), records.levels[column])
    return pl.Series(found, dtype=pl.String).fill_null(MISSING)


def _parted(by: pl.Series, e: Episodes, telling: Telling, *, in_order: bool = False) -> list[dict[str, Any]]:
    """`by`: a text an episode; the rarer ones are together, but for months, which are in order."""
    parts, spells = by if in_order else gathered(by, MOST)[0], whole_way(e)
    names = ordered(parts, in_order)
    return [_cohort(name, spells.take((parts == name).to_numpy()), telling) for name in names]


def _cohort(name: str, spells: Spells, telling: Telling) -> dict[str, Any]:
    return {
        "name": name,
        "early": told(spells, ON, telling.up_to(EARLY_D)),
        "whole": told(spells, ON, telling, drawn=True),
    }
