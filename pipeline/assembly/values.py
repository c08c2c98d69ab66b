"""What the validated tables say of leads, as numbers: values of attributes now and in the past, and times."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import Floats, Ints
from features.columns import Attribute, Block, Kind
from features.records import History, starts
from pipeline.reading.texts import read_booleans

Tables = Mapping[str, pl.DataFrame]
BLOCK_TABLES: dict[Block, str] = {"account": "accounts", "events": "events", "stages": "stages", "history": "history"}
"""The parts of a record that have tables of their own."""


def micros(times: pl.Series) -> Ints:
    """Instants in µs since 1970 UTC; 0 where there is none."""
    return times.cast(pl.Datetime("us", "UTC")).to_physical().fill_null(0).to_numpy().astype(np.int64)


def instant_us(at: datetime) -> int:
    """An instant in µs since 1970 UTC."""
    return int(micros(pl.Series([at]))[0])


def instants(examples: pl.DataFrame) -> Ints:
    """`as_of` in µs; 0 without dates."""
    return micros(examples["as_of"])


def places(ids: pl.Series, among: pl.Series) -> Ints:
    """Where each id stands among others, shape (k,). Raises polars' InvalidOperationError for one that is not there."""
    if among.is_empty():
        return np.empty(0, np.int64)
    index = pl.int_range(len(among), eager=True, dtype=pl.Int64)
    return ids.replace_strict(among, index, return_dtype=pl.Int64).to_numpy()


def now_of(attribute: Attribute, tables: Tables) -> pl.Series:
    """An attribute's column, one value a lead of the tables; all null where there is no such column."""
    leads = tables["leads"]
    if attribute.entity == "lead":
        found = leads.get_column(attribute.column) if attribute.column in leads.columns else None
    else:
        accounts = tables.get("accounts")
        found = None
        if accounts is not None and attribute.column in accounts.columns:
            side = accounts.select("account_id", pl.col(attribute.column).alias("_value"))
            found = leads.select("account_id").join(side, on="account_id", how="left", maintain_order="left")["_value"]
    return pl.Series([None] * len(leads), dtype=pl.String) if found is None else found


PAST = pl.Schema({"value": pl.String(), "changed_at": pl.Datetime("us", "UTC"), "index": pl.UInt32()})
Changes = Mapping[tuple[object, ...], pl.DataFrame]
"""Rows of history (PAST) by entity and field; `index` is the number of the lead that they concern."""


def changes_of(tables: Tables, leads: pl.DataFrame) -> Changes:
    """Rows of history of each of `leads` (`index, lead_id, account_id`), its account's among them, sorted by it and
    time."""
    rows = tables.get("history")
    if rows is None:
        return {}
    mine = rows.filter(pl.col("entity") == "lead").join(
        leads.select("index", pl.col("lead_id").alias("id")), on="id", how="inner"
    )
    accounts = leads.filter(pl.col("account_id").is_not_null())
    theirs = rows.filter(pl.col("entity") == "account").join(
        accounts.select("index", pl.col("account_id").alias("id")), on="id", how="inner"
    )
    both = pl.concat([mine, theirs]).sort("index", "changed_at", "row")
    return both.select("entity", "field", *PAST).partition_by("entity", "field", as_dict=True, include_key=False)


def past_of(attribute: Attribute, changes: Changes) -> pl.DataFrame:
    """The rows of `changes_of` that are an attribute's."""
    return changes.get((attribute.entity, attribute.column), pl.DataFrame(schema=PAST))


def history_of(rows: pl.DataFrame, values: Floats, leads: int) -> History:
    """An attribute's past (`past_of`) with its values as numbers."""
    index = rows["index"].to_numpy().astype(np.int64)
    return History(micros(rows["changed_at"]), values, starts(index, leads))


def numbers(values: pl.Series, kind: Kind) -> tuple[list[str], Floats]:
    """Numbers, or codes of the texts listed beside them (none of numeric and boolean values); null is NaN."""
    if kind == "numeric":
        return [], floats(values.cast(pl.Float64, strict=False))
    if kind == "boolean":
        return [], floats(read_booleans(values).cast(pl.Float64))
    texts = values.cast(pl.String)
    unique = texts.unique().drop_nulls().sort()
    code = texts.replace_strict(unique, pl.int_range(len(unique), eager=True), default=None)
    return unique.to_list(), floats(code.cast(pl.Float64))


def floats(values: pl.Series) -> Floats:
    """Numbers; null is NaN."""
    return values.fill_null(float("nan")).to_numpy().astype(np.float64)
