"""Who was reached, by hand: what had no contact by its end, and what is still open."""

import numpy as np

from features.arrays import DAY_US, NEVER
from models.funnel.touches import Touches, first_touch, reaching_accounts
from models.funnel.ways import CLOSED, ON, OPEN, OUT, Episodes


def days(*found: float) -> np.ndarray:
    """Instants in µs."""
    return np.array([round(day * DAY_US) for day in found], np.int64)


def test_who_was_not_reached_may_be_yet_while_open() -> None:
    """Reached on the first of its contacts; closed without any, it never will be; open, it was followed so far."""
    begin = days(0, 0, 0)
    none = np.full((3, 1), NEVER)
    e = Episodes(np.arange(3), begin, days(50, 20, 100), np.array([CLOSED, CLOSED, OPEN]), np.arange(3),
                 100 * DAY_US, ("won",), none, np.zeros(3, bool))  # fmt: skip
    found = first_touch(Touches(np.zeros(2, np.int64), np.zeros(2, np.int64), days(9, 3), np.full(2, -1)), e)
    assert found.end.tolist() == [ON, OUT, OPEN]
    assert found.days.tolist() == [3, 20, 100]


def test_accounts_are_reached_by_the_first_of_their_leads() -> None:
    """From the creation of the first; at once where it happened before that. What is later than the present is not."""
    created, account = days(10, 30, 20, 40, 500), np.array([0, 0, 1, 2, 3])
    found = reaching_accounts(created, account, days(5, 35, 50, 90, 300), np.array([2, 1, 1, 2, 3]), 100 * DAY_US,
                              np.ones(4, bool))  # fmt: skip
    assert found.group.tolist() == [0, 1, 2]
    assert found.end.tolist() == [ON, ON, OPEN]
    assert found.days.tolist() == [25, 0, 60]
    assert found.possible.tolist() == [90, 80, 60]
