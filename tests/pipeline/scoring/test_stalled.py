"""Leads that stand still, and those that nobody touched."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from models.bundle.folder import Bundle
from pipeline.journey.pace import usual_days
from pipeline.scoring.score import Asked
from pipeline.scoring.stalled import SCHEMA, stalled

NOW = datetime(2100, 1, 1, tzinfo=UTC)


def test_usual_days_are_those_of_leads_that_went_on(bundle: Bundle) -> None:
    """Quantiles of the days until the next stage; leads that closed without a conversion or stay do not count."""
    day = datetime(2025, 1, 1, tzinfo=UTC)
    rows = []
    for i in range(41):
        rows += [(f"L{i:02}", "mql", day), (f"L{i:02}", "sql", day + timedelta(days=i))]
    rows += [("lost", "mql", day), ("lost", "disqualified", day + timedelta(days=999)), ("still", "mql", day)]
    frame = pl.DataFrame(rows, ["lead_id", "stage", "entered_at"], orient="row")
    found = usual_days(frame, bundle.plan)
    assert found.rows() == [("mql", 30.0, 36.0)]
    few = usual_days(frame.head(38), bundle.plan)
    assert few.rows() == [("mql", None, None)]


def test_each_lead_has_its_reason(bundle: Bundle, asked: Asked) -> None:
    """Slower than usual, or untouched though its probability reaches the base rate; the most valuable first."""
    found = stalled(bundle, asked, 30)
    assert len(found) > 5
    assert dict(found.schema) == SCHEMA
    slow = (pl.col("days_in_stage") > pl.col("usual_days_75")).fill_null(False)
    left = (pl.col("days_untouched") >= 30) & (pl.col("probability") >= bundle.policy.base_rate)
    assert found.filter(~(slow | left)).is_empty()
    assert found.filter(slow)["why"].str.contains("that went on did so within").all()
    assert found.filter(left)["why"].str.contains("untouched by sellers").all()
    assert found["expected_value"].is_sorted(descending=True)


def test_only_what_was_known_counts(bundle: Bundle, asked: Asked) -> None:
    """Rows of later leave no trace."""
    times = {"leads": "created_at", "events": "known_at", "stages": "entered_at", "history": "changed_at"}
    tables = asked.checked.tables
    old = {name: tables[name].filter(pl.col(time) <= asked.as_of) for name, time in times.items()}
    cut = replace(asked, checked=replace(asked.checked, tables={**tables, **old}))
    assert stalled(bundle, cut, 30).equals(stalled(bundle, asked, 30))


def test_a_touch_takes_a_lead_off(bundle: Bundle, asked: Asked) -> None:
    """A call of a seller an hour ago, and nobody says any more that the lead is untouched."""
    assert asked.as_of is not None
    found = stalled(bundle, asked, 30).filter(pl.col("why").str.contains("untouched"))
    lead_id, hour = found["lead_id"][0], asked.as_of - timedelta(hours=1)
    tables = asked.checked.tables
    time = pl.lit(hour, pl.Datetime("us", "UTC"))
    call = tables["events"].head(1).with_columns(
        lead_id=pl.lit(lead_id), type=pl.lit("sales_call"), occurred_at=time, known_at=time
    )  # fmt: skip
    more = {**tables, "events": pl.concat([tables["events"], call])}
    again = stalled(bundle, replace(asked, checked=replace(asked.checked, tables=more)), 30)
    mine = again.filter((pl.col("lead_id") == lead_id) & pl.col("why").str.contains("untouched"))
    assert mine.is_empty()
    assert found["days_untouched"][0] >= 30


def test_without_sellers_nobody_is_untouched(bundle: Bundle, asked: Asked) -> None:
    """Tables without any event of a seller say nothing of who was touched."""
    tables = asked.checked.tables
    none = tables["events"].filter(pl.col("type").is_in(["page_view", "pricing_view"]))
    found = stalled(bundle, replace(asked, checked=replace(asked.checked, tables={**tables, "events": none})), 30)
    assert found["days_untouched"].null_count() == len(found)
    assert not found["why"].str.contains("untouched").any()
    assert found["why"].str.contains("that went on did so").fill_null(False).all(), "who stands still is there alone"
