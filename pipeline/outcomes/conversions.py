"""When leads converted: by entries of a stage or by events, whichever definition.conversion names."""

from datetime import datetime

import numpy as np
import polars as pl

from features.records import Records, starts
from models.learning import labels
from models.learning.labels import Conversions
from pipeline.assembly.values import Tables
from pipeline.errors import Stop
from pipeline.params import Conversion, Definition


def conversions(
    records: Records, tables: Tables, order: pl.DataFrame, conversion: Conversion, until: int
) -> Conversions:
    """Every conversion of the leads of `order`, known by `until` (µs). Raises Stop where it is an event and there is
    none."""
    if conversion.event is None:
        return labels.conversions_of_stages(records)
    return _of_events(tables, order, conversion.event, until)


def _of_events(tables: Tables, order: pl.DataFrame, event: str, until: int) -> Conversions:
    known = (pl.col("type") == event) & (pl.col("known_at").to_physical() <= until)
    rows = tables["events"].filter(known).join(order, on="lead_id").sort("index", "occurred_at", "known_at")
    if rows.is_empty():
        raise Stop(
            f"definition.conversion.event: no event {event!r} belongs to a lead whose outcome is known; accepted types "
            f"of event: {_types(tables) or 'none'}. Refused ones are in data/quarantine/events.parquet"
        )
    at = rows["occurred_at"].to_physical().to_numpy().astype(np.int64)
    heard = rows["known_at"].to_physical().to_numpy().astype(np.int64)
    return Conversions(at, heard, starts(rows["index"].to_numpy().astype(np.int64), len(order)))


def _types(tables: Tables) -> str:
    return ", ".join(sorted(tables["events"]["type"].unique().to_list())[:20])


def amounts(tables: Tables, conversion: Conversion) -> pl.DataFrame | None:
    """`lead_id, at, known_at, amount` of every conversion; None without their table. A stage brings its amount, an
    event its value."""
    table, kind, at, known, amount = ("stages", "stage", "entered_at", "entered_at", "amount")
    if conversion.event is not None:
        table, kind, at, known, amount = ("events", "type", "occurred_at", "known_at", "value")
    if table not in tables:
        return None
    won = tables[table].filter(pl.col(kind) == (conversion.event or conversion.stage))
    return won.select("lead_id", at=at, known_at=known, amount=pl.col(amount).cast(pl.Float64))


def closing_when_it_happened(tables: Tables, definition: Definition, until: datetime) -> Tables:
    """A conversion by event closes its lead when it happens, however late its record reached us, by `until`."""
    event = definition.conversion.event
    if event is None or "events" not in tables:
        return tables
    came = (pl.col("type") == event) & (pl.col("known_at") <= until)
    happened = pl.when(came).then("occurred_at").otherwise("known_at")
    return {**tables, "events": tables["events"].with_columns(known_at=happened)}
