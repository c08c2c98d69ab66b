"""Requests made of validated tables."""

from datetime import datetime
from typing import Any

import polars as pl


def request_of(tables: dict[str, pl.DataFrame], lead_id: str, as_of: datetime) -> dict[str, Any]:
    """What a CRM would send of a lead of validated tables."""
    leads = tables["leads"]
    me = leads.row(by_predicate=pl.col("lead_id") == lead_id, named=True)
    account = me["account_id"]
    others = (
        []
        if account is None
        else leads.filter((pl.col("account_id") == account) & (pl.col("lead_id") != lead_id)).to_dicts()
    )
    own = _life(tables, me)
    rows = tables["accounts"].filter(pl.col("account_id") == (account or "")).to_dicts()
    own["history"] += _rows(
        tables["history"].filter((pl.col("entity") == "account") & (pl.col("id") == (account or "")))
    )
    return {**own, "account": rows[0] if rows else {}, "account_leads": [_life(tables, o) for o in others],
            "as_of": as_of.isoformat()}  # fmt: skip


def _life(tables: dict[str, pl.DataFrame], lead: dict[str, Any]) -> dict[str, Any]:
    def of(table: str) -> pl.DataFrame:
        return tables[table].filter(pl.col("lead_id") == lead["lead_id"]).sort("row")

    events = of("events").rename({"known_at": "available_at"})
    history = tables["history"].filter((pl.col("entity") == "lead") & (pl.col("id") == lead["lead_id"])).sort("row")
    return {"lead": _rows(pl.DataFrame([lead]))[0], "events": _rows(events), "stages": _rows(of("stages")),
            "history": _rows(history)}  # fmt: skip


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    text = pl.selectors.temporal().dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return frame.with_columns(text).to_dicts()
