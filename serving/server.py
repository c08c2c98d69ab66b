"""One process that serves: it stops without losing a request, and takes a new bundle on SIGHUP."""

import asyncio
import ctypes
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn

from serving.app import create_app
from serving.logs import apart, configure, note
from serving.protocol import protocol_of, silent
from serving.service import Service
from serving.settings import Settings
from serving.supervisor import KEYED, READY, SHARED, STOPPING

LOOKS = 50
"""So often we look whether a connection that has asked nothing yet has sent its first request."""
LOOK_S = 0.02
"""Between two looks."""
SO_ATTACH_FILTER = 26
"""Of Linux; Python has no name for it."""
NO_SYN = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
"""A packet filter (code, jump if true, jump if false, value): of the flags in byte 13 of the TCP header take SYN and
ACK; is it SYN alone, then keep nothing of the packet, else all. Linux, Documentation/networking/filter.rst."""


class Closed(Exception):
    """The service may not listen there."""


class Server(uvicorn.Server):
    """Goes on for a while after SIGTERM, and sends each client away with its answer."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._reloading: asyncio.Task[None] | None = None
        self._wanted = False
        """A bundle is to be read once more."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then heed SIGHUP."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        if SHARED in os.environ:
            Path(os.environ[SHARED], f"{READY}{os.getpid()}").touch()
        where = [address_of(s) for server in self.servers for s in server.sockets]
        note("ready", listening=where)

    def _reload(self) -> None:
        """One at a time: of many signals during a reload one more comes of it."""
        self._wanted = True
        if self._reloading is None or self._reloading.done():
            self._reloading = self._loop.create_task(self._reload_all())

    async def _reload_all(self) -> None:
        while self._wanted:
            self._wanted = False
            await self._service.reload()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First: drain. Again: stop at once."""
        if self._service.draining or not self.started:
            self.should_exit = True
            self.force_exit = self.started
            return
        self._service.draining = True
        self._loop.call_soon_threadsafe(self._loop.call_later, self._service.settings.drain_s, self._stop)

    def _stop(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, hear those out who have just come, then end."""
        last = [sock.dup() for sock in sockets or ()]
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for sock in last:
            await self._take_the_last(sock)
        for _ in range(LOOKS):  # counted, not timed: each look hears the network, however late it comes
            if not silent(self.server_state.connections):
                break
            await asyncio.sleep(LOOK_S)
        await super().shutdown(sockets)

    async def _take_the_last(self, sock: socket.socket) -> None:
        """Clients that had connected but were not yet accepted would be cut off when the socket closes.

        Others who listen there take what comes later, unless all are stopping.
        """
        waiting = []
        with sock, suppress(BlockingIOError):
            if SHARED not in os.environ or Path(os.environ[SHARED], STOPPING).exists():
                admit_no_more(sock)
                await asyncio.sleep(LOOK_S)  # those who are half way
            sock.setblocking(False)
            while True:
                waiting.append(sock.accept()[0])
        for connection in waiting:
            await self._loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        state, app_state = self.server_state, self.lifespan.state
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=state, app_state=app_state, _loop=self._loop
        )


def address_of(sock: socket.socket) -> str:
    """host:port, as in a URL: an address of IPv6 in brackets."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{host}:{port}"


def admit_no_more(sock: socket.socket) -> bool:
    """Nobody new connects, while those who have, or are half way, can still be accepted. False where it cannot be done.

    Without it whoever connects between the last accept and the close is cut off by the kernel, with a request sent
    and no answer. Only Linux can, where nothing forbids it; elsewhere that moment stays. Whoever is turned away tries
    again, and is told that nobody listens as soon as the socket is closed.
    """
    if sys.platform == "linux":
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in NO_SYN))
        program = struct.pack("HL", len(NO_SYN), ctypes.addressof(code))
        with suppress(OSError):  # kernels may keep filters to the administrator
            sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
            return True
    return False


def bind(settings: Settings) -> socket.socket:
    """The socket to listen on. Raises Closed where the port is taken, or the address is none of this machine."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        why = error.strerror or error
        raise Closed(f"{settings.host}, port {settings.port}: {why}; choose another --host or --port") from error
    return sock


def check_reach(settings: Settings) -> None:
    """Without an API key the service is for this machine alone. Raises Closed."""
    if not settings.loopback and not settings.keys.is_file():
        raise Closed(
            f"host {settings.host}: no API key is configured ({settings.keys}), so only loopback is served; create one "
            "with `leadscore keys create --name crm`, or listen on 127.0.0.1"
        )


def run(settings: Settings, sock: socket.socket) -> None:
    """Serve until told to stop. Raises DamagedBundle where there is no model to serve, KeysUnreadable, and Closed where
    the keys have gone since others began to serve."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a model that another could replace
    configure()
    app = create_app(settings)
    service = app.service
    if service.guard.open and (KEYED in os.environ or not settings.loopback):
        raise Closed(f"{settings.keys}: is gone, and without it anybody could ask; put it back")
    service.load()
    if service.guard.open:
        note("no API key is configured: loopback only, and no administration over HTTP", "warning")
    config = uvicorn.Config(
        app, http=protocol_of(settings.read_timeout_s, settings.max_connections), ws="none", access_log=False,
        log_config=None, server_header=False, date_header=False, proxy_headers=False, lifespan="on",
        timeout_keep_alive=settings.keep_s,  # type: ignore[arg-type] # seconds for a timer, whole or not
        timeout_graceful_shutdown=int(settings.timeout_s) + 1,
    )  # fmt: skip
    with apart():
        Server(config, service).run([sock])
