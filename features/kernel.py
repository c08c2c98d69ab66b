"""The one feature kernel: a million examples or one, in training and in serving, to the same last bit.

An example is a lead and an instant. Its events are a range of flat arrays; one pass bins them by type and
age and counts with `bincount`, and a running sum over the age bins gives every window at once. Sums of
decayed weights are exact (multiples of 2^-20), so no order of summation can change a bit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, Array, Floats, Ints, ranges
from features.colleagues import colleague_block, newest
from features.columns import Column
from features.episodes import Opening, opening
from features.own import OWN
from features.plan import Plan
from features.records import Events, Records, known_until, value_at
from features.stages import stage_block
from features.totals import totals
from features.vocabulary import HALF_LIVES_D, OWN_D, WINDOWS_D

CHUNK = 1 << 16
"""Pairs of example and event that are looked at together: bounds memory, and stays in cache."""
STEPS_A_DAY = 4
STEP_US = DAY_US // STEPS_A_DAY
LONGEST = 730 * STEPS_A_DAY
"""Ages of two years and more are one step: nothing decays further."""

_STEPS = np.arange(LONGEST + 1)
AGE_BIN = np.searchsorted(np.array(WINDOWS_D) * STEPS_A_DAY, _STEPS, side="right").astype(np.int64)
DECAY = [np.rint(0.5 ** (_STEPS / STEPS_A_DAY / h) * 2**20) / 2**20 for h in HALF_LIVES_D]
ACTIVE_BIN = np.searchsorted(np.array([7, 30, 90]), np.arange(92), side="right").astype(np.int64)
BINS = len(WINDOWS_D) + 1
MEASURES = BINS + 1 + len(HALF_LIVES_D) + len(OWN_D)


@dataclass(frozen=True)
class Matrix:
    """Features of k examples."""

    values: Floats
    """Shape (k, columns): numbers, or codes into `levels`; NaN missing."""
    columns: tuple[Column, ...]
    levels: dict[str, list[str]]


@dataclass(frozen=True)
class Named(Mapping[str, Floats]):
    """Columns of a matrix by name, each looked up only when asked for: one lead must not pay for them all."""

    matrix: Floats
    place: Mapping[str, int]

    def __getitem__(self, name: str) -> Floats:
        return self.matrix[:, self.place[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.place)

    def __len__(self) -> int:
        return len(self.place)


def compute(records: Records, plan: Plan, lead: Ints, as_of: Ints) -> Matrix:
    """Features of the examples `(lead[i], as_of[i])`, shapes (k,), as of µs, in any order.

    Nothing later than `as_of` is looked at. Columns of a block that nobody knows (None) are NaN.
    """
    values = np.empty((len(lead), len(plan.features)))
    for part in _chunks(records, plan, lead, as_of):
        _fill(records, plan, lead[part], as_of[part], values[part])
    return Matrix(values, plan.features, {**records.levels, **plan.levels})


def _chunks(records: Records, plan: Plan, lead: Ints, as_of: Ints) -> list[slice]:
    """Runs of examples with about CHUNK events together, those of their colleagues among them."""
    if len(lead) * (len(records.events.known) + len(records) + 16) <= CHUNK:  # each with all that there is
        return [slice(0, len(lead))][: len(lead)]
    start = records.events.start
    rows = start[lead + 1] - start[lead] + 16
    if "account_leads" in plan.blocks and "account_leads" not in records.unknown:
        first, stop = newest(records, lead, as_of)
        rows += start[stop] - start[first] + stop - first
    size = np.cumsum(rows)
    cuts = np.searchsorted(size, np.arange(CHUNK, size[-1] + CHUNK, CHUNK), side="right")
    cuts = np.unique(cuts.clip(1, len(lead)))
    return [slice(a, b) for a, b in zip([0, *cuts[:-1]], cuts, strict=True)]


def _fill(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats) -> None:
    """All columns of some examples, block after block, in the order of `plan.columns`."""
    state = opening(r, lead, as_of)
    at = _attributes(r, plan, lead, as_of, out)
    if "events" in plan.blocks:
        at = _events(r, plan, lead, as_of, out, at)
    if "stages" in plan.blocks:
        at = stage_block(r, plan, lead, as_of, out, at)
    if "account_leads" in plan.blocks:
        at = colleague_block(r, plan, lead, as_of, out, at)
    at = _age(r, as_of, state, out, at)
    _own(plan, out, at)


def _attributes(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats) -> int:
    """Attributes as they were known; an attribute with history only from its rows. Then how many are known."""
    n = int(r.attributes.shape[1])
    out[:, :n] = r.attributes[lead]
    for j, column in enumerate(plan.columns[:n]):
        if column.block == "history":
            out[:, j] = value_at(r, column.name, lead, as_of)
    out[:, n] = n - np.isnan(out[:, :n]).sum(axis=1)
    return n + 1


def _events(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats, at: int) -> int:
    """Counts, recency, decay and own rates by type; values; active days; topics."""
    width = len(plan.slots) * MEASURES + 3 * len(plan.value_slots) + 3 + 2 * len(plan.topics) + 2
    if "events" in r.unknown:
        out[:, at : at + width] = np.nan
        return at + width
    e, k = r.events, len(lead)
    start, stop = e.start[lead], known_until(e.known, e.start, lead, as_of)
    count = stop - start
    row, pick = np.arange(k).repeat(count), ranges(start, count)
    until = as_of.repeat(count)
    learned, learned_slot = (until - e.known[pick]) // DAY_US, e.slot[pick]
    pick = _by_occurrence(e, row, pick)
    step = np.minimum((until - e.occurred[pick]) // STEP_US, LONGEST)
    slot = e.slot[pick]
    block = np.empty((k, len(plan.slots), MEASURES))
    life = _life(r, e, lead, as_of, start, count)
    _slots(plan, k, row, slot, step, life, block)
    out[:, at : at + block.shape[1] * MEASURES] = block.reshape(k, -1)
    at += block.shape[1] * MEASURES
    at = _values(plan, row, slot, step, e.value[pick] if plan.value_slots else None, out, at)
    at = _active(row, learned, learned_slot, plan, out, at)
    return _topics(plan, row, step, e.topic[pick], out, at)


def _by_occurrence(e: Events, row: Ints, pick: Ints) -> Ints:
    """The events of each example in the order they happened, which late records are not in."""
    occurred = e.occurred[pick]
    if len(pick) < 2 or not ((occurred[1:] < occurred[:-1]) & (row[1:] == row[:-1])).any():
        return pick
    return pick[np.lexsort((occurred, row))]


def _life(r: Records, e: Events, lead: Ints, as_of: Ints, start: Ints, count: Ints) -> Floats:
    """Days since the lead's creation, or since its first event where that was earlier."""
    begun = r.created[lead]
    if len(e.known):
        first = e.known[np.minimum(start, len(e.known) - 1)]
        begun = np.where(count > 0, np.minimum(begun, first), begun)
    days: Floats = np.maximum(as_of - begun, 0) / DAY_US
    return days


def _slots(plan: Plan, k: int, row: Ints, slot: Array, step: Ints, life: Floats, block: Floats) -> None:
    """Measures of every slot, shape (k, slots, MEASURES); the two totals are sums (and the least recency)."""
    s = len(plan.slots)
    cell = row * s + slot
    counts = np.bincount(cell * BINS + AGE_BIN[step], minlength=k * s * BINS)
    counts.reshape(k, s, BINS).cumsum(axis=2, out=block[:, :, :BINS])
    for j, weight in enumerate(DECAY):
        block[:, :, BINS + 1 + j] = np.bincount(cell, weight[step], minlength=k * s).reshape(k, s)
    last = np.full(k * s, np.nan)
    last[cell] = step
    last /= STEPS_A_DAY
    block[:, :, BINS] = last.reshape(k, s)
    totals(plan, block[:, :, : MEASURES - len(OWN_D)], np.add)
    totals(plan, block[:, :, BINS], np.fmin)  # the last of any is the least long ago
    _own_rates(block, life)


OWN_BINS = slice(WINDOWS_D.index(OWN_D[0]), WINDOWS_D.index(OWN_D[-1]) + 1)
OWN_WINDOWS = np.array(WINDOWS_D[OWN_BINS], float)


def _own_rates(block: Floats, life: Floats) -> None:
    """log of the count in a window over what the rate of the lead's whole life lets expect there, half an event
    added to each: 0 is as always, and where nothing ever happened; 1 is e times as often."""
    days = life[:, None, None]
    window = (np.minimum(OWN_WINDOWS, days) + 1) / (days + 1)
    rate = (block[:, :, OWN_BINS] + 0.5) / (window * block[:, :, BINS - 1 : BINS] + 0.5)
    block[:, :, MEASURES - len(OWN_D) :] = np.log(rate)


def _values(plan: Plan, row: Ints, slot: Array, step: Ints, value: Floats | None, out: Floats, at: int) -> int:
    """Sums of the events' own values in 30 and 90 days and in all."""
    if value is None:
        return at
    for s in plan.value_slots:
        mine = (slot == s) & ~np.isnan(value)
        for j, days in enumerate((30, 90, 1 << 40)):
            use = mine & (step < days * STEPS_A_DAY)
            out[:, at + j] = np.bincount(row[use], value[use], minlength=len(out))
        at += 3
    return at


def _active(row: Ints, day: Ints, slot: Array, plan: Plan, out: Floats, at: int) -> int:
    """Days with anything but a scanner's clicks, in 7, 30 and 90 days. Events come in the order of `known`."""
    k = len(out)
    code = (np.minimum(day, 91) + row * 92)[slot != plan.scanner_slot]
    new = np.ones(len(code), bool)
    new[1:] = code[1:] != code[:-1]
    fresh = code[new]
    found = np.bincount((fresh // 92) * 4 + ACTIVE_BIN[fresh % 92], minlength=k * 4).reshape(k, 4)
    np.cumsum(found[:, :3], axis=1, out=out[:, at : at + 3])
    return at + 3


def _topics(plan: Plan, row: Ints, step: Ints, topic: Array, out: Floats, at: int) -> int:
    """Counts by topic in 30 days and in all, how many in 30 days, and the last one's code."""
    k, n = len(out), len(plan.topics)
    out[:, at : at + 2 * n + 2] = 0
    out[:, at + 2 * n + 1] = np.nan
    some = np.flatnonzero(topic >= 0)
    if len(some):
        row, recent, topic = row[some], step[some] < 30 * STEPS_A_DAY, topic[some]
        cell = row * (n + 1) + topic
        seen = np.bincount(cell * 2 + recent, minlength=k * (n + 1) * 2).reshape(k, n + 1, 2)
        out[:, at : at + 2 * n : 2] = seen[:, :n, 1]
        out[:, at + 1 : at + 2 * n : 2] = seen[:, :n].sum(axis=2)
        out[:, at + 2 * n] = (seen[:, :, 1] > 0).sum(axis=1)
        out[row, at + 2 * n + 1] = topic
    return at + 2 * n + 2


def _age(r: Records, as_of: Ints, state: Opening, out: Floats, at: int) -> int:
    out[:, at] = (as_of - state.since) / DAY_US
    out[:, at + 1] = state.episode if "stages" not in r.unknown else np.nan
    return at + 2


def derive(plan: Plan, values: Floats) -> None:
    """Make the features of features/own.py again, in place, after a change of the kernel's columns, shape (k, all)."""
    _own(plan, values, len(plan.columns))


def _own(plan: Plan, out: Floats, at: int) -> None:
    added = plan.features[at:]
    if added:
        columns = Named(out, plan.place)
        for j, column in enumerate(added):
            out[:, at + j] = OWN[column.name].make(columns)
