"""Which row of a table of points gave a lead which points, in lines to read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from features.arrays import DAY_US
from models.points.holding import Look
from models.points.records import PointRecords
from models.points.table import TOTAL, PointsTable, Rule
from models.points.totals import Given, Tally, give, share_left, tally
from pipeline import stage
from pipeline.assembly.values import instant_us
from pipeline.errors import Stop
from pipeline.handtuned.file import load_points
from pipeline.handtuned.inputs import Inputs, Material, fitting, read_inputs, read_table
from pipeline.handtuned.records import point_records
from pipeline.params import Params, load_params
from pipeline.reading.attributes import to_json
from pipeline.reading.texts import Clock

MOST_EVENTS = 10
"""At most this many events of a rule get a line."""


def read(tables: Path | None, points: Path | None, id_key: bytes | None) -> Inputs:
    """Tables and points of the last run, or others. Raises Stop where something is missing or does not fit."""
    if tables is None:
        stage.check_run(", or give --tables and --points")
    params = load_params() if Path("params.yaml").is_file() else Params.model_validate({"source": {"kind": "tables"}})
    table = read_table() if points is None else load_points(points, params.source.timezone)
    if table is None:
        raise Stop("there is no table of points: set points in params.yaml and run again, or give --points FILE")
    place = str(points or params.points)
    return read_inputs(table, place) if tables is None else _checked(table, tables, params, id_key, place)


def _checked(table: PointsTable, folder: Path, params: Params, id_key: bytes | None, place: str) -> Inputs:
    """With raw tables, read and checked as those of a run are."""
    from pipeline.reading.checked import check
    from pipeline.reading.personal import remove
    from pipeline.reading.tables import read_tables

    source = params.source.model_copy(update={"kind": "tables", "path": folder})
    raw, removed = remove(read_tables(source), id_key)
    names = [column for columns in removed.columns.values() for column in columns]
    checked = check(raw, source, params.definition, None, datetime.now(UTC), None, names)
    attributes = stage.attributes_of(to_json(checked.attributes))
    left_out = checked.meta["left_out_columns"]
    given = Material(checked.tables, attributes, raw, left_out, params.definition, Clock.of(source))
    return fitting(table, given, place)


def explain(asked: Inputs, lead_id: str, at: datetime) -> list[str]:
    """Every rule that held, the events it counted, decay, bounds and caps, the sum and the thresholds."""
    lead = asked.tables["leads"].filter(pl.col("lead_id") == lead_id)
    if lead.is_empty():
        raise Stop(
            f"lead {lead_id!r}: is not among the accepted leads, which leave out those that objected or were refused"
        )
    created = lead["created_at"].item()
    if created is not None and created > at:
        raise Stop(f"lead {lead_id!r}: was created at {created.isoformat()}, later than --at {at.isoformat()}")
    records, _ = point_records(replace(asked, tables={**asked.tables, "leads": lead}))
    look = Look(records, np.zeros(1, np.int64), np.array([instant_us(at)]))
    found = tally(asked.table, records, look.lead, look.as_of)
    lines = [f"lead {lead_id} as of {at.isoformat()}: {found.total[0]:g} points"]
    for i, group in enumerate(asked.table.groups):
        lines += _group(asked.table, group, float(found.groups[0, i]), look)
    return [*lines, *_thresholds(asked.table, found)]


def _group(table: PointsTable, group: str, points: float, look: Look) -> Iterator[str]:
    given = [(rule, give(rule, look)) for rule in table.rules if rule.group == group]
    total, (low, high) = sum(float(g.points[0]) for _, g in given), table.cap(group)
    cap = f" (the rules give {total:g}, the cap is {low:g} to {high:g})" if not low <= total <= high else ""
    yield f"{group}: {points:g}{cap}"
    for rule, one in given:
        if one.fired[0]:
            yield f"  {one.points[0]:+g}  {rule.id}{'  qualifies outright' if rule.auto_qualify else ''}"
            yield from (f"      {line}" for line in _events(rule, one, look.records))
    silent = [rule.id for rule, one in given if not one.fired[0]]
    if silent:
        yield f"  nothing from {', '.join(silent)}"


def _events(rule: Rule, given: Given, records: PointRecords) -> Iterator[str]:
    """The events that a rule went by, the latest first, and what its bounds took away."""
    if given.events is None or rule.points is None:
        return
    order = np.argsort(given.events.age, kind="stable")
    order = order if rule.each else order[:1]
    worth = rule.points * share_left(rule.decay, given.events.age[order]) / 100
    for i, points in list(zip(order, worth, strict=True))[:MOST_EVENTS]:
        event = given.events.event[i]
        when = datetime.fromtimestamp(int(records.occurred[event]) / 1e6, UTC).isoformat(timespec="seconds")
        age = f"{given.events.age[i] / DAY_US:.2f} days old"
        decay = f", {rule.points:g} before decay" if points != rule.points else ""
        yield f"{points:+g}  {records.types[records.kind[event]]} {when}, {age}{decay}"
    if len(order) > MOST_EVENTS:
        yield f"… and {len(order) - MOST_EVENTS} more"
    if round(float(worth.sum()), 9) != round(float(given.points[0]), 9):
        bounds = {"max_per_day": rule.max_per_day, "max": rule.max}
        yield f"{worth.sum():g} together; {', '.join(f'{k} {v:g}' for k, v in bounds.items() if v is not None)}"


def _thresholds(table: PointsTable, found: Tally) -> Iterator[str]:
    for name, threshold in table.thresholds.items():
        points = found.total[0] if name == TOTAL else found.groups[0, table.groups.index(name)]
        yield f"threshold {name} {threshold:g}: {'reached' if points >= threshold else 'not reached'} with {points:g}"
    why = ", by exclude" if found.excluded[0] else ", outright by a rule" if found.outright[0] else ""
    yield f"{'qualifies' if found.qualified[0] else 'does not qualify'}{why}"
