"""Join the marketplace's two files into lead tables.

Every column of the closed deals but their time exists only for winners, so none of them becomes an attribute.
"""

from pathlib import Path

import polars as pl

LEADS, DEALS = "olist_marketing_qualified_leads_dataset.csv", "olist_closed_deals_dataset.csv"


def prepare(source: Path, out: Path) -> None:
    """Write leads.csv (creation, origin, landing page) and stages.csv (won) under `out`."""
    leads = pl.read_csv(source / LEADS).select(
        pl.col("mql_id").alias("lead_id"),
        pl.col("first_contact_date").str.to_date("%d-%m-%Y").alias("created_at"),
        "origin",
        pl.col("landing_page_id").alias("landing_page"),
    )
    deals = pl.read_csv(source / DEALS, infer_schema=False).select(
        pl.col("mql_id").alias("lead_id"),
        pl.lit("won").alias("stage"),
        pl.col("won_date").str.to_datetime("%d-%m-%Y %H:%M").alias("entered_at"),
    )
    out.mkdir(parents=True, exist_ok=True)
    leads.write_csv(out / "leads.csv")
    deals.write_csv(out / "stages.csv")
