"""Leads with all that is known of them as flat arrays, in one canonical order."""

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from features.arrays import Array, Bools, Floats, Ints, Small, ranges
from features.columns import Block
from features.plan import Plan

SINCE_CREATION = np.iinfo(np.int64).min
"""Before all instants: a lead that was never opened again has been open since its creation, whenever that was."""
FEW = 4096
"""Up to this many rows a plain count is faster than a binary search."""


@dataclass(frozen=True)
class Events:
    """What leads did. Sorted by lead, then `known`; ties in a canonical order, so that sums never depend on
    the order of a file. All arrays have shape (m,)."""

    known: Ints
    """When we knew: max(occurred_at, available_at), µs."""
    occurred: Ints
    slot: Small
    topic: Small
    """Code of the topic, -1 for none."""
    value: Floats
    """NaN for none."""
    start: Ints
    """Shape (leads + 1,): the events of lead i are `start[i]:start[i + 1]`."""


@dataclass(frozen=True)
class Stages:
    """The funnel rows of leads, sorted by lead and time; rows of one instant in the order they came."""

    at: Ints
    code: Small
    """Code of the stage, `len(plan.stages)` for one that training had not seen."""
    won: Bools
    lost: Bools
    """Closes an open lead without a conversion."""
    closed: Bools
    """Whether the lead is closed after this row."""
    opened: Ints
    """Since when the lead has been open after this row, if it is, or SINCE_CREATION."""
    episode: Small
    """How often the lead had been opened again, after this row."""
    start: Ints


@dataclass(frozen=True)
class History:
    """The values of one attribute over time, sorted by lead (or account) and time."""

    at: Ints
    value: Floats
    start: Ints

    def known(self, lead: Ints, as_of: Ints) -> Floats:
        """The value that each lead had by `as_of`, shape (k,); NaN where it had none yet."""
        if len(self.at) == 0:
            return np.full(len(lead), np.nan)
        stop = known_until(self.at, self.start, lead, as_of)
        return np.where(stop > self.start[lead], self.value[np.maximum(stop - 1, 0)], np.nan)


Rows = TypeVar("Rows", Events, Stages, History)


@dataclass(frozen=True)
class Records:
    """n leads of whole accounts, sorted by account, creation and id."""

    created: Ints
    """Shape (n,), µs; 0 for a lead without a date."""
    account: Ints
    """Shape (n,): account number, not falling; a lead without an account has a number of its own."""
    attributes: Floats
    """Shape (n, attribute columns of the plan): numbers, or codes into `levels`; NaN missing."""
    levels: dict[str, list[str]]
    """Texts of the codes, by column name."""
    events: Events
    stages: Stages
    history: dict[str, History]
    """By column name. A lead without rows: the value was never set."""
    account_start: Ints
    """Shape (accounts + 1,): the leads of account a are `account_start[a]:account_start[a + 1]`."""
    unknown: frozenset[Block] = frozenset()
    """Parts that nobody knows; a lead without rows in a part that is known had none."""
    silent: bool = False
    """Whether nobody knows what the leads did, though who they are: of a lead with colleagues, these are not known."""

    def __len__(self) -> int:
        return len(self.created)


def starts(group: Array, groups: int) -> Ints:
    """Offsets (groups + 1,) of sorted group numbers: group g is `starts[g]:starts[g + 1]`."""
    return np.searchsorted(group, np.arange(groups + 1)).astype(np.int64)


def owners(start: Ints) -> Ints:
    """The group of each row, shape (m,), from offsets (groups + 1,): the inverse of `starts`."""
    return np.arange(len(start) - 1).repeat(np.diff(start))


def take(records: Records, first: int, last: int) -> Records:
    """Accounts `first:last` of the records, as records of their own (views where possible)."""
    a, b = int(records.account_start[first]), int(records.account_start[last])

    def own(rows: Rows) -> Rows:
        part = slice(int(rows.start[a]), int(rows.start[b]))
        return picked(rows, part, rows.start[a : b + 1] - part.start)

    return replace(
        records,
        created=records.created[a:b],
        account=records.account[a:b] - first,
        attributes=records.attributes[a:b],
        events=own(records.events),
        stages=own(records.stages),
        history={name: own(h) for name, h in records.history.items()},
        account_start=records.account_start[first : last + 1] - a,
    )


def picked(rows: Rows, keep: slice | Bools, start: Ints) -> Rows:
    """Some of the rows of events, stages or a history, with the offsets `start` that they then have."""
    columns = {f.name: getattr(rows, f.name)[keep] for f in fields(rows) if f.name != "start"}
    return replace(rows, **columns, start=start)


def known_until(at: Ints, start: Ints, lead: Ints, as_of: Ints) -> Ints:
    """For each example the first row of its lead later than `as_of` (so its known rows are those before).

    `at` is sorted within each lead's `start[i]:start[i + 1]`; shapes (m,), (n + 1,), (k,), (k,).
    A binary search of all examples at once, or a count where they have few rows, or none where few rows are all known.
    """
    low, high = start[lead], start[lead + 1]
    if len(at) == 0 or len(lead) == 0:
        return low
    if len(at) <= FEW and at.max() <= as_of.min():  # most requests tell of nothing later than their instant
        return high
    count = high - low
    if int(count.sum()) <= FEW:
        row = np.arange(len(lead)).repeat(count)
        return low + np.bincount(row[at[ranges(low, count)] <= as_of[row]], minlength=len(lead))
    low, high = low.copy(), high.copy()
    for _ in range(int(np.max(high - low)).bit_length()):
        middle = (low + high) >> 1
        later = (middle >= high) | (at[np.minimum(middle, len(at) - 1)] > as_of)
        high = np.where(later, np.minimum(middle, high), high)
        low = np.where(later, low, middle + 1)
    return low


def known_events(events: Events, lead: Ints, as_of: Ints) -> tuple[Ints, Ints]:
    """How many events of each lead were known, shape (k,), and their rows, one example after another."""
    start = events.start[lead]
    count = known_until(events.known, events.start, lead, as_of) - start
    return count, ranges(start, count)


def attribute_at(records: Records, plan: Plan, name: str, lead: Ints, as_of: Ints) -> Floats:
    """What was known by `as_of` in a column of the attributes; shape (k,), NaN missing."""
    place = plan.place[name]
    if plan.columns[place].block != "history":
        return np.asarray(records.attributes[lead, place], dtype=np.float64)
    past = records.history.get(name)
    return np.full(len(lead), np.nan) if past is None else past.known(lead, as_of)
