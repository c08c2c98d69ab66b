"""Calibration of parts of the examples: what was promised and what came, with how much of it chance allows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from models import bootstrap, metrics
from models.smooth_ece import smooth_ece, smooth_ece_null

NULL_DRAWS = 100
"""Draws of each slice's null; half of what the whole gets, since there are many slices."""
NONE_SEEN = -float(np.log(0.025))
"""3.69: had so many conversions been expected, none would have come in 2.5 % of cases (Poisson)."""


def by_slice(
    y: Floats, p: Floats, groups: Ints, part: Ints, names: Sequence[str], seed: int, draws: int
) -> list[dict[str, Any]]:
    """One row a slice that has examples: `name, n, positives, observed, expected, observed_over_expected,
    smooth_ece, smooth_ece_null_p95, interval`, the interval that of observed over expected or None.

    y, p, groups, part (n,); part numbers the names from 0. Accounts are drawn again for the 95 % interval. Where
    nothing converted that would give no width, and the upper end is NONE_SEEN over expected (as for independent rows).
    """
    drawn = [_ratios(y, p, part, len(names), w) for w in bootstrap.weights(groups, seed, draws)]
    ratios = np.array(drawn).reshape(len(drawn), len(names))
    return [
        {"name": name, **_row(y[part == k], p[part == k], seed), "interval": _interval(y, p, part == k, ratios[:, k])}
        for k, name in enumerate(names)
        if (part == k).any()
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


def _interval(y: Floats, p: Floats, rows: Bools, ratios: Floats) -> list[float] | None:
    expected = float(p[rows].sum())
    if expected <= metrics.LEAST_EXPECTED:
        return None
    if not y[rows].any():
        return [0.0, NONE_SEEN / expected]
    ratios = ratios[np.isfinite(ratios)]
    return np.quantile(ratios, [0.025, 0.975]).tolist() if len(ratios) else None
