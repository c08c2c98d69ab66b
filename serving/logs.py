"""Logs: one JSON object a line on standard error, of our own words alone."""

import logging
import logging.config
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from types import TracebackType

import msgspec

MOST_WAITING = 10_000
"""Lines that a slow reader may be behind."""
TOGETHER_S = 0.01
"""Lines of so many seconds are written at once."""
LAST_S = 1
"""Seconds that the last lines may take."""
_encode = msgspec.json.Encoder().encode


def note(event: str, level: str = "info", **fields: object) -> None:
    """One line. Cheap enough for every request: logging's own way takes ten times as long."""
    _out.take(_line(event, level, fields))


def _line(event: str, level: str, fields: dict[str, object]) -> bytes:
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **fields}
    return _encode(line) + b"\n"


class _Out:
    """The way to standard error: straight, or within `apart` by a thread that waits for its reader."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[bytes] | None = None
        self._lost = 0
        """In all of a block. Not set back within it: whoever notes something counts while the writer tells."""

    def take(self, line: bytes) -> None:
        if self._waiting is None:
            _write(line)
        elif self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(line)
        else:
            self._lost += 1

    @contextmanager
    def apart(self) -> Iterator[None]:
        self._waiting, self._lost = (waiting := SimpleQueue[bytes]()), 0
        writer = threading.Thread(target=self._write_all, args=[waiting], daemon=True)
        writer.start()
        try:
            yield
        finally:
            self._waiting = None
            waiting.put(b"")
            writer.join(LAST_S)

    def _write_all(self, waiting: "SimpleQueue[bytes]") -> None:
        """Until an empty line comes."""
        lines, told = [b"\n"], 0
        while lines[-1]:
            lines = [waiting.get()]
            time.sleep(TOGETHER_S if lines[0] else 0)
            with suppress(Empty):
                while lines[-1]:
                    lines.append(waiting.get_nowait())
            if (lost := self._lost) > told:
                lines.insert(0, _line("log lines lost", "warning", {"lines": lost - told}))
                told = lost
            _write(b"".join(lines))


_out = _Out()


def apart() -> AbstractContextManager[None]:
    """Within the block whoever notes something does not wait for the reader of the log: it may be slow, or stand still.
    What is more than MOST_WAITING lines behind is lost, and counted in the log."""
    return _out.apart()


def _write(lines: bytes) -> None:
    """All of it, past Python's buffers, which a thread that waits would keep locked when the process ends."""
    with suppress(OSError, AttributeError):  # nobody reads the log, or there is none: requests are served all the same
        fd = sys.stderr.fileno()
        while lines:
            lines = lines[os.write(fd, lines) :]


def failed(error: BaseException, **fields: object) -> None:
    """A bug of ours: its kind and where it came from, never its message, which may hold a caller's value."""
    note("bug", "error", error=type(error).__name__, trace=_trace(error.__traceback__), **fields)


class JsonLines(logging.Handler):
    """Records of others, uvicorn's among them, as lines like ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """One JSON object."""
        fields: dict[str, object] = {}
        if record.exc_info:
            kind, _, at = record.exc_info
            fields = {"error": kind.__name__ if kind else "", "trace": _trace(at)}
        note(record.getMessage(), record.levelname.lower(), **fields)


def _trace(at: TracebackType | None) -> list[str]:
    """Files and lines."""
    found = []
    while at is not None:
        found.append(f"{at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno}")
        at = at.tb_next
    return found


def configure() -> None:
    """What others log looks like ours."""
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"err": {"()": JsonLines}},
        "loggers": {
            "uvicorn": {"handlers": ["err"], "level": "WARNING", "propagate": False},
        },
        "root": {"handlers": ["err"], "level": "WARNING"},
    })  # fmt: skip
