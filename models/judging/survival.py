"""The share of spells that end in time, where some are not over yet: cumulative incidence with competing ends.

Aalen and Johansen 1978, An empirical transition matrix for non-homogeneous Markov chains based on censored
observations, Scand. J. Statist. 5, for one state with several ways out: with d_k(t) ends of kind k at t, d(t) ends of
any kind and n(t) spells under way just before t,

    S(t) = ∏_{u ≤ t} (1 − d(u) / n(u)),    F_k(t) = Σ_{u ≤ t} S(u−) d_k(u) / n(u).

With one kind of end this is one minus the estimator of Kaplan and Meier 1958.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import Bools, Floats, Ints
from models.judging import bootstrap
from models.judging.few import FEW
from models.judging.metrics import known

LEAST = 20
"""A share by a day is told where at least this many spells (or all, where there are fewer) began that many days ago."""


@dataclass(frozen=True)
class Spells:
    """n spells, shape (n,) each."""

    days: Floats
    """How long each lasted, or has lasted by the present; 0 or more."""
    end: Ints
    """How it ended: 1, 2, …; 0 where it is not over yet."""
    possible: Floats
    """Days from its beginning to the present: it could be followed for so long, however it ended."""
    group: Ints
    """Its account."""

    def __len__(self) -> int:
        return len(self.days)

    def take(self, keep: Bools) -> "Spells":
        """Some of them."""
        return Spells(self.days[keep], self.end[keep], self.possible[keep], self.group[keep])

    @cached_property
    def followed_days(self) -> float:
        """How many days can be told of: LEAST spells (or all, where there are fewer) began that long ago, and some were
        under way for that long unless all are over. 0 where there are none."""
        if not len(self):
            return 0.0
        began = float(np.sort(self.possible)[max(len(self) - LEAST, 0)])
        last = float(self.days.max())
        return began if (self.end[self.days == last] > 0).all() else min(began, last)

    @cached_property
    def _steps(self) -> tuple[Floats, Ints]:
        times, step = np.unique(self.days, return_inverse=True)
        return times, step.reshape(-1)

    def incidence(self, end: int, weight: Floats | None = None) -> tuple[Floats, Floats]:
        """The days at which a spell ended or was last seen, rising, and F_end there, both (t,). A spell that is last
        seen on a day counts as under way on it. `weight`: how often each spell counts."""
        weight = np.ones(len(self)) if weight is None else weight
        times, step = self._steps
        under_way = np.cumsum(np.bincount(step, weight, minlength=len(times))[::-1])[::-1]
        divisor = np.where(under_way > 0, under_way, 1)
        ends = np.bincount(step, weight * (self.end > 0), minlength=len(times)) / divisor
        mine = np.bincount(step, weight * (self.end == end), minlength=len(times)) / divisor
        left = np.cumprod(np.maximum(1 - ends, 0))
        before = np.concatenate([[1.0], left[:-1]])[: len(times)]
        return times, np.minimum(np.cumsum(before * mine), 1.0)


def _at(times: Floats, share: Floats, at: Floats) -> Floats:
    """The share by each of `at` (a,), followed or not; 0 before the first of `times`."""
    return np.concatenate([[0.0], share])[np.searchsorted(times, at, side="right")]


def halfway(times: Floats, share: Floats, within: float) -> float:
    """The day by which half of those that end so within `within` days did; NaN where none does. `times`, rising, and
    `share` (t,): of `Spells.incidence`."""
    inside = times <= within
    times, share = times[inside], share[inside]
    if not len(share) or share[-1] <= 0:
        return np.nan
    return float(times[np.searchsorted(share, share[-1] / 2)])


@dataclass(frozen=True)
class Curve:
    """F_end at days `at` with 95 % intervals, shape (a,); NaN on days that cannot be told of yet."""

    at: Floats
    share: Floats
    low: Floats
    high: Floats
    median_days: float
    """The day by which half of those that end so by the last of `at` did. NaN where that day cannot be told of."""
    median_interval: tuple[float, float] | None

    def on(self, day: float) -> dict[str, object]:
        """`{"share": …, "interval": [low, high]}` on one of its days; None where nothing can be told of it."""
        i = int(np.flatnonzero(self.at == day)[0])
        if np.isnan(self.share[i]):
            return {"share": None, "interval": None}
        told = None if np.isnan(self.low[i]) else [float(self.low[i]), float(self.high[i])]
        return {"share": float(self.share[i]), "interval": told}

    def median(self) -> dict[str, object]:
        """`{"days": …, "interval": [low, high]}`."""
        return {"days": known(self.median_days), "interval": self.median_interval and list(self.median_interval)}

    def to_json(self) -> dict[str, list[float | None]]:
        """`day, share, low, high`, each (a,)."""
        parts = {"day": self.at, "share": self.share, "low": self.low, "high": self.high}
        return {name: [known(x) for x in part.tolist()] for name, part in parts.items()}


def curve(spells: Spells, end: int, at: Floats, seed: int, draws: int) -> Curve:
    """F_end at days `at` (a,), rising. Intervals draw whole accounts again; they are widened by FEW where fewer than
    ten accounts had such an end, since drawing again what was seen knows nothing of what was not."""
    times, share = spells.incidence(end)
    value, last = _at(times, share, at), float(at[-1])
    low, high = np.full(len(at), np.nan), np.full(len(at), np.nan)
    medians: list[float] = []
    drawn = []
    for weight in bootstrap.weights(spells.group, seed, draws):
        _, again = spells.incidence(end, weight)
        drawn.append(_at(times, again, at))
        medians.append(halfway(times, again, last))
    if drawn:
        low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
        low, high = _widened(spells, end, at, value, low, high)
    untold = at > spells.followed_days
    value, low, high = (np.where(untold, np.nan, x) for x in (value, low, high))
    told = last <= spells.followed_days
    half = halfway(times, share, last) if told else np.nan
    return Curve(at, value, low, high, half, bootstrap.span(medians) if told else None)


def _widened(spells: Spells, end: int, at: Floats, value: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    first = _first_by_account(spells.group[spells.end == end], spells.days[spells.end == end])
    possible = np.sort(-_first_by_account(spells.group, -spells.possible))
    for i, had in enumerate(np.searchsorted(np.sort(first), at, side="right").tolist()):
        if had < len(FEW):
            followed = len(possible) - int(np.searchsorted(possible, at[i]))  # accounts that could be, for so long
            one = value[i] / had if had else 1 / max(followed, 1)
            low[i], high[i] = min(low[i], one * FEW[had][0]), max(high[i], min(one * FEW[had][1], 1.0))
    return low, high


def _first_by_account(group: Ints, days: Floats) -> Floats:
    _, row = np.unique(group, return_inverse=True)
    first = np.full(row.max() + 1 if len(row) else 0, np.inf)
    np.minimum.at(first, row.reshape(-1), days)
    return first
