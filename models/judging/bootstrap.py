"""Intervals by bootstrap over groups: rows of one account stand or fall together.

A draw picks as many groups as there are, with replacement; a row weighs as often as its group was picked.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from features.arrays import Floats, Ints
from models.judging import few, ranking
from models.judging.metrics import BEST, check, log_losses, logit, over
from models.judging.rates import Z
from models.judging.recalibration import Cells

Intervals = dict[str, tuple[float, float]]
RATIO = "observed_over_expected"
LEAST_DEFINED = 0.5
"""No interval for a figure that fewer of the draws define."""


def compare(
    y: Floats,
    predictions: Mapping[str, Floats],
    first: str,
    groups: Ints,
    seed: int,
    draws: int = 200,
) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """95 % intervals of each metric by name, and of the metrics of `first` minus those of each other, draw by draw.

    y (n,) in {0, 1}, predictions (n,) in [0, 1], groups (n,) any integers. A metric too often undefined, or a single
    group, has none. Slope and intercept go by models/judging/recalibration.py.
    """
    for p in predictions.values():
        check(y, p)
    parts = {name: _Parts(y, p) for name, p in predictions.items()}
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in parts}
    for w in weights(groups, seed, draws):
        for name, part in parts.items():
            drawn[name].append(_metrics(part, w))
    own, apart = spans(drawn, first)
    return {name: _with_few(found, y, predictions[name], groups) for name, found in own.items()}, apart


def _with_few(found: Intervals, y: Floats, p: Floats, groups: Ints) -> Intervals:
    """With observed over expected as uncertain as it is where few accounts converted."""
    pair = few.widened(found.get(RATIO), y, p, groups)
    return found if pair is None else {**found, RATIO: pair}


def spans(drawn: Mapping[str, list[dict[str, float]]], first: str) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """95 % intervals of drawn measures by name, and of those of `first` minus each other's, draw by draw."""
    apart = {
        name: [{key: a[key] - b[key] for key in a} for a, b in zip(drawn[first], others, strict=True)]
        for name, others in drawn.items()
        if name != first
    }
    own = {name: _intervals(found) for name, found in drawn.items()}
    return own, {name: _intervals(found) for name, found in apart.items()}


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
        self.log_loss = log_losses(y, p)
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
        RATIO: over(float((w * parts.y).sum()), float(expected)),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "precision_at_10pct": ranking.precision_among(sums, BEST),
    }


def _intervals(drawn: list[dict[str, float]]) -> Intervals:
    every = {name: span([draw[name] for draw in drawn]) for name in (drawn[0] if drawn else ())}
    return {name: found for name, found in every.items() if found is not None}


def span(drawn: Sequence[float] | Floats) -> tuple[float, float] | None:
    """The 95 % percentile interval of the draws of a figure; None where there are none, or where more than
    1 - LEAST_DEFINED of them leave it undefined (NaN or infinite)."""
    values = np.asarray(drawn, dtype=np.float64)
    known = values[np.isfinite(values)]
    if not len(known) or len(known) < LEAST_DEFINED * len(values):
        return None
    low, high = np.quantile(known, [0.025, 0.975]).tolist()
    return low, high


def money_span(found: float, drawn: Sequence[float] | Floats) -> tuple[float, float] | None:
    """The 95 % interval of a sum of money, or of one over another, by its draws: the normal interval of its logarithm
    (Efron and Tibshirani 1993, An Introduction to the Bootstrap, 12.6). A few large deals make percentiles end too
    low. None where `found` is not above 0, or where more than 1 - LEAST_DEFINED of the draws are not."""
    values = np.asarray(drawn, dtype=np.float64)
    logs = np.log(values[np.isfinite(values) & (values > 0)])
    if not found > 0 or len(logs) < max(2, LEAST_DEFINED * len(values)):
        return None
    far = float(np.exp(Z * logs.std()))
    return found / far, found * far
