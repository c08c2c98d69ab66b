"""When a lead first qualifies by a table of points: exactly, for points change at few instants.

Points can rise, or an exclusion end, only when an event or a change of an attribute becomes known, when a lead has
been silent for so long, when an event that counts against it grows too old or decays, or when a rule comes into
force or ends. The table is evaluated at each of these instants of each lead, and at none between.
"""

from collections.abc import Callable, Iterator

import numpy as np

from features.arrays import NEVER, Bools, Ints
from features.records import owners
from models.points.holding import breaking, matching, micros_of
from models.points.records import PointRecords
from models.points.table import Decay, PointsTable, Rule
from models.points.totals import lasts, tally
from models.points.when import All, EventTest, FieldTest, Not, Silence, Some

ROUNDS = (4, 16, 64)
"""This many instants of each lead that has not qualified yet are looked at in the first rounds; then all the rest."""
Moments = tuple[Ints, Ints]
"""Lead numbers and instants, shapes (k,)."""


def first_crossings(
    table: PointsTable, records: PointRecords, until: Ints, eligible: Callable[[Ints, Ints], Bools]
) -> Ints:
    """The first instant (n,), µs, at which each lead qualifies; NEVER where it does not from its creation to `until`.

    `eligible(lead, as_of)`: where a lead can qualify at all; one that may again is looked at when its points rise next.
    """
    lead, at = _all_moments(table, records, until)
    keep = eligible(lead, at)
    lead, at = lead[keep], at[keep]
    start = np.searchsorted(lead, np.arange(len(records) + 1))
    found = np.full(len(records), NEVER)
    done = 0
    for size in (*ROUNDS, NEVER):
        place = np.arange(len(lead)) - start[lead]
        pick = (place >= done) & (place - done < size) & (found[lead] == NEVER)
        qualified = tally(table, records, lead[pick], at[pick]).qualified
        np.minimum.at(found, lead[pick][qualified], at[pick][qualified])
        done += min(size, len(lead))
    return found


def _all_moments(table: PointsTable, records: PointRecords, until: Ints) -> Moments:
    """Every instant from creation to `until` at which points can have risen, each once, by lead and time."""
    every = np.arange(len(records))
    parts = [(every, records.created), *_of_rules(table, records)]
    lead, at = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    keep = (at >= records.created[lead]) & (at <= until[lead])
    lead, at = lead[keep], at[keep]
    order = np.lexsort((at, lead))
    lead, at = lead[order], at[order]
    first = np.r_[True, (np.diff(lead) != 0) | (np.diff(at) != 0)][: len(lead)]
    return lead[first], at[first]


def _of_rules(table: PointsTable, records: PointRecords) -> Iterator[Moments]:
    for rule in table.rules:
        for test in rule.parts():
            if rule.auto_qualify or (rule.points or 0) > 0:
                yield from _turns(test, True, records)
            if (rule.points or 0) < 0:
                yield from _turns(test, False, records)
                if isinstance(test, EventTest):
                    yield from _steps(test, rule.decay, records)
        yield from _dates(rule, records)
    for test in table.exclude:
        yield from _turns(test, False, records)


def _turns(test: object, to: bool, records: PointRecords) -> Iterator[Moments]:
    """Where a test may come to hold (`to` True), or cease to."""
    match test:
        case FieldTest():
            past = records.fields[test.field].history
            if past is not None:
                yield owners(past.start), past.at
        case EventTest():
            events = matching(test, records)
            if to:
                yield _lead(events, records), records.known[events]
            elif test.within_days is not None:
                yield _lead(events, records), records.occurred[events] + micros_of(test.within_days)
        case Silence():
            events = breaking(test, records)
            if to:
                quiet = micros_of(test.no_event_for_days)
                yield np.arange(len(records)), records.created + quiet
                yield _lead(events, records), records.occurred[events] + quiet
            else:
                yield _lead(events, records), records.known[events]
        case All():
            for part in test.all:
                yield from _turns(part, to, records)
        case Some():
            for part in test.any:
                yield from _turns(part, to, records)
        case Not():
            yield from _turns(test.not_, not to, records)


def _steps(test: EventTest, decay: Decay | None, records: PointRecords) -> Iterator[Moments]:
    """Where points against a lead are taken back a step."""
    if decay is None:
        return
    events, ends = matching(test, records), lasts(test, decay)
    steps = [] if ends is None else [ends]
    if decay.percent is not None and decay.every_days is not None:
        periods = range(1, int(np.ceil(100 / decay.percent)) + 1)
        steps += [k * micros_of(decay.every_days) for k in periods]
    for step in steps:
        yield _lead(events, records), records.occurred[events] + step


def _dates(rule: Rule, records: PointRecords) -> Iterator[Moments]:
    for date in (rule.from_, rule.until):
        if date is not None:
            yield np.arange(len(records)), np.full(len(records), round(date.timestamp() * 1e6))


def _lead(events: Ints, records: PointRecords) -> Ints:
    """The leads of events by their numbers."""
    return np.searchsorted(records.start, events, side="right") - 1
