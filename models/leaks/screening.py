"""How much a single feature tells of the outcome. One that tells nearly all was written down after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from models.folds import random_folds
from models.judging.bins import bins, quantile_edges
from models.judging.ranking import auc, ranking, taken

LEAST = 10
"""With fewer converting leads, or fewer others, nothing is said."""
PARTS = 5
PRIOR_LEADS = 5.0
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
    found = auc(taken(ranking(y, elsewhere(code, y, fold))))  # not turned: rates worse than a coin tell nothing
    return bounded(max(found, 0.5), y)


def elsewhere(code: Ints, y: Floats, fold: Ints) -> Floats:
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
