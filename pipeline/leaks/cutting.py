"""Tables as they were at an instant, for many examples at once."""

from collections.abc import Callable
from typing import Literal

import polars as pl

from pipeline.assembly.values import Tables

MOST_LEADS = 200
"""Leads of an account kept for an example: the newest that existed, and as many of those that came after. More than
the kernel looks at; bounds the work for an account that is a catch-all of thousands."""
TIME_OF = {"events": "known_at", "stages": "entered_at", "history": "changed_at"}
IDS_OF = {
    "leads": ("lead_id", "account_id"), "accounts": ("account_id",), "events": ("lead_id",), "stages": ("lead_id",),
    "history": ("id",),
}  # fmt: skip
TEXTS = {"events": ("type", "topic"), "stages": ("stage",), "history": ("value",)}
Later = Literal["deleted", "changed"]


def cut(tables: Tables, examples: pl.DataFrame, later: Later, seed: int = 0) -> tuple[Tables, pl.DataFrame]:
    """Tables in which every example has a copy of its account of its own, and the examples renamed to match.

    In a copy all that was known after the example's instant (exclusive) is deleted, or changed: shuffled, moved
    and doubled, still after it. Leads created later among it, and in any case the outcome. Attributes without
    history stay. `examples` need `lead_id` and `as_of`, without nulls.
    """
    asked = examples.select("lead_id", _as_of="as_of").with_row_index("_example")
    leads = _leads(tables["leads"], asked)
    keys = leads.select("_example", "_as_of", "lead_id", "account_id", "created_at")
    copies = {"leads": _later(leads, "created_at", later, _other_lead, seed)}
    for name in ("events", "stages"):
        if name in tables:
            rows = keys.select("_example", "_as_of", "lead_id").join(tables[name], on="lead_id")
            copies[name] = _later(rows, TIME_OF[name], later, _other(name), seed)
    if "history" in tables:
        copies["history"] = _later(_history(tables["history"], keys), "changed_at", later, _other("history"), seed)
    if "accounts" in tables:
        own = keys.select("_example", "account_id").drop_nulls().unique(maintain_order=True)
        copies["accounts"] = own.join(tables["accounts"], on="account_id")
    named = asked.select(_own("lead_id"), as_of="_as_of")
    return {name: _renamed(name, rows) for name, rows in copies.items()}, named


def _leads(leads: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Of each example the leads of its account: MOST_LEADS that existed and MOST_LEADS that did not yet."""
    mine = asked.join(leads.select("lead_id", "account_id"), on="lead_id", maintain_order="left")
    alone = mine.filter(pl.col("account_id").is_null()).select("_example", "_as_of", "lead_id")
    among = mine.filter(pl.col("account_id").is_not_null())
    shared = among.drop("lead_id").join(leads, on="account_id")
    distance = (pl.col("created_at") - pl.col("_as_of")).abs()
    near = distance.rank("ordinal").over("_example", pl.col("created_at") > pl.col("_as_of")) <= MOST_LEADS
    itself = pl.struct("_example", "lead_id").is_in(
        among.select(pl.struct("_example", "lead_id")).to_series().implode()
    )
    shared = shared.filter(near | itself)
    columns = ["_example", "_as_of", *leads.columns]
    rows = pl.concat([alone.join(leads, on="lead_id").select(columns), shared.select(columns)])
    return rows.with_columns(converted=pl.lit(None, pl.Boolean), value=pl.lit(None, pl.Float64))


def _history(history: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Rows of the leads and of the accounts, once each."""
    parts = []
    for entity, key in (("lead", "lead_id"), ("account", "account_id")):
        own = keys.select("_example", "_as_of", pl.col(key).alias("id")).drop_nulls("id").unique(maintain_order=True)
        parts.append(own.join(history.filter(pl.col("entity") == entity), on="id"))
    return pl.concat(parts)


def _later(
    rows: pl.DataFrame, time: str, later: Later, other: Callable[[pl.DataFrame, int], pl.DataFrame], seed: int
) -> pl.DataFrame:
    known = rows.filter(pl.col(time) <= pl.col("_as_of"))
    if later == "deleted":
        return known
    after = rows.filter(pl.col(time) > pl.col("_as_of"))
    return pl.concat([known, other(after, seed)])


def _other(name: str) -> Callable[[pl.DataFrame, int], pl.DataFrame]:
    """Later rows with their texts shuffled, once at the first instant that is later and once a day after their own."""
    time, texts = TIME_OF[name], TEXTS[name]

    def other(after: pl.DataFrame, seed: int) -> pl.DataFrame:
        mixed = after.with_columns(pl.col(text).shuffle(seed + i) for i, text in enumerate(texts))
        if name == "events":
            early = pl.col("_as_of") - pl.duration(days=1)  # it happened before, and became known after
            mixed = mixed.with_columns(value=7 - pl.col("value"), occurred_at=pl.min_horizontal("occurred_at", early))
        soon = mixed.with_columns((pl.col("_as_of") + pl.duration(microseconds=1)).alias(time))
        return pl.concat([soon, mixed.with_columns(pl.col(time) + pl.duration(days=1))])

    return other


def _other_lead(after: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Later leads with each attribute shuffled among them, created at the first instant that is later."""
    kept = ("_example", "_as_of", "lead_id", "account_id", "created_at")
    mixed = after.with_columns(pl.col(c).shuffle(seed + i) for i, c in enumerate(after.columns) if c not in kept)
    return mixed.with_columns(created_at=pl.col("_as_of") + pl.duration(microseconds=1))


def _own(column: str) -> pl.Expr:
    return pl.concat_str(pl.col("_example").cast(pl.String), pl.lit(":"), column).alias(column)


def _renamed(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Ids with the number of the example before them: copies share nothing. Attributes that are called so stay."""
    return rows.with_columns(_own(column) for column in IDS_OF[name]).drop("_example", "_as_of", strict=False)
