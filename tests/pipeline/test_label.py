"""The stage label: examples, maturity and folds of tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from validating import NOW, SOURCE, raw

from pipeline.errors import Stop
from pipeline.label import check as check_examples
from pipeline.label import check_horizons
from pipeline.outcomes.labelled import label
from pipeline.params import Definition, Split
from pipeline.reading.checked import check

DAY0 = datetime(2024, 1, 1, tzinfo=UTC)


def day(n: float) -> str:
    """ISO 8601 of a day after the first."""
    return (DAY0 + timedelta(days=n)).isoformat()


def examples(
    definition: dict[str, Any], split: dict[str, Any] | None = None, **tables: list[dict[str, Any]]
) -> pl.DataFrame:
    """What the stage makes of raw tables."""
    made = Definition.model_validate(definition)
    found = check(raw(**tables), SOURCE, made, None, NOW)
    until = found.meta["until"]
    present = None if until is None else datetime.fromisoformat(until)
    return label(found.tables, found.meta["shape"], present, made, Split.model_validate(split or {}))


def rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """(lead, day, label)."""
    at = ((frame["as_of"] - DAY0).dt.total_seconds() / 86_400).to_list()
    return list(zip(frame["lead_id"], at, frame["label"], strict=True))


def test_the_columns_are_those_of_the_contract() -> None:
    """`as_of` to the microsecond, in UTC; a label where mature, else null."""
    leads = [
        {"lead_id": "1", "created_at": "2024-01-01T00:00:00.123456+02:00"},
        {"lead_id": "2", "created_at": day(99)},
    ]
    won = [{"lead_id": "1", "stage": "won", "entered_at": day(2)}]
    found = examples({"snapshots": {"ages_days": [0, 1]}, "conversion": {"within_days": 5}}, leads=leads, stages=won)
    known = ["lead_id", "as_of", "age_days", "label", "mature", "fold"]
    assert found.columns == [*known, "days_to_conversion", "days_to_record"]
    assert found.schema["as_of"] == pl.Datetime("us", "UTC")
    assert found["as_of"][0] == datetime(2023, 12, 31, 22, 0, 0, 123456, tzinfo=UTC)
    assert found["label"].to_list() == [1, 1, None]
    assert found["mature"].to_list() == [True, True, False]
    assert found["fold"].to_list()[2] == "immature"


@pytest.mark.parametrize("repeats", [True, False])
def test_a_conversion_by_event(repeats: bool) -> None:
    """It closes the lead but where it repeats; each example looks at the next one after it."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(60)}]
    events = [{"lead_id": "1", "type": "buy", "occurred_at": day(n)} for n in (3, 20)]
    definition = {
        "conversion": {"event": "buy", "within_days": 5, "repeats": repeats},
        "snapshots": {"ages_days": [0, 3, 10, 15]},
    }
    found = rows(examples(definition, leads=leads, events=events).filter(pl.col("lead_id") == "1"))
    after = [("1", 3, 0), ("1", 10, 0), ("1", 15, 1)]
    assert found == [("1", 0, 1), *(after if repeats else [])]


@pytest.mark.parametrize("repeats", [True, False])
def test_what_was_bought_before_a_lead_was_there_labels_nothing(repeats: bool) -> None:
    """Where conversions repeat it is what a customer did before, and kept; else its lead's outcome is unknown."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(60)}]
    early, late = ({"lead_id": "1", "type": "buy", "occurred_at": day(n)} for n in (-3, 4))
    definition = {
        "conversion": {"event": "buy", "within_days": 5, "repeats": repeats},
        "snapshots": {"ages_days": [0, 3, 10]},
    }
    other = {"lead_id": "2", "type": "buy", "occurred_at": day(62)}
    without = rows(examples(definition, leads=leads, events=[late, other]).filter(pl.col("lead_id") == "1"))
    found = rows(examples(definition, leads=leads, events=[early, late, other]).filter(pl.col("lead_id") == "1"))
    assert found == (without if repeats else [])


def test_conversions_of_which_none_is_left_say_where_they_are() -> None:
    """Bought only before its lead was there: the message does not say that there is no such event."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(60)}]
    for kind, types in (("buy", "none"), ("look", "look")):
        events = [{"lead_id": "1", "type": kind, "occurred_at": day(-3)}]
        with pytest.raises(Stop, match=rf"no event 'buy' belongs to .* types of event: {types}\. .*quarantine/events"):
            examples({"conversion": {"event": "buy"}}, leads=leads, events=events)


def test_one_example_a_lead_where_there_are_outcomes_alone() -> None:
    """At its creation; mature where its outcome is known."""
    leads = [{"lead_id": str(i), "created_at": day(i), "converted": c} for i, c in enumerate(["1", "0", None, "yes"])]
    found = examples({}, leads=leads)
    assert rows(found) == [("0", 0, 1), ("1", 1, 0), ("2", 2, None), ("3", 3, 1)]
    assert found["age_days"].to_list() == [0] * 4


def test_horizons_need_to_know_when_a_lead_converted() -> None:
    """Outcomes alone do not say: the error names the parameter and the reason. One horizon does without."""
    several = Definition.model_validate({"horizons": [30, 90]})
    for shape in ("outcome", "flat"):
        with pytest.raises(Stop, match=r"definition\.horizons: .* when each lead converted"):
            check_horizons(shape, several)
        check_horizons(shape, Definition())
    check_horizons("dated", several)


def test_a_conversion_counts_in_days_from_the_example_and_from_when_it_was_heard_of() -> None:
    """Null beyond the horizon and after the present; a record that reached us late was not known before."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(60)}]
    events = [{"lead_id": "1", "type": "buy", "occurred_at": day(3.5), "available_at": day(6)}]
    found = examples(
        {"conversion": {"event": "buy", "within_days": 3, "repeats": True}, "snapshots": {"ages_days": [0, 1, 3]}},
        leads=leads, events=events,
    ).filter(pl.col("lead_id") == "1")  # fmt: skip
    assert found["days_to_conversion"].to_list() == [None, 2.5, 0.5]
    assert found["days_to_record"].to_list() == [None, 5, 3]


def test_of_two_records_of_one_instant_the_first_to_reach_us_counts() -> None:
    """Whichever stands first in the file: two purchases of a day, told as a date, one of them told of late."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(60)}]
    events = [
        {"lead_id": "1", "type": "buy", "occurred_at": day(2), "available_at": day(2 + n), "event_id": str(n)}
        for n in (9, 1, 5)
    ]
    definition = {"conversion": {"event": "buy", "within_days": 3, "repeats": True}, "snapshots": {"ages_days": [0]}}
    for given in (events, events[::-1]):
        assert examples(definition, leads=leads, events=given)["days_to_record"].to_list() == [3, None]


def test_flat_tables_have_no_instants() -> None:
    """One example a lead; folds by its id, or in file order."""
    leads = [{"lead_id": f"x{i}", "converted": "yes" if i % 3 else "no"} for i in range(200)]
    found = examples({}, leads=leads)
    assert found["as_of"].null_count() == found["age_days"].null_count() == 200
    assert found.equals(examples({}, leads=leads[::-1])), "models learn from rows in this order"
    by_file = examples({}, {"order": "file"}, leads=leads)
    assert by_file["lead_id"].to_list() == [lead["lead_id"] for lead in leads]
    ordered = by_file["fold"].to_list()
    assert ordered == sorted(ordered, key=["train", "calibrate", "test"].index)


def test_a_refused_outcome_leaves_its_lead_out() -> None:
    """Won before its creation: its outcome is unknown, so it is no example, and never a 0."""
    leads = [{"lead_id": i, "created_at": day(5)} for i in "12"] + [{"lead_id": "3", "created_at": day(99)}]
    stages = [{"lead_id": "1", "stage": "won", "entered_at": day(1)}]
    found = examples({"conversion": {"within_days": 5}}, leads=leads, stages=stages)
    assert set(found["lead_id"]) == {"2", "3"}


def test_the_order_of_rows_never_matters() -> None:
    """Shuffled leads and stages give the same examples in the same order."""
    leads = [{"lead_id": f"{i:03}", "created_at": day(i / 2), "account_id": f"{i % 7}"} for i in range(60)]
    stages = [
        {"lead_id": f"{i:03}", "stage": "won" if i % 4 else "lost", "entered_at": day(i / 2 + 3)}
        for i in range(0, 60, 2)
    ]
    definition = {"conversion": {"within_days": 4}, "snapshots": {"ages_days": [0, 1, 5]}}
    one = examples(definition, leads=leads, stages=stages)
    assert one.equals(examples(definition, leads=leads[::-1], stages=stages[::-1]))
    assert one.filter(pl.col("fold") == "test").height > 0


@pytest.mark.parametrize(("labels", "folds", "said"), [
    ([None, None], ["immature"] * 2, "mature"), ([1.0, 1.0], ["train", "test"], "fold train"),
    ([0.0, 1.0, 0.0], ["train", "train", "test"], "fold test"),
])  # fmt: skip
def test_nothing_to_learn_stops(labels: list[float | None], folds: list[str], said: str) -> None:
    """None mature, none converting, all converting: the run stops and says what to do."""
    frame = pl.DataFrame(
        {"label": labels, "fold": folds, "mature": [y is not None for y in labels]},
        schema_overrides={"label": pl.Float64},
    )
    with pytest.raises(Stop, match=said):
        check_examples(frame)


def test_a_late_record_of_a_conversion_closes_the_lead_when_it_happened() -> None:
    """Bought on day 5, recorded on day 15: no example lies between, and the one before converts."""
    leads = [{"lead_id": "1", "created_at": day(0)}]
    bought = [
        {"lead_id": "1", "occurred_at": day(5), "available_at": day(15), "type": "purchase"},
        {"lead_id": "1", "occurred_at": day(40), "type": "page_view"},
    ]
    ages = {"snapshots": {"ages_days": [0, 7, 14, 20]}, "conversion": {"event": "purchase", "within_days": 10}}
    assert rows(examples(ages, leads=leads, events=bought)) == [("1", 0, 1)]


def test_a_conversion_recorded_after_the_present_is_not_known() -> None:
    """With source.until on day 20, a purchase of day 5 that is recorded on day 30 labels nothing."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(0)}]
    bought = [
        {"lead_id": "1", "occurred_at": day(5), "available_at": day(30), "type": "purchase"},
        {"lead_id": "2", "occurred_at": day(5), "type": "purchase"},
    ]
    made = Definition.model_validate({"conversion": {"event": "purchase", "within_days": 10, "repeats": True}})
    found = check(raw(leads=leads, events=bought), SOURCE, made, None, NOW)
    labelled = label(found.tables, "dated", DAY0 + timedelta(days=20), made, Split())
    assert set(labelled.filter(pl.col("age_days") == 0).select("lead_id", "label").iter_rows()) == {("1", 0), ("2", 1)}


def test_an_outcome_of_a_lead_after_the_present_is_no_example() -> None:
    """Dated, outcome only: leads created after source.until do not exist yet."""
    leads = [{"lead_id": str(i), "created_at": day(i), "converted": i % 2} for i in range(20)]
    found = check(raw(leads=leads), SOURCE, Definition(), None, NOW)
    labelled = label(found.tables, "outcome", DAY0 + timedelta(days=9), Definition(), Split())
    assert labelled["lead_id"].to_list() == [str(i) for i in range(10)]


def test_a_purchase_known_after_the_end_closes_nobody() -> None:
    """Nothing is known after source.until: neither for the label nor for whether the lead is open. At it, all is."""
    leads = [{"lead_id": "1", "created_at": day(0)}, {"lead_id": "2", "created_at": day(0)}]
    bought = {"lead_id": "1", "type": "purchase", "occurred_at": day(20), "available_at": day(300)}
    other = {"lead_id": "2", "type": "purchase", "occurred_at": day(1), "available_at": day(1)}
    definition = Definition.model_validate(
        {"conversion": {"event": "purchase", "within_days": 10}, "snapshots": {"ages_days": [0, 30, 60]}}
    )
    source = SOURCE.model_copy(update={"until": DAY0 + timedelta(days=100)})
    with_it, without = (
        check(raw(leads=leads, events=events), source, definition, None, NOW) for events in ([other, bought], [other])
    )
    until = DAY0 + timedelta(days=100)
    found = [label(one.tables, "dated", until, definition, Split()).drop("fold") for one in (with_it, without)]
    assert found[0].equals(found[1])
    assert found[0]["lead_id"].to_list() == ["1", "1", "1", "2"]
    at_the_end = check(
        raw(leads=leads, events=[other, {**bought, "available_at": day(100)}]), source, definition, None, NOW
    )
    assert label(at_the_end.tables, "dated", until, definition, Split())["lead_id"].to_list() == ["1", "2"]
