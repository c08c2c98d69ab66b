"""What a feature is called, and what it measures."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "boolean", "categorical", "text"]
Group = Literal["fit", "engagement", "intent"]
Entity = Literal["lead", "account"]
Block = Literal["lead", "account", "events", "stages", "history", "account_leads"]
"""A part of a record that may be left out, and is then unknown."""


@dataclass(frozen=True)
class Attribute:
    """A column of leads or accounts, or a field of history."""

    name: str
    column: str
    entity: Entity
    kind: Kind
    group: Group = "fit"
    has_history: bool = False
    """Known only from its rows of history; its column is a CRM's latest value and would tell the future."""

    @property
    def block(self) -> Block:
        """The part of a record that it comes from."""
        if self.has_history:
            return "history"
        return "account" if self.entity == "account" else "lead"


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


def columns_of_fields(fields: Iterable[str], columns: Iterable[str]) -> dict[str, str]:
    """The column that each field of history means, for training, which sees all fields: as `column_meant` has it, but a
    column whose own name is a field is never meant by another spelling: a CRM may have both Industry and
    Industry__c."""
    fields, meant = set(fields), column_meant(columns)
    return {f: column for f in fields if (column := meant(f)) is not None and (column == f or column not in fields)}


def column_meant(columns: Iterable[str]) -> Callable[[str], str | None]:
    """Says which column a field of history means where training saw `columns`, attributes and other fields: the one of
    that name, else the only one that differs in nothing but case, marks and a final `__c`. No other row decides."""
    alike: dict[str, list[str]] = {}
    for column in set(columns):
        alike.setdefault(spelling(column), []).append(column)

    def meant(field: str) -> str | None:
        same = alike.get(spelling(field), [])
        return field if field in same else same[0] if len(same) == 1 else None

    return meant


def spelling(name: str) -> str:
    """Letters and digits of any alphabet, without case, accents, and the `__c` that Salesforce puts at the end."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=.)__c$", "", name)).casefold()
    return "".join(letter for letter in plain if letter.isalnum()) or name
