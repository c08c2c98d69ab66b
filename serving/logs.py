"""Logs: one JSON object a line on standard error, of our own words alone."""

import logging
import logging.config
import sys
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType

import msgspec

_encode = msgspec.json.Encoder().encode


def note(event: str, level: str = "info", **fields: object) -> None:
    """One line. Cheap enough for every request: logging's own way takes ten times as long."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **fields}
    with suppress(OSError):  # nobody reads the log any more: the requests are served all the same
        sys.stderr.buffer.write(_encode(line) + b"\n")
        sys.stderr.buffer.flush()


def failed(error: BaseException, **fields: object) -> None:
    """A bug of ours: its kind and where it came from, never its message, which may hold a caller's value."""
    note("bug", "error", error=type(error).__name__, trace=_trace(error.__traceback__), **fields)


class JsonLines(logging.Formatter):
    """Records of others, uvicorn's among them, as lines like ours."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if record.exc_info:
            kind = record.exc_info[0]
            line["error"] = kind.__name__ if kind else ""
            line["trace"] = _trace(record.exc_info[2])
        return _encode(line).decode()


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
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "loggers": {
            "uvicorn": {"handlers": ["err"], "level": "WARNING", "propagate": False},
        },
        "root": {"handlers": ["err"], "level": "WARNING"},
    })  # fmt: skip
