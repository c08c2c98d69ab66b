"""Intervals by bootstrap over groups: rows of one account stand or fall together.

A draw picks as many groups as there are, with replacement; a row weighs as often as its group was picked.
"""

from collections.abc import Iterator

import numpy as np

from features.arrays import Floats, Ints
from models import ranking
from models.metrics import BEST, EPSILON, check, over

Intervals = dict[str, tuple[float, float]]
LEAST_DEFINED = 0.5
"""No interval for a metric that more than this share of the draws leaves undefined."""


def intervals(y: Floats, p: Floats, groups: Ints, seed: int, draws: int = 200, level: float = 0.95) -> Intervals:
    """Percentile interval of each metric; a metric too often undefined, or a single group, has none.

    y (n,) in {0, 1}, p (n,) in [0, 1], groups (n,) any integers.
    """
    check(y, p)
    parts = _Parts(y, p)
    return _percentiles([_metrics(parts, w) for w in weights(groups, seed, draws)], level)


def difference_intervals(
    y: Floats, p: Floats, q: Floats, groups: Ints, seed: int, draws: int = 200, level: float = 0.95
) -> Intervals:
    """Interval of the metric of p minus that of q, both on the same draws."""
    check(y, p)
    check(y, q)
    mine, theirs = _Parts(y, p), _Parts(y, q)
    pairs = [(_metrics(mine, w), _metrics(theirs, w)) for w in weights(groups, seed, draws)]
    return _percentiles([{name: a[name] - b[name] for name in a} for a, b in pairs], level)


def weights(groups: Ints, seed: int, draws: int) -> Iterator[Floats]:
    """Row weights (n,) of each draw; none where there are fewer than two groups."""
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        picked = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        yield picked[group].astype(np.float64)


class _Parts:
    """What every draw shares: the ranking and the loss of each row."""

    def __init__(self, y: Floats, p: Floats) -> None:
        self.y, self.p, self.ranks = y, p, ranking.ranking(y, p)
        q = np.clip(p, EPSILON, 1 - EPSILON)
        self.log_loss = -(y * np.log(q) + (1 - y) * np.log1p(-q))
        self.brier = (y - p) ** 2


def _metrics(parts: _Parts, w: Floats) -> dict[str, float]:
    total, expected = w.sum(), (w * parts.p).sum()
    sums = ranking.taken(parts.ranks, w)
    return {
        "auc": ranking.auc(sums),
        "log_loss": float((w * parts.log_loss).sum() / total),
        "brier": float((w * parts.brier).sum() / total),
        "average_precision": ranking.average_precision(sums),
        "observed_over_expected": over(float((w * parts.y).sum()), float(expected)),
        "precision_at_10pct": ranking.precision_among(sums, BEST),
    }


def _percentiles(drawn: list[dict[str, float]], level: float) -> Intervals:
    found = {}
    for name in drawn[0] if drawn else ():
        values = np.array([draw[name] for draw in drawn])
        values = values[np.isfinite(values)]
        if len(values) >= LEAST_DEFINED * len(drawn):
            low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
            found[name] = (float(low), float(high))
    return found
