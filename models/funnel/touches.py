"""What leads did and what was done for them, by type of event, counted while they were open."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, NEVER, Bools, Floats, Ints
from features.columns import slug
from features.records import Events, owners, starts
from features.vocabulary import CLICKS, OPENS, VISITS
from models.funnel.ways import ON, OPEN, OUT, Episodes, days_standing, position
from models.judging.survival import Spells

KINDS: dict[str, Collection[str]] = {
    "mail opens": OPENS,
    "mail clicks": CLICKS,
    "visits": VISITS | {"pricing_view"},
    "meetings": frozenset(
        {"meeting", "meeting_booked", "meeting_request", "meeting_held", "meeting_completed", "meeting_attended",
         "demo", "demo_held", "demo_attended"}
    ),
}  # fmt: skip
"""Well-known names. A type with another name stands for itself alone."""
MONTH_D = 30.0


def is_of(kind: str, name: str) -> bool:
    """Whether a type of event is of a kind of KINDS, in any spelling; a visit may name its page: "Page view: /x"."""
    plain = slug(name)
    return plain in KINDS[kind] or (kind == "visits" and any(plain.startswith(f"{visit}_") for visit in VISITS))


@dataclass(frozen=True)
class Touches:
    """m events that were known by the present and happened while their lead was open, shape (m,) each."""

    episode: Ints
    slot: Ints
    at: Ints
    """When it happened, µs."""
    standing: Ints
    """The furthest stage of the lead then; -1 before the first."""

    def of(self, slots: Collection[int]) -> "Touches":
        """Those of some types."""
        keep = np.isin(self.slot, list(slots))
        return Touches(self.episode[keep], self.slot[keep], self.at[keep], self.standing[keep])


def touches(events: Events, e: Episodes) -> Touches:
    """The events of the leads of some episodes."""
    if not len(e):
        none = np.empty(0, np.int64)
        return Touches(none, none, none, none)
    lead, at = owners(events.start), events.occurred
    first = starts(e.lead, len(events.start) - 1)
    episode = _latest(e.begin, first[lead], first[lead + 1], at)
    there = (episode >= first[lead]) & (events.known <= e.until)
    there &= at <= e.over[np.maximum(episode, 0)]
    episode, at = episode[there], at[there]
    return Touches(episode, events.slot[there].astype(np.int64), at, position(e, episode, at))


def _latest(begin: Ints, first: Ints, last: Ints, at: Ints) -> Ints:
    """The last of the episodes `first:last` that had begun at each instant; below `first` where none had."""
    found = first - 1
    for k in range(int((last - first).max()) if len(first) else 0):
        place = first + k
        found = np.where((place < last) & (begin[np.minimum(place, len(begin) - 1)] <= at), place, found)
    return found


def first_touch(t: Touches, e: Episodes) -> Spells:
    """From the beginning of each episode to its first of some events: ON it had one, OUT it ended without."""
    first = np.full(len(e), NEVER)
    np.minimum.at(first, t.episode, t.at)
    had = first != NEVER
    days = (np.where(had, first, e.over) - e.begin) / DAY_US
    end = np.where(had, ON, np.where(e.end != OPEN, OUT, OPEN))
    return Spells(days, end, (e.until - e.begin) / DAY_US, e.group)


def a_month(t: Touches, e: Episodes) -> Floats:
    """Events in MONTH_D days that a lead is open, by its furthest stage, shape (stages,): -1 first, the conversion
    left out. NaN where no lead stood there."""
    days = days_standing(e)
    count = np.bincount(t.standing + 1, minlength=len(days))[: len(days)]
    return np.asarray(MONTH_D * count / np.where(days > 0, days, np.nan), dtype=np.float64)


def reaching_accounts(created: Ints, account: Ints, at: Ints, of: Ints, until: int, keep: Bools) -> Spells:
    """From the creation of an account's first lead to its first of some instants, a spell an account of which
    `keep` (accounts,) is true: ON it came to that.

    created, account (leads,): µs and account number. at, of (k,): instants, and the number of their lead.
    """
    begin, first = np.full(len(keep), NEVER), np.full(len(keep), NEVER)
    np.minimum.at(begin, account, created)
    np.minimum.at(first, account[of], at)
    begin, first, group = begin[keep], first[keep], np.flatnonzero(keep)
    there = begin <= until
    begin, first, group = begin[there], first[there], group[there]
    on = first <= until
    days = np.maximum(np.where(on, first, until) - begin, 0) / DAY_US
    return Spells(days, np.where(on, ON, OPEN), (until - begin) / DAY_US, group)
