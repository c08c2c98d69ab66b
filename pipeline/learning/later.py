"""The leads of the examples some days later: what softens their labels (models/learning/soft.py)."""

from dataclasses import dataclass, replace

import numpy as np

from features.arrays import DAY_US, Bools, Floats, Ints
from features.episodes import opening
from features.kernel import Matrix, compute
from features.levels import lookup
from features.plan import Plan
from models.learning.soft import Later, Past, soften
from models.learning.training import Rows, take
from models.trees.booster import Settings
from pipeline.assembly.data import Data
from pipeline.assembly.records import records_of
from pipeline.assembly.values import Tables, places

STEP = 28 / 90
"""Of the horizon: how much later the first model looks."""


@dataclass(frozen=True)
class Looks:
    """The leads of all examples that were still open and had not converted `days` later."""

    days: float
    within: float
    """The horizon."""
    later: Later
    """`row` counts examples of the data."""
    came: Floats
    """Days from each example to its conversion, shape (k,); NaN where none came within the horizon, …"""
    heard: Floats
    """… and to its record."""

    def over(self, data: Data, begin: int) -> Bools:
        """Examples whose next days were over at `begin` (µs), shape (k,)."""
        return np.asarray(data.as_of + round(self.days * DAY_US) <= begin)


def looks_of(data: Data, tables: Tables, plan: Plan, within_days: float, until: int) -> Looks | None:
    """Features of the leads that are still open later, up to `until` (µs). None where the tables have no dates, or do
    not say when a lead converted."""
    came, heard = (data.examples[f"days_to_{what}"].fill_null(np.nan).to_numpy() for what in ("conversion", "record"))
    if data.examples["as_of"].null_count() or np.isnan(heard).all():
        return None
    days = within_days * STEP
    records, order = records_of(tables, plan)
    lead, at = places(data.examples["lead_id"], order["lead_id"]), data.as_of + round(days * DAY_US)
    now, then = opening(records, lead, data.as_of), opening(records, lead, at)
    still = (at <= until) & then.open & (then.since == now.since) & ~(heard <= days)
    row = np.flatnonzero(still)
    found = compute(records, plan, lead[row], at[row])
    return Looks(days, within_days, Later(row, _coded_as(data.matrix, found)), came, heard)


def _coded_as(model: Matrix, matrix: Matrix) -> Matrix:
    """The same features with texts coded as in `model`; texts that it does not have are missing."""
    values = matrix.values
    for j, column in enumerate(matrix.columns):
        if column.categorical:
            code = {text: float(i) for i, text in enumerate(model.levels[column.name])}
            table = np.array([*(code.get(text, np.nan) for text in matrix.levels[column.name]), np.nan])
            values[:, j] = lookup(table, values[:, j])
    return Matrix(values, matrix.columns, model.levels)


def part_of(looks: Looks, keep: Bools) -> Later:
    """The later looks at the examples kept, which they now count; where those are all, no copy of them."""
    if keep.all():
        return looks.later
    mine = keep[looks.later.row]
    place: Ints = np.cumsum(keep) - 1
    matrix = replace(looks.later.matrix, values=looks.later.matrix.values[mine])
    return Later(place[looks.later.row[mine]], matrix)


def softened(
    data: Data, rows: Rows, keep: Bools, known: Bools, begin: int, looks: Looks | None, settings: Settings
) -> tuple[Rows, Bools]:
    """The rows with soft labels and which of them to learn from; where nothing softens, as they are and those `known`.

    `rows` are the examples `keep`; `known` (of all examples) says whose label was known at `begin` (µs).
    """
    if looks is None:
        return rows, known[keep]
    over = keep & looks.over(data, begin)
    soft = soften(take(rows, over[keep]), _past(data, looks, over, begin), part_of(looks, over), settings)
    if soft is None:
        return rows, known[keep]
    y = rows.y.copy()
    y[over[keep]] = soft
    return replace(rows, y=y), over[keep]


def _past(data: Data, looks: Looks, keep: Bools, begin: int) -> Past:
    """What was known of the examples kept at `begin` (µs)."""
    age = (begin - data.as_of[keep]) / DAY_US
    came = np.where(looks.heard[keep] <= age, looks.came[keep], np.nan)
    return Past(age, came, looks.days, looks.within)
