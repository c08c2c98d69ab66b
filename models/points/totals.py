"""Hand-tuned points of leads at instants: what each rule gives, caps, the sum, and who qualifies."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.records import known_until
from models.points.holding import Counted, Look, counted, holds, micros_of
from models.points.records import PointRecords
from models.points.table import TOTAL, Decay, PointsTable, Rule
from models.points.when import EventTest

PAIRS = 4_000_000
"""Examples are taken in parts of about this many known events: it bounds the memory."""
DECIMALS = 9
"""Sums are rounded to these, so that 0.1 + 0.2 reaches a threshold of 0.3."""


@dataclass(frozen=True)
class Given:
    """What a rule gives k examples."""

    points: Floats
    """Shape (k,), after decay and the rule's own bounds."""
    fired: Bools
    """Shape (k,): where the test held and the rule was in force."""
    events: Counted | None
    """The events that `each` or `decay` went by, among them those of examples where it did not fire."""


@dataclass(frozen=True)
class Tally:
    """The points of k examples."""

    total: Floats
    """Shape (k,)."""
    groups: Floats
    """Shape (k, groups) in the order of `table.groups`, after the caps."""
    qualified: Bools
    """All thresholds are reached, or a rule qualifies outright, and the lead is not excluded."""
    excluded: Bools
    outright: Bools
    fired: Ints
    """Shape (rules,): for how many of the examples each rule held."""


def tally(table: PointsTable, records: PointRecords, lead: Ints, as_of: Ints) -> Tally:
    """Points of the leads numbered `lead` (k,) at `as_of` (k,), µs. Nothing later than `as_of` is looked at."""
    load = known_until(records.known, records.start, lead, as_of) - records.start[lead] + 1
    part = np.cumsum(load) // PAIRS
    cuts = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(lead)]
    parts = [_tally(table, Look(records, lead[a:b], as_of[a:b])) for a, b in pairwise(cuts)]
    total, groups, qualified, excluded, outright = (
        np.concatenate([getattr(p, name) for p in parts])
        for name in ("total", "groups", "qualified", "excluded", "outright")
    )
    return Tally(total, groups, qualified, excluded, outright, np.sum([p.fired for p in parts], axis=0))


def _tally(table: PointsTable, look: Look) -> Tally:
    k = len(look.lead)
    groups, outright = np.zeros((k, len(table.groups))), np.zeros(k, bool)
    fired = np.zeros(len(table.rules), np.int64)
    for i, rule in enumerate(table.rules):
        given = give(rule, look)
        groups[:, table.groups.index(rule.group)] += given.points
        outright |= given.fired & rule.auto_qualify
        fired[i] = given.fired.sum()
    groups = capped(table, groups)
    total = groups.sum(axis=1).round(DECIMALS)
    excluded = np.logical_or.reduce([np.zeros(k, bool), *(holds(test, look) for test in table.exclude)])
    qualified = (reached(table, groups, total) | outright) & ~excluded
    return Tally(total, groups, qualified, excluded, outright, fired)


def capped(table: PointsTable, groups: Floats) -> Floats:
    """Sums by group (k, groups) inside the caps."""
    low, high = np.array([table.cap(group) for group in table.groups]).T
    return np.clip(groups.round(DECIMALS), low, high)


def reached(table: PointsTable, groups: Floats, total: Floats) -> Bools:
    """Whether every threshold is reached, shape (k,); without thresholds nobody does."""
    found = np.full(len(total), bool(table.thresholds))
    for name, threshold in table.thresholds.items():
        found &= (total if name == TOTAL else groups[:, table.groups.index(name)]) >= threshold
    return found


def give(rule: Rule, look: Look) -> Given:
    """What one rule gives."""
    fired, events = np.ones(len(look.lead), bool), None
    by_event = rule.each or rule.decay is not None
    for test in rule.parts():
        if by_event and isinstance(test, EventTest):
            events = counted(test, look, lasts(test, rule.decay))
            fired &= np.bincount(events.row, minlength=len(look.lead)) >= test.at_least
        else:
            fired &= holds(test, look)
    fired &= _in_force(rule, look.as_of)
    points = np.full(len(look.lead), rule.points or 0.0) if events is None else _by_events(rule, look, events)
    if rule.max is not None:
        points = bounded(points, rule.max)
    return Given(np.where(fired, points, 0.0), fired, events)


def _in_force(rule: Rule, as_of: Ints) -> Bools:
    found = np.ones(len(as_of), bool)
    if rule.from_ is not None:
        found &= as_of >= round(rule.from_.timestamp() * 1e6)
    if rule.until is not None:
        found &= as_of < round(rule.until.timestamp() * 1e6)
    return found


def lasts(test: EventTest, decay: Decay | None) -> int | None:
    """Events of this age in µs and more do not count; None: they always do."""
    days = [test.within_days, decay.expires_days if decay else None]
    return min((micros_of(d) for d in days if d is not None), default=None)


def share_left(decay: Decay | None, age: Ints) -> Floats:
    """Percent of the original points that events of an age in µs (m,) are still worth, shape (m,)."""
    if decay is None or decay.percent is None or decay.every_days is None:
        return np.full(len(age), 100.0)
    periods = (age // micros_of(decay.every_days)).astype(np.float64)
    return np.maximum(100.0 - decay.percent * periods, 0.0)


def bounded(points: Floats, most: float) -> Floats:
    """No further from 0 than `most`, on either side."""
    return np.clip(points, -abs(most), abs(most))


def _by_events(rule: Rule, look: Look, events: Counted) -> Floats:
    """Points by the age of the events: of every one with `each`, else of the latest."""
    worth = (rule.points or 0.0) * share_left(rule.decay, events.age) / 100
    k = len(look.lead)
    if rule.each:
        row, worth = _a_day_at_most(rule.max_per_day, events.row, look.records.day[events.event], worth)
        return np.asarray(np.bincount(row, weights=worth, minlength=k), dtype=np.float64)
    points = np.zeros(k)
    order = np.lexsort((-events.age, events.row))  # of each example the youngest comes last, and stays
    points[events.row[order]] = worth[order]
    return points


def _a_day_at_most(most: float | None, row: Ints, day: Ints, worth: Floats) -> tuple[Ints, Floats]:
    """Sums of worth by example and calendar day, bounded; as it came without a bound."""
    if most is None or not len(row):
        return row, worth
    order = np.lexsort((day, row))
    row, day, worth = row[order], day[order], worth[order]
    first = np.flatnonzero(np.r_[True, (np.diff(row) != 0) | (np.diff(day) != 0)])
    return row[first], bounded(np.add.reduceat(worth, first), most)
