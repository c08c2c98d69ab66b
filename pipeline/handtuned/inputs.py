"""What a table of points may look at: the validated tables, with columns that are no attributes where it names them.

The model leaves out a column of a single value, an empty one or one that looks like an id; a table of points may go by
it all the same. What definition.exclude names stays out: a value that a CRM overwrites would tell the future.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from features.columns import Attribute, Entity
from models.points.table import PointsTable
from models.points.when import FieldTest
from pipeline import stage
from pipeline.assembly.values import Tables
from pipeline.errors import Stop
from pipeline.handtuned.check import check_points, fields_there, tests_of
from pipeline.params import Definition, Source
from pipeline.reading.kinds import kind_of, read_values
from pipeline.reading.naming import TABLE_OF
from pipeline.reading.texts import Clock


@dataclass(frozen=True)
class Inputs:
    """A table of points that fits the lead tables beside it."""

    table: PointsTable
    tables: Tables
    attributes: tuple[Attribute, ...]
    timezone: str


def read_table() -> PointsTable | None:
    """The table that stage `configure` left; None without one."""
    given = stage.read_json(stage.POINTS_TABLE)
    return None if given is None else PointsTable.model_validate(given)


@dataclass(frozen=True)
class Material:
    """What a table of points may look at."""

    tables: Tables
    """Validated."""
    attributes: Collection[Attribute]
    raw: Tables
    """Leads and accounts as they came, where they have columns that are no attributes."""
    left_out: Mapping[str, str]
    """Column to why it is no attribute."""
    definition: Definition
    clock: Clock


def read_inputs(table: PointsTable, place: str | None = None) -> Inputs:
    """With the tables of the last run. Raises Stop where the table of points does not fit them; `place` is its file,
    by default that of the run."""
    return fitting(table, last_run(), place or str(stage.read_json(stage.SETTINGS / "points.json")))


def last_run() -> Material:
    """Of the tables of the last run. Raises Stop where newer ones were read since and refused."""
    meta = stage.read_meta()
    if meta["started_at"] != stage.read_json(stage.INGESTED / "ingest.json")["started_at"]:
        raise Stop(
            f"{stage.INGESTED}: was read later than what {stage.TABLES} was made of, for a run stopped between the two;"
            " mend what it named and run again: make run"
        )
    left_out = meta["left_out_columns"]
    paths = {name: stage.INGESTED / f"{name}.parquet" for name in TABLE_OF.values()}
    raw = {name: stage.read_table(path) for name, path in paths.items() if left_out and path.is_file()}
    clock, definition = Clock.of(stage.section(Source)), stage.section(Definition)
    return Material(stage.read_tables(), stage.read_attributes(), raw, left_out, definition, clock)


def fitting(table: PointsTable, given: Material, place: str) -> Inputs:
    """The table with what it may look at. Raises Stop as `check_points` does."""
    found = widened(table, given)
    check_points(table, found.tables, found.attributes, given.definition.events, given.left_out, place)
    return found


def widened(table: PointsTable, given: Material) -> Inputs:
    """With the columns that the table of points names besides the attributes, out of the raw tables; unchecked."""
    tables, found = dict(given.tables), list(given.attributes)
    used = {test.field for _, test in tests_of(table) if isinstance(test, FieldTest)}
    more = used & set(given.left_out) - set(given.definition.exclude) - set(fields_there(tables, found))
    for column in sorted(more):
        attribute = _more(column, tables, given.raw, given.clock)
        if attribute is not None:
            found.append(attribute)
    return Inputs(table, tables, tuple(found), given.clock.timezone)


def _more(column: str, tables: dict[str, pl.DataFrame], raw: Tables, clock: Clock) -> Attribute | None:
    """Put a column of the raw tables into the validated ones; None where its values are not read, such as dates."""
    entity: Entity = "account" if column not in raw["leads"].columns and column in _columns(raw, "accounts") else "lead"
    name, key = TABLE_OF[entity], {"lead": "row", "account": "account_id"}[entity]
    past = "history" in tables and tables["history"].filter(entity=entity, field=column).height > 0
    if column not in _columns(raw, name):
        return Attribute(column, column, entity, "categorical", has_history=past)
    rows = _readable(raw[name])
    values = rows[column]
    kind, _ = kind_of(column, pl.concat([values, values.clear(1)]), clock)  # a single value is as good as two
    if kind is None and values.null_count() < len(values):
        return None
    side = rows.select(key, read_values(values, kind or "categorical", clock).alias(column))
    side = side.unique(key, keep="first")
    tables[name] = tables[name].join(side, on=key, how="left", maintain_order="left")
    return Attribute(column, column, entity, kind or "categorical", has_history=past)


def _readable(table: pl.DataFrame) -> pl.DataFrame:
    """Without the rows that could not be read: their ids may be those of others."""
    return table.filter(pl.col("_broken").is_null()) if "_broken" in table.columns else table


def _columns(raw: Tables, name: str) -> list[str]:
    return raw[name].columns if name in raw else []
