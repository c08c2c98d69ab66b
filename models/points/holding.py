"""Whether the tests of a table of points hold of leads at instants, k examples at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import DAY_US, Bools, Floats, Ints, ranges
from features.levels import lookup
from features.records import known_until, owners
from features.vocabulary import NO, YES
from models.points.records import PointRecords
from models.points.when import All, EventTest, FieldTest, Not, Silence, Some, Values

ANSWERS = dict.fromkeys(YES, 1.0) | dict.fromkeys(NO, 0.0)
"""Texts (case folded) that are true or false where an attribute is."""


def micros_of(days: float) -> int:
    """Days in µs."""
    return round(days * DAY_US)


@dataclass(frozen=True)
class Look:
    """Leads looked at: `lead` (k,) numbers in the records, `as_of` (k,) instants in µs."""

    records: PointRecords
    lead: Ints
    as_of: Ints

    @cached_property
    def _fields(self) -> dict[str, Floats]:
        return {}

    def field(self, name: str) -> Floats:
        """An attribute's value known of each example, shape (k,); NaN missing."""
        if name not in self._fields:
            self._fields[name] = self.records.fields[name].at(self.lead, self.as_of)
        return self._fields[name]


@dataclass(frozen=True)
class Counted:
    """The events that count, in order of the examples, then of `known`. All arrays have shape (pairs,)."""

    row: Ints
    """Number of the example."""
    event: Ints
    """Number of the event."""
    age: Ints
    """µs since it occurred."""


def holds(test: object, look: Look) -> Bools:
    """Whether a test holds of each example, shape (k,)."""
    match test:
        case FieldTest():
            return met(test, look.field(test.field), look.records.fields[test.field].levels)
        case EventTest():
            return count(test, look) >= test.at_least
        case Silence():
            return _quiet_for(test, look) >= micros_of(test.no_event_for_days)
        case All():
            return np.asarray(np.logical_and.reduce([holds(part, look) for part in test.all]))
        case Some():
            return np.asarray(np.logical_or.reduce([holds(part, look) for part in test.any]))
        case Not():
            return ~holds(test.not_, look)
    raise TypeError(f"expected a test of a table of points, got {type(test).__name__}")


def met(values: Values, x: Floats, levels: tuple[str, ...] | None) -> Bools:
    """Whether values (or codes into `levels`) are what is asked for, shape (k,). NaN meets only `known: false`."""
    if levels is None:
        found = ~np.isnan(x) & _numbers_met(values, x)
    else:
        table = np.array([*(_text_met(values, level) for level in levels), False])
        found = lookup(table, x)
    return np.isnan(x) if values.known is False else found


def _numbers_met(values: Values, x: Floats) -> Bools:
    found = np.ones(len(x), bool)
    if values.eq is not None:
        found &= x == number_of(values.eq)
    if values.in_ is not None:
        found &= np.isin(x, [number_of(v) for v in values.in_])
    if values.between is not None:
        found &= (x >= values.between[0]) & (x <= values.between[1])
    if values.gt is not None:
        found &= x > values.gt
    if values.lt is not None:
        found &= x < values.lt
    return found


def number_of(value: bool | float | str) -> float:
    """A number, or 1 and 0 for what is true and false."""
    return float(ANSWERS.get(value.casefold(), value) if isinstance(value, str) else value)


def _text_met(values: Values, text: str) -> bool:
    folded = text.casefold()
    return (
        (values.eq is None or text == str(values.eq))
        and (values.in_ is None or text in [str(v) for v in values.in_])
        and (values.contains is None or any(part.casefold() in folded for part in values.contains))
    )


def matching(test: EventTest, records: PointRecords) -> Ints:
    """Numbers of the events of a test's types, topic and value, whenever they were; ascending."""
    found = np.isin(records.kind, [i for i, name in enumerate(records.types) if name in test.event])
    if test.topic is not None:
        topic = np.where(records.topic < 0, np.nan, records.topic)
        found &= met(test.topic, topic, records.topics)
    if test.value is not None:
        found &= met(test.value, records.value, None)
    return np.flatnonzero(found)


def breaking(test: Silence, records: PointRecords) -> Ints:
    """Numbers of the events that break a silence, whenever they were; ascending."""
    return np.flatnonzero(
        np.isin(records.kind, [i for i, n in enumerate(records.types) if not test.of or n in test.of])
    )


def count(test: EventTest, look: Look) -> Ints:
    """How many events of a test count for each example, shape (k,)."""
    if test.within_days is None:
        events = matching(test, look.records)
        first, last = _span(events, look, None)
        return last - first
    return np.bincount(counted(test, look, micros_of(test.within_days)).row, minlength=len(look.lead))


def counted(test: EventTest, look: Look, within: int | None) -> Counted:
    """The known events of a test whose age is less than `within` µs."""
    events = matching(test, look.records)
    first, last = _span(events, look, within)
    row = np.repeat(np.arange(len(look.lead)), last - first)
    event = events[ranges(first, last - first)]
    age = look.as_of[row] - look.records.occurred[event]
    if within is not None:
        young = age < within
        row, event, age = row[young], event[young], age[young]
    return Counted(row, event, age)


def _span(events: Ints, look: Look, within: int | None) -> tuple[Ints, Ints]:
    """For each example the places in `events` of what was known by then, and not certainly older than `within`."""
    known, start = look.records.known[events], np.searchsorted(events, look.records.start)
    last = known_until(known, start, look.lead, look.as_of)
    first = start[look.lead] if within is None else known_until(known, start, look.lead, look.as_of - within)
    return first, last  # what occurred after an instant was known after it


def _quiet_for(test: Silence, look: Look) -> Ints:
    """µs since the last known event; since creation for a lead without one."""
    r = look.records
    events = breaking(test, r)
    start = np.searchsorted(events, r.start)
    latest = latest_of(r.occurred[events], start)
    place = known_until(r.known[events], start, look.lead, look.as_of)
    some = place > start[look.lead]
    if not len(latest):
        return look.as_of - r.created[look.lead]
    return look.as_of - np.where(some, latest[np.maximum(place - 1, 0)], r.created[look.lead])


def latest_of(occurred: Ints, start: Ints) -> Ints:
    """Running maximum of `occurred` (m,) within each lead: an event may be known before one that happened earlier."""
    if not len(occurred):
        return occurred
    lead, m = owners(start), len(occurred)
    order = np.argsort(occurred, kind="stable")
    rank = np.empty(m, np.int64)
    rank[order] = np.arange(m)
    return occurred[order[np.maximum.accumulate(lead * m + rank) - lead * m]]
