"""Requests that wait at the same time are scored together: a lead has the same bits alone and among others, and
ten together cost little more than one."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from serving.answers import Answer, Wanted, Work, each
from serving.problems import Problem
from serving.store import Served, Store

TOGETHER = 8
"""At most so many at once, so that the loop soon looks at its connections again."""
SOON_S = 0.0005
"""So long those who asked together may take to ask together again."""


def ready(store: Store) -> Served:
    """The current model. Raises Problem 503 where there is none."""
    if store.current is None:
        raise Problem(503, "no-model", "no verified model is loaded", {"Retry-After": "5"})
    return store.current


def full() -> Problem:
    """More than the service has room for."""
    return Problem(429, "busy", "more requests are waiting than there is room for; try again", {"Retry-After": "1"})


def late() -> Problem:
    """A request whose time has passed."""
    return Problem(503, "too-late", "not answered within the time for a request; try again", {"Retry-After": "1"})


@dataclass
class Group:
    """Requests that are scored together, and the work that does it."""

    wanted: list[Wanted]
    until: list[float]
    work: asyncio.Task[list[Answer | Problem]]


class Queue:
    """Of one event loop. `count` is told what each group came to."""

    def __init__(
        self, store: Store, count: Callable[[Sequence[Answer | Problem]], None], capacity: int, timeout_s: float
    ) -> None:
        self._store, self._count, self._capacity, self._timeout_s = store, count, capacity, timeout_s
        self._waiting = 0
        self._last: Group | None = None
        self._last_time = 0
        """How many were scored together the last time."""

    async def score(self, wanted: Wanted) -> Answer:
        """Its answer. Raises Problem: 429 at once where the queue is full."""
        if self._waiting >= self._capacity:
            raise full()
        group = self._group()
        place = len(group.wanted)
        group.wanted.append(wanted)
        group.until.append(time.monotonic() + self._timeout_s)
        self._waiting += 1
        try:
            found = await asyncio.shield(group.work)
        finally:
            self._waiting -= 1
        one = found[place]
        if isinstance(one, Problem):
            raise one
        return one

    def _group(self) -> Group:
        """The last group while it has room and has not begun, or a new one."""
        last = self._last
        if last is None or len(last.wanted) == TOGETHER:
            group = Group([], [], None)  # type: ignore[arg-type] # the next line
            group.work = asyncio.get_running_loop().create_task(self._serve(group, last))
            self._last = last = group
        return last

    async def _gather(self, group: Group) -> None:
        """Let those ask who were answered together the last time: a client that has its answer asks again at once.

        A client on its own never waits, for then the last time there was one.
        """
        until = time.perf_counter() + SOON_S
        await asyncio.sleep(0)
        while len(group.wanted) < self._last_time and time.perf_counter() < until:
            await asyncio.sleep(0)
        self._last_time = len(group.wanted)

    async def _serve(self, group: Group, before: Group | None) -> list[Answer | Problem]:
        """Score a group when the one before it is done: in between the loop looks at its connections."""
        if before is not None:
            await asyncio.wait([before.work])
        await self._gather(group)
        if self._last is group:
            self._last = None
        model, now = ready(self._store), time.monotonic()
        found: list[Answer | Problem] = [late()] * len(group.wanted)
        alive = [i for i, until in enumerate(group.until) if until >= now]
        work = Work(each(model, [group.wanted[i] for i in alive], datetime.now(UTC)))
        for _ in work:
            await asyncio.sleep(0)  # the loop looks at its connections
        self._count(work.found)
        for i, one in zip(alive, work.found, strict=True):
            found[i] = one
        return found
