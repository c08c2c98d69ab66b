"""How numbers are written in the texts of tables and requests."""

import re
from dataclasses import dataclass


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
        """As Python writes it. Raises ValueError for a text with other marks."""
        text = text.strip()
        if self.thousands and re.match(self.parted, text):
            text = re.sub(self.between, "", text)
        if self.decimal == ".":
            return text
        if "." in text:
            raise ValueError
        return text.replace(self.decimal, ".")


PLAIN = Marks()
