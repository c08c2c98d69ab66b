"""Smooth calibration error, and what a perfect model would show of it by chance.

Błasiok and Nakkiran 2023, "Smooth ECE": residuals y − p, smoothed along p by a Gaussian reflected at 0 and 1;
the integral of their absolute value falls as the bandwidth grows, and is read where it equals the bandwidth.
"""

import math

import numpy as np
import numpy.typing as npt

from features.arrays import Floats, Ints

CELLS = 8192
"""Cells of [0, 1]; a bandwidth below one cell (1.2e-4) is not resolved."""
HALVINGS = 16
AT_ONCE = 25
"""Draws whose transforms are in memory together: 7 MB."""


def smooth_ece(y: Floats, p: Floats) -> float:
    """smECE of labels y in {0, 1} under predictions p in [0, 1], shapes (n,), n ≥ 1, in the unit of p; 0 is perfect."""
    residual = np.bincount(_cell(p), weights=y - p, minlength=CELLS)
    return float(_fixed_point(residual[None, :] / len(p))[0])


def smooth_ece_null(p: Floats, seed: int, draws: int = 200) -> float:
    """The 95 % quantile of smECE over `draws` sets of labels drawn from p (n,) itself.

    Labels are drawn cell by cell (binomial of the cell's mean p), so the time does not grow with n.
    """
    cell = _cell(p)
    count = np.bincount(cell, minlength=CELLS)
    expected = np.asarray(np.bincount(cell, weights=p, minlength=CELLS), dtype=np.float64)
    used = np.flatnonzero(count)
    chance = np.clip(expected[used] / count[used], 0, 1)
    rng = np.random.default_rng(seed)
    sizes = [min(AT_ONCE, draws - done) for done in range(0, draws, AT_ONCE)]
    found = [_null(rng, used, count, expected, chance, size) for size in sizes]
    return float(np.quantile(np.concatenate(found), 0.95))


def _null(rng: np.random.Generator, used: Ints, count: Ints, expected: Floats, chance: Floats, draws: int) -> Floats:
    residual = np.zeros((draws, CELLS))
    residual[:, used] = rng.binomial(count[used], chance, size=(draws, len(used))) - expected[used]
    return _fixed_point(residual / count.sum())


def _cell(p: Floats) -> Ints:
    return np.minimum((p * CELLS).astype(np.int64), CELLS - 1)


def _fixed_point(residual: Floats) -> Floats:
    """The bandwidth s where the error at s equals s, by bisection; one a row."""
    mirrored = np.concatenate([residual, residual[:, ::-1]], axis=1)
    waves = np.fft.rfft(mirrored, axis=1)
    low, high = np.zeros(len(residual)), np.ones(len(residual))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = _error(waves, middle) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _error(waves: npt.NDArray[np.complex128], bandwidth: Floats) -> Floats:
    """Integral of |smoothed residual|. On a mirrored line a Gaussian dampens wave k by exp(−(π k s)² / 2).

    What is smooth at the least bandwidth needs no more than eight points to it.
    """
    points = min(CELLS, 2 ** math.ceil(math.log2(8 / bandwidth.min())))
    k = np.arange(points + 1)
    damped = waves[:, : points + 1] * np.exp(-0.5 * (np.pi * k * bandwidth[:, None]) ** 2)
    return np.asarray(np.abs(np.fft.irfft(damped, 2 * points, axis=1)).sum(axis=1) / 2)
