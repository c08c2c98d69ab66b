"""The words and marks of a test in plain text, and what is wrong with a line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = (
    *("and", "or", "not", "is", "in", "contains", "between", "known", "unknown"),
    *("event", "at", "least", "within", "days", "day", "no", "for", "topic", "value", "times"),
)
"""Words of the language; a text that is one of them goes in quotes."""
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<mark>>=|<=|!=|[=<>(),])|(?P<word>[^\s=<>(),"'!]+))"""
)


class Misread(ValueError):
    """What is wrong with a line, and where: `start` and `end` are places in it, from 0."""

    def __init__(self, said: str, start: int, end: int) -> None:
        super().__init__(said)
        self.start, self.end = start, end

    def shown(self, text: str) -> str:
        """The message, the line and a mark under the place."""
        line = text.replace("\t", " ").replace("\n", " ")
        mark = " " * self.start + "^" * max(1, self.end - self.start)
        return f"at character {self.start + 1}: {self}\n  {line}\n  {mark}"


@dataclass(frozen=True)
class Token:
    """A word, a mark or a text in quotes, and where it stands in the line."""

    kind: str
    """quoted, mark, word or end."""
    text: str
    start: int
    end: int

    def says(self, *words: str) -> bool:
        """Whether it is one of the words, in whatever case. A text in quotes has them, and is none."""
        return self.text.casefold() in words


def tokens_of(text: str) -> Iterator[Token]:
    """Those of a line, and its end. Raises Misread."""
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            what = "a quote is never closed" if text[start] in "\"'" else f"{text[start]!r} means nothing here"
            raise Misread(what, start, start + 1)
        kind = str(found.lastgroup)
        yield Token(kind, found[kind], found.start(kind), found.end(kind))
        place = found.end()
    end = len(text.rstrip())
    yield Token("end", "", end, end)


def unquoted(token: Token) -> str:
    """The text between the quotes. Raises Misread."""
    if token.text.startswith("'"):
        return token.text[1:-1]
    try:
        return str(json.loads(token.text, strict=False))
    except ValueError as error:
        raise Misread(r"a backslash in quotes goes before \" or another backslash", token.start, token.end) from error
