"""Raw log odds to probabilities: the simplest map that what is known supports.

Never isotonic: with fewer than 10,000 rows it fits noise, and it makes ties of unequal leads.
Imports NumPy alone, because serving imports this.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from models import newton
from models.folds import random_folds

KINDS = ("none", "intercept", "platt", "beta")
"""From simple to flexible; coefficients: (), (a,), (a, b) for a + b x, (c, a, b) for beta."""
PARTS = 5
LEAST_CONVERTING = 50
"""Fewer converting groups than this fit an intercept at most."""
FLATTEST = 0.01
"""Slopes stay at or above this, so that a higher raw score is a higher probability."""
FURTHEST = 36.0
"""Log odds are kept within ±36, so that 0 < p < 1 in double precision."""


@dataclass(frozen=True)
class Calibration:
    """A strictly increasing map from raw log odds to calibrated ones (up to rounding, within ±FURTHEST)."""

    kind: str
    coefficients: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """`{"kind": …, "coefficients": […]}`."""
        return {**asdict(self), "coefficients": list(self.coefficients)}

    @staticmethod
    def of_json(given: Mapping[str, Any]) -> "Calibration":
        """Raises ValueError for an unknown kind or a wrong number of coefficients."""
        kind, coefficients = given["kind"], tuple(float(c) for c in given["coefficients"])
        if kind not in KINDS or len(coefficients) != KINDS.index(kind):
            raise ValueError(f"expected one of {KINDS} with 0, 1, 2, 3 coefficients, got {dict(given)}")
        return Calibration(kind, coefficients)


def apply(calibration: Calibration, raw_log_odds: Floats) -> Floats:
    """Probabilities in (0, 1), shape (n,). A row has the same bits alone as in any batch."""
    return probability(log_odds(calibration, raw_log_odds))


def probability(calibrated: Floats) -> Floats:
    """Of calibrated log odds, shape (n,), held within ±FURTHEST.

    exp and log1p are the C library's, one element at a time: NumPy's may differ by place in the array.
    """
    z = np.clip(calibrated, -FURTHEST, FURTHEST)
    return np.asarray(1.0 / (1.0 + _each(math.exp, -z)), dtype=np.float64)


def log_odds(calibration: Calibration, raw: Floats) -> Floats:
    """Calibrated log odds, shape (n,)."""
    c = calibration.coefficients
    match calibration.kind:
        case "none":
            return raw
        case "intercept":
            return raw + c[0]
        case "platt":
            return raw * c[1] + c[0]
        case "beta":  # Kull, Silva Filho and Flach 2017: c + a log p − b log(1 − p)
            return c[0] - c[1] * softplus(-raw) + c[2] * softplus(raw)
    raise ValueError(f"expected one of {KINDS}, got {calibration.kind!r}")


def softplus(x: Floats) -> Floats:
    """log(1 + exp(x)), shape (n,), without overflow; −log p is softplus(−log odds)."""
    return np.maximum(x, 0) + _each(math.log1p, _each(math.exp, -np.abs(x)))


def _each(function: Callable[[float], float], x: Floats) -> Floats:
    return np.fromiter(map(function, x.tolist()), dtype=np.float64, count=len(x))


def choose(y: Floats, raw_log_odds: Floats, groups: Ints, seed: int) -> tuple[Calibration, dict[str, float]]:
    """The chosen calibration, fitted on all rows, and each candidate's cross-validated log loss.

    y (n,) in {0, 1}, n ≥ 1. Folds keep groups (accounts) whole. Going from simple to flexible, a candidate
    takes over where its loss is lower by more than one standard error, over groups, of the difference.
    """
    _, group = np.unique(groups, return_inverse=True)
    fold = random_folds(group, seed, PARTS)
    kinds = KINDS if len(np.unique(group[y == 1])) >= LEAST_CONVERTING else KINDS[:2]
    losses = {kind: _held_out(kind, y, raw_log_odds, fold) for kind in kinds}
    best = "none"
    for kind in kinds[1:]:
        gain = losses[best] - losses[kind]
        if gain.mean() > standard_error(gain, group):
            best = kind
    return fit(best, y, raw_log_odds), {kind: float(loss.mean()) for kind, loss in losses.items()}


def _held_out(kind: str, y: Floats, raw: Floats, fold: Ints) -> Floats:
    """Log loss of each row under the fit to the other folds."""
    losses = np.empty(len(y))
    for k in np.unique(fold):
        rows = fold == k
        fitted = fit(kind, y[~rows], raw[~rows])
        losses[rows] = newton.losses(y[rows], log_odds(fitted, raw[rows]))
    return losses


def standard_error(values: Floats, group: Ints) -> float:
    """Of the mean of `values` (n,), whose groups (n,), numbered from 0, are independent."""
    sums = np.bincount(group, weights=values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))


def fit(kind: str, y: Floats, raw: Floats) -> Calibration:
    """Likeliest calibration of a kind, of y in {0, 1} and raw log odds (n,); the next simpler kind where none is
    finite and rises."""
    found: Floats | None = None
    match kind:
        case "intercept":
            found = newton.fit([np.ones(len(y))], y, raw)
        case "platt":
            found = newton.fit([np.ones(len(y)), raw], y)
        case "beta":
            found = _beta(y, raw)
    if found is not None and (found[1:] >= FLATTEST).all():
        return Calibration(kind, tuple(float(c) for c in found))
    return Calibration("none") if kind in KINDS[:2] else fit(KINDS[KINDS.index(kind) - 1], y, raw)


def _beta(y: Floats, raw: Floats) -> Floats | None:
    """(c, a, b). A slope below FLATTEST is held there and the others are fitted again, as Kull does at 0."""
    X = [np.ones(len(y)), -softplus(-raw), softplus(raw)]
    found = newton.fit(X, y)
    if found is None or (found[1:] >= FLATTEST).all():
        return found
    held = 1 if found[1] < found[2] else 2
    rest = newton.fit([X[0], X[3 - held]], y, FLATTEST * X[held])
    return None if rest is None else np.insert(rest, held, FLATTEST)
