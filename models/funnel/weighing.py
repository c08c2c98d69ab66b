"""Which of several yes-or-no facts carry weight: conversion with and without each, and all of them together."""

from dataclasses import dataclass
from math import erfc, log, sqrt

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models import newton
from models.judging.rates import Rate, Z, rate
from models.judging.slices import beyond_chance

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
    """carries, against, unshown (chance explains it where so many facts are weighed), or few: too few leads to tell."""


def weigh(facts: Bools, y: Floats, group: Ints) -> list[Weight]:
    """`facts` (n, c), y (n,) in {0, 1}, `group` (n,) accounts.

    Odds ratios by one logistic regression of all facts that have LEAST leads with and without them, some converting and
    some not on either side; intervals by the sandwich over accounts (Liang and Zeger 1986). A fact that repeats earlier
    ones has none. Verdicts are at 5 % over all facts (Holm 1979), not at 5 % each.
    """
    enough = _usable(facts, y)
    fitted = _odds(facts[:, enough].astype(np.float64), y, group) if enough.any() else None
    places = (np.cumsum(enough) - 1).tolist()
    told = [None if fitted is None or not some else fitted[k] for some, k in zip(enough, places, strict=True)]
    shown = beyond_chance([None if ratio is None else _chance(*ratio) for ratio in told])
    found = []
    for j, ratio in enumerate(told):
        own = facts[:, j]
        sides = rate(y, group, own), rate(y, group, ~own)
        odds, span = ratio or (None, None)
        found.append(Weight(*sides, odds, span, _verdict(odds, shown[j])))
    return found


def _chance(odds: float, span: tuple[float, float]) -> float:
    """The two-sided p-value of an odds ratio of 1, by its 95 % interval."""
    return erfc(abs(log(odds)) * 2 * Z / (log(span[1]) - log(span[0])) / sqrt(2))


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


def _verdict(odds: float | None, shown: bool) -> str:
    if odds is None:
        return FEW
    return UNSHOWN if not shown else YES if odds > 1 else NO


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
