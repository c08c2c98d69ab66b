"""The leads worth the next calls, and why."""

from pathlib import Path

import polars as pl

from models.policy.policy import Policy
from pipeline import stage
from pipeline.params import Source

SCHEMA = {
    "rank": pl.Int64, "lead_id": pl.String, "worth": pl.Float64, "probability": pl.Float64,
    "expected_value": pl.Float64, "grade": pl.String, "route": pl.String, "why": pl.String,
}  # fmt: skip
UNCALLED = "no_touch"
"""Leads of this route buy without a call."""


def queue(scores: pl.DataFrame, policy: Policy, capacity: int) -> pl.DataFrame:
    """At most `capacity` rows of SCHEMA, the best first, of a frame of scores with reasons.

    By worth: expected value less the cost of a call, where every open lead has an expected value, and then only
    leads that are worth it; else `worth` is null and the probability decides. Ties go by lead_id.
    """
    cost = policy.call_cost or 0.0
    mine = scores.filter((pl.col("status") == "scored") & (pl.col("route") != UNCALLED))
    valued = mine["expected_value"].null_count() == 0
    worth = pl.col("expected_value") - cost if valued else pl.lit(None, pl.Float64)
    mine = mine.with_columns(worth=worth)
    if valued:
        mine = mine.filter(pl.col("worth") > 0)
    best = mine.sort("worth" if valued else "probability", "lead_id", descending=[True, False]).head(capacity)
    texts = pl.concat_str("reason_1", "reason_2", "reason_3", separator="; ", ignore_nulls=True)
    return best.with_row_index("rank", offset=1).select(
        (texts if name == "why" else pl.col(name)).cast(kind).alias(name) for name, kind in SCHEMA.items()
    )


def last_tables() -> Path:
    """The lead tables of the last run. Raises Stop where there is none."""
    stage.check_run(", or give --tables and --bundle")
    source = stage.section(Source)
    return stage.SIMULATED if source.kind == "simulated" else source.path


def lines(found: pl.DataFrame) -> list[str]:
    """A line a lead, for people."""
    return [
        f"{r['rank']:>4}  {r['lead_id']}  {100 * r['probability']:.1f} %"
        + ("" if r["expected_value"] is None else f", expected value {r['expected_value']:,.0f}")
        + f", {r['grade']}, {r['route']}: {r['why']}"
        for r in found.iter_rows(named=True)
    ]
