"""Slope and intercept of many weighted draws in a millisecond each: rows gathered into narrow cells of log odds."""

import numpy as np

from features.arrays import Floats
from models import newton

CELLS_A_UNIT = 64
"""Cells to one unit of log odds. A row counts at its cell's mean, which moves a slope by some 1 % of its
standard error."""
STEPS = 25
LONGEST_STEP = 1.0
CLOSE = 1e-7


class Cells:
    """Labels y (n,) in {0, 1} and log odds z (n,), ready to be weighted again and again."""

    def __init__(self, y: Floats, z: Floats) -> None:
        _, self.cell = np.unique(np.floor(z * CELLS_A_UNIT), return_inverse=True)
        self.y = y
        self.z = np.bincount(self.cell, z) / np.bincount(self.cell)
        rows, won = self._sums(np.ones(len(y)))
        self.both = self._optimum(rows, won, np.array([0.0, 1.0]), 2)
        self.alone = self._optimum(rows, won, np.array([0.0, 1.0]), 1)

    def fit(self, weight: Floats) -> tuple[float, float]:
        """Slope and intercept as in models/judging/metrics.py, rows weighted (n,); NaN where there is no finite one.

        The slope is the b of log odds a + b z that makes y likeliest, the intercept the a of log odds a + z.
        """
        rows, won = self._sums(weight)
        both, alone = self._optimum(rows, won, self.both, 2), self._optimum(rows, won, self.alone, 1)
        return float(both[1]), float(alone[0])

    def _optimum(self, rows: Floats, won: Floats, start: Floats, free: int) -> Floats:
        """(a, b) by Newton's method from a point near by, the first `free` of them moved; NaN where it gets nowhere."""
        b, nowhere = start.copy(), np.full(2, np.nan)
        if np.isnan(start[0]) or not 0 < won.sum() < rows.sum():
            return nowhere
        for _ in range(STEPS):
            step = self._step(rows, won, b, free)
            if step is None:
                return nowhere
            b[:free] += np.clip(step, -LONGEST_STEP, LONGEST_STEP)
            if np.abs(step).max() < CLOSE:
                return b
        return nowhere

    def _sums(self, weight: Floats) -> tuple[Floats, Floats]:
        """Rows and conversions of each cell."""
        sums = [np.bincount(self.cell, w, minlength=len(self.z)) for w in (weight, weight * self.y)]
        return np.asarray(sums[0], dtype=np.float64), np.asarray(sums[1], dtype=np.float64)

    def _step(self, rows: Floats, won: Floats, b: Floats, free: int) -> Floats | None:
        p = newton.sigmoid(b[0] + b[1] * self.z)
        short, spread = won - rows * p, rows * p * (1 - p)
        one, tilt, square = spread.sum(), (spread * self.z).sum(), (spread * self.z**2).sum()
        if free == 1:
            return np.array([short.sum() / one]) if one > 0 else None
        size = one * square - tilt**2
        if size <= 1e-9 * one * square:
            return None
        pull = (short * self.z).sum()
        up = np.array([square * short.sum() - tilt * pull, one * pull - tilt * short.sum()])
        return np.asarray(up / size, dtype=np.float64)
