"""Calibration of parts of the examples: conversions predicted and observed, and how far apart chance lets them be."""

from collections.abc import Mapping, Sequence
from math import erfc, sqrt
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from models.judging import bootstrap, few, metrics
from models.judging.smooth_ece import smooth_ece, smooth_ece_null

NULL_DRAWS = 100
"""Draws of each slice's null; half of what the whole gets, since there are many slices."""
MISSED = 0.05
"""The chance that any slice of a model that is right everywhere is said to be off."""


def by_slice(
    y: Floats, p: Floats, groups: Ints, part: Ints, names: Sequence[str], seed: int, draws: int
) -> list[dict[str, Any]]:
    """One row a slice that has examples: `name, n, positives, observed, expected, observed_over_expected,
    smooth_ece, smooth_ece_null_p95, interval, chance`: the interval that of observed over expected, and the chance that
    a slice of which p is right is this far off (two-sided); both None where they cannot be told.

    y, p, groups, part (n,); part numbers the names from 0. Accounts are drawn again for the 95 % interval, which is
    widened where few of them converted (models/judging/few.py).
    """
    again = [_ratios(y, p, part, len(names), w) for w in bootstrap.weights(groups, seed, draws)]
    ratios = np.array(again).reshape(len(again), len(names))
    chances = _chances(y, p, groups, part, len(names))
    return [
        {
            "name": name,
            **_row(y[rows], p[rows], seed),
            "interval": few.widened(bootstrap.span(drawn), y[rows], p[rows], groups[rows]),
            "chance": metrics.known(chance) if len(again) else None,
        }
        for name, rows, drawn, chance in zip(
            names, (part == k for k in range(len(names))), ratios.T, chances.tolist(), strict=True
        )
        if rows.any()
    ]


def alike(y: Floats, p: Floats, groups: Ints, part: Ints) -> float:
    """How many times more the conversions of all parts vary than those of independent rows would, at least 1, because
    the rows of a group (a lead, an account) in a part convert together. All shaped (n,)."""
    return _times(*_variances(y, p, groups, part, int(part.max(initial=-1)) + 1))


def _times(between: Floats, alone: Floats) -> float:
    return max(1.0, float(between.sum() / alone.sum())) if alone.any() else 1.0


def _variances(y: Floats, p: Floats, groups: Ints, part: Ints, parts: int) -> tuple[Floats, Floats]:
    """Of each part's conversions less those expected, shape (parts,): by what its groups show, and of independent
    rows."""
    cells, cell = np.unique(np.stack([part, groups]), axis=1, return_inverse=True)
    apart = np.bincount(cell.reshape(-1), y - p)
    shown = np.asarray(np.bincount(cells[0], apart**2, minlength=parts), dtype=np.float64)
    return shown, np.asarray(np.bincount(part, p * (1 - p), minlength=parts), dtype=np.float64)


def _chances(y: Floats, p: Floats, groups: Ints, part: Ints, parts: int) -> Floats:
    """The two-sided p-value of each slice's observed less expected conversions, shape (parts,), NaN where nothing
    could have been off.

    The variance is that of independent rows times how much more all slices' accounts vary together, and at least what
    the slice's own accounts show: those that did not convert show too little in a luckless slice.
    """
    between, alone = _variances(y, p, groups, part, parts)
    variance = np.maximum(_times(between, alone) * alone, between)
    apart = np.abs(np.bincount(part, y - p, minlength=parts))
    z = apart / np.sqrt(np.where(variance > metrics.LEAST_EXPECTED, variance, np.nan))
    return np.array([erfc(one / sqrt(2)) for one in z.tolist()])


def _ratios(y: Floats, p: Floats, part: Ints, parts: int, weight: Floats) -> Floats:
    observed, expected = (np.bincount(part, weight * x, minlength=parts) for x in (y, p))
    return np.asarray(observed / np.where(expected > metrics.LEAST_EXPECTED, expected, np.nan), dtype=np.float64)


def _row(y: Floats, p: Floats, seed: int) -> dict[str, Any]:
    return {
        "n": len(y),
        "positives": int(y.sum()),
        "observed": float(y.mean()),
        "expected": float(p.mean()),
        "observed_over_expected": metrics.known(metrics.observed_over_expected(y, p)),
        "smooth_ece": smooth_ece(y, p),
        "smooth_ece_null_p95": smooth_ece_null(p, seed, NULL_DRAWS),
    }


def off(rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Which slices chance does not explain where so many are looked at: at 5 % over all of them (Holm 1979), however
    they overlap. A slice whose `chance` is None is not judged."""
    return beyond_chance([row["chance"] for row in rows])


def beyond_chance(chances: Sequence[float | None]) -> list[bool]:
    """Which of several p-values are too small for chance at MISSED over all of them (Holm 1979); None is not judged."""
    judged = sorted((chance, k) for k, chance in enumerate(chances) if chance is not None)
    found = [False] * len(chances)
    for place, (value, k) in enumerate(judged):
        if value > MISSED / (len(judged) - place):
            break
        found[k] = True
    return found
