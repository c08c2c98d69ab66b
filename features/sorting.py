"""Rows of events and stages as they come, put into the canonical order that the kernel counts on."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Floats, Ints, Small
from features.plan import Plan
from features.records import SINCE_CREATION, Events, Stages, starts

SCANNER_US = 3_000_000
"""A click within this of the click before it is a scanner's: people do not open two links so fast."""


@dataclass(frozen=True)
class Happened:
    """Events of leads as they came, shape (m,) each: see Events."""

    lead: Ints
    known: Ints
    occurred: Ints
    slot: Small
    topic: Small
    value: Floats
    what: Ints
    """Alike where type, topic and id are the same texts: two types that the plan does not tell apart are no twins, nor
    are events of two ids."""

    def take(self, rows: Ints | Bools) -> "Happened":
        """Some of them, in that order."""
        return Happened(*(column[rows] for column in vars(self).values()))


def sort_events(rows: Happened, leads: int, plan: Plan) -> Events:
    """Events in canonical order, identical twins dropped, a mail scanner's clicks set apart.

    Both rules look only at earlier or simultaneous rows, so a table cut at any instant gives the same.
    """
    if not _is_sorted(rows.lead, rows.known):
        keys = (rows.what, rows.value, rows.topic, rows.slot, rows.occurred, rows.known, rows.lead)
        rows = rows.take(np.lexsort(keys))
    keep = ~_twins(rows)
    if not keep.all():
        rows = rows.take(keep)
    slot = _set_scanners_apart(rows.lead, rows.occurred, rows.slot, plan)
    return Events(rows.known, rows.occurred, slot, rows.topic, rows.value, starts(rows.lead, leads))


def _is_sorted(lead: Ints, known: Ints) -> bool:
    """True where no two rows share an instant and all are in order; ties need the canonical sort."""
    step = np.diff(lead)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(known) > 0))))


def _twins(rows: Happened) -> Bools:
    """Rows that are the one before them once more."""
    twin, value = np.zeros(len(rows.lead), bool), rows.value
    if len(twin) > 1:
        same = rows.known[1:] == rows.known[:-1]
        if same.any():
            for a in (rows.lead, rows.occurred, rows.what):
                same &= a[1:] == a[:-1]
            same &= (value[1:] == value[:-1]) | (np.isnan(value[1:]) & np.isnan(value[:-1]))
            twin[1:] = same
    return twin


def _set_scanners_apart(lead: Ints, occurred: Ints, slot: Small, plan: Plan) -> Small:
    clicks = plan.click_slots
    if not clicks or len(slot) < 2:
        return slot
    at = np.flatnonzero(np.isin(slot, clicks) if len(clicks) > 1 else slot == clicks[0])
    gap = occurred[at[1:]] - occurred[at[:-1]]
    burst = (lead[at[1:]] == lead[at[:-1]]) & (gap >= 0) & (gap <= SCANNER_US)
    if not burst.any():
        return slot
    slot = slot.copy()
    slot[at[1:][burst]] = plan.scanner_slot
    return slot


def sort_stages(lead: Ints, at: Ints, code: Small, effect: Small, won: Bools, leads: int) -> Stages:
    """Stages by lead and time (rows of one instant stay as they came), with the state after each row.

    Shapes (m,) of `leads` leads; `at` in µs. `effect` is +1 where the row closes its lead, -1 where it opens it again,
    0 else.
    """
    if len(lead) == 0:
        return Stages(at, code, won, won, won, at, code, np.zeros(leads + 1, np.int64))
    order = np.lexsort((at, lead))
    lead, at = lead[order], at[order]
    code, effect, won = code[order], effect[order], won[order]
    start = starts(lead, leads)
    index = np.arange(len(lead))
    first = start[lead]
    last = np.maximum.accumulate(np.where(effect != 0, index, -1))
    closed = (last >= first) & (effect[np.maximum(last, 0)] > 0)
    before = np.concatenate([[False], closed[:-1]]) & (index > first)
    reopens = before & (effect < 0)
    times = np.cumsum(reopens)
    latest = np.maximum.accumulate(np.where(reopens, index, -1))
    opened = np.where(latest >= first, at[np.maximum(latest, 0)], SINCE_CREATION)
    episode: Small = (times - (times - reopens)[first]).astype(np.int16)
    return Stages(at, code, won, (effect > 0) & ~won & ~before, closed, opened, episode, start)
