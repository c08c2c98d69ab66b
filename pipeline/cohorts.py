"""Conversion by source, campaign and month of beginning, each a cohort whose young leads are not over."""

from typing import Any

import numpy as np

from features.arrays import Array
from features.plan import Plan
from features.records import Records, attribute_at
from models.funnel.ways import ON, Episodes, whole_way
from pipeline.params import Definition
from pipeline.partings import column_of
from pipeline.spells import Telling, told

SLICINGS = ("source", "campaign")
MOST = 10
OTHER, MISSING = "other", "(missing)"
EARLY_D = 30.0
"""Shares are told by this day too: a young month has no other yet."""


def cohorts(records: Records, plan: Plan, e: Episodes, definition: Definition, telling: Telling) -> dict[str, Any]:
    """By slicing its `column` and `cohorts`, each with `name`, `early` (by EARLY_D) and `whole`."""
    found: dict[str, Any] = {}
    for by in SLICINGS:
        column = column_of(plan, definition, by)
        if column is not None:
            found[by] = {"column": column, "cohorts": _parted(_texts(records, plan, column, e), e, telling)}
    months = e.begin.astype("M8[us]").astype("M8[M]").astype(str)
    found["month"] = {"column": None, "cohorts": _parted(months, e, telling, in_order=True)}
    return found


def _texts(records: Records, plan: Plan, column: str, e: Episodes) -> Array:
    """The column's text of each episode's lead as it was when the episode began."""
    texts = np.array([*records.levels[column], MISSING], dtype=object)
    code = attribute_at(records, plan, column, e.lead, e.begin)
    return texts[np.where(np.isnan(code), len(texts) - 1, code).astype(np.int64)]


def _parted(texts: Array, e: Episodes, telling: Telling, *, in_order: bool = False) -> list[dict[str, Any]]:
    names, part = np.unique(texts.astype(str), return_inverse=True)
    many = np.bincount(part, minlength=len(names))
    order = np.arange(len(names)) if in_order else np.lexsort((names, -many))
    kept = order if in_order or len(names) <= MOST + 1 else order[:MOST]
    parts = [(str(names[k]), part == k) for k in kept.tolist()]
    if len(kept) < len(names):
        parts.append((OTHER, ~np.isin(part, kept)))
    spells = whole_way(e)
    return [
        {
            "name": name,
            "early": told(spells.take(mine), ON, telling.up_to(EARLY_D)),
            "whole": told(spells.take(mine), ON, telling, drawn=True),
        }
        for name, mine in parts
    ]
