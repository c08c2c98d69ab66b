"""Logs: one JSON object a line on standard error, of our own words alone."""

import logging
import logging.config
import sys
from datetime import UTC, datetime

import msgspec

_encode = msgspec.json.Encoder().encode


def note(event: str, level: str = "info", **fields: object) -> None:
    """One line. Cheap enough for every request: logging's own way takes ten times as long."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **fields}
    sys.stderr.buffer.write(_encode(line) + b"\n")
    sys.stderr.buffer.flush()


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
            line["trace"] = _trace(record)
        return _encode(line).decode()


def _trace(record: logging.LogRecord) -> list[str]:
    """Where an error came from: files and lines, never its message, which may hold a caller's value."""
    found, at = [], record.exc_info[2] if record.exc_info else None
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
