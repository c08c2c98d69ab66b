"""What is done with a probability: a 0 to 100 score, a grade, a route, an expected value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.arrays import Floats, Ints

PRIOR_DEALS = 20.0
"""A segment's mean amount is shrunk to the overall mean as if by so many more deals of that mean."""


@dataclass(frozen=True)
class Values:
    """Mean amounts of won training deals."""

    column: str | None
    """Kernel column of the segments; None where no column tells deals apart or nothing has an amount."""
    by_segment: dict[str, float]
    overall: float | None

    def of(self, own: float | None, segment: str | None) -> tuple[float | None, str | None]:
        """A deal's value and where it is from: the lead's own, its segment's mean, or the mean of all."""
        if own is not None and own == own:
            return own, "lead"
        if self.column is not None and segment in self.by_segment:
            return self.by_segment[segment], self.column.partition("_")[2]
        return self.overall, None if self.overall is None else "overall"


@dataclass(frozen=True)
class Policy:
    """Stored in the bundle, used alike by files of scores and by the service."""

    scale: tuple[float, ...]
    """The score is how many of these 100 a probability exceeds."""
    base_rate: float
    grades: tuple[tuple[str, float], ...]
    """Name and least lift over the base rate, falling."""
    rest: str
    routes: dict[str, str]
    values: Values

    def score(self, p: Floats) -> Ints:
        """round(100 × the share of calibration examples with a lower probability), shape (k,)."""
        return np.searchsorted(np.array(self.scale), p, side="left").astype(np.int64)

    def grade(self, p: Floats) -> list[str]:
        """The first grade whose lift each probability reaches."""
        names = [*(name for name, _ in self.grades), self.rest]
        levels = np.array([lift * self.base_rate for _, lift in self.grades])
        return [names[i] for i in (p[:, None] < levels).sum(axis=1).tolist()]

    def route(self, grade: str) -> str | None:
        """What to do with a lead of a grade."""
        return self.routes.get(grade)

    def value(self, own: float | None, segment: str | None) -> tuple[float | None, str | None]:
        """The deal's value and where it is from: the lead's own, its segment's mean, or the mean of all."""
        return self.values.of(own, segment)

    def to_json(self) -> dict[str, Any]:
        """Plain types."""
        return asdict(self)

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Policy":
        """The inverse of `to_json`."""
        return Policy(
            tuple(stored["scale"]),
            stored["base_rate"],
            tuple((name, lift) for name, lift in stored["grades"]),
            stored["rest"],
            dict(stored["routes"]),
            Values(**stored["values"]),
        )


def scale(calibration: Floats) -> tuple[float, ...]:
    """Where the score steps up: the score of p is how many of these are below p.

    `calibration`: probabilities of the calibration examples, shape (n,), n > 0. Score s is reached where 100 times
    the share of lower ones rounds to s or more; halves round to even, as Python's `round` has it.
    """
    ordered = np.sort(calibration)
    s = np.arange(1, 101)
    product = len(ordered) * (2 * s - 1)
    lower = np.where(s % 2 == 0, -(-product // 200), product // 200 + 1)
    return tuple(ordered[lower - 1].tolist())


def segment_values(amounts: Floats, segments: Mapping[str, Sequence[str | None]]) -> Values:
    """Shrunk means by the column whose segments best predict a deal left out; overall where none does.

    `amounts` of won deals, shape (n,); `segments`: the deals' texts by candidate column.
    """
    if len(amounts) == 0:
        return Values(None, {}, None)
    overall = float(amounts.mean())
    best, least, means = None, float(np.abs(amounts - _others(amounts)).mean()) * 0.98, dict[str, float]()
    for column, texts in segments.items():
        error, found = _left_out_error(amounts, texts, overall)
        if error < least:
            best, least, means = column, error, found
    return Values(best, means, overall)


def _others(amounts: Floats) -> Floats:
    return np.asarray((amounts.sum() - amounts) / np.maximum(len(amounts) - 1, 1), dtype=np.float64)


def _left_out_error(amounts: Floats, texts: Sequence[str | None], overall: float) -> tuple[float, dict[str, float]]:
    """Mean absolute error of each deal by the others of its segment, and the means."""
    names = sorted({t for t in texts if t is not None})
    place = {t: i for i, t in enumerate(names)}
    code = np.array([place[t] if t is not None else len(names) for t in texts])
    total, count = (np.bincount(code, w, minlength=len(names) + 1) for w in (amounts, np.ones(len(amounts))))
    without = (total[code] - amounts + PRIOR_DEALS * overall) / (count[code] - 1 + PRIOR_DEALS)
    means = (total + PRIOR_DEALS * overall) / (count + PRIOR_DEALS)
    return float(np.abs(amounts - without).mean()), {t: float(means[i]) for t, i in place.items()}
