"""Leads by hand for the tests of points: days since 1 January 2025 UTC in, records out."""

from typing import Any

import numpy as np

from features.arrays import DAY_US
from features.records import History, starts
from models.points.records import FieldRecords, PointRecords
from models.points.table import PointsTable
from models.points.totals import Tally, tally
from pipeline.handtuned.file import parse_points

START_US = 1_735_689_600_000_000
"""1 January 2025 UTC, a midnight."""


def us(day: float) -> int:
    """An instant, so many days after the start."""
    return START_US + round(day * DAY_US)


def event(day: float, kind: str, topic: str | None = None, value: float = np.nan, known: float | None = None) -> Any:
    """An event that occurred on a day; known then or later."""
    return {"day": day, "type": kind, "topic": topic, "value": value, "known": day if known is None else known}


def lead(*events: Any, created: float = 0, **fields: Any) -> Any:
    """A lead; a list of (day, value) as a field is its history."""
    return {"created": created, "events": events, "fields": fields}


def records(leads: list[Any]) -> PointRecords:
    """Leads as the engine wants them."""
    rows = [(i, us(e["known"]), n, e) for i, one in enumerate(leads) for n, e in enumerate(one["events"])]
    rows.sort(key=lambda row: row[:3])
    events = [row[3] for row in rows]
    types, topics = sorted({e["type"] for e in events}), sorted({e["topic"] for e in events} - {None})
    occurred = np.array([us(e["day"]) for e in events], np.int64)
    names = sorted({name for one in leads for name in one["fields"]})
    return PointRecords(
        created=np.array([us(one["created"]) for one in leads], np.int64),
        known=np.array([row[1] for row in rows], np.int64),
        occurred=occurred,
        kind=np.array([types.index(e["type"]) for e in events], np.int64),
        topic=np.array([-1 if e["topic"] is None else topics.index(e["topic"]) for e in events], np.int64),
        value=np.array([e["value"] for e in events], float),
        day=occurred // DAY_US,
        start=starts(np.array([row[0] for row in rows], np.int64), len(leads)),
        types=tuple(types),
        topics=tuple(topics),
        fields={name: _field([one["fields"].get(name) for one in leads]) for name in names},
    )


def _field(values: list[Any]) -> FieldRecords:
    if any(isinstance(v, list) for v in values):
        rows = [(i, us(day), v) for i, changes in enumerate(values) for day, v in sorted(changes or [])]
        levels, coded = _coded([v for _, _, v in rows])
        index = np.array([i for i, _, _ in rows], np.int64)
        at = np.array([t for _, t, _ in rows], np.int64)
        return FieldRecords(levels, np.full(len(values), np.nan), History(at, coded, starts(index, len(values))))
    levels, coded = _coded(values)
    return FieldRecords(levels, coded, None)


def _coded(values: list[Any]) -> tuple[tuple[str, ...] | None, Any]:
    if not any(isinstance(v, int | float) for v in values):
        levels = sorted({v for v in values if v is not None})
        return tuple(levels), np.array([np.nan if v is None else levels.index(v) for v in values], float)
    return None, np.array([np.nan if v is None else v for v in values], float)


def table(text: str) -> PointsTable:
    """A table of points."""
    return parse_points(text, "points.yaml", "UTC")


def tallied(text: str, leads: list[Any], days: list[float]) -> Tally:
    """Points of leads, each at its day."""
    return tally(table(text), records(leads), np.arange(len(leads)), np.array([us(d) for d in days], np.int64))
