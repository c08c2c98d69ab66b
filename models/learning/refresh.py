"""How far the world has moved since calibration: an intercept from the early conversions of recent leads.

When the test (or the present) begins, the outcome of recent examples is not over: so far they converted, or not yet.
With a model's probability p for the whole horizon and the share S(t) of conversions that come within t days, an
example of age t has converted by now with probability p S(t). Were log odds off by a, p would be
sigmoid(logit p + a); the likeliest a is found, and shrunk by how well it is known.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from features.arrays import Floats, Ints
from models.learning.calibration import Calibration
from models.learning.encoding import once_each

LEAST_EVENTS = 30
"""Fewer converting leads than this say nothing of a shift."""
FURTHEST = 2.0
"""A shift beyond a factor of 7 in the odds is taken for a fault of the data, and held there."""
SURE = 2.0
"""Standard errors below which a shift counts as none: where nothing shifted, nothing should change."""
WINDOW = 1 / 3
"""Of the horizon: how long ago the conversions may be that are looked at. Longer knows more, and later, of a shift."""
STEPS = 40
SURELY = 300.0
"""Log odds beyond which nothing changes, and whose exponential is still a number."""


@dataclass(frozen=True)
class Recent:
    """k examples that are not over, shape (k,) each, as they were known at one instant."""

    log_odds: Floats
    """Calibrated, for the whole horizon."""
    age_days: Floats
    """From `as_of` to that instant; above 0."""
    days_to_record: Floats
    """From `as_of` to the record of the conversion; NaN, or beyond `age_days`, where it was not known yet."""
    lead: Ints
    group: Ints
    """Number of the account: rows of one stand or fall together."""


@dataclass(frozen=True)
class Refresh:
    """What the early conversions say."""

    shift: float
    """Added to the calibrated log odds; 0 where nothing was found."""
    estimate: float
    """The likeliest shift, before shrinking."""
    standard_error: float | None
    """Of the estimate, over groups; None where too few leads converted."""
    converted: int
    """Leads that converted in the window."""
    observed: float
    """Conversions in the window, a lead counted once over its examples, …"""
    expected: float
    """… and what the unshifted model expected."""

    @property
    def held(self) -> bool:
        """Whether the likeliest shift lies beyond FURTHEST, and the estimate is that bound and no root."""
        return abs(self.estimate) > FURTHEST - 1e-6

    def to_json(self) -> dict[str, float | int | None]:
        """Plain types."""
        return asdict(self)


@dataclass(frozen=True)
class Timing:
    """When conversions come, of those that come within the horizon: S(t) of the module's text."""

    days: Floats
    """Rising, from 0."""
    share: Floats
    """Share of the conversions that are known within that many days; 0 at first."""

    def at(self, days: Floats) -> Floats:
        """S at each of `days`; a step function's value between would jump, so straight lines."""
        return np.interp(days, self.days, self.share)


def fit_timing(days_to_record: Floats, lead: Ints) -> Timing:
    """S of converting examples whose horizon is over, shape (k,), each lead counted once. Needs k ≥ 1."""
    order = np.argsort(days_to_record, kind="stable")
    weight = once_each(lead)[order]
    days = np.concatenate([[0.0], days_to_record[order]])
    return Timing(days, np.concatenate([[0.0], weight.cumsum() / weight.sum()]))


def fit(recent: Recent, timing: Timing, window_days: float) -> Refresh:
    """The shift that makes the conversions of the last `window_days` likeliest, shrunk.

    Looks at examples that were open when the window began, so that a shift of late is not drowned by what came
    before: given no conversion within t0 days, one by t days has the chance p (S(t) − S(t0)) / (1 − p S(t0)).
    """
    begin = np.maximum(recent.age_days - window_days, 0)
    keep = ~(recent.days_to_record <= begin) & (recent.age_days > 0)
    s0, s1 = timing.at(begin[keep]), timing.at(recent.age_days[keep])
    came = recent.days_to_record[keep] <= recent.age_days[keep]
    lead, group, z = recent.lead[keep], recent.group[keep], np.clip(recent.log_odds[keep], -SURELY, SURELY)
    weight = once_each(lead)
    converted = len(np.unique(lead[came]))
    observed = float(weight[came].sum())
    expected = float((weight * (s1 - s0) * _open(z, s0)).sum())
    if converted < LEAST_EVENTS:
        return Refresh(0.0, 0.0, None, converted, observed, expected)

    def slope(a: float) -> Floats:
        """Derivative of each row's log likelihood in the shift."""
        q = 1 / (1 + np.exp(z + a))
        return weight * (came * q - ~came * s1 * q * _open(z + a, s1) + s0 * q * _open(z + a, s0))

    estimate = _root(lambda a: float(slope(a).sum()))
    error = _standard_error(slope, estimate, group)
    return Refresh(shrunk(estimate, error), estimate, error, converted, observed, expected)


def _open(z: Floats, s: Floats) -> Floats:
    """p / (1 - p s): the chance to convert within the horizon, over that of not having done so in the share s of it.

    From the log odds, as 1 - p s is rounded to 0 where they are above 37 and s is 1.
    """
    return np.asarray(1 / (np.exp(-z) + (1 - s)), dtype=np.float64)


def _root(slope: Callable[[float], float]) -> float:
    """Where a falling slope is 0, by halving, within ±FURTHEST."""
    low, high = -FURTHEST, FURTHEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return (low + high) / 2


def _standard_error(slope: Callable[[float], Floats], a: float, group: Ints) -> float:
    """Of the root, where groups are independent (Huber 1967; Liang and Zeger 1986)."""
    _, place = np.unique(group, return_inverse=True)
    bend = (slope(a - 0.01).sum() - slope(a + 0.01).sum()) / 0.02
    return float(np.sqrt((np.bincount(place, slope(a)) ** 2).sum()) / bend)


def shrunk(estimate: float, standard_error: float) -> float:
    """As James and Stein shrink, with SURE standard errors for one: nothing where the estimate is within them."""
    return estimate * max(0.0, 1 - (SURE * standard_error / estimate) ** 2) if estimate else 0.0


def shifted(calibration: Calibration, shift: float) -> Calibration:
    """The calibration whose log odds are higher by `shift`. Each kind but none begins with its intercept."""
    if shift == 0:
        return calibration
    if calibration.kind == "none":
        return Calibration("intercept", (shift,))
    first, *rest = calibration.coefficients
    return Calibration(calibration.kind, (first + shift, *rest))
