"""The buying group: what the other leads of the account did, as of an instant."""

from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, Floats, Ints, ranges
from features.plan import Plan
from features.records import Events, Records, Stages, known_until, value_at
from features.totals import totals
from features.vocabulary import FUNCTIONS, NEAR_D, SENIORITIES

MOST = 50
"""Colleagues looked at: the newest. Bounds the work for an account that is a catch-all of thousands."""
ACTIVE_US = 30 * DAY_US
BINS = len(NEAR_D) + 1


@dataclass(frozen=True)
class Pairs:
    """Example and colleague, one row a pair, shape (p,) each; rows of one example lie together."""

    row: Ints
    """Number of the example, not falling."""
    lead: Ints
    as_of: Ints
    examples: int


def width(plan: Plan) -> int:
    """How many columns the block has."""
    events = len(plan.slots) * BINS + 4 if "events" in plan.blocks else 0
    return events + 2 + (3 if "stages" in plan.blocks else 0)


def colleague_block(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats, at: int) -> int:
    """Fill `out[:, at:]` in the order of the plan's colleague columns; returns where the next block begins."""
    end = at + width(plan)
    if "account_leads" in r.unknown:
        out[:, at:end] = np.nan
        return end
    since_first = (as_of - r.created[r.account_start[r.account[lead]]]) / DAY_US
    if len(r) == len(r.account_start) - 1:  # every account has one lead
        return _nobody(plan, since_first, out, at, end)
    pairs = _pairs(r, lead, as_of)
    if len(pairs.row) == 0:
        return _nobody(plan, since_first, out, at, end)
    if "events" in plan.blocks:
        at = _events(r, plan, pairs, out, at)
    out[:, at] = np.bincount(pairs.row, minlength=len(lead))
    out[:, at + 1] = since_first
    if "stages" in plan.blocks:
        _outcomes(r.stages, pairs, out, at + 2)
    return end


def _nobody(plan: Plan, since_first: Floats, out: Floats, at: int, end: int) -> int:
    """No colleague: counts are 0, and what only one could have is missing. The lead is its account's first."""
    out[:, at:end] = 0
    if "events" in plan.blocks:
        at += len(plan.slots) * BINS + 4
        out[:, at - 4] = out[:, at - 1] = np.nan
    out[:, at + 1] = since_first
    if "stages" in plan.blocks:
        out[:, end - 1] = np.nan
    return end


def _pairs(r: Records, lead: Ints, as_of: Ints) -> Pairs:
    """Colleagues that existed at the instant, at most the MOST newest."""
    start, stop = newest(r, lead, as_of)
    count = stop - start
    row, colleague = np.repeat(np.arange(len(lead)), count), ranges(start, count)
    other = colleague != lead[row]
    row, colleague = row[other], colleague[other]
    return Pairs(row, colleague, as_of[row], len(lead))


def newest(r: Records, lead: Ints, as_of: Ints) -> tuple[Ints, Ints]:
    """The leads of each example's account that are its MOST newest colleagues, and perhaps itself: first, stop."""
    account = r.account[lead]
    stop = known_until(r.created, r.account_start, account, as_of)
    among = (lead >= stop - MOST) & (lead < stop)
    return np.maximum(r.account_start[account], stop - MOST - among), stop


def _events(r: Records, plan: Plan, pairs: Pairs, out: Floats, at: int) -> int:
    s, k = len(plan.slots), pairs.examples
    end = at + s * BINS + 4
    start = r.events.start[pairs.lead]
    stop = known_until(r.events.known, r.events.start, pairs.lead, pairs.as_of)
    out[:, at : end - 4] = _counts(r.events, plan, pairs, start, stop).reshape(k, -1)
    _activity(r, plan, pairs, _silence(r.events, pairs, start, stop), out, end - 4)
    return end


def _counts(e: Events, plan: Plan, pairs: Pairs, start: Ints, stop: Ints) -> Ints:
    """Events of the colleagues by slot and window, shape (examples, slots, BINS)."""
    s, k, count = len(plan.slots), pairs.examples, stop - start
    row, pick = np.repeat(pairs.row, count), ranges(start, count)
    day = (np.repeat(pairs.as_of, count) - e.occurred[pick]) // DAY_US
    near = sum((day >= w).astype(np.int64) for w in NEAR_D)
    cell = (row * s + e.slot[pick]) * BINS + near
    counts = np.bincount(cell, minlength=k * s * BINS).reshape(k, s, BINS)
    totals(plan, counts, np.add)
    return np.cumsum(counts, axis=2)


def _silence(e: Events, pairs: Pairs, start: Ints, stop: Ints) -> Floats:
    """µs since each colleague's last event; inf where there was none."""
    if len(e.known) == 0:
        return np.full(len(pairs.row), np.inf)
    return np.where(stop > start, pairs.as_of - e.known[np.maximum(stop - 1, 0)], np.inf)


def _activity(r: Records, plan: Plan, pairs: Pairs, silence: Floats, out: Floats, at: int) -> None:
    """Days since the last sign of life; how many colleagues, functions are active; the highest seniority."""
    k = pairs.examples
    least = np.full(k, np.inf)
    np.minimum.at(least, pairs.row, silence)
    out[:, at] = np.where(np.isinf(least), np.nan, least / DAY_US)
    active = silence < ACTIVE_US
    some = Pairs(pairs.row[active], pairs.lead[active], pairs.as_of[active], k)
    out[:, at + 1] = np.bincount(some.row, minlength=k)
    out[:, at + 2] = _distinct(r, plan, "function", some, len(FUNCTIONS)).sum(axis=1)
    level = _distinct(r, plan, "seniority", some, len(SENIORITIES))
    highest = len(SENIORITIES) - 1 - np.argmax(level[:, ::-1], axis=1)
    out[:, at + 3] = np.where(level.any(axis=1), highest, np.nan)


def _distinct(r: Records, plan: Plan, measure: str, pairs: Pairs, n: int) -> Floats:
    """Which of n codes occur among the titles that colleagues had at the instant, shape (examples, n), 0 or 1."""
    found = np.zeros((pairs.examples, n))
    columns = ((j, c) for j, c in enumerate(plan.columns[: r.attributes.shape[1]]) if c.measure == measure)
    j, column = next(columns, (-1, None))
    if column is not None:
        past = column.block == "history"
        code = value_at(r, column.name, pairs.lead, pairs.as_of) if past else r.attributes[pairs.lead, j]
        known = ~np.isnan(code)
        found[pairs.row[known], code[known].astype(np.int64)] = 1
    return found


def _outcomes(s: Stages, pairs: Pairs, out: Floats, at: int) -> None:
    """How many colleagues' episodes were won and lost, and the days since the last was won."""
    stop = known_until(s.at, s.start, pairs.lead, pairs.as_of)
    count = stop - s.start[pairs.lead]
    pick, row = ranges(s.start[pairs.lead], count), np.repeat(pairs.row, count)
    as_of = np.repeat(pairs.as_of, count)
    won, lost = s.won[pick], s.lost[pick]
    out[:, at] = np.bincount(row[won], minlength=pairs.examples)
    out[:, at + 1] = np.bincount(row[lost], minlength=pairs.examples)
    least = np.full(pairs.examples, np.inf)
    np.minimum.at(least, row[won], (as_of[won] - s.at[pick][won]) / DAY_US)
    out[:, at + 2] = np.where(np.isinf(least), np.nan, least)
