"""Calibration of parts of the examples: conversions predicted and observed, and how far apart chance lets them be."""

from collections.abc import Mapping, Sequence
from math import erfc, sqrt
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from models.judging import bootstrap, metrics
from models.judging.rates import Z
from models.judging.smooth_ece import smooth_ece, smooth_ece_null

NULL_DRAWS = 100
"""Draws of each slice's null; half of what the whole gets, since there are many slices."""
FEW = (
    (0.0, 3.689), (0.0253, 5.572), (0.2422, 7.225), (0.6187, 8.767), (1.090, 10.242),
    (1.623, 11.668), (2.202, 13.059), (2.814, 14.423), (3.454, 15.763), (4.115, 17.085),
)  # fmt: skip
"""95 % limits of a Poisson mean of which 0, 1, 2, … were seen (Garwood 1936). Drawing again what was seen knows
nothing of what was not: with so few converting accounts the interval is at least as wide as this."""

MISSED = 0.05
"""The chance that any slice of a model that is right everywhere is said to be off."""


def by_slice(
    y: Floats, p: Floats, groups: Ints, part: Ints, names: Sequence[str], seed: int, draws: int
) -> list[dict[str, Any]]:
    """One row a slice that has examples: `name, n, positives, observed, expected, observed_over_expected,
    smooth_ece, smooth_ece_null_p95, interval`, the interval that of observed over expected or None.

    y, p, groups, part (n,); part numbers the names from 0. Accounts are drawn again for the 95 % interval, which is
    widened by FEW where few of them converted.
    """
    again = [_ratios(y, p, part, len(names), w) for w in bootstrap.weights(groups, seed, draws)]
    ratios = np.array(again).reshape(len(again), len(names))
    return [
        {"name": name, **_row(y[rows], p[rows], seed), "interval": _interval(y[rows], p[rows], groups[rows], drawn)}
        for name, rows, drawn in zip(names, (part == k for k in range(len(names))), ratios.T, strict=True)
        if rows.any()
    ]


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


def _interval(y: Floats, p: Floats, groups: Ints, ratios: Floats) -> list[float] | None:
    expected, observed = float(p.sum()), float(y.sum())
    drawn = bootstrap.span(ratios)
    if expected <= metrics.LEAST_EXPECTED or drawn is None:
        return None
    low, high = drawn
    converting = len(np.unique(groups[y > 0]))
    if converting < len(FEW):
        one = observed / expected / converting if converting else 1 / expected
        low, high = min(low, one * FEW[converting][0]), max(high, one * FEW[converting][1])
    return [low, high]


def off(rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Which slices chance does not explain where so many are looked at: at 5 % over all of them (Holm 1979), however
    they overlap. A slice without an interval is not judged."""
    p = [_chance(row) for row in rows]
    judged = sorted((value, k) for k, value in enumerate(p) if value is not None)
    found = [False] * len(rows)
    for place, (value, k) in enumerate(judged):
        if value > MISSED / (len(judged) - place):
            break
        found[k] = True
    return found


def _chance(row: Mapping[str, Any]) -> float | None:
    """The p-value of a ratio of 1, from the interval's end on that side (Altman and Bland 2011), in square roots: of
    counts these spread alike, also where nothing was observed."""
    if row["interval"] is None:
        return None
    ratio, (low, high) = row["observed_over_expected"], row["interval"]
    width = sqrt(high) - sqrt(ratio) if ratio < 1 else sqrt(ratio) - sqrt(low)
    return erfc(Z * abs(1 - sqrt(ratio)) / max(width, 1e-12) / sqrt(2))
