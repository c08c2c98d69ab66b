"""Names of tables, and column names as words and as names that are safe in features and formulas."""

import re
import unicodedata
from collections.abc import Iterable

from features.columns import Entity

TABLE_OF: dict[Entity, str] = {"lead": "leads", "account": "accounts"}
"""The table of each entity that has attributes."""
SPLIT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z]+")


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


def tokens(name: str) -> list[str]:
    """The words of a column name, in lower case without accents: `E-mail Address2` is e, mail, address, 2."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    found = (word.lower() for word in SPLIT.split(plain) if word)
    return [part for word in found for part in re.split(r"(?<=[a-z])(?=\d)", word)]


def snake_case(name: str) -> str:
    """A feature-safe name: lower case ASCII words joined by `_`; `column` where nothing is left. What Salesforce puts
    at the end of a field of one's own, `__c`, is not part of its name."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=.)__c$", "", name))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "_".join(word.lower() for word in SPLIT.split(plain) if word) or "column"


def unique(name: str, taken: Iterable[str]) -> str:
    """`name`, or with the first number from 2 on that makes it one that is not taken."""
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while f"{name}_{number}" in used:
        number += 1
    return f"{name}_{number}"
