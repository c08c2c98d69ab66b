"""Who of the buying group is there: roles from job titles, and the one that is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma

import numpy as np

from features.arrays import NEVER, Bools, Floats, Ints
from features.plan import Plan
from features.records import Records, attribute_at
from features.vocabulary import DECIDES, FUNCTIONS, SENIORITIES

LEVELS = ("decision-maker", "manager", "specialist")
ROLES = (*LEVELS, *FUNCTIONS)
"""A person has at most one of LEVELS and one function: director and above decide."""
LEADS = SENIORITIES.index("manager")
COMMON = 0.25
"""A role that a smaller share of won accounts had is never called missing."""
CHANCE = 0.05
"""How seldom any role is asked for where roles have nothing to do with winning."""
GOLDEN = (5**0.5 - 1) / 2
"""Its multiples fill [0, 1) evenly and in no order that accounts have."""


def has_titles(plan: Plan) -> bool:
    """Whether there is an attribute that roles are read from."""
    return plan.measuring("seniority") is not None


def roles(records: Records, plan: Plan, lead: Ints, as_of: Ints) -> Bools:
    """The roles of k leads by what was known of their titles at k instants, shape (k, ROLES)."""
    level, function = (_code(records, plan, measure, lead, as_of) for measure in ("seniority", "function"))
    levels = [level >= DECIDES, level == LEADS, level < LEADS]
    return np.column_stack([*levels, *(function == k for k in range(len(FUNCTIONS)))])


def _code(records: Records, plan: Plan, measure: str, lead: Ints, as_of: Ints) -> Floats:
    column = plan.measuring(measure)
    return np.full(len(lead), np.nan) if column is None else attribute_at(records, plan, column, lead, as_of)


def by_account(had: Bools, account: Ints, accounts: int) -> Ints:
    """People by account and role, shape (accounts, roles), of people's roles (k, roles)."""
    found = np.zeros((accounts, had.shape[1]), np.int64)
    np.add.at(found, account, had)
    return found


@dataclass(frozen=True)
class Wanted:
    """Share of accounts in which somebody of the role was known."""

    role: str
    won: float
    """Of won accounts, before the win."""
    others: float
    """Of accounts that were not won, at the ages at which the others were."""


def counted_at(first: Ints, won_at: Ints, begin: int) -> Ints:
    """When the people of each of n accounts are counted, µs (n,): when it was won; else, where it was not by `begin`,
    as long after its `first` lead as a won account was. NEVER where it is not that old by `begin`.

    The longer an account is looked at, the more people come: at `begin` those never won would have had more time.
    Fewer accounts are old enough for a long time than for a short one, so long ones are tried more often: each time
    to a win is that of about as many of the others.
    """
    won = won_at <= begin
    at = np.where(won, won_at, NEVER)
    spans, ages = won_at[won] - first[won], np.sort(begin - first[~won])
    old_enough = len(ages) - np.searchsorted(ages, spans)
    spans, old_enough = spans[old_enough > 0], old_enough[old_enough > 0]
    if len(spans):
        tried = np.cumsum(1 / old_enough)
        pick = np.searchsorted(tried, np.arange(len(ages)) * GOLDEN % 1 * tried[-1], side="right")
        at[~won] = first[~won] + spans[np.minimum(pick, len(spans) - 1)]
    return np.where(at <= begin, at, NEVER)


def wanted(had: Ints, won: Bools) -> tuple[Wanted, ...]:
    """Roles that at least COMMON of the won accounts had and that were commoner there than chance explains, the largest
    difference first; none without accounts of both kinds. had (accounts, roles), won (accounts,)."""
    if not won.any() or won.all():
        return ()
    there = had > 0
    rows = [
        Wanted(r, float(there[won, k].mean()), float(there[~won, k].mean()))
        for k, r in enumerate(ROLES)
        if _luck(there[:, k], won) <= CHANCE / len(ROLES)
    ]
    kept = [row for row in rows if row.won >= COMMON]
    return tuple(sorted(kept, key=lambda row: (row.others - row.won, row.role)))


def _luck(there: Bools, won: Bools) -> float:
    """The chance that at least as many of the won accounts have a role, were it shared out among all accounts at random
    (Fisher 1935, the exact test). Both (accounts,)."""
    n, taken, having = len(won), int(won.sum()), int(there.sum())
    shares, every = range(int((there & won).sum()), min(having, taken) + 1), _log_ways(n, taken)
    return sum(exp(_log_ways(having, k) + _log_ways(n - having, taken - k) - every) for k in shares)


def _log_ways(n: int, k: int) -> float:
    """Log of how many ways there are to choose k of n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def missing(asked: Sequence[Wanted], had: Ints) -> list[str | None]:
    """Of each account the first role asked for that nobody has; None where all are there. had (accounts, roles)."""
    places = [(row.role, ROLES.index(row.role)) for row in asked]
    return [next((role for role, k in places if counts[k] == 0), None) for counts in had]


def said(counts: Ints) -> str:
    """“decision-maker 1, manager 2; IT 2, finance 1” of one account's people by role; the levels first."""
    levels = ", ".join(f"{ROLES[k]} {counts[k]}" for k in range(len(LEVELS)) if counts[k])
    functions = ", ".join(f"{_named(ROLES[k])} {counts[k]}" for k in range(len(LEVELS), len(ROLES)) if counts[k])
    return "; ".join(part for part in (levels, functions) if part)


def _named(function: str) -> str:
    return function.upper() if len(function) == 2 else function  # IT, HR


def wanted_of_json(stored: Sequence[Mapping[str, float | str]]) -> tuple[Wanted, ...]:
    """Of `role, won, others`, as a bundle has them."""
    return tuple(Wanted(str(row["role"]), float(row["won"]), float(row["others"])) for row in stored)
