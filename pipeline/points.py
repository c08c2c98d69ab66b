"""Hand-tuned points of any leads at any instants, from the validated tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Floats, Ints
from features.plan import Attribute
from features.records import History, starts
from models.points import Tally, tally
from models.points_records import FieldRecords, PointRecords
from models.points_when import FieldTest
from pipeline import stage
from pipeline.featurize import instants
from pipeline.handtuned.points_check import fields_there, tests_of
from pipeline.handtuned.points_inputs import Inputs, read_inputs, read_table
from pipeline.reading.texts import read_booleans
from pipeline.records import EVENT_SCHEMA, Tables


def points_of(inputs: Inputs, lead_ids: pl.Series, as_of: Ints) -> Floats:
    """Total points of rows `lead_ids` (k,) at `as_of` (k,), µs: of any leads of the tables at any instants."""
    return tallied(inputs, lead_ids, as_of).total


def tallied(inputs: Inputs, lead_ids: pl.Series, as_of: Ints) -> Tally:
    """As `points_of`, with the sums by group and who qualifies."""
    records, order = point_records(inputs)
    index = pl.int_range(len(order), eager=True, dtype=pl.Int64)
    lead = lead_ids.replace_strict(order, index, return_dtype=pl.Int64) if len(order) else index
    return tally(inputs.table, records, lead.to_numpy(), as_of)


def point_records(inputs: Inputs) -> tuple[PointRecords, pl.Series]:
    """What the table looks at, and the ids of the leads in the order of the arrays."""
    tables = inputs.tables
    leads = tables["leads"].select("lead_id", "account_id", "created_at").with_row_index("index")
    there = fields_there(tables, inputs.attributes)
    used = {test.field for _, test in tests_of(inputs.table) if isinstance(test, FieldTest)}
    fields = {name: _field(there[name], tables, leads) for name in used}
    created = leads["created_at"].to_physical().fill_null(0).to_numpy().astype(np.int64)
    return PointRecords(created=created, fields=fields, **_events(tables, leads, inputs.timezone)), leads["lead_id"]


def _events(tables: Tables, leads: pl.DataFrame, timezone: str) -> dict[str, Any]:
    events = tables.get("events", pl.DataFrame(schema={**EVENT_SCHEMA, "row": pl.Int64}))
    mine = events.join(leads.select("lead_id", "index"), on="lead_id").sort("index", "known_at", "row")
    types, topics = mine["type"].unique().sort(), mine["topic"].unique().drop_nulls().sort()
    local = mine["occurred_at"].dt.convert_time_zone(timezone).dt.date().cast(pl.Int64)
    return {
        "known": _ints(mine["known_at"].to_physical()),
        "occurred": _ints(mine["occurred_at"].to_physical()),
        "kind": _codes(mine["type"], types),
        "topic": _codes(mine["topic"], topics),
        "value": mine["value"].fill_null(float("nan")).to_numpy().astype(np.float64),
        "day": _ints(local),
        "start": starts(_ints(mine["index"]), len(leads)),
        "types": tuple(types),
        "topics": tuple(topics),
    }


def _ints(values: pl.Series) -> Ints:
    return values.to_numpy().astype(np.int64)


def _codes(values: pl.Series, levels: pl.Series) -> Ints:
    """Places in `levels`; -1 for null."""
    place = pl.int_range(len(levels), eager=True, dtype=pl.Int64)
    return _ints(values.replace_strict(levels, place, default=-1, return_dtype=pl.Int64).fill_null(-1))


@dataclass(frozen=True)
class _Reading:
    """Values of one attribute, now and in the past, as numbers or codes."""

    levels: tuple[str, ...] | None
    values: Floats


def _field(attribute: Attribute, tables: Tables, leads: pl.DataFrame) -> FieldRecords:
    now, past = _now(attribute, tables, leads), _past(attribute, tables, leads)
    if not attribute.has_history:
        read = _read(now, attribute.kind)
        return FieldRecords(read.levels, read.values, None)
    read = _read(past["value"], attribute.kind)
    index = _ints(past["index"])
    history = History(_ints(past["changed_at"].to_physical()), read.values, starts(index, len(leads)))
    return FieldRecords(read.levels, np.full(len(leads), np.nan), history)


def _now(attribute: Attribute, tables: Tables, leads: pl.DataFrame) -> pl.Series:
    """A value a lead, in the order of `leads`."""
    table, key = ("leads", "lead_id") if attribute.entity == "lead" else ("accounts", "account_id")
    if table not in tables or attribute.column not in tables[table].columns:
        return pl.Series([None] * len(leads), dtype=pl.String)
    side = tables[table].select(pl.col(key).alias("_key"), pl.col(attribute.column).alias("_value"))
    return leads.join(side, left_on=key, right_on="_key", how="left", maintain_order="left")["_value"]


def _past(attribute: Attribute, tables: Tables, leads: pl.DataFrame) -> pl.DataFrame:
    """`index, changed_at, value` by lead and time; of one instant the last row of the input stays last."""
    if "history" not in tables:
        empty = {"index": pl.Int64, "changed_at": EVENT_SCHEMA["known_at"], "value": pl.String}
        return pl.DataFrame(schema=empty)
    key = "lead_id" if attribute.entity == "lead" else "account_id"
    rows = tables["history"].filter((pl.col("entity") == attribute.entity) & (pl.col("field") == attribute.column))
    mine = rows.join(leads.select("index", pl.col(key).alias("id")), on="id")
    return mine.sort("index", "changed_at", "row").select("index", "changed_at", "value")


def _read(values: pl.Series, kind: str) -> _Reading:
    if kind == "numeric":
        return _Reading(None, _floats(values.cast(pl.Float64, strict=False)))
    if kind == "boolean":
        return _Reading(None, _floats(read_booleans(values).cast(pl.Float64)))
    texts = values.cast(pl.String)
    levels = texts.unique().drop_nulls().sort()
    codes = _codes(texts, levels).astype(np.float64)
    return _Reading(tuple(levels), np.where(codes < 0, np.nan, codes))


def _floats(values: pl.Series) -> Floats:
    return values.fill_null(float("nan")).to_numpy().astype(np.float64)


@dataclass(frozen=True)
class Replayed:
    """The points of the examples."""

    rows: pl.DataFrame
    """`lead_id, as_of`; where there is a table also `points`, those of each group, `qualified` and `eligible`."""
    fired: dict[str, int]
    """By rule, for how many of the examples it held."""


def replay(inputs: Inputs, examples: pl.DataFrame) -> Replayed:
    """Points of every example, in their order. `eligible`: no exclusion holds of the lead."""
    table, found = inputs.table, tallied(inputs, examples["lead_id"], instants(examples))
    columns = {"points": found.total} | {f"points_{name}": found.groups[:, i] for i, name in enumerate(table.groups)}
    rows = examples.select("lead_id", "as_of").with_columns(
        **{name: pl.Series(values) for name, values in columns.items()},
        qualified=pl.Series(found.qualified),
        eligible=pl.Series(~found.excluded),
    )
    return Replayed(rows, {rule.id: int(n) for rule, n in zip(table.rules, found.fired, strict=True)})


def main() -> None:
    """Read tables and examples, write the points of every example."""
    table, examples = read_table(), stage.read_table(stage.EXAMPLES)
    if table is None:
        found = Replayed(examples.select("lead_id", "as_of"), {})
    else:
        found = replay(read_inputs(table, str(stage.read_json(stage.SETTINGS / "points.json"))), examples)
    stage.write_table(found.rows, stage.POINTS)
    stage.write_json({"examples": len(examples), "held": found.fired}, stage.POINTS_RULES)
