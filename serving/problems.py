"""Errors as RFC 9457 problem documents. They name places and expectations, never what the caller sent."""

from http import HTTPStatus
from typing import Any

import msgspec

MEDIA_TYPE = b"application/problem+json"


class Problem(Exception):
    """What is wrong with a request, and how to do better."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = headers or {}, more

    def document(self) -> dict[str, Any]:
        """The problem's JSON. `type` tells programs what it is, `detail` people."""
        return {"type": f"urn:leadscore:{self.code}", "title": HTTPStatus(self.status).phrase, "status": self.status,
                "detail": self.detail, **self.more}  # fmt: skip

    def within(self, part: str) -> "Problem":
        """The same, in a part of the request."""
        if "place" not in self.more:
            return self
        place = f"{part}.{self.more['place']}".rstrip(".")
        return wrong(place, self.more["expected"])

    def body(self) -> bytes:
        """The document, encoded."""
        return msgspec.json.encode(self.document())


def bug() -> Problem:
    """A fault of ours."""
    return Problem(500, "bug", "the service failed; its log says where")


def wrong(place: str, expected: str) -> Problem:
    """A request that was understood as JSON, but not as a lead."""
    return Problem(422, "wrong-request", f"{place}: expected {expected}", place=place, expected=expected)
