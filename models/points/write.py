"""The line of plain text that says a test: the inverse of models/points/parse.py."""

import json
import re
from collections.abc import Iterator
from typing import Any

from models.points.tokens import WORDS
from models.points.when import All, EventTest, FieldTest, Not, Silence, Some, Values

_PLAIN = re.compile(r"[^\W\d][\w./-]*")


def write(test: Any) -> str:
    """The line that says a test; `parse` of it gives a test that holds of the same leads."""
    match test:
        case All():
            return " and ".join(_grouped(part, All, Some) for part in test.all)
        case Some(any=(FieldTest() as one, FieldTest() as other)) if (said := _at_least(one, other)) is not None:
            return said
        case Some():
            return " or ".join(_grouped(part, Some) for part in test.any)
        case Not():
            return f"not {_grouped(test.not_, All, Some, FieldTest)}"
        case EventTest():
            return _event_text(test)
        case Silence():
            of = f" {_list_text(test.of)}" if test.of else ""
            return f"no event{of} for {_value_text(test.no_event_for_days)} days"
        case FieldTest():
            return " and ".join(f"{_quoted(test.field)} {said}" for said in _values_texts(test))
    raise TypeError(f"expected a test of a table of points, got {type(test).__name__}")


def _at_least(one: FieldTest, other: FieldTest) -> str | None:
    """`employees >= 50`, as people say `> 50 or = 50`; None where the two tests say something else."""
    for sign, key, end in ((">=", "gt", one.gt), ("<=", "lt", one.lt)):
        if end is None:
            continue
        bare = FieldTest.model_validate({"field": one.field, key: end})
        if one == bare and other == FieldTest(field=one.field, eq=end):
            return f"{_quoted(one.field)} {sign} {_value_text(end)}"
    return None


def _grouped(part: Any, *kinds: type) -> str:
    return f"({write(part)})" if isinstance(part, kinds) else write(part)


def _event_text(test: EventTest) -> str:
    said = [f"event {_list_text(test.event)}"]
    for name, values in (("topic", test.topic), ("value", test.value)):
        if values is not None:
            said += [f"{name} {one}" for one in _values_texts(values)]
    said += [f"at least {test.at_least}"] if test.at_least != 1 else []
    said += [f"within {_value_text(test.within_days)} days"] if test.within_days is not None else []
    return " ".join(said)


def _values_texts(values: Values) -> Iterator[str]:
    if values.eq is not None:
        yield f"= {_value_text(values.eq)}"
    if values.in_ is not None:
        yield f"in {_list_text(values.in_)}"
    if values.contains is not None:
        yield f"contains {_list_text(values.contains)}"
    if values.between is not None:
        yield f"between {_value_text(values.between[0])} and {_value_text(values.between[1])}"
    if values.gt is not None:
        yield f"> {_value_text(values.gt)}"
    if values.lt is not None:
        yield f"< {_value_text(values.lt)}"
    if values.known is not None:
        yield "known" if values.known else "unknown"


def _list_text(values: tuple[Any, ...]) -> str:
    return ", ".join(_value_text(value) for value in values)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value) if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.casefold() not in WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
