"""Walks the hidden states of leads day by day, until they close or the calendar ends.

A day's rules, which the filter repeats exactly: the state holds from midnight to midnight. On the day on
which a lead comes (or is taken up again) nothing but events happens. On every later day it closes with the
day's chance, at a time uniform in the day, and advances a stage with its own chance, at another uniform
time, if that comes before the closing.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.arrays import DAY_US, Bools, Ints
from pipeline.simulator.law import ADVANCES, READER, RECYCLABLE, RECYCLED, Law
from pipeline.simulator.people import People, pick
from pipeline.simulator.world import World


@dataclass(frozen=True)
class Days:
    """One entry for each day of each lead on which it was open: `lo` to `hi` in µs from midnight."""

    lead: Ints
    day: Ints
    state: Ints  # column of the law
    burst: Ints
    lo: Ints
    hi: Ints


@dataclass(frozen=True)
class Moves:
    """One entry for each row of the funnel: µs from the start of the world."""

    lead: Ints
    at_us: Ints
    kind: Ints  # index into KINDS


KINDS = ("mql", "sql", "opportunity", "won", "lost", "disqualified", "lost for timing", "recycled")
WON, LOST, DISQUALIFIED, TIMING, AGAIN = 3, 4, 5, 6, 7


class _Walk:
    """The leads that still live, and what became of all so far. Ages are days since creation."""

    def __init__(self, rng: np.random.Generator, law: Law, world: World, people: People) -> None:
        self.rng, self.law, self.world, self.people = rng, law, world, people
        self.live = np.arange(len(people))
        self.born = people.created_us // DAY_US
        self.state = np.full(len(people), READER)
        self.burst = np.zeros(len(people), dtype=np.int64)
        self.reached = np.zeros(len(people), dtype=np.int64)
        self.waiting = np.zeros(len(people), dtype=np.bool_)
        self.days: list[tuple[Ints, ...]] = []
        self.moves: list[tuple[Ints, Ints, Ints]] = []

    def running(self, lead: Ints, day: Ints) -> Ints:
        """1 where the project of the lead's account runs on the day."""
        age = day - self.people.project_day[lead]
        return ((age >= 0) & (age < self.world.project_days)).astype(np.int64)

    def begin(self, lead: Ints, day: Ints) -> None:
        first = pick(self.rng, self.law.first[self.running(lead, day)])
        self.state[lead] = np.where(self.people.buyer[lead], first, READER)
        calm = np.broadcast_to(self.law.calm, (len(lead), len(self.law.calm)))
        self.burst[lead] = pick(self.rng, calm)
        self.reached[lead] = 0

    def note(self, lead: Ints, day: Ints, time: Ints, kind: Ints) -> None:
        self.moves.append((lead, day * DAY_US + time, kind))

    def today(self, lead: Ints, day: Ints) -> tuple[Ints, Ints]:
        """Closes and advances leads; gives when each closes (DAY_US if not) and as what (0 if not)."""
        rng, law, state = self.rng, self.law, self.state[lead]
        won = law.won[state] * law.closing[day]
        draw = rng.random(len(lead)) - won
        kind = np.where(draw < 0, WON, 0)
        kind[(draw >= 0) & (draw < law.lost[state])] = LOST
        late = draw - law.lost[state]
        kind[(late >= 0) & (late < law.disqualified[state])] = DISQUALIFIED
        kind[(kind == LOST) & (rng.random(len(lead)) < RECYCLABLE)] = TIMING
        time = np.where(kind > 0, rng.integers(1, DAY_US, len(lead)), DAY_US)
        self.advance(lead, day, state, time)
        closed = kind > 0
        self.note(lead[closed], day[closed], time[closed], kind[closed])
        return time, kind

    def advance(self, lead: Ints, day: Ints, state: Ints, before: Ints) -> None:
        at = self.rng.integers(1, DAY_US, len(lead))
        moves = self.rng.random(len(lead)) < self.law.advance[state]
        moves &= (at < before) & (self.reached[lead] < len(ADVANCES))
        mover = lead[moves]
        self.note(mover, day[moves], at[moves], self.reached[mover])
        self.reached[mover] += 1

    def night(self, lead: Ints, day: Ints) -> None:
        """States of open leads change at the midnight that begins `day`."""
        buyer = self.people.buyer[lead]
        chances = self.law.move[self.running(lead, day), self.state[lead].clip(max=2)]
        self.state[lead] = np.where(buyer, pick(self.rng, chances), READER)
        self.burst[lead] = pick(self.rng, self.law.switch[self.burst[lead]])

    def step(self, age: int) -> None:
        """One day of all who live."""
        self.live = self.live[self.born[self.live] + age < self.world.days]
        lead, day = self.live, self.born[self.live] + age
        again = self.waiting[lead] & (self.rng.random(len(lead)) < RECYCLED)
        lo = np.where(again, self.rng.integers(1, DAY_US, len(lead)), 0)
        if age == 0:
            again, lo = np.ones(len(lead), dtype=np.bool_), self.people.created_us % DAY_US
        else:
            self.note(lead[again], day[again], lo[again], np.full(int(again.sum()), AGAIN))
        opened = ~self.waiting[lead] & ~again
        self.waiting[lead[again]] = False
        self.begin(lead[again], day[again])
        hi = np.full(len(lead), DAY_US)
        kind = np.zeros(len(lead), dtype=np.int64)
        hi[opened], kind[opened] = self.today(lead[opened], day[opened])
        self.keep(lead, day, lo, hi, opened | again)
        self.waiting[lead[kind == TIMING]] = True
        gone = (kind == WON) | (kind == LOST) | (kind == DISQUALIFIED)
        stays = (opened | again) & (kind == 0)
        self.night(lead[stays], day[stays] + 1)
        self.live = lead[~gone]

    def keep(self, lead: Ints, day: Ints, lo: Ints, hi: Ints, mask: Bools) -> None:
        at = lead[mask]
        self.days.append((at, day[mask], self.state[at], self.burst[at], lo[mask], hi[mask]))


def walk(rng: np.random.Generator, law: Law, world: World, people: People) -> tuple[Days, Moves]:
    """The open days of all leads and their moves through the funnel, in no order."""
    walker = _Walk(rng, law, world, people)
    for age in range(world.days):
        if not len(walker.live):
            break
        walker.step(age)
    days = Days(*(np.concatenate(part) for part in zip(*walker.days, strict=True)))
    return days, Moves(*(np.concatenate(part) for part in zip(*walker.moves, strict=True)))
