"""What a feature is called, and what it measures."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "boolean", "categorical", "text"]
Group = Literal["fit", "engagement", "intent"]
Block = Literal["lead", "account", "events", "stages", "history", "account_leads"]
"""A part of a record that may be left out, and is then unknown."""


@dataclass(frozen=True)
class Column:
    """A feature: its name, the part of the record it needs, and what it measures (for plain words)."""

    name: str
    group: Group
    block: Block
    measure: str
    of: str = ""
    days: int = 0
    categorical: bool = False


def slug(text: str) -> str:
    """A name's letters and digits, lower case, joined by `_`: "Pricing Page (EU)" is pricing_page_eu."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.casefold()).strip("_") or "unnamed"
