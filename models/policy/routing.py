"""Where a lead goes: the first rule that holds, by its probability, the size of its deal and its use of the product.

A lead leaves a route only well below the level at which it came in, so a lead near a level does not go to and fro.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.arrays import Bools, Floats
from features.kernel import Matrix

PRODUCT_DAYS = 30
"""A product is in use where an event that shows it is younger than this many days."""


@dataclass(frozen=True)
class Rule:
    """What a lead must meet to come into a route; None: no matter."""

    route: str
    lift: float
    """At least this many times the base rate."""
    deal: str | None = None
    """`small` or `large`; a deal of unknown value is neither."""
    product_use: bool | None = None


@dataclass(frozen=True)
class Routing:
    """The rules in order. The last takes every lead."""

    rules: tuple[Rule, ...]
    leave: float
    """In (0, 1]: a lead stays in its route down to this share of the level at which it came in."""
    large_deal: float | None
    """The value at or above which a deal is large; None: no deal is known to be large or small."""
    product_events: tuple[str, ...]

    def route(
        self, lift: Floats, value: Floats, product_use: Bools, previous: Sequence[str | None] | None = None
    ) -> list[str]:
        """Routes of k leads: probabilities over the base rate, deal values (NaN unknown), use of the product, (k,).

        `previous`: the route that each had, None where it had none: then only the levels to come in count.
        """
        before = None if previous is None else np.array([r or "" for r in previous], dtype=str)
        found = np.full(len(lift), len(self.rules) - 1)
        for i in reversed(range(len(self.rules))):
            found[self._holds(self.rules[i], lift, value, product_use, before)] = i
        return [self.rules[i].route for i in found.tolist()]

    def _holds(self, rule: Rule, lift: Floats, value: Floats, product_use: Bools, before: Any) -> Bools:
        slack = 1.0 if before is None else np.where(before == rule.route, self.leave, 1.0)
        holds: Bools = lift >= rule.lift * slack
        if rule.product_use is not None:
            holds &= product_use == rule.product_use
        if rule.deal is not None:
            size = np.nan if self.large_deal is None else self.large_deal
            holds &= value >= size * slack if rule.deal == "large" else value < size / slack
        return holds

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Routing":
        """The inverse of `dataclasses.asdict`."""
        rules = tuple(Rule(**rule) for rule in stored["rules"])
        return Routing(rules, stored["leave"], stored["large_deal"], tuple(stored["product_events"]))


def uses_product(matrix: Matrix, events: Collection[str]) -> Bools:
    """Whether each row has one of these events in the last PRODUCT_DAYS, shape (k,); False where nobody knows."""
    columns = [
        j for j, c in enumerate(matrix.columns) if c.measure == "count" and c.days == PRODUCT_DAYS and c.of in events
    ]
    return np.asarray((matrix.values[:, columns] > 0).any(axis=1))
