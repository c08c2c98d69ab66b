"""How long leads usually stay in a stage before they go on, and where each stands at an instant."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from features.plan import Plan

LEAST_MOVES = 20
"""Fewer leads that went on from a stage say nothing of how long it usually takes."""
FRESH = "(no stage yet)"


def entries(tables: Mapping[str, pl.DataFrame], as_of: datetime) -> pl.DataFrame:
    """`lead_id, stage, entered_at` of the leads, known at the instant, in order; each enters FRESH when created."""
    known = pl.col("entered_at") <= as_of
    born = tables["leads"].select("lead_id", stage=pl.lit(FRESH), entered_at="created_at", row=pl.lit(-1, pl.Int64))
    parts = [born.drop_nulls("entered_at")]
    if "stages" in tables:
        theirs = tables["stages"].join(tables["leads"], on="lead_id", how="semi")
        parts.append(theirs.select("lead_id", "stage", "entered_at", pl.col("row").cast(pl.Int64)))
    return pl.concat(parts).filter(known).sort("lead_id", "entered_at", "row").drop("row")


def latest(rows: pl.DataFrame) -> pl.DataFrame:
    """Where each lead stands: the last of its entries."""
    return rows.group_by("lead_id", maintain_order=True).last()


def usual_days(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """`stage, usual_days_75, usual_days_90`: quantiles of the days in a stage before a lead went on from it.

    To go on is to enter another stage that does not close the lead without a conversion. Null where fewer than
    LEAST_MOVES did.
    """
    ends = [stage for stage in plan.closes if stage != plan.won]
    moves = rows.with_columns(
        next=pl.col("stage").shift(-1).over("lead_id"), until=pl.col("entered_at").shift(-1).over("lead_id")
    ).filter(pl.col("next").is_not_null() & ~pl.col("next").is_in(ends) & (pl.col("next") != pl.col("stage")))
    spent = (pl.col("until") - pl.col("entered_at")).dt.total_seconds() / 86_400
    enough = pl.len() >= LEAST_MOVES
    return moves.group_by("stage").agg(
        pl.when(enough).then(spent.quantile(q / 100, "linear")).alias(f"usual_days_{q}") for q in (75, 90)
    )
