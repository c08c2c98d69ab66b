"""The swap set: at equal volume, which leads stay, come in and go out when the probability replaces the points."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.judging.bootstrap import span, weights

NONE = -1
STAY, IN, OUT = "stay", "in", "out"


@dataclass(frozen=True)
class Swap:
    """The first crossings of n leads. `by_points` and `by_model` are rows of the examples, -1 for none."""

    lead: Ints
    """Shape (n,): the leads' codes, rising."""
    by_points: Ints
    by_model: Ints
    threshold: float
    """The probability at or above which a lead qualifies."""

    @property
    def group(self) -> Array:
        """Shape (n,): stay, in, out, or nothing."""
        points, model = self.by_points != NONE, self.by_model != NONE
        return np.select([points & model, model, points], [STAY, IN, OUT], "")

    @property
    def row(self) -> Ints:
        """Shape (n,): the row by which a lead is judged: its first crossing by either, -1 without one."""
        both = np.where(self.by_points == NONE, self.by_model, self.by_points)
        later = (self.by_model != NONE) & (self.by_model < both)
        return np.where(later, self.by_model, both)


def swap(lead: Ints, qualified: Bools, eligible: Bools, p: Floats) -> Swap:
    """Each lead once, at its first crossing. Rows (k,) sorted by lead and time.

    `eligible`: where the rules of exclusion let a lead qualify, by points or probability alike. The threshold is the
    probability that as many leads reach as qualify by points; of leads that tie at it, all come in.
    """
    codes = np.unique(lead)
    by_points = first_rows(lead, qualified & eligible, codes)
    volume = int((by_points != NONE).sum())
    best = np.full(len(codes), -np.inf)
    np.maximum.at(best, np.searchsorted(codes, lead[eligible]), p[eligible])
    threshold = float(np.sort(best)[::-1][volume - 1]) if volume else np.inf
    return Swap(codes, by_points, first_rows(lead, eligible & (p >= threshold), codes), threshold)


def first_rows(lead: Ints, hit: Bools, codes: Ints) -> Ints:
    """The first row (n,) of each of the leads `codes` where `hit` is true; -1 for none."""
    rows = np.flatnonzero(hit)
    found, first = np.unique(lead[rows], return_index=True)
    out = np.full(len(codes), NONE)
    out[np.searchsorted(codes, found)] = rows[first]
    return out


def difference(
    values: Floats, group: Array, accounts: Ints, seed: int, draws: int = 1000
) -> tuple[float, tuple[float, float]] | None:
    """Mean of `values` of those who come in, less that of those who go out, and its 95 % interval.

    All shaped (n,); whole accounts are drawn. None where either group is empty or there is one account.
    """
    mine, theirs = (group == IN).astype(float), (group == OUT).astype(float)
    if not mine.any() or not theirs.any():
        return None
    found = span([_gap(values, mine * w, theirs * w) for w in weights(accounts, seed, draws)])
    return None if found is None else (_gap(values, mine, theirs), found)


def _gap(values: Floats, mine: Floats, theirs: Floats) -> float:
    """Difference of weighted means; NaN where a group has no weight."""
    if mine.sum() == 0 or theirs.sum() == 0:
        return float("nan")
    return float((values * mine).sum() / mine.sum() - (values * theirs).sum() / theirs.sum())
