"""A scoring request, as contract section 7 has it, to the kernel's arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from features.columns import Block
from features.plan import Attribute, Plan
from features.records import Events, History, Records, Stages, sort_events, sort_stages, starts
from features.titles import read_title

Item = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
OPTIONAL: tuple[Block, ...] = ("account", "events", "stages", "history", "account_leads")
YES, NO = frozenset({"true", "yes", "1", "y", "t"}), frozenset({"false", "no", "0", "n", "f"})


class WrongRequest(ValueError):
    """A request that cannot be read: where, and what was expected. Never the caller's value."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place}: expected {expected}")
        self.place = place
        self.expected = expected


@dataclass(frozen=True)
class Asked:
    """One lead to score, among the leads of its account."""

    records: Records
    lead: Ints
    """Shape (1,): its place among the records."""
    as_of: Ints
    """Shape (1,), µs."""


def micros(text: Any, place: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time; one without an offset is UTC."""
    try:
        at = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise WrongRequest(place, "an ISO 8601 time such as 2025-10-03T00:00:00Z") from None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _US


def asked(request: Item, plan: Plan) -> Asked:
    """Records of the lead and its colleagues. A list left out is unknown; an empty one says there was nothing.

    `as_of` must be there. Raises WrongRequest.
    """
    own = {"lead": _part(request, "lead"), **{k: request.get(k) for k in ("events", "stages", "history")}}
    account = {} if request.get("account") is None else _part(request, "account")
    others = [(f"account_leads[{i}].", c) for i, c in enumerate(_list(request, "account_leads", ""))]
    every = [("", own), *((at, c) for at, c in others if not _objects(_part(c, "lead", at)))]
    members = [member for _, member in every]
    created = [_created(member, place) for place, member in every]
    order = sorted(range(len(members)), key=lambda i: (created[i], str(members[i]["lead"].get("lead_id", ""))))
    members = [members[i] for i in order]
    unknown = frozenset(b for b in OPTIONAL if request.get(b) is None)
    attributes, levels, history = _attributes(members, account, plan)
    records = Records(
        created=np.array([created[i] for i in order]),
        account=np.zeros(len(members), np.int64),
        attributes=attributes,
        levels=levels,
        events=_events(members, plan),
        stages=_stages(members, plan),
        history=history,
        account_start=np.array([0, len(members)]),
        unknown=unknown,
    )
    as_of = np.array([micros(request.get("as_of"), "as_of")])
    return Asked(records, np.array([order.index(0)]), as_of)


def _part(item: Item, name: str, place: str = "") -> Item:
    part = item.get(name) if isinstance(item, Mapping) else None
    if not isinstance(part, Mapping):
        raise WrongRequest(f"{place}{name}", "an object")
    return part


def _list(item: Item, name: str, place: str) -> Sequence[Any]:
    found = item.get(name)
    if found is None:
        return ()
    if not isinstance(found, list | tuple):
        raise WrongRequest(f"{place}{name}", "a list")
    return found


def _objects(lead: Item) -> bool:
    """True unless empty or a clear no: a word that we cannot read must not lose an objection."""
    said = lead.get("objected")
    return said is not None and str(said).strip().casefold() not in NO | {""}


def _created(member: Item, place: str) -> int:
    at = member["lead"].get("created_at")
    return 0 if at is None else micros(at, f"{place}lead.created_at")


def _rows(members: Sequence[Item], name: str) -> list[tuple[int, Item]]:
    rows = [(i, row) for i, member in enumerate(members) for row in _list(member, name, "")]
    if not all(isinstance(row, Mapping) for _, row in rows):
        raise WrongRequest(name, "a list of objects")
    return rows


def _word(row: Item, key: str, place: str) -> str:
    """A text that must be there, without the white space around it."""
    text = row.get(key)
    if not isinstance(text, str) or not text.strip():
        raise WrongRequest(f"{place}.{key}", "a text")
    return text.strip()


def _topic(row: Item) -> str | None:
    topic = row.get("topic")
    if topic is not None and not isinstance(topic, str):
        raise WrongRequest("events.topic", "a text")
    return topic.strip() or None if topic else None


def _events(members: Sequence[Item], plan: Plan) -> Events:
    topics, other = plan.topic_of, len(plan.topics)
    kept = []
    for i, known, occurred, kind, row in _happened(members):
        topic, value = _topic(row), row.get("value")
        code = -1 if topic is None else topics.get(topic, other)
        number = np.nan if value is None or value == "" else _number(value, "events.value")
        if (slot := plan.event_code(kind)) >= 0:
            kept.append((i, known, occurred, slot, code, number))
    if not kept:
        none = np.zeros(0, np.int64)
        small = none.astype(np.int16)
        return sort_events(none, none, none, small, small, np.zeros(0), len(members), plan)
    lead, known_at, occurred_at, slots, topic_code, values = zip(*kept, strict=True)
    return sort_events(
        np.array(lead), np.array(known_at), np.array(occurred_at), np.array(slots, np.int16),
        np.array(topic_code, np.int16), np.array(values, float), len(members), plan,
    )  # fmt: skip


def _happened(members: Sequence[Item]) -> list[tuple[int, int, int, str, Item]]:
    """(lead, known, occurred, type, row) of the events. Of a repeat the earliest known stays, as in validation."""
    rows = []
    for i, row in _rows(members, "events"):
        occurred = micros(row.get("occurred_at"), "events.occurred_at")
        late = row.get("available_at")
        known = occurred if late is None else max(occurred, micros(late, "events.available_at"))
        rows.append((i, known, occurred, _word(row, "type", "events"), row))
    seen: set[tuple[int, str]] = set()
    kept = []
    for event in sorted(rows, key=lambda r: r[1]):
        event_id = event[4].get("event_id")
        if event_id is None or (event[0], str(event_id)) not in seen:
            kept.append(event)
        seen.add((event[0], str(event_id)))
    return kept


def _number(value: Any, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise WrongRequest(place, "a number") from None
    if np.isinf(number):
        raise WrongRequest(place, "a finite number")
    return number


def _stages(members: Sequence[Item], plan: Plan) -> Stages:
    twins = {
        (i, micros(r.get("entered_at"), "stages.entered_at"), _word(r, "stage", "stages"), str(r.get("amount")),
         str(r.get("reason"))): None
        for i, r in _rows(members, "stages")
    }  # fmt: skip
    rows = [(i, at, stage) for i, at, stage, _, _ in twins]  # of identical twins the first, as in validation
    if plan.closing_event is not None:
        rows += [(i, known, kind) for i, known, _, kind, _ in _happened(members) if kind == plan.closing_event]
    names = [name for _, _, name in rows]
    return sort_stages(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.array([plan.stage_of.get(name, len(plan.stages)) for name in names], np.int16),
        np.array([(name in plan.closes) - (name in plan.reopens) for name in names], np.int16),
        np.array([name == plan.won for name in names], bool),
        len(members),
    )


def _attributes(
    members: Sequence[Item], account: Item, plan: Plan
) -> tuple[Floats, dict[str, list[str]], dict[str, History]]:
    columns = iter(plan.columns)
    stacked: list[list[float]] = []
    levels: dict[str, list[str]] = {}
    history: dict[str, History] = {}
    changes = _rows(members, "history")
    for a in plan.attributes:
        names = [next(columns).name for _ in range(2 if a.kind == "text" else 1)]
        place = f"{a.entity}.{a.column}"
        texts = levels.setdefault(names[0], []) if a.kind == "categorical" else []
        now = [(m["lead"] if a.entity == "lead" else account).get(a.column) for m in members]
        stacked += [list(v) for v in zip(*(_coded(a, v, texts, place) for v in now), strict=True)]
        if a.has_history:
            rows = sorted(_changes_of(a, changes, len(members)), key=lambda r: (r[0], r[1]))
            values = [_coded(a, r[2], texts, "history.value") for r in rows]
            for j, name in enumerate(names):
                history[name] = _history(rows, [v[j] for v in values], len(members))
    n = len(stacked)
    return np.array(stacked, float).T.reshape(len(members), n).copy(), levels, history


def _changes_of(a: Attribute, changes: Sequence[tuple[int, Item]], members: int) -> list[tuple[int, int, Any]]:
    """(lead, time, value) of an attribute's rows; an account's rows, given with any lead, hold for all."""
    found = []
    for i, row in changes:
        if row.get("field") == a.column and row.get("entity", "lead") == a.entity:
            at = micros(row.get("changed_at"), "history.changed_at")
            for lead in range(members) if a.entity == "account" else (i,):
                found.append((lead, at, row.get("value")))
    return found


def _history(rows: Sequence[tuple[int, int, Any]], values: Sequence[float], leads: int) -> History:
    lead, at = np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.int64)
    return History(at, np.array(values, float), starts(lead, leads))


def _coded(a: Attribute, value: Any, texts: list[str], place: str) -> tuple[float, ...]:
    """An attribute's value as the kernel has it: one number, or seniority and function of a text."""
    if isinstance(value, Mapping | list | tuple):
        raise WrongRequest(place, "a single value")
    text = _text(value)
    if not text:
        return (np.nan, np.nan) if a.kind == "text" else (np.nan,)
    if a.kind == "numeric":
        return (_number(value, place),)
    if a.kind == "boolean":
        folded = text.casefold()
        if folded not in YES | NO:
            raise WrongRequest(place, "true or false")
        return (float(folded in YES),)
    if a.kind == "text":
        return read_title(text)
    if text not in texts:
        texts.append(text)
    return (float(texts.index(text)),)


def _text(value: Any) -> str:
    """A value as the tables have its text; empty where it is missing. 120.0 is 120, as in a column of numbers."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
