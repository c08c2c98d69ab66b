"""Open leads that stand still in their stage, or that nobody touched though they are worth it."""

from datetime import datetime

import polars as pl

from features.vocabulary import event_group
from models.bundle.folder import Bundle
from pipeline.errors import Stop
from pipeline.journey.pace import entries, latest, usual_days
from pipeline.scoring.score import Asked, Schema, score_tables

SCHEMA: Schema = {
    "lead_id": pl.String, "as_of": pl.Datetime("us", "UTC"), "stage": pl.String, "days_in_stage": pl.Float64,
    "usual_days_75": pl.Float64, "usual_days_90": pl.Float64, "days_untouched": pl.Float64, "probability": pl.Float64,
    "grade": pl.String, "route": pl.String, "expected_value": pl.Float64, "why": pl.String, "model_version": pl.String,
}  # fmt: skip


def stalled(bundle: Bundle, asked: Asked, days: float) -> pl.DataFrame:
    """Leads by SCHEMA, the most valuable first.

    A lead stands still where it has been in its stage for longer than three quarters of the leads that went on from
    there had been, as far as was known then; nine in ten make it stand still for long. It is untouched where its
    probability reaches the base rate and it is `days` since its creation, its reopening and the last event of a
    seller. Usual days come from leads that did go on by the instant, so slow ones are missing: they err on the short
    side in a young stage.
    """
    if asked.as_of is None:
        raise Stop("--tables: the leads have no created_at, so nobody knows how long they have stood still; add it")
    leads = score_tables(bundle, asked, None).filter(pl.col("status") == "scored")
    rows = entries(asked.checked.tables, asked.as_of)
    found = leads.join(latest(rows), on="lead_id", how="left").join(
        usual_days(rows, bundle.plan), on="stage", how="left"
    )
    found = found.join(_touched(asked, bundle), on="lead_id", how="left").with_columns(
        days_in_stage=_days(asked.as_of, "entered_at"),
        days_untouched=_days(asked.as_of, "touched_at") if sellers_seen(asked, bundle) else pl.lit(None, pl.Float64),
    )
    slow, left = pl.col("days_in_stage") > pl.col("usual_days_75"), _neglected(bundle, days)
    found = found.filter(slow.fill_null(False) | left.fill_null(False))
    why = pl.concat_str(
        pl.when(slow).then(_slow()), pl.when(left).then(_left()), separator="; ", ignore_nulls=True
    )  # fmt: skip
    order = found.with_columns(why=why).sort(
        "expected_value", "probability", "lead_id", descending=[True, True, False], nulls_last=True
    )
    return order.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def _days(as_of: datetime, since: str) -> pl.Expr:
    return (pl.lit(as_of, pl.Datetime("us", "UTC")) - pl.col(since)).dt.total_seconds() / 86_400


def _neglected(bundle: Bundle, days: float) -> pl.Expr:
    return (pl.col("days_untouched") >= days) & (pl.col("probability") >= bundle.policy.base_rate)


def _slow() -> pl.Expr:
    long = pl.when(pl.col("days_in_stage") > pl.col("usual_days_90"))
    share = long.then(pl.lit("nine in ten")).otherwise(pl.lit("three in four"))
    usual = long.then("usual_days_90").otherwise("usual_days_75")
    return pl.format(
        "{} days in {}: {} that went on did so within {}",
        pl.col("days_in_stage").round(0).cast(pl.Int64), "stage", share, usual.round(1),
    )  # fmt: skip


def _left() -> pl.Expr:
    return pl.format("untouched by sellers for {} days", pl.col("days_untouched").round(0).cast(pl.Int64))


def sellers_seen(asked: Asked, bundle: Bundle) -> bool:
    """Whether the tables have any event of a seller: without, nobody knows who is untouched."""
    events = asked.checked.tables.get("events")
    return events is not None and not events.filter(pl.col("type").is_in(_sellers(events, bundle))).is_empty()


def _sellers(events: pl.DataFrame, bundle: Bundle) -> list[str]:
    said = dict(bundle.definition["events"])
    return [t for t in events["type"].unique().sort().to_list() if event_group(t, said) == "seller"]


def _touched(asked: Asked, bundle: Bundle) -> pl.DataFrame:
    """`lead_id, touched_at`: the last of a lead's creation, its reopening and the events of sellers, as known then."""
    tables = asked.checked.tables
    parts = [tables["leads"].select("lead_id", at="created_at")]
    if "events" in tables:
        events = tables["events"].filter(pl.col("type").is_in(_sellers(tables["events"], bundle)))
        parts.append(events.filter(pl.col("known_at") <= asked.as_of).select("lead_id", at="occurred_at"))
    if "stages" in tables:
        again = tables["stages"].filter(pl.col("stage").is_in(list(bundle.plan.reopens)))
        parts.append(again.filter(pl.col("entered_at") <= asked.as_of).select("lead_id", at="entered_at"))
    return pl.concat(parts).group_by("lead_id").agg(touched_at=pl.col("at").max())
