"""The columns that each part of the kernel fills, by the names of what there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from features.columns import Attribute, Block, Column, Group, slug
from features.own import OWN
from features.vocabulary import (
    ACTIVE_D,
    HALF_LIVES_D,
    NEAR_D,
    OWN_D,
    TOPIC_D,
    VALUE_D,
    WINDOWS_D,
)


@dataclass(frozen=True)
class EventType:
    """A type of event that is counted."""

    name: str
    group: Literal["engagement", "intent"]
    has_value: bool = False


def unique(*columns: Column) -> tuple[Column, ...]:
    """Columns whose names differ: names that become the same without their foreign letters are numbered.
    The names of features/own.py are taken."""
    taken = set(OWN)
    named = []
    for column in columns:
        name, again = column.name, 1
        while name in taken:
            again += 1
            name = f"{column.name}_no{again}"
        taken.add(name)
        named.append(replace(column, name=name))
    return tuple(named)


def attribute_columns(attributes: Sequence[Attribute]) -> list[Column]:
    """Those of each attribute, and how many of them are known."""
    columns = [column for attribute in attributes for column in columns_of(attribute)]
    return [*columns, Column("fit_known_fields", "fit", "lead", "known_fields")]


def columns_of(a: Attribute) -> list[Column]:
    """One; of a title two, its seniority and its function."""
    if a.kind == "text":
        level = Column(f"{a.group}_{a.name}_seniority", a.group, a.block, "seniority", a.column)
        return [
            level,
            Column(f"{a.group}_{a.name}_function", a.group, a.block, "function", a.column, 0, True),
        ]
    return [Column(f"{a.group}_{a.name}", a.group, a.block, a.kind, a.column, 0, a.kind == "categorical")]


def event_columns(slots: Sequence[EventType], topics: Sequence[str]) -> list[Column]:
    """What leads did: by slot, by topic and in all."""
    columns = [c for slot in slots for c in _slot_columns(slot)]
    columns += [c for slot in slots if slot.has_value for c in _value_columns(slot)]
    columns += [_engaged("life", "known_days")]
    columns += [_engaged("active_days", f"active_days_{w}d", days=w) for w in ACTIVE_D]
    for topic in topics:
        columns += [
            _engaged("topic", f"topic_{slug(topic)}_{TOPIC_D}d", of=topic, days=TOPIC_D),
            _engaged("topic", f"topic_{slug(topic)}_all", of=topic),
        ]
    columns += [_engaged("topics", f"topics_{TOPIC_D}d", days=TOPIC_D)]
    return [*columns, _engaged("last_topic", "last_topic", categorical=True)]


def _engaged(measure: str, name: str, of: str = "", days: int = 0, categorical: bool = False) -> Column:
    return Column(f"engagement_{name}", "engagement", "events", measure, of, days, categorical)


def _slot_columns(slot: EventType) -> list[Column]:
    def column(measure: str, end: str, days: int = 0) -> Column:
        return Column(f"{slot.group}_{slug(slot.name)}_{end}", slot.group, "events", measure, slot.name, days)

    counts = [column("count", f"{w}d", w) for w in WINDOWS_D]
    decayed = [column("decayed", f"decay_{h}d", h) for h in HALF_LIVES_D]
    own = [column("own_rate", f"own_{w}d", w) for w in OWN_D]
    return [*counts, column("count", "all"), column("last", "last_days"), *decayed, *own]


def _value_columns(slot: EventType) -> list[Column]:
    def column(days: int) -> Column:
        end = f"{days}d" if days else "all"
        return Column(f"{slot.group}_{slug(slot.name)}_value_{end}", slot.group, "events", "value", slot.name, days)

    return [column(days) for days in VALUE_D]


def stage_columns(stages: Sequence[str]) -> list[Column]:
    """Where leads stand, and since when."""

    def column(name: str, measure: str, of: str = "", categorical: bool = False) -> Column:
        return Column(f"intent_{name}", "intent", "stages", measure, of, 0, categorical)

    reached = [column(f"stage_{slug(s)}_days", "stage_days", s) for s in stages]
    now = [column("stage", "stage", categorical=True), column("stage_days", "in_stage_days")]
    return [*reached, *now, column("stages_entered", "stages_entered")]


def colleague_columns(slots: Sequence[EventType], blocks: Sequence[Block]) -> list[Column]:
    """The account's other leads: what they did and what became of them, as far as there are such `blocks`."""
    columns: list[Column] = []
    if "events" in blocks:
        for slot in slots:
            for end, days in (*((f"{w}d", w) for w in NEAR_D), ("all", 0)):
                name = f"{slot.group}_colleagues_{slug(slot.name)}_{end}"
                columns.append(Column(name, slot.group, "account_leads", "colleagues", slot.name, days))
        columns += [
            _colleague("engagement", "last_days", "colleagues_last"),
            _colleague("engagement", "active_30d", "colleagues_active", 30),
            _colleague("engagement", "functions_30d", "colleagues_functions", 30),
            _colleague("engagement", "seniority_30d", "colleagues_seniority", 30),
        ]
    columns += [
        _colleague("fit", "known", "colleagues_known"),
        _colleague("engagement", "first_days", "colleagues_first"),
    ]
    if "stages" in blocks:
        columns += [
            _colleague("intent", "won", "colleagues_won"),
            _colleague("intent", "lost", "colleagues_lost"),
            _colleague("intent", "won_last_days", "colleagues_won_last"),
        ]
    return columns


def _colleague(group: Group, name: str, measure: str, days: int = 0) -> Column:
    return Column(f"{group}_colleagues_{name}", group, "account_leads", measure, "", days)
