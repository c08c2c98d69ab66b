"""What every request passes: keys, counts, a line in the log; and the way to the two routes that score.

A plain ASGI application before FastAPI's: an empty FastAPI endpoint takes longer than scoring a lead, so the scoring
routes do without its middleware, its router and its request objects.
"""

import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from serving.bodies import Gone, Receive
from serving.logs import failed, note
from serving.problems import MEDIA_TYPE, Problem, bug
from serving.scoring import Headers, score_batch, score_one
from serving.security import Scope
from serving.service import Service

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Any, Receive, Send], Awaitable[None]]
SCORING = {"/v1/score": score_one, "/v1/score/batch": score_batch}
NEEDS: dict[str, Scope | None] = {
    **dict.fromkeys(SCORING, "score"), "/v1/model": "score", "/v1/openapi.json": "score", "/v1/model/reload": "admin",
    "/livez": None, "/readyz": None, "/metrics": None,
}  # fmt: skip
"""Every route, and the scope of the key that it needs."""
JSON = b"application/json"


class Gate:
    """Of one process."""

    def __init__(self, app: Asgi, service: Service) -> None:
        self._app, self.service = app, service
        process = secrets.token_hex(4)
        self._ids = (f"{process}-{n:x}" for n in itertools.count())

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, route = time.perf_counter(), scope["path"] if scope["path"] in NEEDS else "other"
        reply = Reply(send, next(self._ids), self.service)
        try:
            await self._serve(scope, receive, reply, route)
        except Problem as problem:
            await reply.problem(problem)
        except Gone:
            reply.status = 499
        except Exception as error:  # a bug of ours: the client has an answer, and the log says where
            failed(error, request_id=reply.id, route=route)
            await reply.problem(bug())
        finally:
            self._note(route, reply, time.perf_counter() - begun)

    async def _serve(self, scope: Any, receive: Receive, reply: "Reply", route: str) -> None:
        if route not in NEEDS:  # whatever a router makes of it: a path that is not here needs no key
            raise Problem(404, "no-route", "no such route; see /v1/openapi.json")
        headers = dict(scope["headers"])
        if (needed := NEEDS.get(route)) is not None:
            self.service.guard.check(headers.get(b"authorization"), needed)
        score = SCORING.get(route)
        if score is None:
            await self._app(scope, receive, reply.send)
            return
        if scope["method"] != "POST":
            raise Problem(405, "method", "expected the method POST", {"Allow": "POST"})
        await reply.whole(200, JSON, await score(self.service, headers, receive))

    def _note(self, route: str, reply: "Reply", seconds: float) -> None:
        self.service.metrics.request(route, reply.status, seconds)
        model = self.service.store.current
        version = model.bundle.version if model else None
        note("request", request_id=reply.id, route=route, status=reply.status, ms=round(seconds * 1000, 3),
             model_version=version)  # fmt: skip


class Reply:
    """What goes back, with the request's id; while the service drains it also sends the client away."""

    def __init__(self, send: Send, request_id: str, service: Service) -> None:
        self._send, self.id, self._service = send, request_id, service
        self.status = 500
        self._begun = False

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """An ASGI message of an inner application."""
        if message["type"] == "http.response.start":
            self.status, self._begun = message["status"], True
            message = {**message, "headers": [*message.get("headers", ()), *self._own()]}
        await self._send(message)

    async def whole(self, status: int, kind: bytes, body: bytes, more: Headers | None = None) -> None:
        """A whole response; nothing where one has begun."""
        if self._begun:
            return
        self.status, self._begun = status, True
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *(more or {}).items(), *self._own()]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def problem(self, problem: Problem) -> None:
        """A problem document."""
        more = {k.lower().encode(): v.encode() for k, v in problem.headers.items()}
        await self.whole(problem.status, MEDIA_TYPE, problem.body(), more)

    def _own(self) -> list[tuple[bytes, bytes]]:
        own = [(b"x-request-id", self.id.encode())]
        return [*own, (b"connection", b"close")] if self._service.draining else own
