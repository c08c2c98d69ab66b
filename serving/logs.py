"""Logs: one JSON object a line on standard error, of our own words alone."""

import logging
import logging.config
from datetime import UTC, datetime

import msgspec

LOGGER = logging.getLogger("leadscore")


class JsonLines(logging.Formatter):
    """A record as one line; `extra={"fields": {...}}` adds to it. A trace back is one text of it."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            kind = record.exc_info[0]
            line["error"] = kind.__name__ if kind else ""
            line["trace"] = _trace(record)
        return msgspec.json.encode(line).decode()


def _trace(record: logging.LogRecord) -> list[str]:
    """Where an error came from: files and lines, never its message, which may hold a caller's value."""
    found, at = [], record.exc_info[2] if record.exc_info else None
    while at is not None:
        found.append(f"{at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno}")
        at = at.tb_next
    return found


def configure() -> None:
    """Ours and uvicorn's, all alike."""
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "loggers": {
            "leadscore": {"handlers": ["err"], "level": "INFO", "propagate": False},
            "uvicorn": {"handlers": ["err"], "level": "WARNING", "propagate": False},
        },
        "root": {"handlers": ["err"], "level": "WARNING"},
    })  # fmt: skip
