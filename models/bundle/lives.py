"""What a request says of one lead, in the kernel's numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from math import nan
from operator import itemgetter
from typing import Any, NamedTuple

from features.columns import Attribute, column_meant
from features.plan import Plan
from models.bundle.remembered import Remembered
from models.bundle.values import Item, WrongRequest, amount, coded, each, identity, micros, part, word
from models.marks import PLAIN, Marks, plain

Event = tuple[int, int, int, int, float, int]
"""Known and occurred (µs), slot, topic, value; and a number that those of one type, topic and id share."""
Happened = tuple[int, str, str, Event]
"""An event, after when it was known, its id and its type."""
Stage = tuple[int, int, int, bool]
"""Entered (µs), code, +1 closes or -1 opens again, won."""
Change = tuple[int, int, float, float]
"""Place among the attributes with history, when (µs), and to what: its column, or both columns of a title."""


class Life(NamedTuple):
    """One lead."""

    created: int
    id: str
    values: list[float]
    """One a column of attributes."""
    events: list[Event]
    stages: list[Stage]
    history: list[Change]
    """Of its attributes, and what it says of its account's."""


@dataclass(frozen=True)
class Field:
    """An attribute, and where its columns begin."""

    attribute: Attribute
    at: int
    number: int
    """Its place among the attributes."""
    place: str
    """Where a request has it."""


Past = tuple[int, Field]
"""An attribute with history, after its place among those."""


class Reading:
    """How a plan reads leads. Knows nothing of any request: one serves all, and threads at once."""

    def __init__(self, plan: Plan, zone: tzinfo = UTC, marks: Marks = PLAIN, dated: bool = True) -> None:
        self.plan, self.zone, self.marks = plan, zone, marks
        self.dated = dated
        """Whether training knew when leads were created; else no lead's creation is looked at, nor any instant."""
        self.width = sum(map(len, plan.columns_of))
        self.fields = [
            Field(a, plan.place[own[0].name], i, f"{a.entity}.{a.column}")
            for i, (a, own) in enumerate(zip(plan.attributes, plan.columns_of, strict=True))
        ]
        self.lead = [f for f in self.fields if f.attribute.entity == "lead"]
        self.company = [f for f in self.fields if f.attribute.entity == "account"]
        past = [f for f in self.fields if f.attribute.has_history]
        self.past = [[column.name for column in plan.columns_of[f.number]] for f in past]
        """The columns of each attribute with history."""
        self.shared = frozenset(i for i, f in enumerate(past) if f.attribute.entity == "account")
        """Places among those: what is said of them with any lead of an account holds for all."""
        self._changing: dict[tuple[str, str | None], list[Past]] = {}
        for i, f in enumerate(past):
            self._changing.setdefault((f.attribute.entity, f.attribute.column), []).append((i, f))
        columns = {*((a.entity, a.column) for a in plan.attributes), *plan.other_fields}
        self._column_of = {e: column_meant(column for of, column in columns if of == e) for e in ("lead", "account")}
        self.kinds = Remembered(self._kind)
        """Type of an event, empty where the text is nothing, and its slot."""
        self.topics = Remembered(self._topic)
        """A topic, empty where the text is nothing, and its code, -1 of nothing."""
        self.meant = {entity: Remembered(partial(self._meant, entity)) for entity in ("lead", "account")}
        """The attributes that a field of history means, by entity; None where the text is nothing."""
        self._effects = Remembered(self._effect)

    def _kind(self, text: str) -> tuple[str, int]:
        kind = self.marks.text(text)
        return kind, self.plan.event_code(kind)

    def _topic(self, text: str) -> tuple[str, int]:
        topic = self.marks.text(text)
        return topic, self.plan.topic_code(topic) if topic else -1

    def _effect(self, name: str) -> tuple[int, int, bool]:
        return self.plan.stage_code(name), self.plan.stage_effect(name), name == self.plan.won

    def stage(self, name: str, at: int) -> Stage:
        """A row of the funnel; a stage that training had not seen changes nothing."""
        return at, *self._effects[name]

    def _meant(self, entity: str, text: str) -> list[Past] | None:
        name = self.marks.text(text)
        return self._changing.get((entity, self._column_of[entity](name)), []) if name else None


class Lives:
    """Reads leads by a plan, and numbers the texts that it meets on the way."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.codes: list[dict[str, int]] = [{} for _ in reading.fields]
        self._whats: dict[tuple[str, str, str], int] = {}
        """Number of each type, topic and id of an event."""
        self._zone = reading.zone

    def account(self, account: Item) -> list[float]:
        """Columns of a lead of which nothing but the account is known."""
        return self._fill([nan] * self.reading.width, account, self.reading.company)

    def life(self, member: Item, account: Sequence[float]) -> Life:
        """One lead with its rows. Raises WrongRequest."""
        lead = part(member, "lead")
        at = micros(lead.get("created_at"), "lead.created_at", self._zone) if self.reading.dated else 0
        happened = _once(each(member, "events", self._happened))
        entered = dict.fromkeys(each(member, "stages", self._entered))  # of twins the first
        changed = each(member, "history", self._changes)
        return Life(
            at, identity(lead.get("lead_id"), "lead.lead_id", self.reading.marks),
            self._fill(list(account), lead, self.reading.lead),
            [event for _, _, _, event in happened if event[2] >= 0],
            [*(self.reading.stage(name, t) for t, name in entered), *self._closing(happened)],
            [change for changes in changed for change in changes],
        )  # fmt: skip

    def _fill(self, row: list[float], item: Item, fields: Sequence[Field]) -> list[float]:
        for f in fields:
            if (value := item.get(f.attribute.column)) is not None:
                found = self.coded(f, value, f.place)
                row[f.at : f.at + len(found)] = found
        return row

    def coded(self, field: Field, value: Any, place: str) -> tuple[float, ...]:
        """The numbers of an attribute's value."""
        codes = self.codes[field.number]
        if type(value) is str and (code := codes.get(value)) is not None:  # quicker, and most come again
            return (float(code),)
        return coded(field.attribute, value, codes, place, self.reading.marks)

    def _happened(self, row: Item) -> Happened:
        get, reading = row.get, self.reading
        occurred = micros(get("occurred_at"), "occurred_at", self._zone)
        late, text, topic, value = get("available_at"), get("type"), get("topic"), get("value")
        known = occurred
        if late is not None and not reading.marks.empty(late):
            known = max(occurred, micros(late, "available_at", self._zone))
        kind, slot = reading.kinds[text] if isinstance(text, str) else ("", -1)
        if not kind:
            raise WrongRequest("type", "a text")
        if topic is not None and not isinstance(topic, str):
            raise WrongRequest("topic", "a text")
        topic, code = ("", -1) if topic is None else reading.topics[topic]
        worth = nan if value is None else amount(value, "value", reading.marks)  # most events have none
        name = identity(get("event_id"), "event_id", reading.marks)
        what = self._whats.setdefault((kind, topic, name), len(self._whats))
        return known, name, kind, (known, occurred, slot, code, worth, what)

    def _entered(self, row: Item) -> tuple[int, str]:
        return micros(row.get("entered_at"), "entered_at", self._zone), word(row, "stage", self.reading.marks)

    def _closing(self, happened: Iterable[Happened]) -> list[Stage]:
        """An event that closes its lead is a stage, too."""
        closing = self.reading.plan.closing_event
        return [self.reading.stage(kind, known) for known, _, kind, _ in happened if kind == closing]

    def _changes(self, row: Item) -> list[Change]:
        """Of each attribute that the field means; a field may mean none."""
        get = row.get
        entity, text = entity_of(get("entity")), get("field")
        if (meant := self.reading.meant.get(entity)) is None:
            raise WrongRequest("entity", "lead or account")
        at = micros(get("changed_at"), "changed_at", self._zone)
        fields = meant[text] if isinstance(text, str) else None
        if fields is None:
            raise WrongRequest("field", "a text")
        found = []
        for i, field in fields:
            values = self.coded(field, get("value"), "value")
            found.append((i, at, values[0], values[-1]))
        return found


def entity_of(given: Any) -> str:
    """Whose field a row of history says that it is; a lead's where it does not say."""
    return given if given in ("lead", "account") else plain(given).casefold() or "lead"


def _once(happened: list[Happened]) -> list[Happened]:
    """In the order they were known; of a repeat the earliest stays, as in validation."""
    if len(happened) < 2:
        return happened
    happened.sort(key=itemgetter(0))
    ids = [name for _, name, _, _ in happened if name]
    if len(set(ids)) == len(ids):
        return happened
    seen: set[str] = set()
    kept = []
    for one in happened:
        if not one[1] or one[1] not in seen:
            kept.append(one)
        seen.add(one[1])
    return kept
