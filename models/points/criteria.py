"""The criteria of a lead that marketing and sales wrote down together, as data.

An entry of `definition.criteria` may be a text, or a mapping with the text as `words` and, where a machine can check
it, a test `when`: as in a table of points, or as one line of plain text (models/points/parse.py). Whatever else people
wrote there is kept as words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.points.parse import parse
from models.points.tokens import Misread
from models.points.when import KINDS, Test

_TEST: TypeAdapter[Any] = TypeAdapter(Test)


class WrongCriterion(ValueError):
    """Which key of the criteria is wrong, and how."""


@dataclass(frozen=True)
class Criterion:
    """One of them."""

    name: str
    words: str
    """As people wrote it; may be empty where only a test was given."""
    when: Any = None
    """A test of models.points.when; None where only people can tell."""
    doubt: str = ""
    """Why an entry that begins as a test does was taken for words; empty elsewhere."""


def criteria_of(given: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """In the order in which they were written. Raises WrongCriterion."""
    return tuple(_criterion(str(name), entry) for name, entry in given.items())


def _criterion(name: str, entry: Any) -> Criterion:
    if isinstance(entry, Mapping) and "when" in entry:
        unknown = sorted(set(entry) - {"words", "when"})
        if unknown:
            raise WrongCriterion(f"{name}.{unknown[0]}: unknown key beside when; there are words and when")
        return Criterion(name, said(entry.get("words")), read_when(entry["when"], f"{name}.when"))
    if isinstance(entry, Mapping) and set(entry) & set(KINDS):
        try:
            return Criterion(name, "", _TEST.validate_python(entry))
        except ValidationError as error:  # words that happen to use a key of ours, or a test with a slip
            return Criterion(name, said(entry), doubt=_problem(error, name))
    if isinstance(entry, Mapping) and set(entry) == {"words"}:
        return Criterion(name, said(entry["words"]))
    return Criterion(name, said(entry))


def read_when(given: Any, place: str) -> Any:
    """The test of a mapping or of a line. Raises WrongCriterion."""
    try:
        return parse(given).test if isinstance(given, str) else _TEST.validate_python(given)
    except Misread as error:
        raise WrongCriterion(f"{place}: {error.shown(given)}") from error
    except ValidationError as error:
        raise WrongCriterion(_problem(error, place)) from error


def _problem(error: ValidationError, place: str) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("<"))
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "union_tag_not_found":
        text = f"expected a line of text, or a test with one of the keys {', '.join(KINDS)}"
    return f"{place}{f'.{key}' if key else ''}: {text}, got {problem['input']!r}"


def said(entry: Any) -> str:
    """What people wrote, of any shape, as one text."""
    match entry:
        case None:
            return ""
        case Mapping():
            return "; ".join(f"{key}: {said(value)}" for key, value in entry.items())
        case list() | tuple():
            return ", ".join(said(value) for value in entry)
    return str(entry)
