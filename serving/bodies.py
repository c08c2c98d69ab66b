"""Reading a request's body within its limits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from serving.problems import Problem

Receive = Callable[[], Awaitable[Any]]


class Gone(Exception):
    """The client has left before its request was whole."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, most: int, timeout_s: float) -> bytes:
    """The whole body. Raises Problem 408, 413 or 415, or Gone."""
    _check_headers(headers, most)
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(timeout_s):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                parts.append(message.get("body", b""))
                size, more = size + len(parts[-1]), message.get("more_body", False)
                if size > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Problem(408, "too-slow", f"the body: expected it whole within {timeout_s:g} s", CLOSE) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


CLOSE = {"Connection": "close"}
"""Where the rest of the body is not worth reading."""


def _check_headers(headers: Mapping[bytes, bytes], most: int) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Problem(415, "not-json", "expected the header Content-Type: application/json", CLOSE)
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        raise Problem(415, "compressed", "expected a body without Content-Encoding", CLOSE)
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > most:
        raise _too_large(most)


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"the body: expected at most {most} bytes", CLOSE)
