"""Hand-tuned points of any leads at any instants, from the validated tables."""

from collections.abc import Callable

import numpy as np
import polars as pl

from features.arrays import Floats, Ints
from features.columns import Attribute
from features.records import starts
from models.points.holding import Look
from models.points.records import FieldRecords, PointRecords
from models.points.totals import Tally, tally
from models.points.when import FieldTest
from pipeline.assembly.records import EVENT_SCHEMA
from pipeline.assembly.values import Changes, Tables, changes_of, history_of, micros, now_of, numbers, past_of, places
from pipeline.handtuned.check import fields_there, tests_of
from pipeline.handtuned.inputs import Inputs


def looking(inputs: Inputs) -> Callable[[pl.Series, Ints], Look]:
    """What looks at any leads of the tables, ids (k,), at any instants (k,), µs; the records are made once."""
    records, order = point_records(inputs)
    return lambda lead_ids, as_of: Look(records, places(lead_ids, order), as_of)


def tallying(inputs: Inputs) -> Callable[[pl.Series, Ints], Tally]:
    """What tallies their points."""
    look_at = looking(inputs)

    def tallied(lead_ids: pl.Series, as_of: Ints) -> Tally:
        look = look_at(lead_ids, as_of)
        return tally(inputs.table, look.records, look.lead, look.as_of)

    return tallied


def point_records(inputs: Inputs) -> tuple[PointRecords, pl.Series]:
    """What the table looks at, and the ids of the leads in the order of the arrays."""
    tables = inputs.tables
    leads = tables["leads"].select("lead_id", "account_id", "created_at").with_row_index("index")
    there = fields_there(tables, inputs.attributes)
    used = {test.field for _, test in tests_of(inputs.table) if isinstance(test, FieldTest)}
    changes = changes_of(tables, leads)
    fields = {name: _field(there[name], tables, changes) for name in used}
    events = tables.get("events", pl.DataFrame(schema={**EVENT_SCHEMA, "row": pl.Int64}))
    mine = events.join(leads.select("lead_id", "index"), on="lead_id").sort("index", "known_at", "row")
    types, kind = numbers(mine["type"], "categorical")
    topics, topic = numbers(mine["topic"], "categorical")
    local = mine["occurred_at"].dt.convert_time_zone(inputs.timezone).dt.date().cast(pl.Int64)
    records = PointRecords(
        created=micros(leads["created_at"]),
        fields=fields,
        known=micros(mine["known_at"]),
        occurred=micros(mine["occurred_at"]),
        kind=_codes(kind),
        topic=_codes(topic),
        value=mine["value"].fill_null(float("nan")).to_numpy().astype(np.float64),
        day=local.to_numpy().astype(np.int64),
        start=starts(mine["index"].to_numpy().astype(np.int64), len(leads)),
        types=tuple(types),
        topics=tuple(topics),
    )
    return records, leads["lead_id"]


def _codes(numbers: Floats) -> Ints:
    """-1 for NaN."""
    return np.where(np.isnan(numbers), -1, numbers).astype(np.int64)


def _field(attribute: Attribute, tables: Tables, changes: Changes) -> FieldRecords:
    """An attribute now and in the past; with a past, that alone says what it was."""
    leads = len(tables["leads"])
    kind = "categorical" if attribute.kind == "text" else attribute.kind
    if not attribute.has_history:
        levels, values = numbers(now_of(attribute, tables), kind)
        return FieldRecords(_levels(levels, kind), values, None)
    past = past_of(attribute, changes)
    levels, values = numbers(past["value"], kind)
    history = history_of(past, values, leads)
    return FieldRecords(_levels(levels, kind), np.full(leads, np.nan), history)


def _levels(levels: list[str], kind: str) -> tuple[str, ...] | None:
    return tuple(levels) if kind == "categorical" else None
