"""How many leads a week come into something for the first time, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Floats, Ints
from models.judging.swap import NONE, first_rows

DRAWS = 100_000


@dataclass(frozen=True)
class Flow:
    """Sums a week with 95 % intervals of the mean; None with fewer than two weeks."""

    leads: float
    leads_interval: tuple[float, float] | None
    converted: float
    converted_interval: tuple[float, float] | None
    promised: float
    """Conversions that the probabilities add up to."""


def flow(lead: Ints, hit: Bools, week: Ints, weeks: int, y: Floats, p: Floats, seed: int) -> Flow:
    """Of k rows sorted by lead and time, each lead at its first hit; those of a week in 0..weeks - 1 count.

    `week` is negative for rows before the first week: a lead that had its first hit there does not count again.
    `y`: 1 where the lead then converts within the horizon; `p`: its probability. All shaped (k,); weeks > 0.
    """
    first = first_rows(lead, hit, np.unique(lead))
    first = first[first != NONE]
    first = first[(week[first] >= 0) & (week[first] < weeks)]
    came, won, due = (_sums(week[first], w[first], weeks) for w in (np.ones(len(y)), y, p))
    return Flow(float(came.mean()), _interval(came, seed), float(won.mean()), _interval(won, seed), float(due.mean()))


def _sums(week: Ints, of: Floats, weeks: int) -> Floats:
    return np.bincount(week, of, minlength=weeks).astype(np.float64)


def _interval(sums: Floats, seed: int) -> tuple[float, float] | None:
    """Student's (1908), not below 0: drawing four weeks again covers the truth in 81 of 100 cases, not in 95."""
    n = len(sums)
    if n < 2:
        return None
    t = np.quantile(np.abs(np.random.default_rng(seed).standard_t(n - 1, DRAWS)), 0.95)
    mean, reach = float(sums.mean()), float(t * sums.std(ddof=1) / np.sqrt(n))
    return max(mean - reach, 0.0), mean + reach
