"""What became known of each lead between two instants, in plain words."""

from collections.abc import Mapping

import polars as pl

from features.plan import Plan

MOST = 3
"""Kinds of news that are named; the others are left out."""


def news_of(tables: Mapping[str, pl.DataFrame], plan: Plan, since: int, as_of: int) -> pl.DataFrame:
    """`lead_id, new_events, new_stages, new_attributes` of the leads' own rows (and their account's history).

    `since` and `as_of` are µs; null where there was nothing. Events that the model never counts are left out.
    """
    leads = tables["leads"].select("lead_id", "account_id")
    found = leads.select("lead_id")
    for name, rows in _rows(tables, leads, plan).items():
        fresh = rows.filter((pl.col("at").to_physical() > since) & (pl.col("at").to_physical() <= as_of))
        found = found.join(_told(fresh, f"new_{name}"), on="lead_id", how="left", maintain_order="left")
    return found


def _rows(tables: Mapping[str, pl.DataFrame], leads: pl.DataFrame, plan: Plan) -> dict[str, pl.DataFrame]:
    """`lead_id, what, at` of each kind of news."""
    none = pl.DataFrame(schema={"lead_id": pl.String, "what": pl.String, "at": pl.Datetime("us", "UTC")})
    events = stages = changes = none
    if "events" in tables:
        counted = tables["events"].filter(~pl.col("type").is_in(list(plan.ignored)))
        events = counted.select("lead_id", what="type", at="known_at")
    if "stages" in tables:
        stages = tables["stages"].select("lead_id", what="stage", at="entered_at")
    if "history" in tables:
        changes = _changes(tables["history"], leads, plan)
    return {"events": events, "stages": stages, "attributes": changes}


def _changes(history: pl.DataFrame, leads: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Rows of fields that the model knows; an account's belong to each of its leads."""
    known = [f"{a.entity} {a.column}" for a in plan.attributes if a.has_history]
    rows = history.filter(pl.concat_str("entity", "field", separator=" ").is_in(known))
    rows = rows.select("entity", "id", what="field", at="changed_at")
    theirs = rows.filter(pl.col("entity") == "account").join(leads, left_on="id", right_on="account_id")
    mine = rows.filter(pl.col("entity") == "lead").rename({"id": "lead_id"})
    return pl.concat([frame.select("lead_id", "what", "at") for frame in (mine, theirs)])


def _told(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """`lead_id` and its most frequent news, such as "page view × 3, pricing view"."""
    counts = rows.group_by("lead_id", "what").len("n").sort("lead_id", "n", "what", descending=[False, True, False])
    often = pl.when(pl.col("n") > 1).then(pl.format(" × {}", "n")).otherwise(pl.lit(""))
    words = pl.concat_str(pl.col("what").str.replace_all("_", " "), often)
    return counts.group_by("lead_id", maintain_order=True).agg(words.head(MOST).str.join(", ").alias(name))
