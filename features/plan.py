"""What the kernel computes: event types, topics, stages and attributes, and the columns they give.

A plan is learned from nothing but names: which attributes there are and which event types, topics and
stages had been seen when training ended. It is stored in the bundle, so that serving computes the very
columns that training saw.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import Any, Literal

from features.catalogue import (
    EventType,
    attribute_columns,
    colleague_columns,
    columns_of,
    event_columns,
    stage_columns,
    unique,
)
from features.columns import Attribute, Block, Column, Entity, slug
from features.masking import FieldPlaces, field_places
from features.own import own_columns
from features.vocabulary import (
    CLICKS,
    ENGAGEMENT_TOTAL,
    FUNCTIONS,
    INTENT_TOTAL,
    OTHER,
    SCANNER,
)

Part = Literal["attributes", "events", "stages", "account_leads", "age"]
"""A part of the kernel, which fills columns that lie together."""


@dataclass(frozen=True)
class Plan:
    """Everything the kernel needs to know besides the records."""

    attributes: tuple[Attribute, ...]
    types: tuple[EventType, ...]
    topics: tuple[str, ...]
    stages: tuple[str, ...]
    closes: tuple[str, ...]
    """Stages that close a lead: the terminal ones and the conversion."""
    reopens: tuple[str, ...]
    won: str
    """The conversion stage; for a conversion by event, the event's name."""
    ignored: tuple[str, ...] = ()
    """Event types never counted: the sellers' own and those to ignore."""
    closing_event: str | None = None
    """An event type that closes its lead as a stage would: a conversion by event that does not repeat."""
    blocks: tuple[Block, ...] = ("lead", "account", "events", "stages", "history", "account_leads")
    """Parts of the record that training saw. Columns of the others do not exist."""
    other_fields: tuple[tuple[Entity, str], ...] = ()
    """Fields of history that are no attributes: none of them is another spelling of one."""

    @cached_property
    def slots(self) -> tuple[EventType, ...]:
        """Event types in the order of the kernel's columns: engagement and its total, intent and its total, and
        the scanner's clicks, which no total counts."""
        engagement = [t for t in self.types if t.group == "engagement"]
        intent = [t for t in self.types if t.group == "intent"]
        totals = EventType(ENGAGEMENT_TOTAL, "engagement"), EventType(INTENT_TOTAL, "intent")
        scanner = EventType(SCANNER, "engagement")
        return (*engagement, EventType(OTHER, "engagement"), totals[0], *intent, totals[1], scanner)

    @cached_property
    def slot_of(self) -> dict[str, int]:
        """Slot of a counted event type; one that is called like a slot of ours has a slot of its own."""
        ours = {self.other_slot, self.engagement_slots - 1, self.intent_total_slot, self.scanner_slot}
        return {t.name: i for i, t in enumerate(self.slots) if i not in ours}

    @cached_property
    def engagement_slots(self) -> int:
        """How many slots engagement has before those of intent, its total the last of them."""
        return sum(t.group == "engagement" for t in self.types) + 2

    @property
    def intent_total_slot(self) -> int:
        """Slot of all intent; those between it and engagement are its parts."""
        return len(self.slots) - 2

    @property
    def scanner_slot(self) -> int:
        """Slot of the clicks that the kernel sets apart as a mail scanner's."""
        return len(self.slots) - 1

    @cached_property
    def other_slot(self) -> int:
        """Slot of every event type that training had not seen."""
        return self.engagement_slots - 2

    @cached_property
    def click_slots(self) -> tuple[int, ...]:
        """Slots of clicks in mails."""
        return tuple(i for name, i in self.slot_of.items() if slug(name) in CLICKS)

    @cached_property
    def value_slots(self) -> tuple[int, ...]:
        """Slots of types whose events carry a value."""
        return tuple(i for i, t in enumerate(self.slots) if t.has_value)

    @cached_property
    def topic_of(self) -> dict[str, int]:
        """Code of each topic."""
        return {name: i for i, name in enumerate(self.topics)}

    @cached_property
    def stage_of(self) -> dict[str, int]:
        """Code of each stage."""
        return {name: i for i, name in enumerate(self.stages)}

    @cached_property
    def known_types(self) -> frozenset[str]:
        """Event types that mean something or are passed over on purpose; every other one is rare or new."""
        return frozenset({*self.slot_of, *self.ignored, *filter(None, [self.closing_event])})

    @cached_property
    def known_stages(self) -> frozenset[str]:
        """Stages that mean something; every other one is rare or new, and closes no lead."""
        return frozenset({*self.stages, *self.closes, *self.reopens, self.won})

    def event_code(self, name: str) -> int:
        """Slot of a type, the slot of OTHER for one unseen, -1 for one never counted."""
        return -1 if name in self.ignored else self.slot_of.get(name, self.other_slot)

    def topic_code(self, name: str) -> int:
        """Code of a topic; `len(topics)` for one unseen."""
        return self.topic_of.get(name, len(self.topics))

    def stage_code(self, name: str) -> int:
        """Code of a stage; `len(stages)` for one unseen."""
        return self.stage_of.get(name, len(self.stages))

    def stage_effect(self, name: str) -> int:
        """+1 for a stage that closes its lead, -1 for one that opens it again, 0 else."""
        return (name in self.closes) - (name in self.reopens)

    @cached_property
    def parts(self) -> dict[Part, list[Column]]:
        """The kernel's columns in order, by the part of it that fills them, not yet told apart by name."""
        return {
            "attributes": attribute_columns(self.attributes),
            "events": event_columns(self.slots, self.topics) if "events" in self.blocks else [],
            "stages": stage_columns(self.stages) if "stages" in self.blocks else [],
            "account_leads": colleague_columns(self.slots, self.blocks) if "account_leads" in self.blocks else [],
            "age": [
                Column("engagement_age_days", "engagement", "lead", "age"),
                Column("engagement_episode", "engagement", "stages", "episode"),
            ],
        }

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All features of the kernel in order, before those that a user adds."""
        return unique(*chain.from_iterable(self.parts.values()))

    @cached_property
    def span(self) -> dict[Part, slice]:
        """Where the columns of each part lie."""
        ends = accumulate(map(len, self.parts.values()), initial=0)
        return {part: slice(a, b) for part, (a, b) in zip(self.parts, pairwise(ends), strict=True)}

    @cached_property
    def columns_of(self) -> tuple[tuple[Column, ...], ...]:
        """The columns of each attribute: a title has two, its seniority and its function."""
        ends = accumulate((len(columns_of(a)) for a in self.attributes), initial=0)
        return tuple(self.columns[a:b] for a, b in pairwise(ends))

    @cached_property
    def column_of(self) -> dict[Attribute, str]:
        """Name of each attribute's first column."""
        return {a: own[0].name for a, own in zip(self.attributes, self.columns_of, strict=True)}

    def measuring(self, measure: str) -> str | None:
        """Name of the first column of that measure, such as the seniority of the first title."""
        return next((column.name for column in self.columns if column.measure == measure), None)

    @cached_property
    def past_places(self) -> list[int]:
        """Numbers of the columns of attributes with history."""
        return [j for j, column in enumerate(self.columns) if column.block == "history"]

    @cached_property
    def field_places(self) -> FieldPlaces:
        """Where the attributes lie among the columns."""
        return field_places(self.columns)

    @cached_property
    def colleague_place(self) -> dict[str, int]:
        """Number of each colleague column that there is one of, by its measure, among those of its part."""
        return {column.measure: j for j, column in enumerate(self.parts["account_leads"])}

    @cached_property
    def place(self) -> dict[str, int]:
        """Number of each of the kernel's columns."""
        return {column.name: j for j, column in enumerate(self.columns)}

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """Every feature: the kernel's columns, then those of features/own.py whose needs are met."""
        return (*self.columns, *own_columns(self.columns))

    @cached_property
    def levels(self) -> dict[str, list[str]]:
        """Texts of the codes of those columns whose levels the plan knows."""
        other = "(other)"
        known = {
            "function": [*FUNCTIONS],
            "last_topic": [*self.topics, other],
            "stage": [*self.stages, other],
        }
        return {c.name: known[c.measure] for c in self.columns if c.measure in known}


def plan_to_json(plan: Plan) -> dict[str, object]:
    """Plain types, for the bundle."""
    return asdict(plan)


def plan_of_json(stored: Mapping[str, Any]) -> Plan:
    """The inverse of `plan_to_json`."""
    return Plan(
        attributes=tuple(Attribute(**a) for a in stored["attributes"]),
        types=tuple(EventType(**t) for t in stored["types"]),
        topics=tuple(stored["topics"]),
        stages=tuple(stored["stages"]),
        closes=tuple(stored["closes"]),
        reopens=tuple(stored["reopens"]),
        won=stored["won"],
        ignored=tuple(stored["ignored"]),
        closing_event=stored["closing_event"],
        blocks=tuple(stored["blocks"]),
        other_fields=tuple((entity, name) for entity, name in stored.get("other_fields", ())),  # older ones had none
    )
