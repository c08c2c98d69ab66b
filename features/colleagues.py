"""The buying group: what the other leads of the account did, as of an instant."""

from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, Array, Floats, Ints, ranges
from features.plan import Plan
from features.records import Records, Stages, attribute_at, known_events, known_until
from features.totals import totals
from features.vocabulary import FUNCTIONS, NEAR_D, SENIORITIES

MOST = 50
"""Colleagues looked at: the newest. Bounds the work for an account that is a catch-all of thousands."""
ACTIVE_US = 30 * DAY_US
"""A colleague is active whose last sign of life is younger."""
BINS = len(NEAR_D) + 1
OF_SOMEBODY = ("colleagues_last", "colleagues_seniority", "colleagues_won_last")
"""Measures that only a colleague could have."""


@dataclass(frozen=True)
class Pairs:
    """Example and colleague, one row a pair, shape (p,) each; rows of one example lie together."""

    row: Ints
    """Number of the example, not falling."""
    lead: Ints
    as_of: Ints
    examples: int


def colleague_block(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats) -> None:
    """Fill `out`, shape (k, colleague columns), in the plan's order. Without colleagues counts are 0, and what only one
    could have is NaN."""
    place = plan.colleague_place
    out[:] = 0
    out[:, [place[measure] for measure in OF_SOMEBODY if measure in place]] = np.nan
    out[:, place["colleagues_first"]] = (as_of - r.created[r.account_start[r.account[lead]]]) / DAY_US
    if len(r) == len(r.account_start) - 1:  # every account has one lead
        return
    pairs = _pairs(r, lead, as_of)
    if len(pairs.row) == 0:
        return
    if r.silent:
        out[pairs.row] = np.nan
        return
    if "events" in plan.blocks:
        _events(r, plan, pairs, out)
    out[:, place["colleagues_known"]] = np.bincount(pairs.row, minlength=len(lead))
    if "stages" in plan.blocks:
        _outcomes(r.stages, plan, pairs, out)


def _pairs(r: Records, lead: Ints, as_of: Ints) -> Pairs:
    """Colleagues that existed at the instant, at most the MOST newest."""
    start, stop = newest(r, lead, as_of)
    count = stop - start
    row, colleague = np.repeat(np.arange(len(lead)), count), ranges(start, count)
    other = colleague != lead[row]
    row, colleague = row[other], colleague[other]
    return Pairs(row, colleague, as_of[row], len(lead))


def newest(r: Records, lead: Ints, as_of: Ints) -> tuple[Ints, Ints]:
    """Ranges [first, stop) of leads, shape (k,) each: the MOST newest colleagues known by `as_of` (µs), and the lead
    itself if it lies among them."""
    account = r.account[lead]
    stop = known_until(r.created, r.account_start, account, as_of)
    among = (lead >= stop - MOST) & (lead < stop)
    return np.maximum(r.account_start[account], stop - MOST - among), stop


def _events(r: Records, plan: Plan, pairs: Pairs, out: Floats) -> None:
    """What the colleagues did, by slot and window; then who of them is active."""
    k, n = pairs.examples, len(plan.slots) * BINS
    count, pick = known_events(r.events, pairs.lead, pairs.as_of)
    gap = np.repeat(pairs.as_of, count) - r.events.occurred[pick]
    out[:, :n] = _counts(plan, np.repeat(pairs.row, count), r.events.slot[pick], gap // DAY_US, k).reshape(k, -1)
    _activity(r, plan, pairs, silence(gap, count), out)


def _counts(plan: Plan, row: Ints, slot: Array, day: Ints, k: int) -> Ints:
    """Events of the colleagues by slot and window, shape (k, slots, BINS)."""
    s = len(plan.slots)
    near = sum((day >= w).astype(np.int64) for w in NEAR_D)
    counts = np.bincount((row * s + slot) * BINS + near, minlength=k * s * BINS).reshape(k, s, BINS)
    totals(plan, counts, np.add)
    return np.cumsum(counts, axis=2)


def silence(gap: Ints, count: Ints) -> Floats:
    """µs since each lead's last event, shape (k,); NaN where it has none. `gap`: those since all events, one lead after
    another; a lead has `count` of them, (k,)."""
    found = np.full(len(count), np.nan)
    some = count > 0
    found[some] = np.minimum.reduceat(gap, (count.cumsum() - count)[some])
    return found


def _activity(r: Records, plan: Plan, pairs: Pairs, quiet: Floats, out: Floats) -> None:
    """Days since the last sign of life; how many colleagues, functions are active; the highest seniority."""
    k, place = pairs.examples, plan.colleague_place
    np.fmin.at(out[:, place["colleagues_last"]], pairs.row, quiet / DAY_US)
    active = quiet < ACTIVE_US
    some = Pairs(pairs.row[active], pairs.lead[active], pairs.as_of[active], k)
    out[:, place["colleagues_active"]] = np.bincount(some.row, minlength=k)
    functions = _distinct(r, plan, "function", some, len(FUNCTIONS))
    out[:, place["colleagues_functions"]] = functions.sum(axis=1)
    level = _distinct(r, plan, "seniority", some, len(SENIORITIES))
    highest = len(SENIORITIES) - 1 - np.argmax(level[:, ::-1], axis=1)
    out[:, place["colleagues_seniority"]] = np.where(level.any(axis=1), highest, np.nan)


def _distinct(r: Records, plan: Plan, measure: str, pairs: Pairs, n: int) -> Floats:
    """Which of n codes occur among the titles that colleagues had at the instant, shape (examples, n), 0 or 1."""
    found = np.zeros((pairs.examples, n))
    column = plan.measuring(measure)
    if column is not None:
        code = attribute_at(r, plan, column, pairs.lead, pairs.as_of)
        known = ~np.isnan(code)
        found[pairs.row[known], code[known].astype(np.int64)] = 1
    return found


def _outcomes(s: Stages, plan: Plan, pairs: Pairs, out: Floats) -> None:
    """How many colleagues' episodes were won and lost, and the days since the last was won."""
    place = plan.colleague_place
    stop = known_until(s.at, s.start, pairs.lead, pairs.as_of)
    count = stop - s.start[pairs.lead]
    pick, row = ranges(s.start[pairs.lead], count), np.repeat(pairs.row, count)
    as_of = np.repeat(pairs.as_of, count)
    won, lost = s.won[pick], s.lost[pick]
    out[:, place["colleagues_won"]] = np.bincount(row[won], minlength=pairs.examples)
    out[:, place["colleagues_lost"]] = np.bincount(row[lost], minlength=pairs.examples)
    np.fmin.at(out[:, place["colleagues_won_last"]], row[won], (as_of[won] - s.at[pick][won]) / DAY_US)
