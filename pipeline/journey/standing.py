"""Open leads that stand still in their stage, as `leadscore stalled` finds them, counted by stage."""

from datetime import datetime
from typing import Any

import polars as pl

from pipeline.assembly.planning import bare_plan
from pipeline.assembly.values import Tables
from pipeline.journey.pace import entries, latest, usual_days
from pipeline.params import Definition


def standing_still(tables: Tables, definition: Definition, until: datetime) -> list[dict[str, Any]]:
    """Of the leads that are open in each stage at `until`: how many have been there for longer than three in four and
    nine in ten of those that went on; None where too few went on to say. A stage that opens a lead again counts too."""
    rows, plan = entries(tables, until), bare_plan(definition)
    there = latest(rows).filter(~pl.col("stage").is_in(list(plan.closes)))
    days = (pl.lit(until, pl.Datetime("us", "UTC")) - pl.col("entered_at")).dt.total_seconds() / 86_400
    held = there.join(usual_days(rows, plan), on="stage", how="left").with_columns(days=days)
    over = {q: (pl.col("days") > pl.col(f"usual_days_{q}")) for q in (75, 90)}
    counts = held.group_by("stage").agg(
        pl.len().alias("open"),
        pl.col("usual_days_75").first(),
        pl.col("usual_days_90").first(),
        *(
            pl.when(pl.col(f"usual_days_{q}").first().is_not_null()).then(over[q].sum()).alias(f"over_{q}")
            for q in over
        ),
    )
    return counts.sort("open", "stage", descending=[True, False]).to_dicts()
