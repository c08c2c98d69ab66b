"""The probability that an account converts, from those of its open leads: neither their sum nor as if they were
independent, but a logistic regression on what they say together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from models import newton
from models.learning.calibration import probability, softplus

MAX, UNION, COUNT = "max", "union", "log_count"
LEVELS = ((MAX, UNION, COUNT), (UNION, COUNT), (UNION,))
"""What the regression may go by, from much to little. It takes the first that has a finite optimum, in which no
lead's higher probability lowers that of its account."""


@dataclass(frozen=True)
class Looks:
    """n looks at accounts, shape (n,) each."""

    count: Floats
    """Open leads, 1 or more."""
    best: Floats
    """Log odds of the likeliest of them."""
    union: Floats
    """Log odds of 1 − ∏ (1 − p): what would be true were they independent."""
    total: Floats
    """Sum of their probabilities."""

    def column(self, name: str) -> Floats:
        """One of MAX, UNION and COUNT, shape (n,)."""
        return {MAX: self.best, UNION: self.union, COUNT: np.log(self.count)}[name]

    def naive(self) -> dict[str, Floats]:
        """Probabilities without a regression, shape (n,): `independent`, `sum` (at most 1) and `max`."""
        return {
            "independent": probability(self.union),
            "sum": np.minimum(self.total, 1.0),
            "max": probability(self.best),
        }


def looks(log_odds: Floats, group: Ints, groups: int) -> Looks:
    """Of calibrated log odds (k,) of leads by group (k,), numbered from 0, each of which has at least one."""
    none = softplus(log_odds)  # −log(1 − p)
    best = np.full(groups, -np.inf)
    np.maximum.at(best, group, log_odds)
    missed = np.bincount(group, none, minlength=groups)
    total = np.bincount(group, newton.sigmoid(log_odds), minlength=groups)
    count = np.bincount(group, minlength=groups).astype(np.float64)
    union = missed + np.log(-np.expm1(-missed))  # log(e^m − 1), the log odds of 1 − e^−m
    return Looks(count, best, np.asarray(union, dtype=np.float64), np.asarray(total, dtype=np.float64))


@dataclass(frozen=True)
class AccountModel:
    """Log odds are the intercept plus each coefficient times its column of Looks.

    They may be below those of the best lead, though what converts it converts its account: the likeliest of several
    leads is in part the one that is most overrated, and a floor there would add up to more than comes."""

    intercept: float
    coefficients: Mapping[str, float]

    def probability(self, seen: Looks) -> Floats:
        """Shape (n,), in (0, 1)."""
        z = np.full(len(seen.count), self.intercept)
        for name, b in self.coefficients.items():
            z = z + b * seen.column(name)
        return probability(z)

    def to_json(self) -> dict[str, Any]:
        """`{"intercept": …, "coefficients": {…}}`."""
        return {"intercept": self.intercept, "coefficients": dict(self.coefficients)}

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "AccountModel":
        """The inverse of `to_json`. Raises ValueError for a column that there is not."""
        unknown = set(stored["coefficients"]) - set(LEVELS[0])
        if unknown:
            raise ValueError(f"expected coefficients of {LEVELS[0]}, got {sorted(unknown)}")
        return AccountModel(float(stored["intercept"]), {str(k): float(b) for k, b in stored["coefficients"].items()})


INDEPENDENT = AccountModel(0.0, {UNION: 1.0})
"""Where too little is known to learn from."""


def fit(seen: Looks, y: Floats) -> AccountModel:
    """The likeliest model of y (n,) in {0, 1} by LEVELS; INDEPENDENT where there is none."""
    for names in LEVELS:
        found = newton.fit([np.ones(len(y)), *(seen.column(name) for name in names)], y)
        if found is not None and all(b > 0 for name, b in zip(names, found[1:], strict=True) if name != COUNT):
            return AccountModel(float(found[0]), dict(zip(names, map(float, found[1:]), strict=True)))
    return INDEPENDENT
