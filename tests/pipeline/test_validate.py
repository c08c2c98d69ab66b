"""Every row is accepted, refused with a code, or excluded with a code."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.errors import Stop
from pipeline.ingest import ingest
from pipeline.params import Definition, Source
from pipeline.tables import read_source
from pipeline.validate import Checked, check, validate

NOW = datetime(2025, 1, 1, tzinfo=UTC)
SOURCE = Source(kind="tables")
LEADS = [
    {"lead_id": "1", "created_at": "2024-01-01", "source": "web"},
    {"lead_id": "2", "created_at": "2024-01-02", "source": "fair"},
]
WON = {"lead_id": "1", "stage": "won", "entered_at": "2024-03-01"}


def raw(**tables: list[Mapping[str, object]]) -> dict[str, pl.DataFrame]:
    frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items()}
    return {
        name: frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        for name, frame in frames.items()
    }


def checked(definition: dict[str, object] | None = None, **tables: list[Mapping[str, object]]) -> Checked:
    given = {"leads": LEADS, "stages": [WON], **tables}
    return check(raw(**given), SOURCE, Definition.model_validate(definition or {}), None, NOW)


def codes(result: Checked, table: str) -> list[tuple[int, str]]:
    both = [frames[table].select("row", "code") for frames in (result.refused, result.excluded)]
    return sorted(pl.concat(both).rows())


def test_good_rows_pass() -> None:
    """Nothing is refused where nothing is wrong."""
    result = checked(events=[{"lead_id": "1", "occurred_at": "2024-01-05", "type": "visit"}])
    assert all(not sums["quarantined"] and not sums["excluded"] for sums in result.report.values())
    assert result.meta["shape"] == "dated"
    assert result.meta["until"] == "2024-03-01T00:00:00+00:00"


LEAD = {"lead_id": "3", "created_at": "2024-01-01", "source": "web"}


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
        ([{**LEAD, "objected": "yes"}], [(2, "objected")]),
        ([{**LEAD, "objected": "2024-02-01"}], [(2, "objected")]),
        ([{**LEAD, "objected": "no"}], []),
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
    result = checked(accounts=accounts)
    assert codes(result, "accounts") == [
        (0, "conflicting_id"),
        (1, "conflicting_id"),
        (2, "impossible_number"),
    ]


EVENT = {
    "lead_id": "1",
    "occurred_at": "2024-02-01T10:00:00Z",
    "type": "visit",
    "event_id": "e1",
    "available_at": None,
}


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


def test_children_of_excluded_and_refused_leads() -> None:
    """What belongs to an objector is excluded as theirs; what belongs to a refused lead is an orphan."""
    leads = [*LEADS, {**LEAD, "objected": "yes"}, {**LEAD, "lead_id": "4", "created_at": "x"}]
    events = [{**EVENT, "lead_id": lead} for lead in "1234"]
    result = checked(leads=leads, events=events)
    assert codes(result, "events") == [(2, "objected"), (3, "unknown_lead")]
    assert result.excluded["events"]["lead_id"].to_list() == ["3"]


CHANGE = {"entity": "lead", "id": "1", "field": "budget", "value": "5", "changed_at": "2024-02-01"}


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
    """Numbers come with a point whatever the source writes, and an unknown spelling of a field is its column."""
    source = Source(kind="tables", decimal=",")
    leads = [{**lead, "Budget": "1,5"} for lead in LEADS]
    history = [{**CHANGE, "value": "2,5"}, {**CHANGE, "value": "3", "changed_at": "2024-03-01"}]
    result = check(raw(leads=leads, stages=[WON], history=history), source, Definition(), None, NOW)
    assert result.tables["history"].select("field", "value").rows() == [("Budget", "2.5"), ("Budget", "3.0")]


def test_shapes() -> None:
    """dated, outcome only, flat, or a message that explains the three."""
    outcome = [{"lead_id": "1", "created_at": "2024-01-01", "converted": "yes"}]
    flat = [{"lead_id": "1", "converted": "yes"}]

    def shape(*leads: Mapping[str, object]) -> str:
        return str(check(raw(leads=list(leads)), SOURCE, Definition(), None, NOW).meta["shape"])

    assert shape(*outcome) == "outcome"
    assert shape(*flat) == "flat"
    with pytest.raises(Stop, match="nothing to learn an outcome from"):
        shape({"lead_id": "1"})
    with pytest.raises(Stop, match="events: the table is missing"):
        checked({"conversion": {"event": "purchase"}})


def test_stages_decide_over_converted() -> None:
    """A converted cell that contradicts the stages is a warning."""
    result = checked(leads=[{**LEADS[0], "converted": "no"}, {**LEADS[1], "converted": "no"}])
    assert any("differs from stages in 1 leads" in warning for warning in result.meta["warnings"])


def test_too_many_refused_rows_stop_the_run() -> None:
    """The message names the table, the code, the first rows and what to do, and no value of theirs."""
    leads = [*LEADS, {**LEAD, "created_at": "secret"}]
    with pytest.raises(Stop, match=r"leads: 1 of 3 .*unreadable_time \(rows 2; .*date_format") as error:
        check(raw(leads=leads, stages=[WON]), SOURCE, Definition(), 0.02, NOW)
    assert "secret" not in str(error.value)


def test_repeats_do_not_count_against_the_limit() -> None:
    """An event_id makes a repeat harmless."""
    events = [EVENT, {**EVENT, "available_at": "2024-02-05"}]
    result = check(raw(leads=LEADS, stages=[WON], events=events), SOURCE, Definition(), 0.02, NOW)
    assert result.report["events"]["quarantined"] == {"repeated_event": 1}


def test_a_time_column_of_text_stops_the_run() -> None:
    """The column, the form expected and the shape that came; letters and digits are not repeated."""
    with pytest.raises(
        Stop, match=r"leads\.created_at: none of its 2 values .*ISO 8601.*'99\.99\.9999'.*date_format"
    ):
        checked(leads=[{**lead, "created_at": "31.12.2023"} for lead in LEADS])


def test_no_leads_stop_the_run() -> None:
    """An empty table of leads, and one of which nothing is left."""
    empty = {"leads": pl.DataFrame(schema={"row": pl.Int64, "lead_id": pl.String, "converted": pl.String})}
    with pytest.raises(Stop, match="leads: the table has no rows"):
        check(empty, SOURCE, Definition(), 0.02, NOW)
    with pytest.raises(Stop, match="no row is left"):
        checked(leads=[{**lead, "objected": "yes"} for lead in LEADS])


def test_empty_child_tables_are_tables() -> None:
    """A table without rows says that nothing happened."""
    tables = raw(leads=LEADS, stages=[WON])
    tables["events"] = pl.DataFrame(
        schema={"row": pl.Int64, **dict.fromkeys(["lead_id", "occurred_at", "type"], pl.String)}
    )
    assert check(tables, SOURCE, Definition(), 0.02, NOW).tables["events"].height == 0


def test_scoring_follows_the_kinds_of_training() -> None:
    """Kinds are not inferred anew: unreadable is missing, a missing column is null, an unknown one is listed."""
    trained = checked(
        leads=[{**LEADS[0], "size": "5", "plan": "a"}, {**LEADS[1], "size": "7", "plan": "b"}]
    ).attributes
    open_leads = [{**LEADS[0], "size": "big", "shoe": "x"}, {**LEADS[1], "size": "7", "shoe": "y"}]
    result = check(raw(leads=open_leads), SOURCE, Definition(), None, NOW, kinds=trained)
    assert result.tables["leads"]["size"].to_list() == [None, 7.0]
    assert result.tables["leads"]["plan"].to_list() == [None, None]
    assert result.meta["ignored_columns"] == ["leads.shoe"]
    assert result.attributes == trained


cell = st.sampled_from(
    [
        None,
        "",
        "1",
        "2",
        "9",
        "-1",
        "x",
        "won",
        "lost",
        "lead",
        "yes",
        "no",
        "2024-01-01",
        "2024-02-01",
        "2030-01-01",
    ]
)


def rows_of(*columns: str) -> st.SearchStrategy[list[dict[str, str | None]]]:
    return st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cell)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows_of("lead_id", "created_at", "objected", "value", "plan"),
    rows_of("lead_id", "stage", "entered_at", "amount"),
    rows_of("lead_id", "occurred_at", "type", "event_id", "available_at"),
    rows_of("entity", "id", "field", "value", "changed_at"),
)
def test_sums_balance(leads: list, stages: list, events: list, history: list) -> None:
    """Whatever comes, read is accepted + refused + excluded, and one row has one code."""
    given = {
        "leads": [{**LEAD, "value": None, "objected": None, "plan": "a"}, *leads],
        "stages": [{**WON, "lead_id": "3", "amount": None}, *stages],
        "events": [{**EVENT, "lead_id": "3", "available_at": "2024-02-01"}, *events],
        "history": [{**CHANGE, "id": "3"}, *history],
    }
    tables = {
        name: pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)) for name, rows in given.items()
    }
    tables = {
        n: t.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)) for n, t in tables.items()
    }
    try:
        result = check(tables, SOURCE, Definition(), None, NOW)
    except Stop as stop:
        assert "no row is left" in str(stop)  # noqa: PT017 (all else must balance)
        return
    for name, sums in result.report.items():
        assert sums["read"] == len(given[name])
        assert sums["read"] == sums["accepted"] + sum(sums["quarantined"].values()) + sum(
            sums["excluded"].values()
        )
        places = [row for frames in (result.refused, result.excluded) for row in frames[name]["row"]]
        assert len(set(places)) == len(places) == sums["read"] - result.tables[name].height


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_order_of_events_does_not_matter(data: st.DataObject) -> None:
    """A permutation of events with ids leaves the same accepted events."""
    event = st.fixed_dictionaries(
        {
            "lead_id": st.sampled_from(["1", "2", "9"]),
            "occurred_at": st.sampled_from(["2024-02-01", "2024-02-02", "x"]),
            "type": st.sampled_from(["a"]),
            "event_id": st.sampled_from(["e1", "e2"]),
            "available_at": st.sampled_from(["2024-02-03", "2024-02-04"]),
        }
    )
    rows = [
        {**EVENT, "event_id": "e0", "available_at": "2024-02-03"},
        *data.draw(st.lists(event, max_size=8)),
    ]
    one = checked(events=rows).tables["events"].drop("row", "occurred_at")
    other = checked(events=data.draw(st.permutations(rows))).tables["events"].drop("row", "occurred_at")
    assert_frame_equal(one, other, check_row_order=False)


def test_the_stage_writes_all_or_nothing(tmp_path: Path) -> None:
    """Tables, quarantine and report appear together; a stopped run leaves the last good ones."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "leads.csv").write_text(
        "lead_id,created_at\n1,2024-01-01\n1,2024-01-01\n2,2024-01-02\n"
    )
    (tmp_path / "in" / "stages.csv").write_text("lead_id,stage,entered_at\n1,won,2024-03-01\n")
    source = Source(kind="tables", path=tmp_path / "in")
    places = [tmp_path / name for name in ("ingested", "tables", "quarantine", "validation.json")]
    ingest(source, places[0], NOW, None)
    validate(*places, source, Definition(), 0.5)
    assert pl.read_parquet(places[2] / "leads.parquet").rows() == [
        ("leads", 1, "duplicate_row", "is identical to an earlier row, which stays")
    ]
    assert pl.read_parquet(places[2] / "stages.parquet").height == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(Stop, match="duplicate_row"):
        validate(*places, source, Definition(), 0.1)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the project")
def test_real_flat_files() -> None:
    """Two public flat files are read whole, without touching them."""
    school = Source(
        kind="tables", path=DATA / "x_education" / "Leads.csv", na_values=["Select"],
        columns={"lead_id": "Prospect ID", "converted": "Converted"},
    )  # fmt: skip
    bank = Source(
        kind="tables", path=DATA / "bank_marketing" / "bank-additional-full.csv", separator=";",
        columns={"converted": "y"}, na_values=["unknown"],
    )  # fmt: skip
    for source, rows, positive in ((school, 9240, 0.385), (bank, 41188, 0.113)):
        result = check(read_source(source, None), source, Definition(), 0.02, NOW)
        assert result.report["leads"]["accepted"] == rows
        assert result.tables["leads"]["converted"].mean() == pytest.approx(positive, abs=0.001)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the project")
def test_real_dates() -> None:
    """DD-MM-YYYY is read where declared, and nothing is taken for a phone number."""
    path = DATA / "olist_funnel" / "olist_marketing_qualified_leads_dataset.csv"
    columns = {"lead_id": "mql_id", "created_at": "first_contact_date"}
    source = Source(kind="tables", path=path, date_format="%d-%m-%Y", columns=columns)
    tables = {**read_source(source, None), **raw(stages=[WON])}
    leads = check(tables, source, Definition(), None, NOW).tables["leads"]
    assert leads.height == 8000
    assert leads["created_at"].min() == datetime(2017, 6, 14, tzinfo=UTC)
