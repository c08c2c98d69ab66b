"""One value of a request to the kernel's numbers, read as the tables have it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import isinf, nan
from typing import Any

from features.plan import Attribute
from features.titles import read_title

Item = Mapping[str, Any]
"""An object of JSON: a dict."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_FIRST, _LAST = ((at.replace(tzinfo=UTC) - _EPOCH) // _US for at in (datetime.min, datetime.max))
YES, NO = frozenset({"true", "yes", "1", "y", "t"}), frozenset({"false", "no", "0", "n", "f"})
TIME = "an ISO 8601 time such as 2025-10-03T00:00:00Z"
NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
"""What is a number when its marks are Python's, in tables and requests: float() alone takes 1_000 and other scripts."""


class WrongRequest(ValueError):
    """A request that cannot be read: where, and what was expected. Never the caller's value."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place}: expected {expected}")
        self.place = place
        self.expected = expected

    def within(self, place: str) -> "WrongRequest":
        """The same, in a part of the request."""
        return WrongRequest(f"{place}{self.place}", self.expected)


def micros(text: Any, place: str, zone: tzinfo = UTC) -> int:
    """Microseconds since 1970 of an ISO 8601 time; one without an offset is of the zone."""
    try:
        at = datetime.fromisoformat(text)
        found = ((at if at.tzinfo else at.replace(tzinfo=zone)) - _EPOCH) // _US
        if not _FIRST <= found <= _LAST:  # of years 1 to 9999 in UTC, as in the tables
            raise ValueError
        return found
    except (TypeError, ValueError, OverflowError):
        raise WrongRequest(place, TIME if text is not None else f"{TIME}, and it is missing") from None


def part(item: Item, name: str) -> Item:
    """An object that must be there."""
    found = item.get(name)
    if not isinstance(found, dict):
        raise WrongRequest(name, "an object")
    return found


def rows(item: Item, name: str) -> list[Item]:
    """A list of objects; empty where it is left out."""
    found = item.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise WrongRequest(name, "a list")
    for i, row in enumerate(found):
        if not isinstance(row, dict):
            raise WrongRequest(f"{name}[{i}]", "an object")
    return found


def word(row: Item, key: str) -> str:
    """A text that must be there, without the white space around it."""
    text = row.get(key)
    if not isinstance(text, str) or not (text := text.strip()):
        raise WrongRequest(key, "a text")
    return text


@dataclass(frozen=True)
class Marks:
    """How texts of numbers are written where the tables came from; numbers of JSON are numbers."""

    decimal: str = "."
    thousands: str = ""

    @property
    def between(self) -> str:
        """Pattern of what stands between thousands."""
        return "[ \u00a0\u202f]" if self.thousands == " " else re.escape(self.thousands)

    @property
    def parted(self) -> str:
        """Pattern of a number whose thousands are parted, everywhere."""
        return rf"^[+-]?\d{{1,3}}({self.between}\d{{3}})+({re.escape(self.decimal)}\d*)?$"

    def plain(self, text: str) -> str:
        """As Python writes it. Raises ValueError for what is no number with these marks."""
        text = text.strip()
        if self.thousands and re.match(self.parted, text):
            text = re.sub(self.between, "", text)
        if self.decimal != ".":
            if "." in text:
                raise ValueError
            text = text.replace(self.decimal, ".")
        if not re.match(NUMBER, text):
            raise ValueError
        return text


PLAIN = Marks()


def number(value: Any, place: str, marks: Marks = PLAIN) -> float:
    """A finite number, or a text of one."""
    try:
        if isinstance(value, bool):
            raise TypeError
        found = float(marks.plain(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        written = "" if marks == PLAIN else f", or its text with the decimal mark {marks.decimal}"
        raise WrongRequest(place, f"a number{written}") from None
    if isinf(found):
        raise WrongRequest(place, "a finite number")
    return found


def amount(value: Any, place: str, marks: Marks = PLAIN) -> float:
    """As `number`; NaN where it is missing."""
    if value is None:  # most events have none
        return nan
    return number(value, place, marks) if plain(value) else nan


def identity(value: Any, place: str) -> str:
    """The text of an id, as the tables have it; empty where it is not given. Raises WrongRequest."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return plain(value)
    raise WrongRequest(place, "a text or a whole number")


def objects(lead: Item) -> bool:
    """True unless empty or a clear no: a word that we cannot read must not lose an objection."""
    said = lead.get("objected")
    return said is not None and str(said).strip().casefold() not in NO | {""}


def coded(a: Attribute, value: Any, codes: dict[str, int], place: str, marks: Marks = PLAIN) -> tuple[float, ...]:
    """An attribute's value as the kernel has it: one number, or seniority and function of a text.

    A text that `codes` does not have gets the next code.
    """
    if isinstance(value, (dict, list)):
        raise WrongRequest(place, "a single value")
    text = plain(value)
    if not text:
        return (nan, nan) if a.kind == "text" else (nan,)
    if a.kind == "numeric":
        return (number(value, place, marks),)
    if a.kind == "boolean":
        folded = text.casefold()
        if folded not in YES | NO:
            raise WrongRequest(place, "true or false")
        return (float(folded in YES),)
    if a.kind == "text":
        return read_title(text)
    return (float(codes.setdefault(text, len(codes))),)


def plain(value: Any) -> str:
    """A value as the tables have its text; empty where it is missing. 120.0 is 120, as in a column of numbers."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
