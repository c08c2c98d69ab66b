"""The plan: names that had been seen when training ended."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
from validating import NOW, SOURCE, raw

from pipeline.assembly.planning import MOST_TOPICS, MOST_TYPES, bare_plan, learn_plan
from pipeline.params import Definition
from pipeline.reading.checked import check

LEADS = [{"lead_id": "1", "created_at": "2024-01-01", "account_id": "A"}]
END = datetime(2024, 3, 1, tzinfo=UTC)


def event(kind: str, at: str = "2024-02-01", **more: Any) -> dict[str, Any]:
    """An event of the lead."""
    return {"lead_id": "1", "type": kind, "occurred_at": at, "available_at": None, "topic": None, "value": None, **more}


def tables(**given: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    """Typed tables."""
    stages = [
        {"lead_id": "1", "stage": "mql", "entered_at": "2024-02-01"},
        {"lead_id": "1", "stage": "sql", "entered_at": "2024-04-01"},
    ]
    return check(raw(**{"leads": LEADS, "stages": stages, **given}), SOURCE, Definition(), None, NOW).tables


def test_names_of_later_are_not_known() -> None:
    """Types, topics, values and stages first known after train are none of the plan's business."""
    events = [
        event("visit", topic="x"), event("pricing_view"), event("late", available_at="2024-03-02"),
        event("new", "2024-04-01", topic="y"), event("visit", "2024-04-02", value=3.0),
    ]  # fmt: skip
    plan = learn_plan(tables(events=events), (), Definition(), END)
    assert [(t.name, t.group, t.has_value) for t in plan.types] == [
        ("pricing_view", "intent", False), ("visit", "engagement", False),
    ]  # fmt: skip
    assert plan.topics == ("x",)
    assert plan.stages == ("mql",)
    assert plan.event_code("new") == plan.other_slot


def test_what_sellers_do_is_never_a_feature() -> None:
    """By the user's word or a well-known name, seen by training or not; so is what is to be ignored."""
    said = Definition.model_validate({"events": {"visit": "ignore", "our_call": "seller", "task": "intent"}})
    plan = learn_plan(tables(events=[event(k) for k in ("visit", "sales_call", "task", "click")]), (), said, END)
    assert [t.name for t in plan.types] == ["click", "task"]
    for name in ("visit", "our_call", "sales_call", "email_sent"):
        assert plan.event_code(name) == -1, name


def test_only_the_most_frequent_have_columns() -> None:
    """At most so many types and topics; among equals by name, whatever the order of the rows."""
    events = [event(f"t{i:03}", topic=f"p{i:03}") for i in range(100)] * 1 + [event("t099", "2024-02-02", topic="p099")]
    for given in (events, events[::-1]):
        plan = learn_plan(tables(events=given), (), Definition(), END)
        assert [t.name for t in plan.types] == [*(f"t{i:03}" for i in range(MOST_TYPES - 1)), "t099"]
        assert plan.topics == (*(f"p{i:03}" for i in range(MOST_TOPICS - 1)), "p099")


def test_a_misspelt_row_takes_no_name() -> None:
    """Of types and topics that make one name the most frequent has it; the others are numbered."""
    events = [event(k, f"2024-02-{d:02}", topic=k) for d, k in enumerate(["page_view"] * 3 + ["Page_View", "app"], 1)]
    plan = learn_plan(tables(events=events), (), Definition(), END)
    assert [t.name for t in plan.types] == ["app", "page_view", "Page_View"]
    of = {c.name: c.of for c in plan.features}
    assert of["engagement_page_view_all"] == of["engagement_topic_page_view_all"] == "page_view"
    assert of["engagement_page_view_all_no2"] == of["engagement_topic_page_view_all_no2"] == "Page_View"


def test_blocks_are_the_tables_that_there_are() -> None:
    """Without a table its block is none of training's; without dates only attributes are."""
    assert learn_plan(tables(), (), Definition(), END).blocks == ("lead", "stages", "account_leads")
    lonely = tables(leads=[{"lead_id": "1", "created_at": "2024-01-01"}], accounts=[{"account_id": "Z"}])
    assert learn_plan(lonely, (), Definition(), END).blocks == ("lead", "account", "stages")
    assert learn_plan(lonely, (), Definition(), None).blocks == ("lead", "account")


def test_what_closes_a_lead() -> None:
    """The terminal stages and the conversion; an event only where it does not repeat."""
    assert bare_plan(Definition()).closes == ("won", "lost", "disqualified")
    once = Definition.model_validate({"conversion": {"event": "buy"}, "terminal": ["lost"]})
    assert (bare_plan(once).closes, bare_plan(once).closing_event, bare_plan(once).won) == (
        ("lost", "buy"),
        "buy",
        "buy",
    )
    often = Definition.model_validate({"conversion": {"event": "buy", "repeats": True}, "terminal": ["lost"]})
    assert (bare_plan(often).closes, bare_plan(often).closing_event) == (("lost",), None)
