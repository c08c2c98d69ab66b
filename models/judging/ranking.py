"""What depends on the order of predictions alone. Equal predictions share a rank, so ties never decide."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Floats, Ints


@dataclass(frozen=True)
class Ranking:
    """n rows from the highest prediction down."""

    order: Ints
    """Shape (n,): place in the input."""
    y: Floats
    """Shape (n,): labels in that order."""
    last: Ints
    """Last row of each run of equal predictions, rising."""


def ranking(y: Floats, p: Floats) -> Ranking:
    """Of labels and predictions (n,). Sorted once: every metric and every bootstrap draw reads the result."""
    order = np.argsort(-p, kind="stable").astype(np.int64)
    last = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
    return Ranking(order, y[order], last.astype(np.int64))


@dataclass(frozen=True)
class Taken:
    """Sums from the top down to each run of equal predictions, rows and conversions."""

    rows: Floats
    positives: Floats


def taken(ranks: Ranking, weight: Floats | None = None) -> Taken:
    """`weight` (n,) in the order of the input; none is one each."""
    w = np.ones(len(ranks.y)) if weight is None else weight[ranks.order]
    return Taken(np.cumsum(w)[ranks.last], np.cumsum(w * ranks.y)[ranks.last])


def auc(sums: Taken) -> float:
    """Area under the ROC curve: a pair in the right order counts 1, a tie 0.5. NaN if a class is missing."""
    negatives = np.diff(sums.rows - sums.positives, prepend=0)
    positives = np.diff(sums.positives, prepend=0)
    above = sums.positives - positives / 2
    pairs = sums.positives[-1] * negatives.sum()
    return float((above * negatives).sum() / pairs) if pairs > 0 else np.nan


def average_precision(sums: Taken) -> float:
    """Precision at each threshold, weighted by the recall it adds, as scikit-learn. NaN if none converts."""
    if sums.positives[-1] <= 0:
        return np.nan
    precision = sums.positives / np.where(sums.rows > 0, sums.rows, 1)
    return float((precision * np.diff(sums.positives, prepend=0)).sum() / sums.positives[-1])


def precision_among(sums: Taken, share: float) -> float:
    """Share of conversions in the best `share` of the rows; of a run that is cut, each row counts in part."""
    rows = share * sums.rows[-1]
    return found(sums, np.array([share]))[0] / rows if rows > 0 else np.nan


def found(sums: Taken, shares: Floats) -> Floats:
    """Conversions among the best `shares` (0 to 1) of the rows, shape (s,) both."""
    rows, positives = np.append(0, sums.rows), np.append(0, sums.positives)
    return np.asarray(np.interp(shares * rows[-1], rows, positives), dtype=np.float64)
