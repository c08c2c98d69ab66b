"""What is done with a probability: a 0 to 100 score, a grade, a route, an expected value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix
from features.levels import texts
from models.policy.routing import Routing, uses_product

PRIOR_DEALS = 20.0
"""A segment's mean amount is shrunk to the overall mean as if by so many more deals of that mean."""
SHUFFLES = 199
CHANCE = 0.05
"""How seldom a column is taken where none tells anything of amounts."""


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
        return texts(matrix.values[:, place], matrix.levels[self.column])

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
    """The probability at or above which a lead qualifies; None: only grades and routes."""
    call_cost: float | None = None
    """What a call costs, in the money of the values; None: not told."""

    def score(self, p: Floats) -> Ints:
        """0 to 100, never falling as p (k,) rises: by `scale` or models.policy.thresholds.continuity, shape (k,)."""
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
    """Shrunk means by the column that tells deals apart beyond chance; overall where none does.

    `amounts` of won deals, shape (n,); `segments`: the deals' texts by candidate column.
    """
    if len(amounts) == 0:
        return Values(None, {}, None)
    overall = float(amounts.mean())
    names = {column: sorted({t for t in texts if t is not None}) for column, texts in segments.items()}
    codes = {column: _codes(texts, names[column]) for column, texts in segments.items()}
    best = _telling(amounts, codes)
    if best is None:
        return Values(None, {}, overall)
    total, count = _sums(amounts, codes[best])
    means = (total + PRIOR_DEALS * overall) / (count + PRIOR_DEALS)
    return Values(best, dict(zip(names[best], means.tolist(), strict=True)), overall)


def _codes(texts: Sequence[str | None], names: Sequence[str]) -> Ints:
    """Place of each text among the names, shape (n,); -1 for None."""
    place = {t: i for i, t in enumerate(names)}
    return np.array([-1 if t is None else place[t] for t in texts], dtype=np.int64)


def _telling(amounts: Floats, codes: Mapping[str, Ints]) -> str | None:
    """The column that best predicts deals left out, if it does so better than the mean of the others, and, but for
    CHANCE, better than the best of all columns predicts shuffled amounts (Westfall and Young 1993): so neither many
    columns nor columns of many texts have more luck."""
    errors = {column: _left_out_error(amounts, code) for column, code in codes.items()}
    best = min(errors, key=errors.__getitem__, default=None)
    if best is None or errors[best] >= float(np.abs(amounts - _others(amounts)).mean()):
        return None
    rng, lucky = np.random.default_rng(0), 0
    limit = errors[best] * (1 + 1e-9)  # the same deals in another order are no worse
    for _ in range(SHUFFLES):
        shuffled = rng.permutation(amounts)
        lucky += any(_left_out_error(shuffled, code) <= limit for code in codes.values())
        if lucky + 1 > CHANCE * (SHUFFLES + 1):
            return None
    return best


def _left_out_error(amounts: Floats, code: Ints) -> float:
    """Mean absolute error of each deal by the others: of its segment, shrunk, where it has one (code 0 or more)."""
    total, count = _sums(amounts, code)
    guess, own = _others(amounts), code >= 0  # the deal left out is not in the prior either
    left = total[code[own]] - amounts[own]
    guess[own] = (left + PRIOR_DEALS * guess[own]) / (count[code[own]] - 1 + PRIOR_DEALS)
    return float(np.abs(amounts - guess).mean())


def _others(amounts: Floats) -> Floats:
    """Mean of all but each; 0 where there is one alone."""
    return np.asarray((amounts.sum() - amounts) / max(len(amounts) - 1, 1), dtype=np.float64)


def _sums(amounts: Floats, code: Ints) -> tuple[Floats, Ints]:
    """Sum and number of the deals of each segment."""
    own = code >= 0
    return np.bincount(code[own], amounts[own]).astype(np.float64), np.bincount(code[own])
