"""Requests to answers: read, score, decide, explain and warn, all of them together."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import numpy as np

from features.episodes import opening
from models.bundle.folder import Bundle, score
from models.bundle.requests import Asked, Reader, features_of, instant
from models.bundle.values import WrongRequest, identity, objects, part
from models.explaining.reasons import by_group, reasons
from models.explaining.words import LANGUAGES
from models.learning.horizons import column
from models.policy.decisions import decide
from serving.cautions import Cautions, said
from serving.logs import failed
from serving.problems import Problem, bug, wrong
from serving.settings import Settings

REASONS = 5
STEP_ROWS = 250
"""Rows that are read in a step, but for those of a single lead: about as long as scoring one lead takes."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Answer = dict[str, Any]
Made = TypeVar("Made")
Steps = Generator[None, None, list[Made]]
"""Work on some leads, each step of which takes no longer than one lead alone: an event loop has its turn in between."""
Options = tuple[bool, str]
"""Whether to give reasons, and the language of texts."""
USUAL: Options = (True, "en")


class Work(Generic[Made]):
    """Steps to be taken one after another, as `for _ in work`."""

    def __init__(self, steps: Steps[Made]) -> None:
        self._steps = steps
        self.found: list[Made] = []
        """What they came to, after the last."""

    def __iter__(self) -> Iterator[None]:
        self.found = yield from self._steps


@dataclass(frozen=True)
class Model:
    """A bundle, and what its answers take besides."""

    bundle: Bundle
    cautions: Cautions


@dataclass(frozen=True)
class Wanted:
    """One lead's request, and how it is to be answered."""

    request: Mapping[str, Any]
    explain: bool
    language: str
    rows: int
    """Events, stages and changes, the colleagues' too: what reading it takes."""


def options(request: Mapping[str, Any], others: Options = USUAL) -> Options:
    """What a request, or a batch, says of how it is to be answered; `others` where it says nothing. Raises Problem."""
    explain, language = (
        other if request.get(name) is None else request[name]
        for name, other in zip(("explain", "language"), others, strict=True)
    )
    if not isinstance(explain, bool):
        raise wrong("explain", "true or false")
    if not isinstance(language, str) or language not in LANGUAGES:
        raise wrong("language", f"one of {', '.join(LANGUAGES)}")
    return explain, language


def wanted(request: Any, settings: Settings, others: Options = USUAL) -> Wanted:
    """Check what is not the kernel's to read; `others` are the options of its batch. Raises Problem."""
    if not isinstance(request, dict):
        raise Problem(422, "wrong-request", "expected an object with a lead", place="", expected="an object")
    explain, language = options(request, others)
    rows = _rows(request, settings)
    try:
        lead = part(request, "lead")
        identity(lead.get("lead_id"), "lead.lead_id")
    except WrongRequest as error:
        raise wrong(error.place, error.expected) from None
    return Wanted(request, explain, language, rows)


def _rows(request: Mapping[str, Any], settings: Settings) -> int:
    """How many there are. Raises Problem where one list has too many."""
    colleagues = request.get("account_leads")
    colleagues = colleagues if isinstance(colleagues, list) else []
    if len(colleagues) > settings.max_colleagues:
        raise wrong("account_leads", f"at most {settings.max_colleagues} of them")
    found = 0
    for i, item in enumerate((request, *colleagues)):
        for name in ("events", "stages", "history"):
            rows = item.get(name) if isinstance(item, dict) else None
            count = len(rows) if isinstance(rows, list) else 0
            if count > settings.max_events:
                place = f"account_leads[{i - 1}]." if i else ""
                raise wrong(f"{place}{name}", f"at most {settings.max_events} of them")
            found += count
    return found


def answer(model: Model, asked: Sequence[Wanted], now: datetime) -> list[Answer | Problem]:
    """One for each, in order. `as_of` is `now` where it is left out."""
    return finished(in_steps(model, asked, now))


def finished(steps: Steps[Made]) -> list[Made]:
    """What they come to, taken one right after another."""
    work = Work(steps)
    for _ in work:
        pass
    return work.found


def each(model: Model, asked: Sequence[Wanted], now: datetime) -> Steps[Answer | Problem]:
    """As `answer`; where that fails by a fault of ours, each alone, so that one lead does not fail the others."""
    try:
        return (yield from in_steps(model, asked, now))
    except Exception as error:
        if len(asked) == 1:
            failed(error)
            return [bug()]
    found: list[Answer | Problem] = []
    for w in asked:
        found += yield from each(model, [w], now)
    return found


def in_steps(model: Model, asked: Sequence[Wanted], now: datetime) -> Steps[Answer | Problem]:
    """As `answer`."""
    found: dict[int, Answer | Problem] = {}
    for explain in {w.explain for w in asked}:
        mine = [i for i, w in enumerate(asked) if w.explain == explain]
        own = yield from _alike(model, [asked[i] for i in mine], now, explain)
        found.update(zip(mine, own, strict=True))
    return [found[i] for i in range(len(asked))]


def _alike(model: Model, asked: Sequence[Wanted], now: datetime, explain: bool) -> Steps[Answer | Problem]:
    """Answers to requests that all want reasons, or none of them."""
    reading, reader = model.bundle.lives, Reader(model.bundle.lives)
    found, read = dict[int, Answer | Problem](), dict[int, Answer]()
    at, said, rows = _micros(now), _text(now), 0
    for i, w in enumerate(asked):
        rows += w.rows
        if rows > STEP_ROWS:
            yield
            rows = w.rows
        try:
            as_of = instant(w.request, reading, at)
            if objects(w.request["lead"], reading.marks):
                found[i] = _bare(model, w, "objected", as_of, said)
            else:
                reader.add(w.request, as_of)
                read[i] = _bare(model, w, "closed", as_of, said)
        except WrongRequest as error:
            found[i] = wrong(error.place, error.expected)
    if read:
        yield
        mine = [asked[i] for i in read]
        own = yield from _read(model, mine, [*read.values()], reader.asked(), explain)
        found.update(zip(read, own, strict=True))
    return [found[i] for i in range(len(asked))]


def _read(
    model: Model, asked: Sequence[Wanted], closed: Sequence[Answer], given: Asked, explain: bool
) -> Steps[Answer | Problem]:
    """Answers to requests that could be read: those of `closed`, but the open leads are scored."""
    state = opening(given.records, given.lead, given.as_of)
    created = given.records.created[given.lead]
    rows = np.flatnonzero(state.open).tolist()
    found: list[Answer | Problem] = [
        wrong("lead.created_at", "a time no later than as_of") if late else one
        for one, late in zip(closed, (created > given.as_of).tolist(), strict=True)
    ]
    if rows:
        scored = yield from _scored(model, [asked[i] for i in rows], given.some(rows), explain)
        for i, more in zip(rows, scored, strict=True):
            found[i] = closed[i] | more
    return found


def _scored(model: Model, asked: Sequence[Wanted], given: Asked, explain: bool) -> Steps[Answer]:
    """What the answers to open leads have besides."""
    matrix = features_of(given, model.bundle.plan)
    yield
    scored = score(model.bundle, matrix, explain)
    if explain:  # else the rest of it is quick
        yield
    decisions = decide(model.bundle.policy, matrix, scored.probability, given.worth)
    cautions = model.cautions.of([w.request for w in asked], given.unknown, matrix)
    groups = {} if scored.contributions is None else by_group(matrix, scored.contributions)
    probability, raw = scored.probability.tolist(), scored.raw.tolist()
    shorter = {column(days): q.tolist() for days, q in scored.shorter.items()}
    answers = []
    for row, (w, d, own) in enumerate(zip(asked, decisions, cautions, strict=True)):
        one = Answer(
            status="scored", probability=probability[row], **d._asdict(), raw_score=raw[row],
            shorter={name: q[row] for name, q in shorter.items()}, warnings=said(own, w.language),
        )  # fmt: skip
        if scored.contributions is not None:
            found = reasons(matrix, scored.contributions, row, REASONS, w.language)
            one.update(base=scored.base, reasons=[{**vars(reason)} for reason in found])
            one["groups"] = {group: sums[row] for group, sums in groups.items()}
        answers.append(one)
    return answers


def _bare(model: Model, w: Wanted, status: str, as_of: int, now: str) -> Answer:
    """An answer that says nothing of the lead but its status."""
    return {
        "lead_id": w.request["lead"].get("lead_id"), "as_of": _text(_EPOCH + timedelta(microseconds=as_of)),
        "status": status, "probability": None, "score": None, "grade": None, "route": None, "qualified": None,
        "shorter": {}, "expected_value": None, "value_source": None, "base": None,
        "groups": None, "raw_score": None, "reasons": [], "warnings": [], "model_version": model.bundle.version,
        "model_digest": model.bundle.digest, "scored_at": now,
    }  # fmt: skip


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
