"""Every row is accepted, refused with a code, or excluded with a code."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from validating import CHANGE, EVENT, LEAD, LEADS, NOW, SOURCE, WON, checked, codes, raw

from pipeline.errors import Stop
from pipeline.ingest import ingest
from pipeline.params import Definition, Source
from pipeline.reading.attributes import Inferred
from pipeline.reading.checked import check
from pipeline.reading.personal import remove
from pipeline.reading.tables import read_tables
from pipeline.validate import validate


def test_good_rows_pass() -> None:
    """Nothing is refused where nothing is wrong."""
    result = checked(events=[{"lead_id": "1", "occurred_at": "2024-01-05", "type": "visit"}])
    assert all(not sums["quarantined"] and not sums["excluded"] for sums in result.report.values())
    assert result.meta["shape"] == "dated"
    assert result.meta["until"] == "2024-03-01T00:00:00+00:00"


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
    with pytest.raises(Stop, match=r"source\.separator: ';'"):
        shape({"lead_id": "0", "id;converted": "1;yes"})
    with pytest.raises(Stop, match="events: the table is missing"):
        checked({"conversion": {"event": "purchase"}})


def test_stages_decide_over_converted() -> None:
    """A converted cell that contradicts the stages is a warning; an empty one contradicts nothing."""
    for other in ("no", None):
        result = checked(leads=[{**LEADS[0], "converted": "no"}, {**LEADS[1], "converted": other}])
        assert any("differs from stages in 1 leads" in warning for warning in result.meta["warnings"])


def test_the_present_is_in_the_zone_of_the_tables() -> None:
    """Where source.until has no offset, as the times in the tables."""
    source = SOURCE.model_copy(update={"timezone": "Europe/Helsinki", "until": datetime(2024, 3, 5)})
    until = check(raw(leads=LEADS, stages=[WON]), source, Definition(), None, NOW).meta["until"]
    assert until == "2024-03-05T00:00:00+02:00"


def entered(*stages: str, **definition: object) -> list[str]:
    """Warnings about definition.* where lead 1 enters these stages."""
    rows = [{**WON, "stage": stage, "entered_at": f"2024-03-{i:02}"} for i, stage in enumerate(stages, start=1)]
    warnings = checked(definition or None, stages=rows).meta["warnings"]
    return [warning for warning in warnings if warning.startswith("definition.")]


def test_names_of_stages_that_no_lead_enters_are_said() -> None:
    """Where nothing closes a lead but converting, and where a name is another but for case and signs; else nothing."""
    (said,) = entered("Working", "Closed Won", "Closed Lost", conversion={"stage": "Closed Won"})
    assert said.startswith("definition.terminal: no lead enters any of won, lost, disqualified but what converts")
    assert "Closed Lost, Closed Won, Working" in said
    named = {"conversion": {"stage": "Closed Won"}, "terminal": ["Closed Won", "Closed-Lost", "Dead"]}
    (said,) = entered("Closed Won", "Closed Lost", "Dead", "recycled", **named)
    assert said == "definition.terminal: no lead enters 'Closed-Lost'; did you mean 'Closed Lost'?"
    (said,) = entered("won", "lost", "Recycled")
    assert said == "definition.reopens: no lead enters 'recycled'; did you mean 'Recycled'?"
    assert entered("won", "lost", "recycled") == entered("won", "mql", "disqualified") == entered("won") == []


def test_too_many_refused_rows_stop_the_run() -> None:
    """The message names the table, the code, the first rows and what to do, and no value of theirs."""
    leads = [*LEADS, {**LEAD, "created_at": "secret"}]
    with pytest.raises(Stop, match=r"leads: 1 of 3 .*unreadable_time \(rows 2; .*date_format") as error:
        check(raw(leads=leads, stages=[WON]), SOURCE, Definition(), 0.02, NOW)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("refused", "of"), [(2, 100), (29, 100), (57, 100), (55, 150)])
def test_as_many_refused_rows_as_are_allowed_stop_no_run(refused: int, of: int) -> None:
    """Exactly the share that the parameter says, however it is rounded in binary; one more stops the run."""
    good = [{**LEAD, "lead_id": str(i)} for i in range(of - refused)]
    bad = [{**LEAD, "lead_id": None, "source": str(i)} for i in range(refused + 1)]
    limit = float(f"{refused / of:.15g}")
    for rows, of_them in ((bad[:-1], refused), (bad, refused + 1)):
        tables = raw(leads=[*good, *rows][-of:], stages=[{**WON, "lead_id": str(of - refused - 1)}])
        if of_them > refused:
            with pytest.raises(Stop, match=f"^{SOURCE.path}: leads: {of_them} of {of} rows were refused"):
                check(tables, SOURCE, Definition(), limit, NOW)
        else:
            assert check(tables, SOURCE, Definition(), limit, NOW).report["leads"]["quarantined"] == {
                "missing_id": refused
            }


def test_repeats_do_not_count_against_the_limit() -> None:
    """An event_id makes a repeat harmless."""
    events = [EVENT, {**EVENT, "available_at": "2024-02-05"}]
    result = check(raw(leads=LEADS, stages=[WON], events=events), SOURCE, Definition(), 0.02, NOW)
    assert result.report["events"]["quarantined"] == {"repeated_event": 1}


def test_a_time_column_of_text_stops_the_run() -> None:
    """The column, the form expected and the shape that came; letters and digits are not repeated."""
    with pytest.raises(Stop, match=r"leads\.created_at: none of its 2 values .*ISO 8601.*'99\.99\.9999'.*date_format"):
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
    """Kinds are not inferred anew: no number is refused, a missing column is null, unknown ones are listed."""
    trained = checked(leads=[{**LEADS[0], "size": "5", "plan": "a"}, {**LEADS[1], "size": "7", "plan": "b"}]).attributes
    open_leads = [{**LEADS[0], "size": "big", "shoe": "x"}, {**LEADS[1], "size": "7", "shoe": "y"}]
    result = check(raw(leads=open_leads), SOURCE, Definition(), None, NOW, Inferred(trained))
    assert result.report["leads"]["quarantined"] == {"impossible_number": 1}
    assert result.tables["leads"]["size"].to_list() == [7.0]
    assert result.tables["leads"]["plan"].to_list() == [None]
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
    """Rows with any of the cells in any column."""
    return st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cell)), max_size=6)


@settings(max_examples=60)
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
    tables = {name: pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)) for name, rows in given.items()}
    tables = {n: t.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)) for n, t in tables.items()}
    try:
        result = check(tables, SOURCE, Definition(), None, NOW)
    except Stop as stop:
        assert "no row is left" in str(stop)  # noqa: PT017 (all else must balance)
        return
    for name, sums in result.report.items():
        assert sums["read"] == len(given[name])
        assert sums["read"] == sums["accepted"] + sum(sums["quarantined"].values()) + sum(sums["excluded"].values())
        places = [row for frames in (result.refused, result.excluded) for row in frames[name]["row"]]
        assert len(set(places)) == len(places) == sums["read"] - result.tables[name].height


@settings(max_examples=40)
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
    (tmp_path / "in" / "leads.csv").write_text("lead_id,created_at\n1,2024-01-01\n1,2024-01-01\n2,2024-01-02\n")
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


DATA = Path(__file__).parents[4] / "shared" / "data"


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
        result = check(remove(read_tables(source), None)[0], source, Definition(), 0.02, NOW)
        assert result.report["leads"]["accepted"] == rows
        assert result.tables["leads"]["converted"].mean() == pytest.approx(positive, abs=0.001)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the project")
def test_real_dates() -> None:
    """DD-MM-YYYY is read where declared, and nothing is taken for a phone number."""
    path = DATA / "olist_funnel" / "olist_marketing_qualified_leads_dataset.csv"
    columns = {"lead_id": "mql_id", "created_at": "first_contact_date"}
    source = Source(kind="tables", path=path, date_format="%d-%m-%Y", columns=columns)
    tables = {**remove(read_tables(source), None)[0], **raw(stages=[{**WON, "entered_at": "01-03-2018"}])}
    leads = check(tables, source, Definition(), None, NOW).tables["leads"]
    assert leads.height == 8000
    assert leads["created_at"].min() == datetime(2017, 6, 14, tzinfo=UTC)


@pytest.mark.parametrize("column", ["value", "converted", "objected"])
def test_a_column_of_the_contract_can_be_excluded(column: str) -> None:
    """It is never used, whether the table has it or not."""
    for leads in (LEADS, [{**lead, column: "1"} for lead in LEADS]):
        found = checked({"exclude": [column]}, leads=leads).tables["leads"]
        assert found.height == len(LEADS)
        assert found["value"].null_count() == found["converted"].null_count() == len(LEADS)


def test_history_of_a_few_is_worth_a_word() -> None:
    """The others' value counts as unknown: the line says of how many, and what to do."""
    leads = [{"lead_id": str(i), "created_at": "2024-01-01", "industry": "ab"[i % 2]} for i in range(60)]
    change = {"entity": "lead", "id": "7", "field": "industry", "value": "a", "changed_at": "2024-01-02"}
    said = [line for line in checked(leads=leads, history=[change]).meta["warnings"] if "no row in history" in line]
    assert len(said) == 1
    assert "59 of 60" in said[0]
    every = [{**change, "id": str(i)} for i in range(60)]
    assert not [line for line in checked(leads=leads, history=every).meta["warnings"] if "no row in history" in line]


def test_a_field_of_history_is_one_of_its_own_entity() -> None:
    """Leads have Country, accounts have country: COUNTRY of an account is the account's."""
    leads = [{**lead, "account_id": "A", "Country": "fi"} for lead in LEADS]
    change = {"entity": "account", "id": "A", "field": "COUNTRY", "value": "se", "changed_at": "2024-01-02"}
    found = checked(leads=leads, accounts=[{"account_id": "A", "country": "fi"}], history=[change])
    assert found.tables["history"]["field"].to_list() == ["country"]


def test_stages_of_leads_without_dates_are_set_aside() -> None:
    """Where leads have no created_at, converted alone decides: rows of stages are counted, and then nobody looks at
    them. The outcome of no lead hangs on one that was refused, and none is held against converted."""
    leads = [{"lead_id": str(i), "converted": "no"} for i in range(1, 5)]
    late = {**WON, "entered_at": "2030-01-01"}
    result = checked(leads=leads, stages=[WON, late], events=[EVENT], history=[CHANGE])
    assert "stages" not in result.tables
    assert not result.tables["leads"]["outcome_refused"].any()
    assert result.report["stages"]["quarantined"] == {"future_time": 1}
    assert result.meta["warnings"][-1].endswith("so nothing of these tables is used: events, history, stages")
    assert not result.meta["counts"]


def test_an_empty_list_of_terminal_stages_is_meant() -> None:
    """That no stage closes a lead without a conversion earns a remark where stages are named, not where none is."""
    lost = {"lead_id": "2", "stage": "lost", "entered_at": "2024-03-02"}
    said = [checked({"terminal": terminal}, stages=[WON, lost]).meta["warnings"] for terminal in ([], ["Lost"])]
    assert not any("terminal" in one for one in said[0])
    assert any("terminal" in one for one in said[1])


def test_a_message_about_refused_rows_names_the_column() -> None:
    """Which column breaks the rule, and the shape of what stands there: a letter is an a, a digit a 9."""
    definition = {"attributes": {"size": {"kind": "numeric"}}}
    leads = [
        {**LEAD, "lead_id": str(i), "size": "5" if i else "many", "value": "7" if i != 1 else "-12"} for i in range(9)
    ]
    leads[2] = {**leads[2], "created_at": "31.12.2023"}
    with pytest.raises(Stop) as stopped:
        check(raw(leads=leads, stages=[WON]), SOURCE, Definition.model_validate(definition), 0.02, NOW)
    said = str(stopped.value)
    assert "2 impossible_number (rows 0, 1; value holds '-99'; size holds 'aaaa'; expected a number" in said
    assert "1 unreadable_time (rows 2; created_at holds '99.99.9999'; expected a time" in said


def test_twins_with_an_event_id_are_harmless() -> None:
    """A repeat that has an event_id does not count against the limit, be it identical or not; without one it does."""
    same, other = {**EVENT, "event_id": "a"}, {**EVENT, "event_id": "b", "available_at": "2024-02-03"}
    named = [same, same, {**EVENT, "event_id": "b"}, other]
    tables = raw(leads=LEADS, stages=[WON], events=named)
    result = check(tables, SOURCE, Definition(), 0.02, NOW)
    assert result.report["events"]["quarantined"] == {"duplicate_row": 1, "repeated_event": 1}
    unnamed = raw(leads=LEADS, stages=[WON], events=[{**EVENT, "event_id": None}] * 2)
    with pytest.raises(Stop, match="events: 1 of 2 rows were refused"):
        check(unnamed, SOURCE, Definition(), 0.02, NOW)


@pytest.mark.parametrize("name", ["unnamed_1", "__index_level_0__"])
def test_numbers_of_rows_as_pandas_writes_them_say_nothing(name: str) -> None:
    """A copy of a row is its twin though its number differs, and the numbers are no attribute; a first column without a
    name that holds something else is one."""
    leads = [{name: str(i + 5), **lead} for i, lead in enumerate([*LEADS, LEADS[1]])]
    result = checked(leads=leads)
    assert codes(result, "leads") == [(2, "duplicate_row")]
    assert "numbers the rows" in result.meta["left_out_columns"][name]
    assert name not in result.tables["leads"].columns
    other = checked(leads=[{"unnamed_1": "ab"[i % 2], **lead} for i, lead in enumerate(LEADS)])
    assert "unnamed_1" in other.tables["leads"].columns
