"""HTTP connections with what uvicorn leaves out: limits for clients that make us wait, and answers for those that say
what it does not expect."""

import asyncio
from collections.abc import Iterable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.logs import note
from serving.problems import MEDIA_TYPE, Problem

MOST_HEADERS = 1 << 16
"""Bytes of a request before its body."""


def protocol_of(read_timeout_s: float, most_connections: int) -> type[HttpToolsProtocol]:
    """A class of connections, as uvicorn wants it."""

    class Protocol(HttpToolsProtocol):
        """Cut off where no whole header comes in time, or where nobody takes the answers."""

        _slow: asyncio.TimerHandle | None = None
        """Runs until a header is whole."""
        _full: asyncio.TimerHandle | None = None
        """Runs while more is to be sent than the network takes."""
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
            self._taken()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._unset_keepalive_if_required()
            self._size += len(data)
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as offer:
                if self._offered():
                    self._decline(data[offer.args[0] :])
            except HttpParserError:
                self._refuse()
            if self._slow is None:
                self._size = 0
                self._idle()
            elif self._size > MOST_HEADERS:
                self.transport.abort()

        def eof_received(self) -> bool:  # type: ignore[override] # uvicorn's never stays
            """A client that sends no more may still wait for its answers."""
            return self._ends_with_an_answer()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._size = 0  # what came before it was another request's
            self._began = self.asked = True
            self._wait()

        def on_header(self, name: bytes, value: bytes) -> None:
            if self._slow is not None:  # what stands behind a body is no header, and may have no end
                super().on_header(name, value)

        def on_headers_complete(self) -> None:
            if not self._offered():
                self._heard()
                super().on_headers_complete()

        def on_message_complete(self) -> None:
            if not self._offered():
                super().on_message_complete()

        def shutdown(self) -> None:
            if not self._began:  # else its answer sends the client away
                super().shutdown()

        def on_response_complete(self) -> None:
            self._began = False
            super().on_response_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._full = self.loop.call_later(read_timeout_s, self.transport.abort)

        def resume_writing(self) -> None:
            self._taken()
            super().resume_writing()

        def _offered(self) -> bool:
            """Whether the request offers another protocol, HTTP/2 or WebSocket: the parser takes its body for that."""
            return self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)

        def _decline(self, rest: bytes) -> None:
            """Read the request once more, without its offer: who makes one goes on with HTTP/1.1 where nobody takes
            it."""
            kept = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
            line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
            self.parser = HttpRequestParser(self)
            self.data_received(b"\r\n".join([line, *kept, b"", rest]))

        def _refuse(self) -> None:
            """What came is not HTTP, and nothing more can be read."""
            if self._ends_with_an_answer():
                return
            note("not an HTTP request", "warning")
            body = Problem(400, "not-http", "expected a request of HTTP/1.1").body()
            head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE.decode()}\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
            self.transport.close()

        def _ends_with_an_answer(self) -> bool:
            """Whether a request that is whole has no answer yet: that will be the last of this connection."""
            last = self.cycle
            if last is None or last.response_complete or last.more_body:
                return False
            last.keep_alive = False
            return True

        def _idle(self) -> None:
            """Nobody waits for what comes after an answer, the rest of a body or an empty line: it keeps no connection
            open."""
            if not self.transport.is_closing() and self.cycle.response_complete:
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

        def _wait(self) -> None:
            self._heard()
            self._slow = self.loop.call_later(read_timeout_s, self.transport.abort)

        def _heard(self) -> None:
            if self._slow is not None:
                self._slow.cancel()
                self._slow = None

        def _taken(self) -> None:
            if self._full is not None:
                self._full.cancel()
                self._full = None

    return Protocol


def silent(connections: Iterable[Any]) -> bool:
    """Is there one that has asked nothing yet?"""
    return not all(connection.asked for connection in connections)
