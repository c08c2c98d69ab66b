"""Observed over expected where few converted: drawing again what was seen knows nothing of what was not."""

import numpy as np

from features.arrays import Floats, Ints
from models.judging.metrics import LEAST_EXPECTED

FEW = (
    (0.0, 3.689), (0.0253, 5.572), (0.2422, 7.225), (0.6187, 8.767), (1.090, 10.242),
    (1.623, 11.668), (2.202, 13.059), (2.814, 14.423), (3.454, 15.763), (4.115, 17.085),
)  # fmt: skip
"""95 % limits of a Poisson mean of which 0, 1, 2, … were seen (Garwood 1936): with so few converting accounts the
interval is at least as wide as this."""


def widened(pair: tuple[float, float] | None, y: Floats, p: Floats, groups: Ints) -> tuple[float, float] | None:
    """The 95 % interval `pair` of the sum of y (n,) over that of p (n,), at least as wide as FEW allows; None stays,
    and where nothing is expected there is none.

    An account that converts counts as the rows that those that did brought on average; where none did, as all of its
    own, because looks at one lead convert together.
    """
    expected, observed = float(p.sum()), float(y.sum())
    if pair is None or expected <= LEAST_EXPECTED:
        return None
    converting = len(np.unique(groups[y > 0]))
    if converting >= len(FEW):
        return pair
    _, account, rows = np.unique(groups, return_inverse=True, return_counts=True)
    each = observed / converting if converting else float((p * rows[account]).sum()) / expected
    low, high = FEW[converting]
    return min(pair[0], each * low / expected), max(pair[1], each * high / expected)
