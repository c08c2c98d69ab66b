"""The one feature kernel: a million examples or one, in training and in serving, to the same last bit.

An example is a lead and an instant. Its events are a range of flat arrays; one pass bins them by type and
age and counts with `bincount`, and a running sum over the age bins gives every window at once. Sums of
decayed weights are exact (multiples of 2^-20), so no order of summation can change a bit.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, Array, Floats, Ints
from features.colleagues import colleague_block, newest
from features.columns import Block, Column
from features.episodes import opening
from features.masking import count_known_fields
from features.own import OWN
from features.plan import Part, Plan
from features.records import Events, Records, attribute_at, known_events
from features.stages import stage_block
from features.totals import totals
from features.vocabulary import ACTIVE_D, HALF_LIVES_D, OWN_D, TOPIC_D, VALUE_D, WINDOWS_D

CHUNK = 1 << 16
"""Pairs of example and event that are looked at together: bounds memory, and stays in cache."""
STEPS_A_DAY = 4
STEP_US = DAY_US // STEPS_A_DAY
LONGEST = 730 * STEPS_A_DAY
"""Ages of two years and more are one step: nothing decays further."""

_STEPS = np.arange(LONGEST + 1)
AGE_BIN = np.searchsorted(np.array(WINDOWS_D) * STEPS_A_DAY, _STEPS, side="right").astype(np.int64)
DECAY = [np.rint(0.5 ** (_STEPS / STEPS_A_DAY / h) * 2**20) / 2**20 for h in HALF_LIVES_D]
ACTIVE_BIN = np.searchsorted(np.array(ACTIVE_D), np.arange(ACTIVE_D[-1] + 2), side="right").astype(np.int64)
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
    """All columns of some examples: each part fills its own, and is NaN where nobody knows what it looks at."""
    for part, fill in _PARTS.items():
        own = out[:, plan.span[part]]
        if part in r.unknown:
            own[:] = np.nan
        elif own.shape[1]:
            fill(r, plan, lead, as_of, own)
    _age(r, lead, as_of, out[:, plan.span["age"]])
    _own(plan, out, r.unknown)


def _attributes(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats) -> None:
    """Attributes as they were known; an attribute with history only from its rows. Then how many are known."""
    out[:, :-1] = r.attributes[lead]
    for j in plan.past_places:
        out[:, j] = attribute_at(r, plan, plan.columns[j].name, lead, as_of)
    count_known_fields(out, plan.field_places)


def _events(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats) -> None:
    """Counts, recency, decay and own rates by type; values; life and active days; topics.

    `known` says which events count, `occurred` when they were.
    """
    e, k = r.events, len(lead)
    count, pick = known_events(e, lead, as_of)
    row = np.arange(k).repeat(count)
    pick = _by_occurrence(e, row, pick)
    occurred, slot = e.occurred[pick], e.slot[pick]
    step = np.minimum((as_of.repeat(count) - occurred) // STEP_US, LONGEST)
    life = _life(r, lead, as_of, occurred, count)
    block = np.empty((k, len(plan.slots), MEASURES))
    _slots(plan, k, row, slot, step, life, block)
    at = len(plan.slots) * MEASURES
    out[:, :at] = block.reshape(k, -1)
    if plan.value_slots:
        at = _values(plan, row, slot, step, e.value[pick], out, at)
    out[:, at] = life
    person = slot != plan.scanner_slot
    row, step = row[person], step[person]
    at = _active(row, step, out, at + 1)
    _topics(plan, row, step, e.topic[pick][person], out[:, at:])


def _by_occurrence(e: Events, row: Ints, pick: Ints) -> Ints:
    """The events of each example in the order they happened, which late records are not in."""
    occurred = e.occurred[pick]
    if len(pick) < 2 or not ((occurred[1:] < occurred[:-1]) & (row[1:] == row[:-1])).any():
        return pick
    return pick[np.lexsort((occurred, row))]


def _life(r: Records, lead: Ints, as_of: Ints, occurred: Ints, count: Ints) -> Floats:
    """Days since the lead's creation, or since its first event where that was earlier; `occurred` of all examples'
    events in order, `count` of each."""
    begun = r.created[lead]
    some = np.flatnonzero(count)
    if len(some):
        first = (count.cumsum() - count)[some]
        begun[some] = np.minimum(begun[some], occurred[first])
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
    """log(observed / expected): the events of a window over those expected there at the rate of the lead's whole life,
    half an event added to each. 0 where nothing ever happened; 1 is e times as often as always."""
    days = life[:, None, None]
    window = (np.minimum(OWN_WINDOWS, days) + 1) / (days + 1)
    rate = (block[:, :, OWN_BINS] + 0.5) / (window * block[:, :, BINS - 1 : BINS] + 0.5)
    block[:, :, MEASURES - len(OWN_D) :] = np.log(rate)


def _values(plan: Plan, row: Ints, slot: Array, step: Ints, value: Floats, out: Floats, at: int) -> int:
    """Sums of the events' own values in each of VALUE_D."""
    for s in plan.value_slots:
        mine = (slot == s) & ~np.isnan(value)
        for days in VALUE_D:
            use = mine & (step < days * STEPS_A_DAY) if days else mine
            out[:, at] = np.bincount(row[use], value[use], minlength=len(out))
            at += 1
    return at


def _active(row: Ints, step: Ints, out: Floats, at: int) -> int:
    """Days with any event, in each of ACTIVE_D. Events come in the order they occurred."""
    k, far = len(out), ACTIVE_D[-1] + 1
    code = np.minimum(step // STEPS_A_DAY, far) + row * (far + 1)
    new = np.ones(len(code), bool)
    new[1:] = code[1:] != code[:-1]
    fresh, bins = code[new], len(ACTIVE_D) + 1
    cell = fresh // (far + 1) * bins + ACTIVE_BIN[fresh % (far + 1)]
    found = np.bincount(cell, minlength=k * bins).reshape(k, bins)
    np.cumsum(found[:, :-1], axis=1, out=out[:, at : at + bins - 1])
    return at + bins - 1


def _topics(plan: Plan, row: Ints, step: Ints, topic: Array, out: Floats) -> None:
    """Counts by topic in TOPIC_D days and in all, how many in TOPIC_D days, and the last one's code."""
    k, n = len(out), len(plan.topics)
    out[:, :-1] = 0
    out[:, -1] = np.nan
    some = np.flatnonzero(topic >= 0)
    if len(some):
        row, recent, topic = row[some], step[some] < TOPIC_D * STEPS_A_DAY, topic[some]
        cell = row * (n + 1) + topic
        seen = np.bincount(cell * 2 + recent, minlength=k * (n + 1) * 2).reshape(k, n + 1, 2)
        out[:, : 2 * n : 2] = seen[:, :n, 1]
        out[:, 1 : 2 * n : 2] = seen[:, :n].sum(axis=2)
        out[:, -2] = (seen[:, :, 1] > 0).sum(axis=1)
        out[row, -1] = topic


def _age(r: Records, lead: Ints, as_of: Ints, out: Floats) -> None:
    state = opening(r, lead, as_of)
    out[:, 0] = (as_of - state.since) / DAY_US
    out[:, 1] = state.episode if "stages" not in r.unknown else np.nan


_PARTS: dict[Part, Callable[[Records, Plan, Ints, Ints, Floats], None]] = {
    "attributes": _attributes,
    "events": _events,
    "stages": stage_block,
    "account_leads": colleague_block,
}


def derive(plan: Plan, values: Floats) -> None:
    """Recompute columns derived from others, in place, after a change of those, shape (k, all)."""
    count_known_fields(values, plan.field_places)
    _own(plan, values)


def _own(plan: Plan, out: Floats, unknown: Collection[Block] = ()) -> None:
    """NaN where nobody knows its block, as `mask` has it, whatever the feature makes of missing columns."""
    at = len(plan.columns)
    added = plan.features[at:]
    if added:
        columns = Named(out, plan.place)
        for j, column in enumerate(added):
            out[:, at + j] = np.nan if column.block in unknown else OWN[column.name].make(columns)
