"""Intervals by bootstrap over groups: rows of one account stand or fall together.

A draw picks as many groups as there are, with replacement; a row weighs as often as its group was picked.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from features.arrays import Floats, Ints
from models import ranking
from models.metrics import BEST, EPSILON, check, logit, over
from models.recalibration import Cells

Intervals = dict[str, tuple[float, float]]
LEAST_DEFINED = 0.5
"""No interval for a metric that more than this share of the draws leaves undefined."""


def intervals(y: Floats, p: Floats, groups: Ints, seed: int, draws: int = 200, level: float = 0.95) -> Intervals:
    """Percentile interval of each metric; a metric too often undefined, or a single group, has none.

    y (n,) in {0, 1}, p (n,) in [0, 1], groups (n,) any integers. Slope and intercept go by models/recalibration.py.
    """
    return compare(y, {"p": p}, "p", groups, seed, draws, level)[0]["p"]


def difference_intervals(
    y: Floats, p: Floats, q: Floats, groups: Ints, seed: int, draws: int = 200, level: float = 0.95
) -> Intervals:
    """Interval of the metric of p minus that of q, both on the same draws."""
    return compare(y, {"p": p, "q": q}, "p", groups, seed, draws, level)[1]["q"]


def compare(
    y: Floats,
    predictions: Mapping[str, Floats],
    first: str,
    groups: Ints,
    seed: int,
    draws: int = 200,
    level: float = 0.95,
) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """Intervals by name, and of the metrics of `first` minus those of each other, all on the same draws."""
    for p in predictions.values():
        check(y, p)
    parts = {name: _Parts(y, p) for name, p in predictions.items()}
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in parts}
    for w in weights(groups, seed, draws):
        for name, part in parts.items():
            drawn[name].append(_metrics(part, w))
    return spans(drawn, first, level)


def spans(
    drawn: Mapping[str, list[dict[str, float]]], first: str, level: float = 0.95
) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """Percentile intervals of drawn measures by name, and of those of `first` minus each other's, draw by draw."""
    apart = {
        name: [{key: a[key] - b[key] for key in a} for a, b in zip(drawn[first], others, strict=True)]
        for name, others in drawn.items()
        if name != first
    }
    own = {name: _percentiles(found, level) for name, found in drawn.items()}
    return own, {name: _percentiles(found, level) for name, found in apart.items()}


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
    """What every draw shares: the ranking, the loss of each row, and cells of log odds."""

    def __init__(self, y: Floats, p: Floats) -> None:
        self.y, self.p, self.ranks = y, p, ranking.ranking(y, p)
        q = np.clip(p, EPSILON, 1 - EPSILON)
        self.log_loss = -(y * np.log(q) + (1 - y) * np.log1p(-q))
        self.brier = (y - p) ** 2
        self.cells = Cells(y, logit(p))


def _metrics(parts: _Parts, w: Floats) -> dict[str, float]:
    total, expected = w.sum(), (w * parts.p).sum()
    sums = ranking.taken(parts.ranks, w)
    slope, intercept = parts.cells.fit(w)
    return {
        "auc": ranking.auc(sums),
        "log_loss": float((w * parts.log_loss).sum() / total),
        "brier": float((w * parts.brier).sum() / total),
        "average_precision": ranking.average_precision(sums),
        "observed_over_expected": over(float((w * parts.y).sum()), float(expected)),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
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
