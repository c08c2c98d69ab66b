"""HTTP connections with the limits that uvicorn leaves out: slow or endless headers, too many connections."""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.problems import MEDIA_TYPE, Problem

MOST_HEADERS = 1 << 16
"""Bytes of a request before its body."""


def protocol_of(read_timeout_s: float, most_connections: int) -> type[HttpToolsProtocol]:
    """A class of connections, as uvicorn wants it."""

    class Protocol(HttpToolsProtocol):
        """Cut off where no whole header comes in time."""

        _slow: asyncio.TimerHandle | None = None
        _began = False
        asked = False
        _size = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most_connections:
                transport.abort()
            else:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._heard()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._size += len(data)
            super().data_received(data)
            if self._slow is None:
                self._size = 0
            elif self._size > MOST_HEADERS:
                self.transport.abort()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._size = 0  # what came before it was another request's
            self._began = self.asked = True
            self._wait()

        def on_headers_complete(self) -> None:
            self._heard()
            super().on_headers_complete()

        def shutdown(self) -> None:
            if not self._began:  # else its answer sends the client away
                super().shutdown()

        def on_response_complete(self) -> None:
            self._began = False
            super().on_response_complete()

        def send_400_response(self, msg: str) -> None:
            body = Problem(400, "not-http", "expected a request of HTTP/1.1").body()
            head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE.decode()}\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
            self.transport.close()

        def _wait(self) -> None:
            self._heard()
            self._slow = self.loop.call_later(read_timeout_s, self.transport.abort)

        def _heard(self) -> None:
            if self._slow is not None:
                self._slow.cancel()
                self._slow = None

    return Protocol


def silent(connections: Iterable[Any]) -> bool:
    """Is there one that has asked nothing yet?"""
    return not all(connection.asked for connection in connections)
