"""Which of several yes-or-no facts carry weight: conversion with and without each, and all of them together."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models import newton
from models.judging.rates import Rate, Z, rate

LEAST = 20
"""Leads on either side of a fact, and conversions in all, below which nothing is said of its weight."""
YES, NO, UNSHOWN, FEW = "carries", "against", "unshown", "few"


@dataclass(frozen=True)
class Weight:
    """What is known of one fact."""

    met: Rate
    unmet: Rate
    odds_ratio: float | None
    """How many times the odds of converting are with it, the other facts being equal; None where it is not told."""
    interval: tuple[float, float] | None
    verdict: str
    """carries, against, unshown (the interval has 1 in it), or few: too few leads to tell."""


def weigh(facts: Bools, y: Floats, group: Ints) -> list[Weight]:
    """`facts` (n, c), y (n,) in {0, 1}, `group` (n,) accounts.

    Odds ratios by one logistic regression of all facts that have LEAST leads with and without them, some converting and
    some not on either side; intervals by the sandwich over accounts (Liang and Zeger 1986). A fact that repeats earlier
    ones has none.
    """
    enough = _usable(facts, y)
    fitted = _odds(facts[:, enough].astype(np.float64), y, group) if enough.any() else None
    place = np.cumsum(enough) - 1
    found = []
    for j in range(facts.shape[1]):
        own = facts[:, j]
        ratio = None if fitted is None or not enough[j] else fitted[int(place[j])]
        sides = rate(y, group, own), rate(y, group, ~own)
        odds, span = ratio or (None, None)
        found.append(Weight(*sides, odds, span, _verdict(ratio)))
    return found


def _usable(facts: Bools, y: Floats) -> Bools:
    """Which facts a regression can tell apart: one odd fact must not take the weight of the others away."""
    counts, n, came = facts.sum(axis=0), len(y), y.sum()
    won = (facts * y[:, None]).sum(axis=0)
    both = (won > 0) & (won < counts) & (came - won > 0) & (came - won < n - counts)
    usable = (counts >= LEAST) & (n - counts >= LEAST) & (came >= LEAST) & both
    design = [np.ones(n)]
    for j in np.flatnonzero(usable):
        tried = np.column_stack([*design, facts[:, j]])
        usable[j] = np.linalg.matrix_rank(tried.T @ tried) > len(design)
        design += [facts[:, j].astype(np.float64)] if usable[j] else []
    return np.asarray(usable)


def _verdict(ratio: tuple[float, tuple[float, float]] | None) -> str:
    if ratio is None:
        return FEW
    low, high = ratio[1]
    return YES if low > 1 else NO if high < 1 else UNSHOWN


def _odds(X: Floats, y: Floats, group: Ints) -> list[tuple[float, tuple[float, float]]] | None:
    """Odds ratio and interval of each column; None where no finite optimum exists."""
    columns = [np.ones(len(y)), *X.T]
    b = newton.fit(columns, y)
    if b is None:
        return None
    design = np.column_stack(columns)
    error = np.sqrt(np.diag(_sandwich(design, y, newton.sigmoid((design * b).sum(axis=1)), group)))
    return [
        (float(np.exp(v)), (float(np.exp(v - Z * s)), float(np.exp(v + Z * s))))
        for v, s in zip(b[1:], error[1:], strict=True)
    ]


def _sandwich(X: Floats, y: Floats, p: Floats, group: Ints) -> Array:
    """Covariance of the coefficients where rows of one account are not independent."""
    bread = np.linalg.inv((X * (p * (1 - p))[:, None]).T @ X)
    codes, place = np.unique(group, return_inverse=True)
    scores = np.zeros((len(codes), X.shape[1]))
    np.add.at(scores, place, X * (y - p)[:, None])
    covariance: Array = bread @ (scores.T @ scores) @ bread
    return covariance * len(codes) / max(1, len(codes) - 1)
