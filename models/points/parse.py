"""A test of a lead in one line of plain text: `employees between 50 and 500 and country in FI, SE`.

The line becomes the very tests of a table of points (models/points/when.py). `and` binds closer than `or`; parentheses
group; `not` turns round. Texts of several words need no quotes up to the next word of the language.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from models.points.tokens import WORDS, Misread, Token, tokens_of, unquoted
from models.points.when import All, EventTest, FieldTest, Not, Silence, Some

STARTS = ("value", "topic", "times", "days", "day", "least", "within", "at", "for")
"""Those of them that may still be a field's name without quotes."""
OPERATORS = "=, in, contains, between … and …, >, >=, <, <=, known or unknown"
_THOUSANDS = re.compile(r"\d{3}")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
DEEPEST = 40
"""Nesting deeper than this is refused, before Python's own stack ends."""


@dataclass(frozen=True)
class Parsed:
    """A test, and where in the line each of its leaves (models.points.when.leaves) was."""

    test: Any
    places: tuple[tuple[int, int], ...]


def parse(text: str) -> Parsed:
    """The test that a line says. Raises Misread."""
    reader = _Reader(list(tokens_of(text)))
    test = reader.any_of()
    if reader.here.kind != "end":
        raise reader.wrong("expected and, or, or the end")
    return Parsed(test, tuple(reader.places))


class _Reader:
    """Reads tokens from left to right, a method a rule of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.place, self.depth = tokens, 0, 0
        self.places: list[tuple[int, int]] = []

    @property
    def here(self) -> Token:
        return self.tokens[self.place]

    def wrong(self, said: str) -> Misread:
        here = self.here
        came = "the end" if here.kind == "end" else here.text
        return Misread(f"{said}, got {came}", here.start, here.end)

    def take(self, *words: str) -> bool:
        """Go past the next token where it is one of the words."""
        found = self.here.says(*words)
        self.place += found
        return found

    def need(self, word: str, after: str) -> None:
        if not self.take(word):
            raise self.wrong(f"expected {word} after {after}")

    def any_of(self) -> Any:
        return self._joined("or", self.all_of, Some, "any")

    def all_of(self) -> Any:
        return self._joined("and", self.one, All, "all")

    def _joined(self, word: str, part: Callable[[], Any], kind: Any, key: str) -> Any:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else kind(**{key: parts})

    def one(self) -> Any:
        """`not …`, `( … )`, or a leaf."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"expected at most {DEEPEST} parentheses within each other")
        try:
            if self.take("not"):
                return Not.model_validate({"not": self.one()})
            if self.take("("):
                inside = self.any_of()
                self.need(")", "the part in parentheses")
                return inside
            return self._leaf()
        finally:
            self.depth -= 1

    def _leaf(self) -> Any:
        start, before = self.here.start, len(self.places)
        test: Any
        try:
            if self.take("event"):
                test = self._event()
            elif self.take("no"):
                test = self._silence()
            else:
                test = self._field()
        except ValidationError as error:
            said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise Misread(said, start, self.tokens[self.place - 1].end) from error
        end = self.tokens[self.place - 1].end
        count = len(test.any) if isinstance(test, Some) else 1
        self.places[before:] = [(start, end)] * count
        return test

    def _event(self) -> EventTest:
        given: dict[str, Any] = {"event": self._texts("the type of event after event")}
        while True:
            for name in ("topic", "value"):
                if self.take(name):
                    given[name] = {**given.get(name, {}), **self._values(name)}
                    break
            else:
                if self.take("at"):
                    self.need("least", "at")
                    given["at_least"] = self._whole()
                    self.take("times")
                elif self.take("within"):
                    given["within_days"] = self._days()
                else:
                    return EventTest.model_validate(given)

    def _silence(self) -> Silence:
        self.need("event", "no")
        of = [] if self.here.says("for") else self._texts("for, or types of event, after no event")
        self.need("for", "no event")
        return Silence(no_event_for_days=self._days(), of=tuple(of))

    def _field(self) -> Any:
        name = self._name()
        at_least = self.here.says(">=", "<=")
        if not at_least:
            return FieldTest(field=name, **self._values(name))
        sign = "gt" if self.here.text == ">=" else "lt"
        self.place += 1
        end = self._number()
        return Some(any=[FieldTest.model_validate({"field": name, key: end}) for key in (sign, "eq")])

    def _name(self) -> str:
        """The field: one word, or several up to an operator."""
        if self.here.kind == "quoted":
            return self._text("")
        if self.here.kind != "word" or (self.here.says(*WORDS) and not self.here.says(*STARTS)):
            raise self.wrong("expected a field, event, no event, not or (")
        return self._words()

    def _values(self, name: str) -> dict[str, Any]:
        """What the field's value must be, as keys of Values."""
        if self.take("is") and not self.here.says("in", "known", "unknown"):
            return {"eq": self._value()}
        simple = {"=": ("eq", self._value), ">": ("gt", self._number), "<": ("lt", self._number)}
        for mark, (key, read) in simple.items():
            if self.take(mark):
                return {key: read()}
        if self.take("in"):
            return {"in": self._listed(self._value)}
        if self.take("contains"):
            return {"contains": self._listed(lambda: self._text("a text after contains"))}
        if self.take("between"):
            low = self._number()
            self.need("and", f"{low:g}")
            return {"between": (low, self._number())}
        if self.take("known"):
            return {"known": True}
        if self.take("unknown"):
            return {"known": False}
        if self.here.says("!="):
            raise self.wrong(f"write not {name} = …; expected {OPERATORS}")
        raise self.wrong(f"expected {OPERATORS} after {name}")

    def _listed(self, read: Callable[[], Any]) -> list[Any]:
        """One, or several with commas, in parentheses or not."""
        opened = self.take("(")
        found = [read()]
        while self.take(","):
            found.append(read())
        if opened:
            self.need(")", "the list")
        return found

    def _texts(self, what: str) -> list[str]:
        return self._listed(lambda: self._text(what))

    def _value(self) -> Any:
        if self.here.kind == "word" and _NUMBER.fullmatch(self.here.text) and not self._goes_on():
            return self._number()
        return self._text("a value")

    def _goes_on(self) -> bool:
        follows = self.tokens[self.place + 1]
        return follows.kind == "word" and not follows.says(*WORDS)

    def _text(self, what: str) -> str:
        if self.here.kind == "quoted":
            quoted = self.here
            self.place += 1
            return unquoted(quoted)
        if self.here.kind != "word" or self.here.says(*WORDS):
            raise self.wrong(f"expected {what}; quote a text that is a word of this language")
        return self._words()

    def _words(self) -> str:
        found = [self.here.text]
        while self._goes_on():
            self.place += 1
            found.append(self.here.text)
        self.place += 1
        return " ".join(found)

    def _number(self) -> float:
        here = self.here
        if here.kind != "word" or not _NUMBER.fullmatch(here.text):
            raise self.wrong("expected a number such as 50 or 2.5, without unit or thousands separator")
        self.place += 1
        follows = self.tokens[self.place + 1 : self.place + 2]
        if (
            self.here.says(",")
            and follows
            and self.here.end == follows[0].start
            and _THOUSANDS.fullmatch(follows[0].text)
        ):
            raise self.wrong("expected a number without a thousands separator, or a list with a space after each comma")
        return float(here.text) if set(here.text) & set(".eE") else int(here.text)

    def _whole(self) -> float:
        start, number = self.here, self._number()
        if number % 1 != 0:  # NaN of an infinity, too
            raise Misread(f"expected a whole number, got {start.text}", start.start, start.end)
        return number

    def _days(self) -> float:
        number = self._number()
        if not self.take("days", "day"):
            raise self.wrong(f"expected days after {number:g}")
        return number
