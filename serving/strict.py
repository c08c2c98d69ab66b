"""JSON as RFC 8259 has it and nothing besides: no NaN, no name twice, no NUL, bounded depth."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from serving.problems import Problem

_USUAL = 7
"""Levels of requests: more are only where somebody adds some."""
_decode = msgspec.json.Decoder().decode


def read_json(body: bytes, most_deep: int) -> Any:
    """The value of a body. Raises Problem 400, which says nothing of the content."""
    try:
        found = _decoded(body, most_deep)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise Problem(400, "not-json", "the body: expected JSON in UTF-8 (RFC 8259), without NaN or Infinity") from None
    escaped = b"\\" in body  # one byte is found much sooner than several
    if escaped and b"\\u0000" in body and _has_nul(found):
        raise Problem(400, "not-text", "the body: expected texts without the character NUL")
    if ((escaped and b"\\u003" in body) or _may_repeat(body, found)) and _repeats(body):
        raise Problem(400, "name-twice", "the body: expected each name once in an object")
    return found


@cache
def _shallow(levels: int) -> Callable[[bytes], Any]:
    """Reads what has at most so many levels, few: each doubles the types."""
    single = bool | int | float | str | None
    value: Any = single
    for _ in range(levels):
        value = single | list[value] | dict[str, value]
    return msgspec.json.Decoder(value).decode


def _decoded(body: bytes, most_deep: int) -> Any:
    """Quick where it is not deep; only what is deeper, or no JSON, is looked at level by level."""
    try:
        return _shallow(min(most_deep, _USUAL))(body)
    except msgspec.ValidationError:
        found = _decode(body)
    _check_depth(found, most_deep)
    return found


def _check_depth(found: Any, most: int) -> None:
    level = [found] if isinstance(found, dict | list) else []
    for _ in range(most):
        level = [
            value
            for inside in level
            for value in (inside.values() if type(inside) is dict else inside)
            if type(value) is dict or type(value) is list
        ]
        if not level:
            return
    raise Problem(400, "too-deep", f"the body: expected JSON of at most {most} levels")


def _has_nul(found: Any) -> bool:
    if isinstance(found, dict):
        return any("\0" in key or _has_nul(value) for key, value in found.items())
    if isinstance(found, list):
        return any(_has_nul(value) for value in found)
    return isinstance(found, str) and "\0" in found


def _may_repeat(body: bytes, found: Any) -> bool:
    """Quick and on the safe side: a name given twice leaves one colon less when what was read is written again.

    Colons inside texts are in both, unless one was written as an escape.
    """
    return body.count(b":") != msgspec.json.encode(found).count(b":")


class _Twice(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _repeats(body: bytes) -> bool:
    """The slow and certain way."""
    try:
        json.loads(body, object_pairs_hook=_once)
    except _Twice:
        return True
    return False
