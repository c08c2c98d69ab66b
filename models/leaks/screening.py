"""How much a single feature tells of the outcome. One that tells nearly all was written down after it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from models.folds import random_folds
from models.judging.bins import bins, quantile_edges
from models.judging.ranking import auc, ranking, taken
from models.judging.rates import smoothed, wilson

LEAST = 10
"""With fewer converting leads, or fewer others, nothing is said."""
PARTS = 5
PRIOR_LEADS = 5.0
OF_ACCOUNTS = ("account", "lead")
"""Blocks whose values may be the account's."""
Z = 1.645
"""One-sided 95 %."""
SLACK = 0.1
LUCK = 4.0
"""Standard deviations of a coin that the luckiest of some hundred features does not reach."""


@dataclass(frozen=True)
class Area:
    """An area under the ROC curve, turned to be 0.5 or more."""

    auc: float
    low: float
    """Lower end of its interval."""
    luck: float
    """What a coin may reach."""

    def above(self, limit: float) -> bool:
        """Whether it is above the limit and few leads do not explain it: it is beyond luck, and the lower end of its
        interval is above the limit less SLACK."""
        return self.auc > limit and self.auc > self.luck and self.low > limit - SLACK


NOTHING = Area(0.5, 0.0, 1.0)


@dataclass(frozen=True)
class Strength:
    """What one feature tells alone."""

    column: int
    """Its place in the matrix."""
    value: Area
    missing: Area
    """Of being missing alone."""


def strengths(matrix: Matrix, y: Floats, group: Ints) -> list[Strength]:
    """Of every column, in order. Rows (n,) are one a lead; y is 0 or 1; `group` keeps accounts together.

    Empty where fewer than LEAST convert, or do not. A column counts by the better of its own order, in either
    direction, and the out-of-fold rates of its levels (tenths, for numbers), missing being one of them: so
    categories, and numbers whose middle is what tells, are seen too.
    """
    if min(y.sum(), len(y) - y.sum()) < LEAST:
        return []
    fold = random_folds(group, 0, PARTS)
    return [
        Strength(j, _value(matrix, j, y, fold), _area(y, np.isnan(matrix.values[:, j]).astype(np.float64)))
        for j in range(matrix.values.shape[1])
    ]


def _value(matrix: Matrix, j: int, y: Floats, fold: Ints) -> Area:
    x = matrix.values[:, j]
    gone = np.isnan(x)
    if gone.all():
        return NOTHING
    if matrix.columns[j].categorical:
        return _rates(np.where(gone, -1, x).astype(np.int64), y, fold)
    own = _area(y, np.where(gone, np.median(x[~gone]), x))
    rates = _rates(bins(x, quantile_edges(x)), y, fold)
    return max(own, rates, key=lambda area: area.auc)


def _rates(code: Ints, y: Floats, fold: Ints) -> Area:
    """Of the rates that codes have in the other folds."""
    found = auc(taken(ranking(y, _elsewhere(code, y, fold))))  # not turned: rates worse than a coin tell nothing
    return bounded(max(found, 0.5), y)


def _elsewhere(code: Ints, y: Floats, fold: Ints) -> Floats:
    """The rate that each row's code (-1 is missing) has in the other folds, shrunk to the mean."""
    place, levels = code + 1, int(code.max()) + 2
    score = np.empty(len(y))
    for k in range(PARTS):
        others = fold != k
        n, won = (np.bincount(place[others], w, minlength=levels) for w in (None, y[others]))
        rate = (won + PRIOR_LEADS * y[others].mean()) / (n + PRIOR_LEADS) if others.any() else np.zeros(levels)
        score[~others] = rate[place[~others]]
    return score


def _area(y: Floats, score: Floats) -> Area:
    found = auc(taken(ranking(y, score)))
    return bounded(max(found, 1 - found), y)


def bounded(area: float, y: Floats) -> Area:
    """With its lower end and with luck, y (n,) being as many independent rows: Hanley and McNeil 1982."""
    won = float(y.sum())
    lost = len(y) - won
    if min(won, lost) < 1:
        return Area(area, 0.0, 1.0)
    return Area(area, area - Z * _deviation(area, won, lost), 0.5 + LUCK * _deviation(0.5, won, lost))


def _deviation(area: float, positives: float, negatives: float) -> float:
    squared = area * area
    q1, q2 = area / (2 - area), 2 * squared / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (q1 - squared) + (negatives - 1) * (q2 - squared)
    return float(np.sqrt(max(spread, 0.0) / (positives * negatives)))


def strongest(*views: Sequence[Strength]) -> list[Strength]:
    """Of each column the best of several views, in order; a view may be empty."""
    some = [view for view in views if view]
    return [
        Strength(
            column[0].column,
            max((one.value for one in column), key=lambda area: area.auc),
            max((one.missing for one in column), key=lambda area: area.auc),
        )
        for column in zip(*some, strict=True)
    ]


FINE = 2 * LEAST
"""Rows of a range of numbers that is looked at on its own: what marks customers may be far up, or between others."""
SOME = "some"
"""Of levels, or ranges of numbers, that few leads each have."""
SURE_Z = 2.576
"""Two-sided 99 %: the lower end of what a group of leads converts."""


@dataclass(frozen=True)
class Pure:
    """Leads, or accounts, that share a value, or that something is there, and convert more often than the others."""

    column: int
    level: str | None
    """The shared text or number, or SOME; None where it is that something is known, true or happened."""
    rows: int
    converting: int
    low: float
    """Lower end of their rate (Wilson 1927)."""
    odds: float
    """Odds of that over the odds of the others."""
    each: Literal["lead", "account"] = "lead"
    """What a row is."""

    @property
    def most(self) -> bool:
        """Whether most of them surely convert."""
        return self.low > 0.5

    @property
    def telling(self) -> tuple[bool, float]:
        """What one group counts more than another by: all who have anything at all have the greatest odds where no
        winner is without, and hide those of them who have what only winners have."""
        return self.most, self.odds


def purest(matrix: Matrix, y: Floats, group: Ints) -> list[Pure]:
    """Of each column that has one the most telling group, if LEAST of it convert. Rows as in `strengths`.

    An area under the curve does not see a field that is filled in for a third of the winners and for nobody else.
    """
    return _purest(matrix, y, random_folds(group, 0, PARTS), range(len(matrix.columns)))


def _purest(matrix: Matrix, y: Floats, fold: Ints, columns: Iterable[int]) -> list[Pure]:
    found = []
    for j in columns:
        groups = [_pure(j, level, n, won, y) for level, n, won in (*_groups(matrix, j, y), *_some(matrix, j, y, fold))]
        some = [one for one in groups if one is not None]
        found += [max(some, key=lambda one: one.telling)] if some else []
    return found


def purest_of_accounts(matrix: Matrix, y: Floats, group: Ints) -> list[Pure]:
    """As `purest`, of what all leads of an account share, a row an account; y, alike for all rows of one, is 1 for
    customers.

    Of an account that became a customer most leads may never convert, so its leads alone do not show that a column was
    filled in when it did. A flat file has such columns among those of the leads.
    """
    first, place = np.unique(group, return_index=True, return_inverse=True)[1:]
    values = matrix.values
    theirs = values[first][place]
    shared = ((values == theirs) | (np.isnan(values) & np.isnan(theirs))).all(axis=0)
    own = [j for j, column in enumerate(matrix.columns) if column.block in OF_ACCOUNTS and shared[j]]
    rows = replace(matrix, values=values[first])
    found = _purest(rows, y[first], random_folds(np.arange(len(first)), 0, PARTS), own)
    return [replace(one, each="account") for one in found]


def _groups(matrix: Matrix, j: int, y: Floats) -> Iterator[tuple[str | None, float, float]]:
    """Rows and converting rows of each group that a column makes."""
    column, x = matrix.columns[j], matrix.values[:, j]
    counted, known = column.measure in ("count", "topic", "value"), ~np.isnan(x)
    own = x > 0 if counted else known
    yield None, float(own.sum()), float(y[own].sum())
    if column.categorical:
        texts, code = matrix.levels.get(column.name, ()), x[known].astype(np.int64)
        many, won = (np.bincount(code, w, minlength=len(texts)) for w in (None, y[known]))
        yield from zip(texts, many.tolist(), won.tolist(), strict=False)
    elif column.measure == "boolean":
        yield None, float((x == 1).sum()), float(y[x == 1].sum())
    elif column.measure == "numeric" and known.any():
        yield from _of_numbers(x[known], y[known])


def _of_numbers(x: Floats, y: Floats) -> Iterator[tuple[str, float, float]]:
    """Rows with another number than the usual one, as a sum that is 0 until it is paid; and those of each number that
    LEAST converting rows share."""
    numbers, code = np.unique(x, return_inverse=True)
    many, won = (np.bincount(code, w) for w in (None, y))
    usual = int(many.argmax())
    yield f"not {numbers[usual]:g}", float(len(x) - many[usual]), float(y.sum() - won[usual])
    for k in np.flatnonzero(won >= LEAST).tolist():
        yield f"{numbers[k]:g}", float(many[k]), float(won[k])


def _some(matrix: Matrix, j: int, y: Floats, fold: Ints) -> Iterator[tuple[str, float, float]]:
    """Rows of the levels, or FINE ranges of a number, of which most convert in the other folds, however few each: the
    most telling first, and as many as are together more than half converting."""
    x = matrix.values[:, j]
    known = int((~np.isnan(x)).sum())
    if matrix.columns[j].categorical:
        code = np.where(np.isnan(x), -1, x).astype(np.int64)
    else:
        code = bins(x, quantile_edges(x, max(known // FINE, 2)))
    score = _elsewhere(code, y, fold)
    order = np.argsort(-score, kind="stable")
    won, n = np.cumsum(y[order]), np.arange(1, len(y) + 1)
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    for k in ends[2 * won[ends] > n[ends]].tolist():
        yield SOME, float(n[k]), float(won[k])


def _pure(j: int, level: str | None, n: float, won: float, y: Floats) -> Pure | None:
    others, lost = len(y) - n, float(y.sum()) - won
    if won < LEAST or others < LEAST:
        return None
    low, _ = wilson(won / n, n, SURE_Z)
    rest = smoothed(lost, int(others))
    return Pure(j, level, int(n), int(won), low, low / (1 - low) / (rest / (1 - rest)))
