"""Reading a request's body within its limits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from serving.problems import Problem

Receive = Callable[[], Awaitable[Any]]
SPARE = 1 << 24
"""Bytes of a body that is too large."""
CLOSE = {"Connection": "close"}
"""Where the rest of the body is not worth reading."""


class Gone(Exception):
    """The client has left before its request was whole."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, most: int, timeout_s: float) -> bytes:
    """The whole body. Raises Problem 408, 413 or 415, or Gone.

    Of a body that is too large up to SPARE bytes are heard and forgotten: a client that is still sending when the
    connection closes does not see the answer.
    """
    _check_headers(headers)
    length = headers.get(b"content-length", b"")
    said = int(length[:20]) if length.isdigit() else 0
    if said > most and (said > SPARE or b"expect" in headers):
        raise _too_large(most)
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(timeout_s):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part, more = message.get("body", b""), message.get("more_body", False)
                size += len(part)
                if size > SPARE:
                    break
                if max(size, said) <= most:
                    parts.append(part)
                else:
                    parts.clear()
    except TimeoutError:
        raise Problem(408, "too-slow", f"the body: expected it whole within {timeout_s:g} s", CLOSE) from None
    if size > most:
        raise _too_large(most)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_headers(headers: Mapping[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Problem(415, "not-json", "expected the header Content-Type: application/json", CLOSE)
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        raise Problem(415, "compressed", "expected a body without Content-Encoding", CLOSE)


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"the body: expected at most {most} bytes", CLOSE)
