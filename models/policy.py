"""What is done with a probability: a 0 to 100 score, a grade, a route, an expected value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix
from models.routing import Routing, uses_product

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

    def segments(self, matrix: Matrix) -> list[str | None]:
        """The text of each row of the kernel's features in the segment column, shape (k,)."""
        place = next((j for j, c in enumerate(matrix.columns) if c.name == self.column), None)
        if self.column is None or place is None:
            return [None] * len(matrix.values)
        texts = matrix.levels[self.column]
        return [None if code != code else texts[int(code)] for code in matrix.values[:, place].tolist()]

    def all_of(self, own: Sequence[float | None], segments: Sequence[str | None]) -> Floats:
        """The values of k deals, NaN where none is known."""
        found = [self.of(v, s)[0] for v, s in zip(own, segments, strict=True)]
        return np.array([np.nan if v is None else v for v in found], dtype=np.float64)


@dataclass(frozen=True)
class Policy:
    """Stored in the bundle, used alike by files of scores and by the service."""

    scale: tuple[float, ...]
    """The score is how many of these 100 a probability exceeds."""
    base_rate: float
    grades: tuple[tuple[str, float], ...]
    """Name and least lift over the base rate, falling."""
    rest: str
    routing: Routing
    values: Values
    threshold: float | None = None
    """The probability from which on a lead counts as qualified; None: only grades and routes."""
    call_cost: float | None = None
    """What a call costs, in the money of the values; None: not told."""

    def score(self, p: Floats) -> Ints:
        """0 to 100, never falling as p (k,) rises: by `scale` or models.thresholds.continuity, shape (k,)."""
        return np.searchsorted(np.array(self.scale), p, side="left").astype(np.int64)

    def grade(self, p: Floats) -> list[str]:
        """The first grade whose lift each probability reaches."""
        names = [*(name for name, _ in self.grades), self.rest]
        levels = np.array([lift * self.base_rate for _, lift in self.grades])
        return [names[i] for i in (p[:, None] < levels).sum(axis=1).tolist()]

    def qualified(self, p: Floats) -> list[bool | None]:
        """Whether each probability reaches the threshold; None where there is none."""
        return [None] * len(p) if self.threshold is None else (p >= self.threshold).tolist()

    def route(
        self, p: Floats, value: Floats, product_use: Bools, previous: Sequence[str | None] | None = None
    ) -> list[str]:
        """What to do with k leads, by probabilities, deal values (NaN unknown) and use of the product, each (k,).

        `previous`: the routes they had, which they leave later than they came in.
        """
        return self.routing.route(p / self.base_rate, value, product_use, previous)

    def product_use(self, matrix: Matrix) -> Bools:
        """Whether each row of the kernel's features uses the product."""
        return uses_product(matrix, self.routing.product_events)

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
            Routing.of_json(stored["routing"]),
            Values(**stored["values"]),
            stored["threshold"],
            stored["call_cost"],
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
