"""Points from the validated tables: as honest about time as everything else, and only of fields that are there."""
# ruff: noqa: E501 # rows of tables on one line

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from validating import checked, raw

from pipeline.assembly.values import instant_us
from pipeline.errors import Stop
from pipeline.handtuned.file import load_points, parse_points
from pipeline.handtuned.inputs import Inputs, Material, fitting
from pipeline.handtuned.records import tallying
from pipeline.params import Definition
from pipeline.points import replay
from pipeline.reading.attributes import to_json
from pipeline.reading.checked import Checked
from pipeline.reading.texts import Clock
from pipeline.stage import attributes_of

ROOT = Path(__file__).parents[3]
ALIKE = {"campaign": "spring", "empty": None, "born": "1980-01-01"}
LEADS: list[Mapping[str, object]] = [
    {
        "lead_id": "1",
        "created_at": "2024-01-01",
        "account_id": "A",
        "job_title": "VP Sales",
        "country": "FI",
        "vip": "yes",
        **ALIKE,
    },
    {
        "lead_id": "2",
        "created_at": "2024-01-01",
        "account_id": "B",
        "job_title": "Intern",
        "country": "SE",
        "vip": "no",
        **ALIKE,
    },
]
ACCOUNTS: list[Mapping[str, object]] = [
    {"account_id": "A", "employees": "100", "country": "DE", "founded": "1990"},
    {"account_id": "C", "employees": "10", "country": "US", "founded": "1990"},
]
EVENTS: list[Mapping[str, object]] = [
    {"lead_id": "1", "occurred_at": "2024-02-01T10:00:00Z", "type": "visit", "event_id": "e1", "available_at": None},
    {
        "lead_id": "1",
        "occurred_at": "2024-02-01T10:00:00Z",
        "type": "visit",
        "event_id": "e1",
        "available_at": "2024-02-03",
    },
    {
        "lead_id": "1",
        "occurred_at": "2024-02-01T10:00:01Z",
        "type": "mail_click",
        "event_id": "e2",
        "available_at": None,
    },
    {
        "lead_id": "1",
        "occurred_at": "2024-02-01T10:00:02Z",
        "type": "mail_click",
        "event_id": "e3",
        "available_at": None,
    },
    {
        "lead_id": "1",
        "occurred_at": "2024-02-01T22:30:00Z",
        "type": "sales_call",
        "event_id": "e4",
        "available_at": "2024-02-05",
    },
]
HISTORY: list[Mapping[str, object]] = [
    {"entity": "lead", "id": "1", "field": "budget", "value": "5000", "changed_at": "2024-02-01"},
    {"entity": "lead", "id": "1", "field": "budget", "value": "20000", "changed_at": "2024-03-01"},
    {"entity": "account", "id": "A", "field": "employees", "value": "300", "changed_at": "2024-04-01"},
]
STAGES: list[Mapping[str, object]] = [{"lead_id": "1", "stage": "won", "entered_at": "2024-09-01"}]


@pytest.fixture(scope="module")
def tables() -> Checked:
    """Two leads with all that there can be."""
    return checked(leads=LEADS, accounts=ACCOUNTS, events=EVENTS, history=HISTORY, stages=STAGES)


def inputs(tables: Checked, rules: str, zone: str = "UTC", **definition: object) -> Inputs:
    """A table of points beside the tables."""
    table = parse_points(f"rules: [{rules}]", "p.yaml", zone)
    given = Material(
        tables.tables, attributes_of(to_json(tables.attributes)), raw(leads=LEADS, accounts=ACCOUNTS),
        tables.meta["left_out_columns"], Definition.model_validate(definition), Clock(zone),
    )  # fmt: skip
    return fitting(table, given, "p.yaml")


def points(tables: Checked, rules: str, at: str, lead: str = "1", zone: str = "UTC") -> float:
    """Points of a lead at a time."""
    as_of = np.array([instant_us(datetime.fromisoformat(at))])
    return float(tallying(inputs(tables, rules, zone))(pl.Series([lead]), as_of).total[0])


VISITS = "{id: a, when: {event: visit}, points: 1, each: true}"
CLICKS = "{id: a, when: {event: mail_click}, points: 1, each: true}"
CALL = "{id: a, when: {event: sales_call}, points: 1}"


def test_events_count_once_known_and_once_told(tables: Checked) -> None:
    """A repeated event_id counts once, at its first coming; what reached us late counts from then on."""
    assert points(tables, VISITS, "2024-02-01T09:59:59Z") == 0
    assert points(tables, VISITS, "2024-02-01T10:00:00Z") == 1
    assert points(tables, VISITS, "2024-02-09T00:00:00Z") == 1
    assert points(tables, CALL, "2024-02-04T23:59:59Z") == 0
    assert points(tables, CALL, "2024-02-05T00:00:00Z") == 1


def test_every_click_counts(tables: Checked) -> None:
    """A mail scanner's too, as marketing tools count them, and what sellers did."""
    assert points(tables, CLICKS, "2024-02-02T00:00:00Z") == 2


def test_an_attribute_is_as_it_was(tables: Checked) -> None:
    """One with history is known from its rows alone, one without from the creation on; of the lead or the account."""
    budget = (
        "{id: a, when: {field: budget, known: true}, points: 1}, {id: b, when: {field: budget, gt: 9000}, points: 2}"
    )
    assert [points(tables, budget, f"2024-{m}-01T00:00:00Z") for m in ("01", "02", "03")] == [0, 1, 3]
    size = "{id: a, when: {field: employees, known: true}, points: 1}"
    assert [points(tables, size, f"2024-{m}-01T00:00:00Z") for m in ("03", "04")] == [0, 1]
    title = "{id: a, when: {field: job_title, contains: vp}, points: 1}"
    assert [points(tables, title, "2024-01-01T00:00:00Z", lead) for lead in ("1", "2")] == [1, 0]


def test_a_name_that_both_have_is_the_leads(tables: Checked) -> None:
    """The account's goes by account_…, as among the features; a lead whose account has no row has no value."""
    own = "{id: a, when: {field: country, eq: FI}, points: 1}"
    theirs = "{id: a, when: {field: account_country, eq: DE}, points: 1}"
    assert points(tables, own, "2024-01-02T00:00:00Z") == 1
    assert [points(tables, theirs, "2024-01-02T00:00:00Z", lead) for lead in ("1", "2")] == [1, 0]


def test_yes_is_true(tables: Checked) -> None:
    """A boolean may be asked for as people write it."""
    for said, found in (("true", [1, 0]), ("'yes'", [1, 0]), ("false", [0, 1])):
        rule = f"{{id: a, when: {{field: vip, eq: {said}}}, points: 1}}"
        assert [points(tables, rule, "2024-01-02T00:00:00Z", lead) for lead in ("1", "2")] == found


def test_days_are_those_of_the_source(tables: Checked) -> None:
    """Half past ten in the evening UTC is the next day in Helsinki: two days there, one here."""
    rule = "{id: a, when: {event: [visit, sales_call]}, points: 5, each: true, max_per_day: 5}"
    assert points(tables, rule, "2024-02-09T00:00:00+00:00") == 5
    assert points(tables, rule, "2024-02-09T00:00:00+00:00", zone="Europe/Helsinki") == 10


WRONG = [
    ("{field: job_titel, eq: x}", "rule a: when.field: no column of leads or accounts, nor a field of history, is called"
     " 'job_titel'; did you mean 'job_title'?"),
    ("{field: converted, eq: true}", "is called 'converted'"),
    ("{field: born, eq: x}", "rule a: when.field: 'born' is no attribute ("),
    ("{event: visti}", "rule a: when.event: no event is a 'visti'; did you mean 'visit'?"),
    ("{not: {all: [{event: visti}]}}", "rule a: when.event: no event is a 'visti'"),
    ("{no_event_for_days: 3, of: [clik]}", "rule a: when.of: no event is a 'clik'"),
    ("{field: job_title, between: [1, 2]}", "rule a: when.between: job_title holds texts, expected numbers"),
    ("{field: budget, contains: [a]}", "rule a: when.contains: budget holds numbers; use eq, in or between"),
    ("{field: budget, eq: much}", "rule a: when.eq: budget holds numbers, got 'much'"),
    ("{field: country, in: [FI, NO]}", "rule a: when.in: country holds texts, got False; put yes, no, on and off in"),
    ("{field: vip, eq: perhaps}", "rule a: when.eq: vip holds true or false, got 'perhaps'"),
    ("{event: visit, value: {contains: x}}", "rule a: when.value.contains: value holds numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("test", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_not_there_is_named(tables: Checked, test: str, words: str) -> None:
    """The rule, the key, and what may have been meant."""
    with pytest.raises(Stop) as stopped:
        inputs(tables, f"{{id: a, when: {test}, points: 1}}")
    assert words in str(stopped.value)
    assert str(stopped.value).startswith("p.yaml: rule a: ")


def test_an_event_to_come_may_be_named(tables: Checked) -> None:
    """In definition.events."""
    assert inputs(tables, "{id: a, when: {event: trial}, points: 1}", events={"trial": "intent"}).table.rules


def test_tables_cut_at_an_instant_give_the_same(checked_tables: dict[str, pl.DataFrame], finished_run: Path) -> None:
    """What came after an example changes nothing of its points: the company's own table, its own leads."""
    from pipeline import stage

    table = load_points(ROOT / "examples/points/company.yaml", "UTC")
    fields = stage.read_attributes(finished_run / "data/tables")
    examples = pl.read_parquet(finished_run / "data/examples.parquet")
    at = examples["as_of"].median()
    assert isinstance(at, datetime)
    rows = examples.filter(pl.col("as_of").is_between(at - timedelta(days=30), at))
    cut: dict[str, Any] = {
        **checked_tables,
        "events": checked_tables["events"].filter(pl.col("known_at") <= at),
        "history": checked_tables["history"].filter(pl.col("changed_at") <= at),
    }
    whole = replay(Inputs(table, checked_tables, fields, "UTC"), rows).rows
    assert whole.equals(replay(Inputs(table, cut, fields, "UTC"), rows).rows)
    assert whole["points"].n_unique() > 20


def test_without_dates_attributes_still_count() -> None:
    """A flat file has no instants: events are never known, attributes are."""
    leads = [{"lead_id": str(i), "converted": i % 2, "source": "web" if i else "fair"} for i in range(4)]
    flat = checked(leads=leads)
    one = inputs(flat, "{id: a, when: {field: source, eq: web}, points: 3}")
    rows = flat.tables["leads"].select("lead_id", pl.lit(None, pl.Datetime("us", "UTC")).alias("as_of"))
    assert replay(one, rows).rows["points"].to_list() == [0, 3, 3, 3]


def test_what_the_model_leaves_out_may_have_points(tables: Checked) -> None:
    """A column of one value, and one without any; but not what definition.exclude names: it may tell the future."""
    one = "{id: a, when: {field: campaign, eq: spring}, points: 1}, {id: b, when: {field: empty, known: false}, points: 2}"
    assert {"campaign", "empty"} <= set(tables.meta["left_out_columns"])
    assert points(tables, one, "2024-01-02T00:00:00Z") == 3
    size = "{id: a, when: {field: founded, between: [1990, 1990]}, points: 1}"
    assert [points(tables, size, "2024-01-02T00:00:00Z", lead) for lead in ("1", "2")] == [1, 0]
    with pytest.raises(Stop, match="'campaign' is no attribute"):
        inputs(tables, one, exclude=["campaign"])
