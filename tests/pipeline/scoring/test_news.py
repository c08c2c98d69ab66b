"""What became known of leads between two instants, by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from features.columns import Attribute
from pipeline.assembly.planning import bare_plan
from pipeline.assembly.values import instant_us
from pipeline.params import Definition
from pipeline.scoring.news import news_of

PLAN = replace(
    bare_plan(Definition()),
    ignored=("spam",),
    attributes=tuple(
        Attribute(name, name, entity, "numeric", has_history=True)  # type: ignore[arg-type]
        for name, entity in (("budget", "lead"), ("size", "account"))
    ),
)


def day(n: int) -> datetime:
    """So many days after the start."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n)


LEADS = pl.DataFrame({"lead_id": ["a", "b", "c"], "account_id": ["A", "A", None]})
EVENTS = [("a", "page_view", 10), ("a", "pricing_view", 20), ("a", "page_view", 11), ("a", "page_view", 15),
          ("a", "spam", 15), ("b", "page_view", 21)]  # fmt: skip
HISTORY = [
    ("lead", "a", "budget", 12),
    ("account", "A", "size", 13),
    ("lead", "c", "mood", 13),
    ("lead", "b", "size", 13),
]


def test_news_are_what_came_after_the_one_instant_and_by_the_other() -> None:
    """The most frequent first, of what the model counts; what an account changed is news of each of its leads."""
    tables = {
        "leads": LEADS,
        "events": pl.DataFrame([(i, t, day(n)) for i, t, n in EVENTS], ["lead_id", "type", "known_at"], orient="row"),
        "stages": pl.DataFrame({"lead_id": ["b"], "stage": ["mql"], "entered_at": [day(12)]}),
        "history": pl.DataFrame(
            [(*row[:3], day(row[3])) for row in HISTORY], ["entity", "id", "field", "changed_at"], orient="row"
        ),
    }
    assert news_of(tables, PLAN, instant_us(day(10)), instant_us(day(20))).rows() == [
        ("a", "page view × 2, pricing view", None, "budget, size"),
        ("b", None, "mql", "size"),
        ("c", None, None, None),
    ]


def test_leads_alone_have_no_news() -> None:
    """Where there is no other table."""
    found = news_of({"leads": LEADS}, PLAN, 0, instant_us(day(99)))
    assert found.columns == ["lead_id", "new_events", "new_stages", "new_attributes"]
    assert found.drop("lead_id").null_count().row(0) == (3, 3, 3)
