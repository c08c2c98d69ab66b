"""What a request says of one lead, in the kernel's numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cached_property
from math import nan
from typing import Any, TypeVar

from features.plan import Attribute, Plan
from models.marks import PLAIN, Marks
from models.values import Item, WrongRequest, coded, micros, number, part, rows, word

Event = tuple[int, int, int, int, float]
"""Known and occurred (µs), slot, topic, value."""
Stage = tuple[int, int, int, bool]
"""Entered (µs), code, +1 closes or -1 opens again, won."""
Change = tuple[int, Any]
"""When (µs), and to what."""
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Life:
    """One lead."""

    created: int
    id: str
    values: list[float]
    """One a column of attributes."""
    events: list[Event]
    stages: list[Stage]
    history: dict[int, list[Change]]
    """By number of the attribute."""
    of_account: dict[int, list[Change]]


@dataclass(frozen=True)
class Field:
    """An attribute, and where its columns begin."""

    attribute: Attribute
    at: int
    number: int
    """Its place among the attributes."""
    place: str
    """Where a request has it."""


class Reading:
    """How a plan reads leads. Knows nothing of any request: one serves all, and threads at once."""

    def __init__(self, plan: Plan, zone: tzinfo = UTC, marks: Marks = PLAIN) -> None:
        self.plan, self.zone, self.marks = plan, zone, marks
        widths = [2 if a.kind == "text" else 1 for a in plan.attributes]
        self.width = sum(widths)
        self.fields = [Field(a, sum(widths[:i]), i, f"{a.entity}.{a.column}") for i, a in enumerate(plan.attributes)]
        self.lead = [f for f in self.fields if f.attribute.entity == "lead"]
        self.company = [f for f in self.fields if f.attribute.entity == "account"]
        self.slots = {**plan.slot_of, **dict.fromkeys(plan.ignored, -1)}
        """As `plan.event_code` has it, but for the types that training had not seen."""
        self._effects = {name: self._effect(name) for name in {*plan.stages, *plan.closes, *plan.reopens, plan.won}}

    def _effect(self, name: str) -> tuple[int, int, bool]:
        p = self.plan
        return p.stage_of.get(name, len(p.stages)), (name in p.closes) - (name in p.reopens), name == p.won

    def stage(self, name: str, at: int) -> Stage:
        """A row of the funnel; a stage that training had not seen changes nothing."""
        return at, *self._effects.get(name, (len(self.plan.stages), 0, False))

    @cached_property
    def changing(self) -> dict[tuple[str, str], list[Field]]:
        """Attributes with history, by entity and column."""
        found: dict[tuple[str, str], list[Field]] = {}
        for f in self.fields:
            if f.attribute.has_history:
                found.setdefault((f.attribute.entity, f.attribute.column), []).append(f)
        return found


class Lives:
    """Reads leads by a plan, and numbers the texts that it meets on the way."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.codes: list[dict[str, int]] = [{} for _ in reading.fields]
        self._zone = reading.zone

    def account(self, account: Item) -> list[float]:
        """Columns of a lead of which nothing but the account is known."""
        return self._fill([nan] * self.reading.width, account, self.reading.company)

    def life(self, member: Item, account: Sequence[float]) -> Life:
        """One lead with its rows. Raises WrongRequest."""
        lead = part(member, "lead")
        created = lead.get("created_at")
        at = 0 if created is None else micros(created, "lead.created_at", self._zone)
        happened = _once(_each("events", rows(member, "events"), self._happened))
        entered = dict.fromkeys(_each("stages", rows(member, "stages"), self._entered))  # of twins the first
        own: dict[int, list[Change]] = {}
        of_account: dict[int, list[Change]] = {}
        for fields, entity, change in _each("history", rows(member, "history"), self._change):
            for field in fields:
                (own if entity == "lead" else of_account).setdefault(field.number, []).append(change)
        return Life(
            at, str(lead.get("lead_id", "")), self._fill(list(account), lead, self.reading.lead),
            [event for _, _, event in happened if event[2] >= 0],
            [*(self.reading.stage(name, t) for t, name, _, _ in entered), *self._closing(happened)], own, of_account,
        )  # fmt: skip

    def _fill(self, row: list[float], item: Item, fields: Sequence[Field]) -> list[float]:
        for f in fields:
            if (value := item.get(f.attribute.column)) is not None:
                found = self.coded(f, value, f.place)
                row[f.at : f.at + len(found)] = found
        return row

    def coded(self, field: Field, value: Any, place: str) -> tuple[float, ...]:
        """The numbers of an attribute's value."""
        return coded(field.attribute, value, self.codes[field.number], place, self.reading.marks)

    def _happened(self, row: Item) -> tuple[str | None, str, Event]:
        get, plan = row.get, self.reading.plan
        occurred = micros(get("occurred_at"), "occurred_at", self._zone)
        late = get("available_at")
        known = occurred if late is None else max(occurred, micros(late, "available_at", self._zone))
        kind, topic, value, event_id = word(row, "type"), get("topic"), get("value"), get("event_id")
        code = -1
        if topic is not None:
            if not isinstance(topic, str):
                raise WrongRequest("topic", "a text")
            if topic := topic.strip():
                code = plan.topic_of.get(topic, len(plan.topics))
        worth = nan if value is None or value == "" else number(value, "value", self.reading.marks)
        event = known, occurred, self.reading.slots.get(kind, plan.other_slot), code, worth
        if event_id is not None and (isinstance(event_id, bool) or not isinstance(event_id, str | int | float)):
            raise WrongRequest("event_id", "a text")
        return None if event_id is None else str(event_id), kind, event

    def _entered(self, row: Item) -> tuple[int, str, str, str]:
        at = micros(row.get("entered_at"), "entered_at", self._zone)
        return at, word(row, "stage"), str(row.get("amount")), str(row.get("reason"))

    def _closing(self, happened: Iterable[tuple[str | None, str, Event]]) -> list[Stage]:
        """An event that closes its lead is a stage, too."""
        if self.reading.plan.closing_event is None:
            return []
        return [
            self.reading.stage(kind, event[0]) for _, kind, event in happened if kind == self.reading.plan.closing_event
        ]

    def _change(self, row: Item) -> tuple[Sequence[Field], str, Change]:
        entity = "lead" if row.get("entity") is None else row["entity"]
        if entity not in ("lead", "account"):
            raise WrongRequest("entity", "lead or account")
        at = micros(row.get("changed_at"), "changed_at", self._zone)
        fields, value = self.reading.changing.get((entity, word(row, "field")), ()), row.get("value")
        for field in fields:
            self.coded(field, value, "value")
        return fields, entity, (at, value)


def _each(name: str, given: Sequence[Item], read: Callable[[Item], Read]) -> list[Read]:
    found = []
    for i, row in enumerate(given):
        try:
            found.append(read(row))
        except WrongRequest as error:
            raise error.within(f"{name}[{i}].") from None
    return found


def _once(happened: list[tuple[str | None, str, Event]]) -> list[tuple[str | None, str, Event]]:
    """In the order they were known; of a repeat the earliest stays, as in validation."""
    if len(happened) < 2:
        return happened
    happened.sort(key=lambda h: h[2][0])
    ids = [h[0] for h in happened if h[0] is not None]
    if len(set(ids)) == len(ids):
        return happened
    seen: set[str] = set()
    kept = []
    for one in happened:
        if one[0] is None or one[0] not in seen:
            kept.append(one)
        if one[0] is not None:
            seen.add(one[0])
    return kept
