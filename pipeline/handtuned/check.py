"""Whether a table of points fits the lead tables: its fields and events are there and can answer what it asks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from features.columns import Attribute
from models.nearest import nearest
from models.points.holding import ANSWERS
from models.points.table import PointsTable
from models.points.when import EventTest, FieldTest, Silence, Values, leaves
from pipeline.assembly.values import Tables
from pipeline.errors import Stop

OWN: dict[str, Literal["numeric", "categorical"]] = {"value": "numeric", "account_id": "categorical"}
"""Columns of leads that are no attributes and that a table of points may still use."""
HELP = "mend the table of points, or leave points out of params.yaml"


def tests_of(table: PointsTable) -> Iterator[tuple[str, Any]]:
    """Every test of a table that has no parts, and where it is: the rule and the key."""
    for rule in table.rules:
        yield from ((f"rule {rule.id}: when", test) for test in leaves(rule.when))
    for i, exclusion in enumerate(table.exclude):
        yield from ((f"exclude.{i}", test) for test in leaves(exclusion))


def fields_there(tables: Tables, attributes: Sequence[Attribute]) -> dict[str, Attribute]:
    """Attributes by the names that a table of points may use: as in the input, or as in the features."""
    found = {a.column: a for a in attributes if a.entity == "account"}
    found |= {a.column: a for a in attributes if a.entity == "lead"}
    found |= {a.name: a for a in attributes}
    own = {name: Attribute(name, name, "lead", kind) for name, kind in OWN.items() if name in tables["leads"].columns}
    return own | found


def check_points(
    table: PointsTable,
    tables: Tables,
    attributes: Sequence[Attribute],
    named_events: Iterable[str],
    left_out: Mapping[str, str],
    place: str,
) -> None:
    """Raise Stop where the table names a field or an event that is not there, or asks of it what it cannot answer.

    `named_events`: types that definition.events names, seen or not. `left_out`: column to why it is no attribute.
    """
    problems = problems_of(tests_of(table), tables, attributes, named_events, left_out)
    if problems:
        raise Stop("\n".join([*(f"{place}: {where}.{text}" for where, text in problems), HELP]))


def problems_of(
    tests: Iterable[tuple[str, Any]],
    tables: Tables,
    attributes: Sequence[Attribute],
    named_events: Iterable[str],
    left_out: Mapping[str, str],
) -> list[tuple[str, str]]:
    """Where a test without parts asks for what is not there, and what is wrong; arguments as of `check_points`."""
    there = fields_there(tables, attributes)
    seen = tables["events"]["type"].unique().to_list() if "events" in tables else []
    events = sorted({*seen, *named_events})
    return [(where, text) for where, test in tests for text in _problems(test, there, events, left_out)]


def _problems(
    test: Any, there: Mapping[str, Attribute], events: Sequence[str], left_out: Mapping[str, str]
) -> Iterator[str]:
    match test:
        case FieldTest():
            yield from _field_problems(test, there, left_out)
        case EventTest():
            yield from (f"event: {_no_event(n, events)}" for n in test.event if n not in events)
            yield from (f"topic.{text}" for text in _misfits(test.topic, "categorical", "topic"))
            yield from (f"value.{text}" for text in _misfits(test.value, "numeric", "value"))
        case Silence():
            yield from (f"of: {_no_event(n, events)}" for n in test.of if n not in events)


def _field_problems(test: FieldTest, there: Mapping[str, Attribute], left_out: Mapping[str, str]) -> Iterator[str]:
    name = test.field
    if name in there:
        yield from _misfits(test, there[name].kind, name)
    elif name in left_out:
        yield (
            f"field: {name!r} is no attribute ({left_out[name]}); give its kind in definition.attributes, or take it"
            " out of definition.exclude"
        )
    else:
        meant = nearest(name, sorted(there))
        yield f"field: no column of leads or accounts, nor a field of history, is called {name!r}; {meant}"


def _no_event(name: str, events: Sequence[str]) -> str:
    near = nearest(name, sorted(events))
    stop = "" if near.endswith("?") else "."
    return f"no event is a {name!r}; {near}{stop} One that is yet to come can be named in definition.events"


def _misfits(values: Values | None, kind: str, name: str) -> Iterator[str]:
    """What is asked of a field that its kind cannot answer."""
    if values is None:
        return
    asked = {"eq": () if values.eq is None else (values.eq,), "in": values.in_ or ()}
    numeric = [key for key in ("between", "gt", "lt") if getattr(values, key) is not None]
    if kind in ("numeric", "boolean") and values.contains is not None:
        yield f"contains: {name} holds {'numbers' if kind == 'numeric' else 'true or false'}; use eq, in or between"
    if kind in ("categorical", "text") and numeric:
        yield f"{numeric[0]}: {name} holds texts, expected numbers"
    for key, given in asked.items():
        for value in given:
            if kind == "numeric" and (isinstance(value, bool) or _number(value) is None):
                yield f"{key}: {name} holds numbers, got {value!r}"
            if kind == "boolean" and str(value).casefold() not in ANSWERS and _number(value) is None:
                yield f"{key}: {name} holds true or false, got {value!r}"
            if kind in ("categorical", "text") and isinstance(value, bool):
                yield f"{key}: {name} holds texts, got {value!r}; put yes, no, on and off in quotes"


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
