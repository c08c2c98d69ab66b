"""Maximum likelihood of a small logistic regression, in NumPy alone."""

from collections.abc import Sequence

import numpy as np

from features.arrays import Floats

STEPS = 60
SMALL = 1e-9
"""A step below this, in units of each column's spread, ends the search."""


def fit(X: Sequence[Floats], y: Floats, offset: Floats | float = 0.0) -> Floats | None:
    """Coefficients b that make y (0 or 1) likeliest under log odds `offset + b[0] X[0] + …`, all shaped (n,).

    Newton's method with halved steps. None where no finite optimum exists: one class, a column that
    repeats another, or classes that a line separates. Sums are NumPy's own, not the BLAS's, whose last bits
    depend on its threads.
    """
    if len(y) == 0 or y.min() == y.max():
        return None
    spread = np.array([x.std() if x.std() > 0 else 1.0 for x in X])
    Z, b = [x / s for x, s in zip(X, spread, strict=True)], np.zeros(len(X))
    for _ in range(STEPS):
        step = _step(Z, y, _line(Z, b, offset))
        if step is None:
            return None
        b, moved = _walk(Z, y, offset, b, step)
        if moved < SMALL:
            return np.asarray(b / spread, dtype=np.float64)
    return None


def _line(Z: Sequence[Floats], b: Floats, offset: Floats | float) -> Floats:
    total: Floats = offset + b[0] * Z[0]
    for z, slope in zip(Z[1:], b[1:], strict=True):
        total = total + slope * z
    return total


def _step(Z: Sequence[Floats], y: Floats, log_odds: Floats) -> Floats | None:
    p = sigmoid(log_odds)
    weighted = [z * p * (1 - p) for z in Z]
    hessian = np.array([[(w * z).sum() for z in Z] for w in weighted])
    if np.linalg.eigvalsh(hessian)[0] <= 1e-12 * len(y):
        return None
    gradient = np.array([(z * (y - p)).sum() for z in Z])
    return np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)


def _walk(Z: Sequence[Floats], y: Floats, offset: Floats | float, b: Floats, step: Floats) -> tuple[Floats, float]:
    """The first of b + step, b + step / 2, … that is no worse, and how far it went."""
    before = loss(y, _line(Z, b, offset))
    while np.abs(step).max() >= SMALL:
        if loss(y, _line(Z, b + step, offset)) <= before:
            return b + step, float(np.abs(step).max())
        step = step / 2
    return b, 0.0


def loss(y: Floats, log_odds: Floats) -> float:
    """Sum of the log losses, in nats."""
    return float(losses(y, log_odds).sum())


def losses(y: Floats, log_odds: Floats) -> Floats:
    """Log loss of each row in nats, shape (n,), y in {0, 1}: exact at any log odds."""
    return np.asarray(np.logaddexp(0, log_odds) - y * log_odds, dtype=np.float64)


def sigmoid(log_odds: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow. For fitting; `calibration.probability` is what scores with."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds)), dtype=np.float64)
