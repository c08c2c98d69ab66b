"""The filter against an enumeration of all hidden paths, written apart from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from math import exp

import numpy as np
import polars as pl
import pytest

from pipeline.simulator import World, true_probability
from pipeline.simulator.fit import buyer_chance, pace_chances, project_chance
from pipeline.simulator.law import (
    PRODUCT_USE,
    READER,
    RECYCLABLE,
    RECYCLED,
    TOPICS,
    TRIAL_START,
    TYPES,
    WEBINAR,
    Law,
    law,
)

WITHIN = 3
NOW = 5.45  # days from the start of the world, like all times here


@dataclass
class Lead:
    """A hand-made lead: times in days from the start of the world."""

    name: str
    episodes: list[tuple[float, float | None, str | None]]  # begin, close, how
    events: list[tuple[float, str, str | None]] = field(default_factory=list)
    notes: list[tuple[float, str, str]] = field(default_factory=list)
    advances: list[float] = field(default_factory=list)


TARGET = Lead(
    "a",
    [(2.3, None, None)],
    [
        (2.5, "page_view", "trends"),
        (3.1, "trial_start", None),
        (3.2, "page_view", "security"),
        (4.6, "product_use", None),
        (4.7, "webinar", "product"),
        (5.1, "pricing_view", None),
        (5.2, "product_use", None),
        (5.3, "webinar", "contract"),  # known only from the next midnight on
        (5.5, "demo_request", None),  # not yet
    ],
    [(4.2, "need", "high"), (5.9, "budget", "80000")],
    [3.6, 5.2],
)
RETURNED = Lead(
    "b",
    [(1.6, 3.5, "lost"), (5.2, None, None)],
    [(1.9, "mail_click", "careers"), (2.2, "page_view", "contract"), (5.25, "page_view", "integration")],
    [(2.5, "timeline", "month")],
    [2.7],
)
WINNER = Lead("b", [(1.6, 4.25, "won")], [(2.1, "pricing_view", None), (4.1, "webinar", "contract")])
LOSER = Lead("b", [(1.6, 5.25, "disqualified")], [(3.1, "download", "careers")])
LATER = Lead("b", [(5.6, None, None)], [(5.7, "pricing_view", None)])


def instant(world: World, days: float) -> datetime:
    """So many days from the start of the world."""
    return world.start + timedelta(microseconds=round(days * 86_400_000_000))


def tables(world: World, leads: list[Lead]) -> dict[str, pl.DataFrame]:
    """The hand-made leads as tables, in one account."""
    stages = [
        (lead.name, stage, instant(world, at))
        for lead in leads
        for at, stage in [
            *zip(lead.advances, ("mql", "sql", "opportunity"), strict=False),
            *((begin, "recycled") for begin, _, _ in lead.episodes[1:]),
            *((close, how) for _, close, how in lead.episodes if close is not None),
        ]
    ]
    events = [(lead.name, instant(world, at), *what) for lead in leads for at, *what in lead.events]
    notes = [("lead", lead.name, *what, instant(world, at)) for lead in leads for at, *what in lead.notes]
    return {
        "leads": pl.DataFrame(
            {
                "lead_id": [lead.name for lead in leads],
                "account_id": "x",
                "created_at": [instant(world, lead.episodes[0][0]) for lead in leads],
                "source": "referral",
                "job_title": "Head of IT",
                "email_domain_kind": "corporate",
            }
        ),
        "accounts": pl.DataFrame({"account_id": ["x"], "industry": "software", "country": "FI", "employees": [45]}),
        "events": pl.DataFrame(events, ["lead_id", "occurred_at", "type", "topic"], orient="row"),
        "stages": pl.DataFrame(stages, ["lead_id", "stage", "entered_at"], orient="row"),
        "history": pl.DataFrame(notes, ["entity", "id", "field", "value", "changed_at"], orient="row"),
    }


class Enumeration:
    """Sums over every hidden path, day by day, with no recursion shared with the simulator."""

    def __init__(self, world: World, leads: list[Lead]) -> None:
        self.world, self.law, self.leads = world, law(world), leads
        self.first = int(min(lead.episodes[0][0] for lead in leads))

    def running(self, project: int | None, day: int) -> int:
        """1 where a project that begins so many days after the first lead runs on the day."""
        return int(project is not None and 0 <= day - self.first - project < self.world.project_days)

    def day(self, lead: Lead, day: int, lo: float, hi: float, column: int, burst: int, pace: int) -> float:
        """Chance of what the lead did in (lo, hi] of the day; whole days end before `NOW`."""
        whole, numbers = day + 1 <= NOW, self.law
        seen = [(kind, topic) for at, kind, topic in lead.events if lo <= at <= hi and (whole or kind != "webinar")]
        trials = [int(at) for at, kind, _ in lead.events if kind == TYPES[TRIAL_START] and int(at) < day]
        skipped = {WEBINAR} if not whole else set()
        skipped |= set() if trials and day - max(trials) <= 30 else {PRODUCT_USE}
        speed = numbers.pace[pace] * numbers.burst[burst] * numbers.activity[day]
        busy = 1 - numbers.silent[pace]
        for kind, name in enumerate(TYPES):
            rate = numbers.rates[numbers.regime[day], kind, column] * speed
            count = sum(what == name for what, _ in seen)
            busy *= rate**count * (1.0 if kind in skipped else exp(-rate * (hi - lo)))
        for _, topic in seen:
            busy *= 1.0 if topic is None else numbers.topics[TOPICS.index(topic), column]
        shown = busy + (0.0 if seen else numbers.silent[pace])
        for at, name, value in lead.notes:
            shown *= numbers.facts[name, value][column] if lo <= at <= hi else 1.0
        return float(shown)

    def fate(self, lead: Lead, day: int, lo: float, hi: float, how: str | None, fresh: bool, column: int) -> float:
        """Chance of moving and closing, or not, in the same part of the day."""
        numbers = self.law
        if fresh:
            return 1.0
        won = numbers.won[column] * numbers.closing[day]
        ends = {"won": won, "lost": numbers.lost[column], "disqualified": numbers.disqualified[column]}
        moves = [at for at in lead.advances if lo <= at <= hi]
        step = numbers.advance[column] if moves else 1 - numbers.advance[column] * (hi - lo)
        return float((ends[how] if how else 1 - sum(ends.values()) * (hi - lo)) * step)

    def episode(
        self,
        lead: Lead,
        span: tuple[float, float | None, str | None],
        project: int | None,
        buyer: bool,
        pace: int,
    ) -> Iterator[tuple[int, float]]:
        """Last hidden column and weight of every path through one episode, up to NOW."""
        begin, close, how = span
        end = NOW if close is None or close > NOW else close
        how = how if end == close else None
        days = range(int(begin), int(end) + 1)
        columns = (0, 1, 2) if buyer else (READER,)
        bursts = range(len(self.law.burst))

        @lru_cache(None)
        def weigh(day: int, column: int, burst: int) -> float:
            lo, hi = max(begin, day), min(end, day + 1)
            ends = how if day == int(end) else None
            weight = self.fate(lead, day, lo, hi, ends, day == int(begin), column)
            return weight * self.day(lead, day, lo, hi, column, burst, pace)

        for path in product(product(columns, bursts), repeat=len(days)):
            weight, before = 1.0, None
            for day, (column, burst) in zip(days, path, strict=True):
                running = self.running(project, day)
                if before is None:
                    weight *= (self.law.first[running, column] if buyer else 1.0) * self.law.calm[burst]
                else:
                    weight *= self.law.move[running, before[0], column] if buyer else 1.0
                    weight *= self.law.switch[before[1], burst]
                weight *= weigh(day, column, burst)
                before = (column, burst)
            yield path[-1][0], weight

    def states(self, lead: Lead, project: int | None) -> np.ndarray:
        """Weight of each hidden column at NOW, or summed in the first one for who is closed."""
        given = pace_chances(np.array([3]))[0]
        chance = buyer_chance(self.world, *(np.array([code]) for code in (3, 2, 0, 0)))[0]
        total = np.zeros(4)
        for pace, buyer in product(range(3), (True, False)):
            weight, last = given[pace] * (chance if buyer else 1 - chance), np.array([1.0, 0, 0, 0])
            for span in lead.episodes:
                if span[0] <= NOW:
                    weight, last = weight * last.sum(), np.zeros(4)
                    for column, part in self.episode(lead, span, project, buyer, pace):
                        last[column] += part
            total += weight * last
        return total

    def winning(self, column: int, project: int | None, fresh: bool) -> float:
        """Chance of winning in (NOW, NOW + WITHIN], walking every future path."""
        numbers: Law = self.law
        end, today = NOW + WITHIN, int(NOW)

        def night(column: int, day: int) -> float:
            if column == READER:
                return open_day(READER, day)
            move = numbers.move[self.running(project, day), column]
            return sum(float(move[to]) * open_day(to, day) for to in range(3))

        def out(buyer: bool, day: int) -> float:
            if day > int(end):
                return 0.0
            first = numbers.first[self.running(project, day)]
            starts = [(to, float(first[to])) for to in range(3)] if buyer else [(READER, 1.0)]
            again = sum(chance * night(to, day + 1) for to, chance in starts) if day < int(end) else 0.0
            return RECYCLED * again + (1 - RECYCLED) * out(buyer, day + 1)

        def open_day(column: int, day: int, since: float = 0.0) -> float:
            won, lost = numbers.won[column] * numbers.closing[day], numbers.lost[column]
            still = 1 - (won + lost + numbers.disqualified[column]) * since
            if day == int(end):
                return float(won * (end - day - since) / still)
            later = won * (1 - since) + lost * RECYCLABLE * (1 - since) * out(column != READER, day + 1)
            stays = 1 - won - lost - numbers.disqualified[column]
            return float((later + stays * night(column, day + 1)) / still)

        return night(column, today + 1) if fresh else open_day(column, today, NOW - today)

    def probability(self, target: Lead) -> float:
        """Chance that the target is won in time, tied over the account."""
        has = project_chance(self.world, *(np.array([code]) for code in (0, 0, 45.0, self.law.regime[self.first])))[0]
        starts = [(start, has / len(self.world.starts)) for start in self.world.starts]
        hit = total = 0.0
        for project, prior in [*starts, (None, 1 - has)]:
            own = self.states(target, project)
            others = [self.states(lead, project).sum() for lead in self.leads if lead is not target]
            weight = float(prior * np.prod(others))
            fresh = int(target.episodes[-1][0]) == int(NOW)
            wins = [self.winning(column, project, fresh) for column in range(4)]
            hit += weight * float(own @ wins)
            total += weight * float(own.sum())
        return hit / total


SMALL = {"days": 30, "starts": (-3, 0, 2, 5), "project_days": 3}
TINY = {
    "steady": World(people="steady", **SMALL),
    "bursty": World(people="bursty", **SMALL),
    "seasonal": World(people="steady", season=True, noise="noisy", fit="additive", **SMALL),
    "drifting": World(people="steady", drift=True, drift_days=26, shift=0.5, shift_days=24, **SMALL),
    "nothing": World(people="steady", signal=False, **SMALL),
}


def ask(world: World, leads: list[Lead], name: str) -> float:
    """The probability by the simulator, at NOW."""
    at = np.array([instant(world, NOW).replace(tzinfo=None)], dtype="datetime64[us]")
    return float(true_probability(tables(world, leads), world, [name], at, WITHIN)[0])


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("colleague", [RETURNED, WINNER, LOSER], ids=["returned", "won", "disqualified"])
def test_the_filter_equals_a_sum_over_all_hidden_paths(kind: str, colleague: Lead) -> None:
    """Two leads of one account: the probability is the enumerated one, whatever became of the colleague."""
    leads = [TARGET, colleague]
    assert ask(TINY[kind], leads, "a") == pytest.approx(Enumeration(TINY[kind], leads).probability(TARGET), rel=1e-9)


@pytest.mark.parametrize("kind", ["steady", "drifting"])
def test_a_lead_taken_up_again_today_equals_the_enumeration(kind: str) -> None:
    """On the first day of a second episode the lead's past still tells who it is."""
    leads = [TARGET, RETURNED]
    expected = Enumeration(TINY[kind], leads).probability(RETURNED)
    assert ask(TINY[kind], leads, "b") == pytest.approx(expected, rel=1e-9)


def test_a_colleague_who_comes_later_changes_nothing() -> None:
    """A lead created after as_of is not looked at, whatever it does then."""
    world = TINY["steady"]
    assert ask(world, [TARGET, LATER], "a") == pytest.approx(ask(world, [TARGET], "a"), rel=1e-12)


def test_a_mail_scanner_changes_nothing() -> None:
    """An open and clicks within seconds of a mail are the scanner's, and tell nothing; later ones do."""
    world, second = TINY["steady"], 1 / 86_400
    mail = [(4.4, "mail_sent", None), (4.4 + second, "mail_open", None)]
    clicks = [(4.4 + second * after, "mail_click", "contract") for after in (2, 3, 4)]
    scanned = Lead("a", TARGET.episodes, TARGET.events + mail + clicks, TARGET.notes, TARGET.advances)
    clicked = Lead(
        "a",
        TARGET.episodes,
        [*scanned.events, (4.5, "mail_click", "contract")],
        TARGET.notes,
        TARGET.advances,
    )
    plain = ask(world, [TARGET], "a")
    assert ask(world, [scanned], "a") == pytest.approx(plain, rel=1e-12)
    assert abs(ask(world, [clicked], "a") - plain) > 0.01 * plain
