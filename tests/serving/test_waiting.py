"""Requests that wait together: who is scored with whom, and that nobody waits for those who do not come."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from serving import waiting
from serving.answers import Answer, Steps, Wanted
from serving.problems import Problem
from serving.waiting import TOGETHER, Queue

LEAD = Wanted({"lead": {}}, False, "en", 0)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were scored together, turn by turn."""
    seen: list[int] = []

    def scored(model: object, asked: Sequence[Wanted], now: datetime) -> Steps[Answer | Problem]:
        seen.append(len(asked))
        yield
        yield
        return [{"lead_id": w.request["lead"].get("lead_id")} for w in asked]

    monkeypatch.setattr(waiting, "each", scored)
    return seen


def queue(capacity: int = 100, timeout_s: float = 5.0) -> Queue:
    """With a model that is never looked at."""
    return Queue(cast("Any", SimpleNamespace(current=object())), lambda _: None, capacity, timeout_s)


def of(name: int) -> Wanted:
    """A lead by a number."""
    return Wanted({"lead": {"lead_id": name}}, False, "en", 0)


def test_each_gets_its_own_answer_in_groups_of_eight(groups: list[int]) -> None:
    """Twenty at once are scored in turns of at most TOGETHER, and nobody gets another's answer."""

    async def all_at_once() -> list[Answer]:
        one = queue()
        return await asyncio.gather(*(one.score(of(k)) for k in range(20)))

    answers = asyncio.run(all_at_once())
    assert [found["lead_id"] for found in answers] == list(range(20))
    assert sum(groups) == 20
    assert max(groups) == TOGETHER


def test_the_loop_has_its_turn_between_the_steps_of_a_group(groups: list[int]) -> None:
    """Whatever else the loop has to do is done before a group of leads is, not after it."""

    async def beside() -> list[str]:
        happened: list[str] = []

        async def other() -> None:
            while not groups:
                await asyncio.sleep(0)
            happened.append("other")

        async def ask(k: int) -> None:
            await one.score(of(k))
            happened.append("answered")

        one = queue()
        await asyncio.gather(*(ask(k) for k in range(3)), other())
        return happened

    assert asyncio.run(beside()) == ["other", *["answered"] * 3]


def test_a_client_on_its_own_never_waits(groups: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, each is scored at once: not even a long patience delays it."""
    monkeypatch.setattr(waiting, "SOON_S", 5.0)

    async def alone() -> float:
        one, begun = queue(), time.perf_counter()
        for k in range(50):
            await one.score(of(k))
        return time.perf_counter() - begun

    assert asyncio.run(alone()) < 2.0
    assert groups == [1] * 50


def test_those_answered_together_are_waited_for(groups: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that ask again a little apart are scored together again; without patience they would not be."""

    async def client(one: Queue, late: int) -> None:
        for k in range(10):
            await one.score(of(k))
            for _ in range(late):
                await asyncio.sleep(0)

    async def four() -> list[int]:
        one = queue()
        await asyncio.gather(*(client(one, late) for late in (0, 3, 6, 9)))
        return list(groups)

    monkeypatch.setattr(waiting, "SOON_S", 1.0)
    patient = asyncio.run(four())
    groups.clear()
    monkeypatch.setattr(waiting, "SOON_S", 0.0)
    assert len(patient) < len(asyncio.run(four()))
    assert max(patient) == 4


def test_nobody_waits_for_those_who_have_gone(groups: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a group of four one client is left: it is waited for the others once, for no longer than SOON_S."""
    monkeypatch.setattr(waiting, "SOON_S", 0.05)

    async def one_stays() -> float:
        one = queue()
        await asyncio.gather(*(one.score(of(k)) for k in range(4)))
        begun = time.perf_counter()
        for k in range(5):
            await one.score(of(k))
        return time.perf_counter() - begun

    assert 0.04 < asyncio.run(one_stays()) < 1.0
    assert groups == [4, 1, 1, 1, 1, 1]


def test_beyond_the_room_is_told_at_once_and_late_ones_are_not_scored(groups: list[int]) -> None:
    """429 where the queue is full, 503 where the time of a request has passed; neither reaches the model."""

    async def crowd() -> list[Any]:
        one = queue(capacity=3)
        return await asyncio.gather(*(one.score(of(k)) for k in range(5)), return_exceptions=True)

    found = asyncio.run(crowd())
    assert [one.status for one in found if isinstance(one, Problem)] == [429, 429]
    assert sum(groups) == 3

    async def too_late() -> Any:
        return await asyncio.gather(queue(timeout_s=-1.0).score(LEAD), return_exceptions=True)

    [problem] = asyncio.run(too_late())
    assert isinstance(problem, Problem)
    assert problem.status == 503
    assert sum(groups) == 3
