"""One value of a request to the kernel's numbers, read as the tables have it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from math import isinf, nan
from typing import Any, TypeVar

from features.columns import Attribute
from features.titles import read_title
from features.vocabulary import NO, YES
from models.marks import CLOCK, DAY, OFFSET, PLAIN, Marks, plain

Item = Mapping[str, Any]
"""An object of JSON: a dict."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = ((at.replace(tzinfo=UTC) - _EPOCH).days for at in (datetime.min, datetime.max))
_TRUTH = {**dict.fromkeys(YES, 1.0), **dict.fromkeys(NO, 0.0)}
_is_usual = re.compile(rf"{DAY}T{CLOCK}(?:Z|[+-][0-9]{{2}}(?::?[0-5][0-9])?)?").fullmatch
_is_time = re.compile(rf"{DAY}(?:[Tt ]{CLOCK}(?:{OFFSET})?)?").fullmatch
Read = TypeVar("Read")
TIME = "an ISO 8601 time such as 2025-10-03T00:00:00Z"


class WrongRequest(ValueError):
    """A request that cannot be read: where, and what was expected. Never the caller's value."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place}: expected {expected}")
        self.place = place
        self.expected = expected

    def within(self, part: str) -> "WrongRequest":
        """The same, in a part of the request."""
        return WrongRequest(f"{part}.{self.place}".rstrip("."), self.expected)


def micros(text: Any, place: str, zone: tzinfo = UTC) -> int:
    """Microseconds since 1970 of an ISO 8601 time; one without an offset is of the zone."""
    try:
        if text[4::3] == "--T::Z":  # a whole second of UTC, as most are: nothing else to look at
            since = datetime.fromisoformat(text) - _EPOCH
            return (since.days * 86_400 + since.seconds) * 1_000_000
        at = datetime.fromisoformat(text if _is_usual(text) else _usual(text))
        since = (at if at.tzinfo else at.replace(tzinfo=zone)) - _EPOCH
        if not _FIRST <= since.days <= _LAST:  # of years 1 to 9999 in UTC, as in the tables
            raise ValueError
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    except (TypeError, LookupError, ValueError, OverflowError):
        raise WrongRequest(place, TIME if text is not None else f"{TIME}, and it is missing") from None


def _usual(given: str) -> str:
    """A time that the tables read as Python reads it. Raises ValueError for whatever is none."""
    text = given.strip().upper()
    if not _is_time(text):
        raise ValueError
    return text[:11] + text[11:].replace(" ", "")


def part(item: Item, name: str) -> Item:
    """An object that must be there."""
    found = item.get(name)
    if not isinstance(found, dict):
        raise WrongRequest(name, "an object")
    return found


def each(item: Item, name: str, read: Callable[[Item], Read]) -> list[Read]:
    """What is read of each object of a list; nothing where it is left out."""
    given = item.get(name)
    if given is None:
        return []
    if not isinstance(given, list):
        raise WrongRequest(name, "a list")
    found: list[Read] = []
    try:
        for row in given:
            if not isinstance(row, dict):
                raise WrongRequest("", "an object")
            found.append(read(row))
    except WrongRequest as error:  # of the row after those that were read
        raise error.within(f"{name}[{len(found)}]") from None
    return found


def word(row: Item, key: str, marks: Marks = PLAIN) -> str:
    """A text that must be there, without the white space around it."""
    text = row.get(key)
    if not isinstance(text, str) or not (text := marks.text(text)):
        raise WrongRequest(key, "a text")
    return text


def number(value: Any, place: str, marks: Marks = PLAIN) -> float:
    """A finite number, or a text of one."""
    try:
        if isinstance(value, bool):
            raise TypeError
        found = float(marks.plain(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        written = "" if marks.decimal == PLAIN.decimal else f", or its text with the decimal mark {marks.decimal}"
        raise WrongRequest(place, f"a number{written}") from None
    if isinf(found):
        raise WrongRequest(place, "a finite number")
    return found


def amount(value: Any, place: str, marks: Marks = PLAIN) -> float:
    """As `number`; NaN where it is missing."""
    return nan if marks.empty(value) else number(value, place, marks)


def identity(value: Any, place: str, marks: Marks = PLAIN) -> str:
    """The text of an id, as the tables have it with its white space; empty where it is not given."""
    if isinstance(value, str):
        return value if marks.text(value) else ""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return plain(value)
    raise WrongRequest(place, "a text or a whole number")


def objects(lead: Item, marks: Marks = PLAIN) -> bool:
    """True unless empty or a clear no: a word that we cannot read must not lose an objection."""
    said = lead.get("objected")
    return said is not None and marks.text(said).casefold() not in NO | {""}


def coded(a: Attribute, value: Any, codes: dict[str, int], place: str, marks: Marks = PLAIN) -> tuple[float, ...]:
    """An attribute's value as the kernel has it: one number, or seniority and function of a text.

    A text that `codes` does not have gets the next code.
    """
    if isinstance(value, (dict, list)):
        raise WrongRequest(place, "a single value")
    if a.kind == "numeric":
        return (amount(value, place, marks),)
    text = marks.text(value)
    if not text:
        return (nan, nan) if a.kind == "text" else (nan,)
    if a.kind == "boolean":
        if (truth := _TRUTH.get(text.casefold())) is None:
            raise WrongRequest(place, "true or false")
        return (truth,)
    if a.kind == "text":
        return read_title(text)
    return (float(codes.setdefault(text, len(codes))),)
