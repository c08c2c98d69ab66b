"""Typed Polars tables to the kernel's arrays."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from features.arrays import Array, Floats
from features.columns import Attribute, Block, Column
from features.levels import lookup
from features.plan import Plan
from features.records import Events, History, Records, Stages, starts
from features.sorting import Happened, sort_events, sort_stages
from features.titles import read_title
from pipeline.assembly.values import BLOCK_TABLES, Tables, changes_of, history_of, micros, now_of, numbers, past_of

EVENT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "lead_id": pl.String,
    "occurred_at": pl.Datetime("us", "UTC"),
    "known_at": pl.Datetime("us", "UTC"),
    "type": pl.String,
    "topic": pl.String,
    "value": pl.Float64,
    "event_id": pl.String,
}


def with_known_outcomes(tables: Tables) -> Tables:
    """Without the leads whose outcome row was refused: nobody knows whether they converted."""
    return {**tables, "leads": tables["leads"].filter(~pl.col("outcome_refused"))}


def records_of(tables: Tables, plan: Plan, unknown: frozenset[Block] = frozenset()) -> tuple[Records, pl.DataFrame]:
    """Records of the accepted tables, and their leads in the same order: `lead_id, account_id, index`.

    A table that is absent makes its block unknown; without events or stages nobody knows what colleagues did, either.
    """
    leads = _ordered(tables["leads"])
    n = len(leads)
    account = leads["account"].to_numpy().astype(np.int64)
    attributes, levels, history = _attributes({**tables, "leads": tables["leads"][leads["place"]]}, leads, plan)
    records = Records(
        created=micros(leads["created_at"]),
        account=account,
        attributes=attributes,
        levels=levels,
        events=_events(tables.get("events"), leads, plan),
        stages=_stages(tables, leads, plan),
        history=history,
        account_start=starts(account, int(account[-1]) + 1 if n else 0),
        unknown=unknown | _unknown(tables),
        silent=any(table not in tables and table in plan.blocks for table in ("events", "stages")),
    )
    return records, leads.select("lead_id", "account_id", "index")


def _unknown(tables: Tables) -> frozenset[Block]:
    """Parts whose table is absent."""
    return frozenset(block for block, table in BLOCK_TABLES.items() if table not in tables)


def _ordered(leads: pl.DataFrame) -> pl.DataFrame:
    """Leads by account, creation and id; a lead without an account is an account of its own. `place`: where it is in
    the table. Attributes stay there: they may be called as our columns are."""
    own = pl.col("account_id").is_null()
    keyed = (
        leads.select("lead_id", "account_id", "created_at").with_row_index("place")
        .with_columns(own=own, key=pl.when(own).then("lead_id").otherwise("account_id"))
        .sort("own", "key", "created_at", "lead_id", nulls_last=True)
    )  # fmt: skip
    number = pl.struct("own", "key").rle_id().cast(pl.Int64).alias("account")
    return keyed.with_columns(number).drop("own", "key").with_row_index("index")


def _attributes(
    tables: Tables, leads: pl.DataFrame, plan: Plan
) -> tuple[Floats, dict[str, list[str]], dict[str, History]]:
    """Of the leads of the tables, which are in the order of `leads`."""
    changes = changes_of(tables, leads)
    columns: list[Floats] = []
    levels: dict[str, list[str]] = {}
    history: dict[str, History] = {}
    of = dict(zip((a.name for a in plan.attributes), plan.columns_of, strict=True))
    for attribute in plan.attributes:
        now, past = now_of(attribute, tables), past_of(attribute, changes)
        both = pl.concat([now.cast(pl.String), past["value"]]) if attribute.has_history else now
        for column, values in zip(of[attribute.name], _columns(attribute, both, levels, of), strict=True):
            columns.append(values[: len(now)])
            if attribute.has_history:
                history[column.name] = history_of(past, values[len(now) :], len(leads))
    matrix = np.column_stack(columns) if columns else np.empty((len(leads), 0))
    return np.ascontiguousarray(matrix), levels, history


def _columns(
    attribute: Attribute, values: pl.Series, levels: dict[str, list[str]], of: dict[str, tuple[Column, ...]]
) -> list[Floats]:
    """Numbers or codes of an attribute's columns: one, or seniority and function for a text."""
    unique, codes = numbers(values, attribute.kind)
    if attribute.kind == "categorical":
        levels[of[attribute.name][0].name] = unique
    if attribute.kind != "text":
        return [codes]
    read = np.array([read_title(t) for t in unique] + [(np.nan, np.nan)])
    return [*lookup(read, codes).T]


def _events(events: pl.DataFrame | None, leads: pl.DataFrame, plan: Plan) -> Events:
    if events is None:
        events = pl.DataFrame(schema=EVENT_SCHEMA)
    types = events["type"].unique().to_list()
    topics = [t for t in events["topic"].unique().to_list() if t is not None]
    slot = {t: plan.event_code(t) for t in types}
    topic = {t: plan.topic_code(t) for t in topics}
    coded = events.join(leads.select("lead_id", "index"), on="lead_id", how="inner").select(
        pl.col("index").cast(pl.Int64),
        pl.col("known_at").to_physical(),
        pl.col("occurred_at").to_physical(),
        _code("type", slot),
        pl.when(pl.col("topic").is_null()).then(pl.lit(-1, pl.Int16)).otherwise(_code("topic", topic)).alias("topic"),
        pl.col("value").fill_null(float("nan")),
        what=pl.struct("type", "topic", "event_id").hash().reinterpret(signed=True),
    )  # fmt: skip
    order = ("index", "known_at", "occurred_at", "type", "topic", "value", "what")
    rows = Happened(*(_array(c) for c in coded.filter(pl.col("type") >= 0).sort(order)))
    return sort_events(rows, len(leads), plan)


def _code(name: str, codes: Mapping[str, int]) -> pl.Expr:
    if not codes:
        return pl.lit(-1, pl.Int16).alias(name)
    return pl.col(name).replace_strict(list(codes), list(codes.values()), default=-1, return_dtype=pl.Int16)


def _array(column: pl.Series) -> Array:
    return np.ascontiguousarray(column.to_numpy())


def _stages(tables: Tables, leads: pl.DataFrame, plan: Plan) -> Stages:
    """Stages of the leads; a conversion by event that closes the lead stands among them."""
    parts = []
    if "stages" in tables:
        rows = tables["stages"].select("lead_id", "stage", pl.col("entered_at").alias("at"), "row", part=0)
        # one entry of a stage, however often and in whatever form its time was written
        parts.append(rows.sort("row").unique(["lead_id", "stage", "at"], keep="first", maintain_order=True))
    if plan.closing_event is not None and "events" in tables:
        closing = tables["events"].filter(pl.col("type") == plan.closing_event)
        parts.append(
            closing.select("lead_id", pl.col("type").alias("stage"), pl.col("known_at").alias("at"), "row", part=1)
        )
    index = leads.select("lead_id", "index")
    none = pl.DataFrame(
        schema={
            "lead_id": pl.String,
            "stage": pl.String,
            "at": EVENT_SCHEMA["known_at"],
            "row": pl.Int64,
            "part": pl.Int32,
        }
    )
    rows = pl.concat(parts or [none]).join(index, on="lead_id", how="inner").sort("index", "at", "part", "row")
    names = rows["stage"].unique().to_list()
    coded = rows.select(
        _code("stage", {s: plan.stage_code(s) for s in names}),
        _code("stage", {s: plan.stage_effect(s) for s in names}).alias("effect"),
        won=pl.col("stage") == plan.won,
    )
    return sort_stages(
        rows["index"].to_numpy().astype(np.int64),
        micros(rows["at"]),
        _array(coded["stage"]),
        _array(coded["effect"]),
        _array(coded["won"]),
        len(leads),
    )
