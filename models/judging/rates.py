"""How often something happens, and how sure that is where the rows of an account stand or fall together."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from features.arrays import Bools, Floats, Ints

Z = 1.959964
"""Standard errors from an estimate to the end of its 95 % interval."""


@dataclass(frozen=True)
class Rate:
    """`converted` of `n`; `rate` and `interval` are None where n is 0."""

    n: int
    converted: int
    rate: float | None
    interval: tuple[float, float] | None


def rate(y: Floats, group: Ints, own: Bools | None = None) -> Rate:
    """Of the rows `own` (n,) of y (n,) in {0, 1}, with a 95 % interval; `group` (n,) are the accounts.

    Wilson's interval at the effective number of rows: n over the design effect, which is the variance of the mean
    between accounts over that of independent rows, at least 1 (Dean and Pagendarm 2011). It never has width 0.
    """
    y, group = (y, group) if own is None else (y[own], group[own])
    n, converted = len(y), int(y.sum())
    if n == 0:
        return Rate(0, 0, None, None)
    p = converted / n
    return Rate(n, converted, p, wilson(p, n / _design_effect(y - p, group)))


def smoothed(converted: float, n: int) -> float:
    """Their rate, kept from 0 and 1, where log odds end, by half a row that converts and half a row that does not."""
    return (converted + 0.5) / (n + 1)


def _design_effect(apart: Floats, group: Ints) -> float:
    """`apart`: what each row differs from the mean. Where that says nothing of how alike an account's rows are (one
    account, or all rows the same), they count as one."""
    codes, place = np.unique(group, return_inverse=True)
    between, alone = float((np.bincount(place, apart) ** 2).sum()), float((apart**2).sum())
    if len(codes) < 2 or alone == 0:
        return len(apart) / len(codes)
    return max(1.0, between / alone * len(codes) / (len(codes) - 1))


def wilson(p: float, n: float, z: float = Z) -> tuple[float, float]:
    """The score interval of a share p of n > 0 independent rows (Wilson 1927), within [0, 1]; 95 % by default."""
    centre, half = p + z**2 / (2 * n), z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return max(0.0, min(low, p)), min(1.0, max(high, p))  # rounding must not part them from p
