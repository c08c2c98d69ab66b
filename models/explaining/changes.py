"""Why a probability moved between two instants: counterfactual records, whose steps add up to the whole change.

From the score at the first instant to the one at the second there are these steps, in this order:

1. `model`: the same old record by another model, where there is one;
2. `decay`: the clock moves on and nothing new has come;
3. `events`, `stages`, `attributes`, `colleagues`: what was new, each its Shapley value, which is its step averaged over
   all orders in which the four may come. A lead that is new to the account belongs to `colleagues` with all its rows;
   those of its older leads are events, stages and attributes like the lead's own.

An attribute without history is known from the lead's creation on and moves nothing.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.records import Records, Rows, Stages, owners, picked, starts

NEWS = ("events", "stages", "attributes", "colleagues")
STEPS = ("model", "decay", *NEWS)


def attribute(records: Records, since: int, as_of: int, value: Callable[[Records, int], Floats]) -> dict[str, Floats]:
    """What decay and each of NEWS add to `value` from `since` to `as_of` (µs), shape (k,) each.

    `value` gives a number for each of k leads, by records and an instant. The parts add up to its value for
    `as_of` less that for `since`, up to rounding.
    """
    worth = {new: value(known(records, since, as_of, new), as_of) for new in _coalitions(NEWS)}
    before = value(known(records, since, since, ()), since)
    return {"decay": worth[frozenset()] - before, **{name: _shapley(name, worth) for name in NEWS}}


def _coalitions(names: Collection[str]) -> list[frozenset[str]]:
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def _shapley(name: str, worth: Mapping[frozenset[str], Floats]) -> Floats:
    """The mean of what `name` adds, over all orders (Shapley 1953)."""
    n = len(NEWS)
    steps = [
        (factorial(len(some)) * factorial(n - len(some) - 1) / factorial(n)) * (worth[some | {name}] - worth[some])
        for some in worth
        if name not in some
    ]
    return np.asarray(np.sum(steps, axis=0), dtype=np.float64)


def known(records: Records, since: int, as_of: int, new: Collection[str]) -> Records:
    """The records with what was known at `since`, and of each kind in `new` what was known at `as_of` (µs).

    Without `colleagues`, leads created after `since` do not exist yet at `as_of`.
    """
    newcomer = records.created > since
    created = records.created
    if "colleagues" not in new:
        created = np.where(newcomer, np.maximum(created, as_of + 1), created)

    def until(kind: str) -> Ints:
        return np.where(newcomer, as_of, as_of if kind in new else since)

    return replace(
        records,
        created=created,
        events=_kept(records.events, records.events.known <= until("events")[owners(records.events.start)]),
        stages=_kept(records.stages, records.stages.at <= until("stages")[owners(records.stages.start)]),
        history={name: _kept(h, h.at <= until("attributes")[owners(h.start)]) for name, h in records.history.items()},
    )


def _kept(rows: Rows, keep: Bools) -> Rows:
    """Those rows of events, stages or a history."""
    return picked(rows, keep, starts(owners(rows.start)[keep], len(rows.start) - 1))


def reopened(records: Records, mine: Bools) -> Records:
    """The records as if those of `mine`, shape (n,), that are closed without a conversion had stayed open.

    Of their present episode the rows that closed them are left out; the rest of their life stands. Rows later than
    the instant of interest must be cut off before.
    """
    s = records.stages
    now = mine[owners(s.start)] & present(s)
    open_again = replace(s, closed=s.closed & ~now)
    return replace(records, stages=_kept(open_again, ~(now & s.lost)))


def present(s: Stages) -> Bools:
    """Which rows belong to the last episode of their lead, shape (m,)."""
    if len(s.at) == 0:
        return np.zeros(0, bool)
    return np.asarray(s.episode == s.episode[s.start[1:] - 1][owners(s.start)])
