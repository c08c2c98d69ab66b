"""The way of leads through the stages: episodes, the order of the stages, and the spells between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import DAY_US, NEVER, Bools, Floats, Ints
from features.records import Records, owners
from features.vocabulary import stages_called
from models.judging.survival import Spells
from models.learning.labels import Conversions, beginnings, next_conversion

OPEN, CONVERTED, CLOSED = 0, 1, 2
"""How an episode ended."""
ON, OUT = 1, 2
"""How a spell ended: it went on, or it was closed before."""
_EPISODES = 1 << 15
HANDOVERS = ("sql", "sal", "opportunity")
"""Sales takes a lead over when it enters the first of these that the data have, or a later stage."""
QUALIFIED = "mql"


@dataclass(frozen=True)
class Episodes:
    """n episodes by the present: from a lead's creation, or from when it was opened again, until it converts or is
    closed. Shape (n,) each, sorted by lead and beginning; times in µs."""

    lead: Ints
    begin: Ints
    over: Ints
    """When it ended; the present where it is open."""
    end: Ints
    """OPEN, CONVERTED or CLOSED."""
    group: Ints
    """The account."""
    until: int
    stages: tuple[str, ...]
    """In order; the last is the conversion."""
    entered: Ints
    """Shape (n, stages): the first entry in the episode while it was open; NEVER where there was none."""
    again: Bools
    """It was opened again."""

    def __len__(self) -> int:
        return len(self.lead)

    @cached_property
    def reached(self) -> Ints:
        """Shape (n, stages): when a lead first was in a stage or beyond it."""
        return np.minimum.accumulate(self.entered[:, ::-1], axis=1)[:, ::-1]


def episodes(
    records: Records, names: Sequence[str], until: int, converted: str, repeating: Conversions | None = None
) -> Episodes:
    """All that began by `until` (µs), nothing later being looked at.

    `names`: of the codes of `records.stages`; `converted`: what the conversion is called. `repeating`: conversions
    that close no lead, of which an episode has the first. A closed lead that enters a stage without being opened
    again stays closed.
    """
    lead, begin = beginnings(records)
    lead, begin = lead[begin <= until], begin[begin <= until]
    order = np.lexsort((begin, lead))
    lead, begin = lead[order], begin[order]
    first = np.searchsorted(lead, lead, side="left")
    number = np.arange(len(lead)) - first
    s = records.stages
    of = owners(s.start)
    place = np.searchsorted(lead * _EPISODES + number, of * _EPISODES + s.episode)
    known = s.at <= until
    over, end = _ends(place[known & s.closed], s.at[known & s.closed], s.won[known & s.closed], len(lead), until)
    if repeating is not None:
        at, _ = next_conversion(repeating.known_by(until), lead, begin - (number == 0))
        sooner = at <= over
        over, end = np.where(sooner, at, over), np.where(sooner, CONVERTED, end)
    entered = np.full((len(lead), len(names)), NEVER)
    keep = np.flatnonzero(known & ~s.closed & (s.code < len(names)) & (s.code >= 0))
    keep = keep[s.at[keep] <= over[place[keep]]]
    np.minimum.at(entered, (place[keep], s.code[keep]), s.at[keep])
    path = [j for j in in_order(entered, names) if names[j] != converted]
    last = np.where(end == CONVERTED, over, NEVER)
    return Episodes(
        lead=lead, begin=begin, over=over, end=end, group=records.account[lead], until=until,
        stages=(*(names[j] for j in path), converted), entered=np.column_stack([entered[:, path], last]),
        again=number > 0,
    )  # fmt: skip


def _ends(place: Ints, at: Ints, won: Bools, n: int, until: int) -> tuple[Ints, Ints]:
    """When each of n episodes ended and how, by its first closing row; rows by time within each episode."""
    over, end = np.full(n, until), np.full(n, OPEN)
    mine, row = np.unique(place, return_index=True)
    over[mine], end[mine] = at[row], np.where(won[row], CONVERTED, CLOSED)
    return over, end


def in_order(entered: Ints, names: Sequence[str]) -> list[int]:
    """Numbers of the stages that were entered, first to last: one comes before another where it more often did in the
    episodes, `entered` (n, stages), that entered both. Ties go by how often they were entered, then by name."""
    there = [j for j in range(len(names)) if (entered[:, j] != NEVER).any()]
    times = {j: entered[:, j] for j in there}
    before = {(a, b): int(((times[a] < times[b]) & (times[b] != NEVER)).sum()) for a in there for b in there if a != b}
    ahead = {a: sum(before[a, b] > before[b, a] for b in there if b != a) for a in there}
    often = {j: int((times[j] != NEVER).sum()) for j in there}
    return sorted(there, key=lambda j: (-ahead[j], -often[j], names[j]))


def whole_way(e: Episodes) -> Spells:
    """From the beginning of each episode to its end: ON converted, OUT closed."""
    return _spells(e, e.begin, e.reached[:, -1], np.ones(len(e), bool))


def reaching(e: Episodes, k: int) -> Spells:
    """From the beginning to stage k or beyond."""
    return _spells(e, e.begin, e.reached[:, k], np.ones(len(e), bool))


def step(e: Episodes, k: int) -> tuple[Spells, Bools]:
    """From the entry of stage k (-1: from the beginning) to any later stage; and which episodes (n,) are among them.
    Those that came back to the stage from a later one are not."""
    since = e.begin if k < 0 else e.entered[:, k]
    there = (since != NEVER) & (e.reached[:, k + 1] >= since)
    return _spells(e, since, e.reached[:, k + 1], there), there


def _spells(e: Episodes, since: Ints, goal: Ints, keep: Bools) -> Spells:
    since, goal, over, end = since[keep], goal[keep], e.over[keep], e.end[keep]
    on = goal <= over
    days = (np.where(on, goal, over) - since) / DAY_US
    return Spells(days, np.where(on, ON, np.where(end == CLOSED, OUT, OPEN)), (e.until - since) / DAY_US, e.group[keep])


def standing(e: Episodes) -> Ints:
    """The furthest stage of each episode, shape (n,); -1 before the first. For one that converted it is the last."""
    return np.asarray((e.reached != NEVER).sum(axis=1) - 1, dtype=np.int64)


def position(e: Episodes, episode: Ints, at: Ints) -> Ints:
    """The furthest stage of some episodes at some instants, shape (k,); -1 before the first."""
    return np.asarray((e.reached[episode] <= at[:, None]).sum(axis=1) - 1, dtype=np.int64)


def days_standing(e: Episodes) -> Floats:
    """Days that all episodes were open with each furthest stage, shape (stages,): -1 first, the conversion left out."""
    edges = np.minimum(np.column_stack([e.begin, e.reached]), e.over[:, None])
    return np.asarray(np.diff(edges, axis=1).sum(axis=0) / DAY_US, dtype=np.float64)


@dataclass(frozen=True)
class Handover:
    """Leads that sales took over."""

    stage: str
    """It or a later one but the conversion."""
    spells: Spells
    """ON: it was received unqualified; OUT: it was qualified, and went on."""
    qualified: str | None
    """What QUALIFIED is called; None where the data do not have it."""
    without: Bools | None
    """Which had not been QUALIFIED before; None where the data do not have that stage."""
    at: Ints
    """When, µs."""


def handover(e: Episodes) -> Handover | None:
    """How leads came to sales; None where no stage says when. A lead was received unqualified where it had not been
    QUALIFIED before (that is known at once), or where it was closed without a conversion before it went on to a
    further stage."""
    path = e.stages[:-1]
    name = next((name for what in HANDOVERS for name in stages_called(what, path)), None)
    if name is None:
        return None
    k = path.index(name)
    since = e.entered[:, k:-1].min(axis=1)
    keep = since != NEVER
    further = np.where(e.entered[:, k:] > since[:, None], e.entered[:, k:], NEVER).min(axis=1)
    went = _spells(e, since, further, keep)
    end = np.where(went.end == ON, OUT, np.where(went.end == OUT, ON, OPEN))
    without, called = None, next(iter(stages_called(QUALIFIED, path)), None)
    days = went.days
    if called is not None:
        without = (e.entered[:, path.index(called)] > since)[keep]
        end, days = np.where(without, ON, end), np.where(without, 0.0, days)
    return Handover(name, Spells(days, end, went.possible, went.group), called, without, since[keep])
