"""How far the world has moved since calibration: an intercept from the early conversions of recent leads.

When the test (or the present) begins, the outcome of recent examples is not over: so far they converted, or not yet.
With a model's probability p for the whole horizon and the share S(t) of conversions that come within t days, an
example of age t has converted by now with probability p S(t). Were log odds off by a, p would be
sigmoid(logit p + a); the likeliest a is found, and shrunk by how well it is known.
"""

from dataclasses import asdict, dataclass

from features.arrays import Floats, Ints

LEAST_EVENTS = 30
"""Fewer converting leads than this say nothing of a shift."""
FURTHEST = 2.0
"""A shift beyond a factor of 7 in the odds is taken for a fault of the data, and held there."""
STEPS = 40


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

    def to_json(self) -> dict[str, float | int | None]:
        """Plain types."""
        return asdict(self)
