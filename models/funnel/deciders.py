"""Who of an account decides: how many people, and of which roles, were known where accounts were won.

Two questions, kept apart. Of won accounts: who was known before the win. Of all accounts, looked at a number of days
after their first lead and not yet won: how many of those with a role, or with a number of people, were won in time.
"""

from dataclasses import dataclass

import numpy as np

from features.arrays import NEVER, Array, Bools, Ints
from models.judging.rates import Rate, rate

MOST_PEOPLE = 4
"""This many people or more are one class."""


@dataclass(frozen=True)
class Class:
    """A role, or a number of people."""

    name: str
    of_won: Rate
    """Share of won accounts that had it before the win: `converted` had it, of `n`."""
    won_with: Rate
    """Of the accounts that had it when looked at, those that were won in time."""
    won_without: Rate


@dataclass(frozen=True)
class Deciders:
    """Accounts by people and by roles. `won` accounts, of which the shares are."""

    won: int
    looked_at: int
    people: list[Class]
    roles: list[Class]


def deciders(
    account: Ints, created: Ints, role: Array, won_at: Ints, looked: Ints, within: int, until: int
) -> Deciders:
    """Of m people: the code of their account (m,), creation (m,) and role (m,; "" unknown), times in µs.

    Of k accounts: the first win (k,; NEVER without), and when they are looked at (k,). Accounts count in the second
    question where they were not yet won when looked at and `within` µs had passed by `until`.
    """
    k, named = len(won_at), sorted({str(r) for r in role} - {""})
    won = won_at != NEVER
    judged = (won_at > looked) & (looked + within <= until)
    y = (won_at <= looked + within).astype(np.float64)
    before, then = created < won_at[account], created <= looked[account]
    earlier, by_then = (np.bincount(account[some], minlength=k) for some in (before, then))

    def of(name: str, had: Bools, has: Bools) -> Class:
        own = np.arange(k)
        return Class(
            name, rate(had[won].astype(np.float64), own[won]), rate(y, own, judged & has), rate(y, own, judged & ~has)
        )

    people = [of(_many(n), _is(earlier, n), _is(by_then, n)) for n in range(1, MOST_PEOPLE + 1)]
    roles = [
        of(name, *(np.bincount(account[some & (role == name)], minlength=k) > 0 for some in (before, then)))
        for name in named
    ]
    return Deciders(int(won.sum()), int(judged.sum()), people, roles)


def _many(n: int) -> str:
    return f"{n}+" if n == MOST_PEOPLE else str(n)


def _is(count: Ints, n: int) -> Bools:
    return count >= n if n == MOST_PEOPLE else count == n
