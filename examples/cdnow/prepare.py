"""Purchases in columns of fixed width become leads and events."""

from pathlib import Path

import polars as pl

LOG = "CDNOW_master.txt"


def prepare(source: Path, out: Path) -> None:
    """Write leads.csv (a customer, since the first purchase) and events.csv (a purchase a day, in dollars).

    What a customer buys on one day is one purchase, as Fader and Hardie count.
    """
    days = read(source / LOG).group_by("lead_id", "occurred_at").agg(pl.col("value").sum().round(2))
    days = days.sort("lead_id", "occurred_at")
    leads = days.group_by("lead_id", maintain_order=True).agg(created_at=pl.col("occurred_at").first())
    out.mkdir(parents=True, exist_ok=True)
    leads.write_csv(out / "leads.csv")
    days.with_columns(type=pl.lit("purchase")).write_csv(out / "events.csv")


def read(path: Path) -> pl.DataFrame:
    """`lead_id, occurred_at, value` of each line: customer, date, number of CDs and dollars, parted by blanks."""
    lines = pl.Series(path.read_text(encoding="ascii").splitlines()).str.strip_chars()
    fields = lines.filter(lines.str.contains(r"^\d")).str.extract_all(r"\S+")
    return pl.DataFrame({"field": fields}).select(
        pl.col("field").list.get(0).alias("lead_id"),
        pl.col("field").list.get(1).str.to_date("%Y%m%d").alias("occurred_at"),
        pl.col("field").list.get(3).cast(pl.Float64).alias("value"),
    )
