"""What is done with a probability: a 0 to 100 score, a grade, a route, an expected value."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix
from models.policy.routing import Routing, uses_product
from models.policy.values import Values


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
        """The first grade whose lift each probability (k,) reaches; `rest` below all."""
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
