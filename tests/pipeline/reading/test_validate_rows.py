"""Each wrong row gets the first code that applies."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from polars.testing import assert_frame_equal
from validating import CHANGE, EVENT, LEAD, LEADS, NOW, WON, checked, codes, raw

from pipeline.params import Definition, Source
from pipeline.reading.attributes import Inferred
from pipeline.reading.checked import check


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([LEAD, LEAD], [(3, "duplicate_row")]),
        ([LEAD, {**LEAD, "source": "x"}], [(2, "conflicting_id"), (3, "conflicting_id")]),
        (
            [LEAD, LEAD, {**LEAD, "source": "x"}],
            [(2, "conflicting_id"), (3, "duplicate_row"), (4, "conflicting_id")],
        ),
        ([{**LEAD, "lead_id": None}], [(2, "missing_id")]),
        ([{**LEAD, "created_at": "soon"}], [(2, "unreadable_time")]),
        ([{**LEAD, "created_at": None}], [(2, "missing_value")]),
        ([{**LEAD, "created_at": "2025-01-02"}], [(2, "future_time")]),
        ([{**LEAD, "value": "-5"}], [(2, "impossible_number")]),
        ([{**LEAD, "value": "much"}], [(2, "impossible_number")]),
        ([{**LEAD, "value": "1e999"}], [(2, "impossible_number")]),
        ([{**LEAD, "value": float("nan")}], []),
        ([{**LEAD, "objected": "yes"}], [(2, "objected")]),
        ([{**LEAD, "objected": "2024-02-01"}], [(2, "objected")]),
        ([{**LEAD, "objected": "no"}], []),
        ([{**LEAD, "objected": "0.0"}], []),
        ([{**LEAD, "is_test": "true"}], [(2, "test_record")]),
        ([{**LEAD, "source": "Test"}], [(2, "test_record")]),
        ([{**LEAD, "job_title": "Test Engineer"}], []),
        ([{**LEAD, "_broken": "ragged_row"}], [(2, "ragged_row")]),
        ([{**LEAD, "_broken": "undecodable_text"}], [(2, "undecodable_text")]),
        ([{**LEAD, "objected": "yes", "created_at": "soon"}], [(2, "objected")]),
    ],
)
def test_leads(rows: list[Mapping[str, object]], expected: list[tuple[int, str]]) -> None:
    """Each wrong lead gets the first code that applies."""
    assert codes(checked(leads=[*LEADS, *rows]), "leads") == expected


def test_accounts() -> None:
    """Companies that share an id and disagree are all refused; negative staff is impossible."""
    accounts = [
        {"account_id": "A", "employees": 5},
        {"account_id": "A", "employees": 6},
        {"account_id": "B", "employees": -1},
    ]
    result = checked(leads=[{**lead, "account_id": "B"} for lead in LEADS], accounts=accounts)
    assert codes(result, "accounts") == [
        (0, "conflicting_id"),
        (1, "conflicting_id"),
        (2, "impossible_number"),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([EVENT, EVENT], [(1, "duplicate_row")]),
        ([{**EVENT, "available_at": "2024-02-03"}, EVENT], [(0, "repeated_event")]),
        ([EVENT, {**EVENT, "lead_id": "2"}], []),
        ([{**EVENT, "event_id": None, "type": "a"}, {**EVENT, "event_id": None}], []),
        ([EVENT, {**EVENT, "lead_id": "9"}], [(1, "unknown_lead")]),
        ([EVENT, {**EVENT, "lead_id": None}], [(1, "missing_id")]),
        ([EVENT, {**EVENT, "type": None}], [(1, "missing_value")]),
        ([EVENT, {**EVENT, "occurred_at": None}], [(1, "missing_value")]),
        ([EVENT, {**EVENT, "occurred_at": "5.2.2024"}], [(1, "unreadable_time")]),
        ([EVENT, {**EVENT, "available_at": "2025-02-02"}], [(1, "future_time")]),
        ([{**EVENT, "occurred_at": "2020-01-01"}], []),
        ([{**EVENT, "value": "many"}], []),
    ],
)
def test_events(rows: list[Mapping[str, object]], expected: list[tuple[int, str]]) -> None:
    """Each wrong event gets the first code that applies; visits before the creation are right."""
    assert codes(checked(events=rows), "events") == expected


def test_known_at_is_the_later_time() -> None:
    """An event is known when it reached us."""
    result = checked(events=[EVENT, {**EVENT, "event_id": "e2", "available_at": "2024-02-03"}])
    assert result.tables["events"]["known_at"].to_list() == [
        datetime(2024, 2, 1, 10, tzinfo=UTC),
        datetime(2024, 2, 3, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("rows", "expected", "refused"),
    [
        ([WON, WON], [(1, "duplicate_row")], False),
        ([{**WON, "entered_at": "2023-12-31"}], [(0, "before_creation")], True),
        ([{**WON, "stage": "mql", "entered_at": "2023-12-31"}], [], False),
        ([WON, {**WON, "stage": "lost"}], [(0, "contradictory_outcome"), (1, "contradictory_outcome")], True),
        ([WON, {**WON, "stage": "lost", "entered_at": "2024-04-01"}], [], False),
        ([{**WON, "amount": "-1"}], [(0, "impossible_number")], True),
        ([{**WON, "entered_at": "2025-06-01"}], [(0, "future_time")], True),
        ([WON, {**WON, "stage": None}], [(1, "missing_value")], True),
        ([WON, {**WON, "lead_id": "9"}], [(1, "unknown_lead")], False),
    ],
)
def test_stages(rows: list[Mapping[str, object]], expected: list[tuple[int, str]], refused: bool) -> None:
    """Each wrong stage gets its code, and a lead whose outcome was refused has an unknown one."""
    result = checked(stages=rows)
    assert codes(result, "stages") == expected
    assert result.tables["leads"]["outcome_refused"].to_list() == [refused, False]


def test_won_is_an_outcome_where_it_closes_leads() -> None:
    """Not where another stage is the conversion and closes them: then it may come before its lead's creation."""
    signed = {"lead_id": "2", "stage": "signed", "entered_at": "2024-03-01"}
    early = {**WON, "entered_at": "2023-12-31"}
    definition: dict[str, object] = {
        "conversion": {"stage": "signed", "within_days": 90},
        "terminal": ["signed", "lost"],
    }
    assert codes(checked(definition, stages=[signed, early]), "stages") == []
    definition["terminal"] = ["signed", "won", "lost"]
    assert codes(checked(definition, stages=[signed, early]), "stages") == [(1, "before_creation")]


def test_ids_stay_as_they_came() -> None:
    """With the spaces in them, in every table; other texts lose those at their ends."""
    leads = [{**LEAD, "lead_id": " 1 ", "account_id": "A "}, LEADS[1]]
    won, visit = ({**row, "lead_id": " 1 "} for row in (WON, {**EVENT, "type": " visit ", "event_id": "e "}))
    accounts, change = [{"account_id": "A ", "size": "5"}], {**CHANGE, "entity": " account", "id": "A "}
    result = checked(leads=leads, accounts=accounts, stages=[won], events=[visit, EVENT], history=[change])
    assert result.tables["leads"].select("lead_id", "account_id").row(0) == (" 1 ", "A ")
    assert result.tables["stages"]["lead_id"].to_list() == [" 1 "]
    assert result.tables["events"].select("lead_id", "type", "event_id").rows() == [(" 1 ", "visit", "e ")]
    assert codes(result, "events") == [(1, "unknown_lead")]
    assert result.tables["accounts"]["account_id"].to_list() == result.tables["history"]["id"].to_list() == ["A "]


def test_a_refused_row_says_why() -> None:
    """In words, beside its code: those of the rule that it breaks."""
    result = checked(events=[{**EVENT, "lead_id": "9"}, {**EVENT, "lead_id": None}])
    assert result.refused["events"]["reason"].to_list() == ["its lead is not among the accepted leads", "has no id"]


def test_children_of_excluded_and_refused_leads() -> None:
    """What belongs to an objector is excluded as theirs; what belongs to a refused lead is an orphan."""
    leads = [*LEADS, {**LEAD, "objected": "yes"}, {**LEAD, "lead_id": "4", "created_at": "x"}]
    events = [{**EVENT, "lead_id": lead} for lead in "1234"]
    result = checked(leads=leads, events=events)
    assert codes(result, "events") == [(2, "objected"), (3, "unknown_lead")]
    assert result.excluded["events"]["lead_id"].to_list() == ["3"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "9"}, "unknown_entity"),
        ({"entity": "deal"}, "unknown_entity"),
        ({"entity": "account", "id": "A"}, None),
        ({"entity": "account", "id": "B"}, "unknown_entity"),
        ({"field": None}, "missing_value"),
        ({"field": "phone", "value": None}, "personal_data"),
        ({"changed_at": "x"}, "unreadable_time"),
        ({"changed_at": "2026-01-01"}, "future_time"),
        ({}, "duplicate_row"),
        ({"value": None, "changed_at": "2024-03-01"}, None),
    ],
)
def test_history(row: Mapping[str, object], expected: str | None) -> None:
    """Each wrong change gets its code; an account that leads name is known even without a row."""
    leads = [{**lead, "account_id": "A"} for lead in LEADS]
    result = checked(leads=leads, history=[CHANGE, {**CHANGE, **row}])
    assert codes(result, "history") == ([(1, expected)] if expected else [])


def test_history_values_have_one_spelling() -> None:
    """Numbers come with a point whatever the source writes, another spelling of a field is its column."""
    source = Source(kind="tables", decimal=",")
    leads = [{**lead, "Budget": "1,5"} for lead in LEADS]
    history = [{**CHANGE, "value": "2,5"}, {**CHANGE, "value": "3", "changed_at": "2024-03-01"}]
    result = check(raw(leads=leads, stages=[WON], history=history), source, Definition(), None, NOW)
    assert result.tables["history"].select("field", "value").rows() == [("Budget", "2.5"), ("Budget", "3.0")]


def test_impossible_numbers_are_refused_alike_to_train_and_to_score() -> None:
    """Unreadable, infinite and negative attributes: the same rows of leads, accounts and history, inferred or known."""
    n = 300
    bad = {7: "much", 8: "-5", 9: "1e999"}
    numbers = [bad.get(i, str(i)) for i in range(n)]
    leads = [
        {
            "lead_id": str(i),
            "created_at": "2024-01-01",
            "account_id": f"A{i}",
            "staff": numbers[i],
            "score": numbers[-i],
        }
        for i in range(n)
    ]
    accounts = [{"account_id": f"A{i}", "employees": numbers[i - 20]} for i in range(n)]
    history = [
        {**CHANGE, "entity": entity, "id": prefix + str(i), "field": field, "value": numbers[i - shift]}
        for entity, prefix, field, shift in (("lead", "", "staff", 40), ("account", "A", "employees", 50))
        for i in range(n)
    ]
    tables = raw(leads=leads, accounts=accounts, stages=[WON], history=history)
    source = Source(kind="tables")
    trained = check(tables, source, Definition(), None, NOW)
    assert {a.column: a.kind for a in trained.attributes} == dict.fromkeys(("staff", "score", "employees"), "numeric")
    scored = check(tables, source, Definition(), None, NOW, Inferred(trained.attributes))
    impossible = {
        name: [row for row, code in codes(trained, name) if code == "impossible_number"] for name in trained.tables
    }
    assert impossible["leads"] == [7, 8, 9, n - 9, n - 7]  # `score` may be negative, by its name
    assert impossible["accounts"] == [27, 28, 29]
    assert impossible["history"] == [47, 48, 49, n + 57, n + 58, n + 59]
    for name, table in trained.tables.items():
        assert codes(scored, name) == codes(trained, name)
        assert_frame_equal(scored.tables[name], table)
