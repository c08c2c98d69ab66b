"""The two routes that score: a body comes in, a body goes out."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from serving.answers import Answer, Options, Wanted, each, finished, options, wanted
from serving.bodies import Receive, read_body
from serving.cautions import BATCH, said, strange
from serving.problems import Problem, wrong
from serving.service import Service
from serving.strict import read_json
from serving.waiting import full, late, ready

Headers = Mapping[bytes, bytes]
CHUNK = 250
"""Leads of a batch that are scored together, at most."""
CHUNK_ROWS = 20_000
"""Rows of them, beyond which no further lead is added: between two chunks we look at the clock."""
ARRIVING = 4
"""Batches that may be on their way, for each that may wait or run."""
LARGE = 1 << 16
"""A body of more bytes is read in a thread of its own, so that the loop goes on."""
encode = msgspec.json.Encoder().encode


async def score_one(service: Service, headers: Headers, receive: Receive) -> bytes:
    """Answer to `POST /v1/score`. Raises Problem or Gone."""
    settings = service.settings
    body = await read_body(headers, receive, settings.max_body, settings.read_timeout_s)
    if len(body) > LARGE:
        return await _apart(service, "large", settings.capacity, lambda until: _one(service, body, until))
    return encode(await service.queue.score(wanted(read_json(body, settings.max_depth), settings)))


async def score_batch(service: Service, headers: Headers, receive: Receive) -> bytes:
    """Answer to `POST /v1/score/batch`. Raises Problem or Gone."""
    settings = service.settings
    if service.apart["batch"] >= settings.batch_capacity or service.arriving >= ARRIVING * settings.batch_capacity:
        raise full()  # before its body is read: it may be large
    service.arriving += 1
    try:
        body = await read_body(headers, receive, settings.max_batch_body, settings.read_timeout_s)
    finally:
        service.arriving -= 1
    return await _apart(service, "batch", settings.batch_capacity, lambda until: _many(service, body, until))


async def _apart(service: Service, kind: str, most: int, work: Callable[[float], bytes]) -> bytes:
    """Work for a thread of its own, so that the loop goes on; if fewer than `most` of a kind wait or run."""
    if service.apart[kind] >= most:
        raise full()
    service.apart[kind] += 1
    until = time.monotonic() + service.settings.timeout_s
    try:
        return await asyncio.get_running_loop().run_in_executor(service.threads, work, until)
    finally:
        service.apart[kind] -= 1


def _one(service: Service, body: bytes, until: float) -> bytes:
    """As score_one, for a large body."""
    lead = wanted(read_json(body, service.settings.max_depth), service.settings)
    if time.monotonic() > until:
        raise late()
    one = finished(each(ready(service.store), [lead], datetime.now(UTC)))[0]
    if isinstance(one, Problem):
        raise one
    service.metrics.answers([one])
    return encode(one)


def _many(service: Service, body: bytes, until: float) -> bytes:
    """Results in order; a record that is wrong leaves its problem in its place."""
    given = read_json(body, service.settings.max_depth + 2)
    leads = given.get("leads") if isinstance(given, dict) else None
    if not isinstance(leads, list):
        raise wrong("leads", "a list")
    if len(leads) > service.settings.max_batch:
        raise wrong("leads", f"at most {service.settings.max_batch} of them")
    model, now = ready(service.store), datetime.now(UTC)
    others = options(given)
    results: list[Answer] = []
    for chunk in _chunks(_checked(lead, service, others) for lead in leads):
        if time.monotonic() > until:
            raise late()
        answers = finished(each(model, [w for w in chunk if isinstance(w, Wanted)], now))
        service.metrics.answers(answers)
        found = iter(answers)
        for w in chunk:
            one = w if isinstance(w, Problem) else next(found)
            if isinstance(one, Problem):
                one = one.within(f"leads[{len(results)}]").document()
            results.append(one)
    return encode({"results": results, "warnings": said(strange(given, BATCH), others[1]),
                   "model_version": model.bundle.version, "model_digest": model.bundle.digest})  # fmt: skip


def _chunks(checked: Iterable[Wanted | Problem]) -> Iterator[list[Wanted | Problem]]:
    """In order, each of at most CHUNK leads, and of CHUNK_ROWS rows but for its last lead."""
    chunk: list[Wanted | Problem] = []
    rows = 0
    for one in checked:
        chunk.append(one)
        rows += one.rows if isinstance(one, Wanted) else 0
        if len(chunk) == CHUNK or rows >= CHUNK_ROWS:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def _checked(lead: Any, service: Service, others: Options) -> Wanted | Problem:
    try:
        return wanted(lead, service.settings, others)
    except Problem as problem:
        return problem
