"""How values are written in tables and requests."""

import re
from dataclasses import dataclass
from typing import Any

NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
"""What is a number when its marks are Python's, in tables and requests: float() alone takes 1_000 and other scripts."""

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
OFFSET = r" ?(?:[Zz]|[+-][0-9]{2}(?::?[0-5][0-9])?)"
"""What times are made of, in tables and requests: the extended form of ISO 8601. In its basic form a date could be any
number, and Python takes the 10:00 of 2025-01-01-10:00, a day with its zone, for a time of day."""


def plain(value: Any) -> str:
    """A value as the tables have its text; empty where it is missing. 120.0 is 120, as in a column of numbers."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass(frozen=True)
class Marks:
    """How values are written where the tables came from; numbers of JSON are numbers."""

    decimal: str = "."
    thousands: str = ""
    nothing: frozenset[str] = frozenset()
    """Texts that stand for a missing value."""

    def text(self, value: Any) -> str:
        """A value as the tables have its text; empty where it is missing."""
        found = value.strip() if type(value) is str else plain(value)
        return "" if found in self.nothing else found

    def empty(self, value: Any) -> bool:
        """Whether a value is missing: its `text` is empty. A number is not written out where no text is nothing."""
        if self.nothing or type(value) is str:
            return not self.text(value)
        return value is None or bool(value != value)

    @property
    def between(self) -> str:
        """Pattern of what stands between thousands."""
        return "[ \u00a0\u202f]" if self.thousands == " " else re.escape(self.thousands)

    @property
    def grouped(self) -> str:
        """Pattern of a number in which all thousands are grouped."""
        return rf"^[+-]?\d{{1,3}}({self.between}\d{{3}})+({re.escape(self.decimal)}\d*)?$"

    def plain(self, text: str) -> str:
        """As Python writes it. Raises ValueError for what is no number with these marks."""
        text = text.strip()
        if self.thousands and re.match(self.grouped, text):
            text = re.sub(self.between, "", text)
        if self.decimal != ".":
            if "." in text:
                raise ValueError
            text = text.replace(self.decimal, ".")
        if not re.match(NUMBER, text):
            raise ValueError
        return text


PLAIN = Marks()
