"""Two-stage soft labels: learning from leads whose horizon is not over yet.

With a horizon of 90 days and `soon` of 28: stage one predicts conversion within the other 62 days, out of fold by
account. Stage two learns from every look whose next 28 days are known: 1 where the lead converted in them, 0 where
it closed, else stage one's probability for the same lead 28 days later. So it sees leads that are too young for a
label of 90 days, and needs no assumption about the funnel. Only what was known at the cut-off is used.
"""

from dataclasses import dataclass, replace

import numpy as np

from features.arrays import DAY_US, Bools, Floats, Ints
from features.episodes import opening
from features.kernel import Matrix
from features.records import Records
from models.labels import Conversions, next_conversion


@dataclass(frozen=True)
class Looks:
    """Looks at leads, each with what the next days brought; shape (k,) each."""

    lead: Ints
    as_of: Ints
    soon: Floats
    """1 where the lead converts in `(as_of, later]`, else 0."""
    later: Ints
    """`as_of + soon_days`, µs."""
    open_later: Bools
    """Whether the lead is open at `later`."""
    rest: Floats
    """1 where it converts in the rest of a horizon that begins at `as_of`, else 0."""
    rest_later: Floats
    """The same for one that begins at `later`."""


def looks_at(
    records: Records, conversions: Conversions, lead: Ints, as_of: Ints, within_days: float, soon_days: float
) -> Looks:
    """Looks at (lead, as_of), shapes (k,). Who asks must leave out what was not known: a rest is known
    `within_days - soon_days` after it begins."""
    later = as_of + round(soon_days * DAY_US)
    rest = round((within_days - soon_days) * DAY_US)
    first, second = (next_conversion(conversions, lead, at) for at in (as_of, later))
    return Looks(
        lead,
        as_of,
        (first <= later).astype(float),
        later,
        opening(records, lead, later).open,
        (first <= as_of + rest).astype(float),
        (second <= later + rest).astype(float),
    )


def targets(looks: Looks, later: Floats) -> Floats:
    """Soft labels in [0, 1]: `later` are stage one's probabilities at `looks.later`, shape (k,), used where the
    lead had not converted and was still open."""
    return np.where(looks.soon == 1, 1.0, np.where(looks.open_later, later, 0.0))


def stacked(a: Matrix, b: Matrix) -> Matrix:
    """Rows of a, then of b; both have the same columns. Levels of the two are joined."""
    values, levels = b.values.copy(), dict(a.levels)
    for j, column in enumerate(a.columns):
        if column.categorical:
            mine, theirs = a.levels[column.name], b.levels[column.name]
            union = list(dict.fromkeys([*mine, *theirs]))
            place = np.array([*(float(union.index(t)) for t in theirs), np.nan])
            code = values[:, j]
            values[:, j] = place[np.where(np.isnan(code), len(theirs), code).astype(np.int64)]
            levels[column.name] = union
    return replace(a, values=np.concatenate([a.values, values]), levels=levels)
