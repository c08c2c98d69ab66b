"""Slope and intercept of many weighted draws in a millisecond each: rows gathered into narrow cells of log odds."""

import numpy as np

from features.arrays import Floats
from models import newton

CELLS_A_UNIT = 64
"""Cells to one unit of log odds. A row counts at its cell's mean, which moves a slope by about 1e-5 of itself."""
STEPS = 25
LONGEST_STEP = 1.0
CLOSE = 1e-7


class Cells:
    """Labels y (n,) in {0, 1} and log odds z (n,), ready to be weighted again and again."""

    def __init__(self, y: Floats, z: Floats) -> None:
        _, self.cell = np.unique(np.floor(z * CELLS_A_UNIT), return_inverse=True)
        self.y = y
        self.z = np.bincount(self.cell, z) / np.bincount(self.cell)
        ones = np.ones(len(y))
        self.start = self._optimum(ones, np.array([0.0, 1.0]), 2)
        self.start_alone = self._optimum(ones, np.array([0.0, 1.0]), 1)

    def slope(self, weight: Floats) -> float:
        """The b of log odds a + b z that makes y likeliest, rows weighted; NaN where there is no finite one."""
        return float(self._optimum(weight, self.start, 2)[1])

    def intercept(self, weight: Floats) -> float:
        """The a of log odds a + z."""
        return float(self._optimum(weight, self.start_alone, 1)[0])

    def _optimum(self, weight: Floats, start: Floats, free: int) -> Floats:
        """(a, b) by Newton's method from a point near by, the first `free` of them moved; NaN where it gets nowhere."""
        rows, won = self._sums(weight), self._sums(weight * self.y)
        b, nowhere = start.copy(), np.full(2, np.nan)
        if not 0 < won.sum() < rows.sum() or np.isnan(start).any():
            return nowhere
        for _ in range(STEPS):
            step = self._step(rows, won, b, free)
            if step is None:
                return nowhere
            b[:free] += np.clip(step, -LONGEST_STEP, LONGEST_STEP)
            if np.abs(step).max() < CLOSE:
                return b
        return nowhere

    def _sums(self, weight: Floats) -> Floats:
        return np.asarray(np.bincount(self.cell, weight, minlength=len(self.z)), dtype=np.float64)

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
