"""A request to the kernel's arrays: what is wrong is named by its place, never by its value."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.catalogue import EventType
from features.columns import Attribute
from features.plan import Plan
from models.bundle.lives import Reading
from models.bundle.requests import Asked, Reader, asked, features_of, instant
from models.bundle.values import WrongRequest, micros
from models.marks import Marks

PLAN = Plan(
    attributes=(
        Attribute("size", "size", "lead", "numeric"),
        Attribute("source", "source", "lead", "categorical"),
        Attribute("ok", "ok", "lead", "boolean"),
        Attribute("title", "title", "lead", "text"),
        Attribute("industry", "industry", "account", "categorical"),
        Attribute("budget", "budget", "lead", "numeric", "intent", has_history=True),
    ),
    types=(EventType("page_view", "engagement", True),),
    topics=("x",),
    stages=("mql",),
    closes=("won", "lost", "purchase"),
    reopens=("recycled",),
    won="purchase",
    ignored=("sales_call",),
    closing_event="purchase",
)
READING = Reading(PLAN)
SECRET = "s3cret-Value"  # noqa: S105, a word that may not come back


def request(**parts: Any) -> dict[str, Any]:
    """A good request with some parts in place of its own."""
    good: dict[str, Any] = {
        "lead": {"lead_id": "1", "created_at": "2025-01-01T00:00:00Z", "size": 5},
        "account": {"industry": "it"},
        "events": [{"type": "page_view", "occurred_at": "2025-01-02T00:00:00Z"}],
        "stages": [{"stage": "mql", "entered_at": "2025-01-02T00:00:00+02:00"}],
        "history": [{"field": "budget", "value": "7", "changed_at": "2025-01-02"}],
        "account_leads": [{"lead": {"lead_id": "2", "created_at": "2024-12-01T00:00:00Z"}, "events": [], "stages": []}],
        "as_of": "2025-01-03T00:00:00Z",
    }
    return {**good, **parts}


def features(given: dict[str, Any]) -> dict[str, float]:
    """The kernel's features of a request."""
    one = asked(given, READING)
    matrix = features_of(one, PLAN)
    return {c.name: matrix.values[0, j] for j, c in enumerate(matrix.columns)}


COLLEAGUE: dict[str, Any] = {
    "lead": {"lead_id": "2", "created_at": "2024-12-01T00:00:00Z"},
    "events": [{"type": "page_view", "occurred_at": "2024-12-02T00:00:00Z"}],
    "stages": [],
    "history": [],
}


def lead(**fields: Any) -> dict[str, Any]:
    """A lead with some fields."""
    return {"lead": {"lead_id": "1", "created_at": "2025-01-01T00:00:00Z", **fields}}


WRONG = [
    ({"as_of": SECRET}, "as_of"), ({"as_of": None}, "as_of"), ({"as_of": 7}, "as_of"),
    ({"lead": SECRET}, "lead"), ({"lead": None}, "lead"),
    (lead(created_at=SECRET), "lead.created_at"), (lead(created_at=["x"]), "lead.created_at"),
    (lead(size=SECRET), "lead.size"), (lead(size=[SECRET]), "lead.size"), (lead(size=float("inf")), "lead.size"),
    (lead(size="1e999"), "lead.size"), (lead(size=10**400), "lead.size"), (lead(ok=SECRET), "lead.ok"),
    (lead(source={"a": SECRET}), "lead.source"), (lead(title=[SECRET]), "lead.title"),
    ({"account": SECRET}, "account"), ({"account": {"industry": [SECRET]}}, "account.industry"),
    ({"events": SECRET}, "events"), ({"events": {"a": 1}}, "events"), ({"events": [SECRET]}, "events[0]"),
    ({"events": [{"type": "page_view", "occurred_at": SECRET}]}, "events[0].occurred_at"),
    ({"events": [{"type": "page_view"}]}, "events[0].occurred_at"),
    ({"events": [{"occurred_at": "2025-01-02"}]}, "events[0].type"),
    ({"events": [{"type": [SECRET], "occurred_at": "2025-01-02"}]}, "events[0].type"),
    ({"events": [{"type": "", "occurred_at": "2025-01-02"}]}, "events[0].type"),
    ({"events": [{"type": "page_view", "occurred_at": "2025-01-02", "available_at": SECRET}]},
     "events[0].available_at"),
    ({"events": [{"type": "page_view", "occurred_at": "2025-01-02", "value": SECRET}]}, "events[0].value"),
    ({"events": [{"type": "page_view", "occurred_at": "2025-01-02", "topic": [SECRET]}]}, "events[0].topic"),
    *(({"events": [{"type": "page_view", "occurred_at": "2025-01-02", "event_id": odd}]}, "events[0].event_id")
      for odd in (1.5, True, [SECRET], float("nan"), float("inf"))),
    (lead(lead_id=[SECRET]), "lead.lead_id"), (lead(lead_id=1.5), "lead.lead_id"),
    *((lead(size=odd), "lead.size") for odd in ("1_000", "\u0661\u0662", "nan", "0x10")),
    (lead(value=SECRET), "lead.value"), (lead(value=True), "lead.value"), (lead(value=[1]), "lead.value"),
    ({"stages": [{"entered_at": "2025-01-02"}]}, "stages[0].stage"),
    ({"stages": [{"stage": "mql", "entered_at": SECRET}]}, "stages[0].entered_at"),
    ({"history": [{"field": "budget", "value": "1"}]}, "history[0].changed_at"),
    ({"history": [{"field": "budget", "value": SECRET, "changed_at": "2025-01-02"}]}, "history[0].value"),
    ({"account_leads": SECRET}, "account_leads"), ({"account_leads": [SECRET]}, "account_leads[0]"),
    ({"account_leads": [{"lead": {"lead_id": "2"}}]}, "account_leads[0].lead.created_at"),
    ({"account_leads": [{"lead": {"objected": True}}, {"lead": {"created_at": SECRET}}]},
     "account_leads[1].lead.created_at"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "place"), WRONG)
def test_what_is_wrong_is_named_by_its_place(parts: dict[str, Any], place: str) -> None:
    """WrongRequest says where and what was expected; the caller's value is nowhere in it."""
    with pytest.raises(WrongRequest) as caught:
        asked(request(**parts), READING)
    assert caught.value.place == place
    assert caught.value.expected in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PLACES = ["lead", "account", "events", "stages", "history", "account_leads", "as_of"]


@given(
    st.dictionaries(st.sampled_from(PLACES), json_values, max_size=3),
    st.dictionaries(
        st.sampled_from(["created_at", "size", "source", "ok", "title", "objected", "lead_id"]), json_values
    ),
    st.lists(
        st.dictionaries(st.sampled_from(["type", "occurred_at", "topic", "value", "event_id"]), json_values), max_size=2
    ),
)
@settings(max_examples=300)
def test_any_json_is_read_or_refused(parts: dict[str, Any], fields: dict[str, Any], events: list[Any]) -> None:
    """Whatever JSON comes: arrays, or WrongRequest; no other error."""
    good = request()
    given_ = {
        **good,
        "lead": {**good["lead"], **fields},
        "events": [{**good["events"][0], **e} for e in events],
        **parts,
    }
    with suppress(WrongRequest):
        assert isinstance(asked(given_, READING), Asked)


def test_left_out_is_unknown_and_empty_is_nothing() -> None:
    """An empty list says that there was nothing; a list left out says that nobody knows."""
    none = features(request(events=[], stages=[], history=[], account_leads=[]))
    assert none["engagement_page_view_all"] == none["intent_stages_entered"] == none["fit_colleagues_known"] == 0
    assert np.isnan(none["intent_budget"])
    bare = {"lead": request()["lead"], "as_of": request()["as_of"]}
    unknown = features(bare)
    assert np.isnan(
        [unknown[k] for k in ("engagement_page_view_all", "intent_stages_entered", "fit_colleagues_known")]
    ).all()
    assert unknown["fit_size"] == 5
    assert features({**bare, "events": None})["fit_size"] == 5


def test_a_repeated_event_is_harmless() -> None:
    """Of one event_id the earliest known counts, in any order; twins count once; another id is another event."""
    event = {"type": "page_view", "occurred_at": "2025-01-02T00:00:00Z", "value": 3}
    late = {**event, "available_at": "2025-01-02T12:00:00Z", "value": 9}
    for rows, count, value in (
        ([{**event, "event_id": "a"}, {**late, "event_id": "a"}], 1, 3),
        ([{**late, "event_id": "a"}, {**event, "event_id": "a"}], 1, 3),
        ([event, event], 1, 3),
        ([{**event, "event_id": "a"}, {**event, "event_id": "b"}], 2, 6),
        ([{**event, "event_id": "a"}, event], 2, 6),
        ([{**event, "event_id": "a"}, {**late, "event_id": "b"}], 2, 12),
        ([{**event, "event_id": 1}, {**late, "event_id": "1"}], 1, 3),
        ([{**event, "event_id": 1.0}, {**late, "event_id": "1"}], 1, 3),
        ([{**event, "event_id": ""}, {**late, "event_id": ""}], 2, 12),
    ):
        found = features(request(events=rows))
        assert (found["engagement_page_view_all"], found["engagement_page_view_value_all"]) == (count, value)


def test_a_closing_event_repeated_is_one_conversion() -> None:
    """A colleague's purchase sent twice under its id converted once."""
    purchase = {"type": "purchase", "occurred_at": "2024-12-20T00:00:00Z", "event_id": "p"}
    later = {**purchase, "available_at": "2024-12-22T00:00:00Z"}
    colleague = {**COLLEAGUE, "events": [later, purchase]}
    assert features(request(account_leads=[colleague]))["intent_colleagues_won"] == 1


def test_sellers_events_and_objecting_colleagues_are_not_looked_at() -> None:
    """What our own people did is never counted; an objector is no colleague, whatever the word."""
    call = {"type": "sales_call", "occurred_at": "2025-01-02T00:00:00Z"}
    assert features(request(events=[call]))["engagement_any_engagement_all"] == 0
    for said, known in ((True, 0), ("yes", 0), ("perhaps", 0), (False, 1), ("no", 1), ("", 1), (None, 1)):
        colleague = {**COLLEAGUE, "lead": {**COLLEAGUE["lead"], "objected": said}}
        assert features(request(account_leads=[colleague]))["fit_colleagues_known"] == known


@pytest.mark.parametrize(
    ("value", "same"),
    [(" web ", "web"), (120.0, "120"), (True, "true"), ("  ", None), (float("nan"), None), ("", None), (0, "0")],
)
def test_values_are_read_as_tables_have_them(value: Any, same: str | None) -> None:
    """White space goes, whole numbers are whole, empty is missing."""
    one = asked(request(**lead(source=value)), READING)
    assert one.records.levels["fit_source"] == ([] if same is None else [same])


@pytest.mark.parametrize(
    ("text", "us"),
    [("1970-01-01", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1970-01-01T02:00+02:00", 0),
     ("0001-01-01", -62135596800000000), ("9999-12-31T23:59:59.999999Z", 253402300799999999)],
)  # fmt: skip
def test_times_are_microseconds(text: str, us: int) -> None:
    """ISO 8601 with an offset; UTC without one; any year."""
    assert micros(text, "x") == us


@pytest.mark.parametrize("value", [None, 5, True, 1.5, [], {}, ["2025-01-01"], "", "20250101T000000Z", "2025-W01-1"])
def test_what_is_no_time_is_said(value: Any) -> None:
    """Whatever its kind."""
    with pytest.raises(WrongRequest, match="an ISO 8601 time such as"):
        micros(value, "x")


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_is_its_microseconds_since_1970(at: datetime) -> None:
    """To the last one, in any zone and year; times that UTC has no year for are refused."""
    assume(not (at.utcoffset() or timedelta()) % timedelta(minutes=1))  # ISO 8601 knows no seconds of an offset
    text = at.isoformat()
    expected = (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    first, last = (micros(f"{end}Z", "x") for end in ("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"))
    if first <= expected <= last:
        assert micros(text, "x") == expected
    else:
        with pytest.raises(WrongRequest):
            micros(text, "x")


@pytest.mark.parametrize(
    ("value", "worth"),
    [
        ("1.234,5", 1234.5),
        ("7,5", 7.5),
        (7.5, 7.5),
        (" ", None),
        ("", None),
        (None, None),
        (0, 0),
        (float("nan"), None),
    ],
)
def test_a_deals_value_is_read_by_the_marks_of_the_tables(value: Any, worth: float | None) -> None:
    """As every other number of a lead; empty is missing."""
    northern = Reading(PLAN, marks=Marks(",", "."))
    assert asked(request(**lead(value=value)), northern).worth == (worth,)
    assert asked(request(events=[{**request()["events"][0], "value": value}]), northern).records.events.value[0] == (
        pytest.approx(float("nan") if worth is None else worth, nan_ok=True)
    )


def left_out(item: dict[str, Any], name: str) -> dict[str, Any]:
    """Without one of its parts."""
    return {k: v for k, v in item.items() if k != name}


@pytest.mark.parametrize("name", ["events", "stages"])
def test_colleagues_of_whom_a_list_is_left_out_are_unknown(name: str) -> None:
    """As where the table is absent: nobody knows what they did, and training met no colleague that is known in part.
    A list that training had not is not missed, nor one of whom we do not look at."""
    third = {**COLLEAGUE, "lead": {**COLLEAGUE["lead"], "lead_id": "3"}}
    partly = request(account_leads=[COLLEAGUE, left_out(third, name)])
    assert asked(partly, READING).unknown == ({"account_leads"},)
    np.testing.assert_equal(features(partly), features(left_out(request(), "account_leads")))
    objector = {"lead": {**third["lead"], "objected": True}}
    for others in ([COLLEAGUE, objector], [COLLEAGUE, left_out(COLLEAGUE, name)], [left_out(COLLEAGUE, "history")]):
        assert features(request(account_leads=others))["fit_colleagues_known"] == 1
    without = Reading(replace(PLAN, blocks=tuple(block for block in PLAN.blocks if block != name)))
    assert asked(partly, without).unknown == (frozenset(),)


def test_a_colleague_yet_to_come_makes_nothing_unknown() -> None:
    """A lead that the account got after as_of changes no feature, whatever is left out of it."""
    later = {"lead": {"lead_id": "3", "created_at": "2030-01-01T00:00:00Z"}}
    np.testing.assert_equal(
        features(request(account_leads=[COLLEAGUE, later])), features(request(account_leads=[COLLEAGUE]))
    )


def test_each_lead_of_the_account_counts_once() -> None:
    """The lead among its own colleagues is none, nor is a colleague given again; without an id it is another."""
    once = features(request(account_leads=[COLLEAGUE]))
    assert once["fit_colleagues_known"] == 1
    itself = {**COLLEAGUE, "lead": {**COLLEAGUE["lead"], "lead_id": "1"}}
    again = {**COLLEAGUE, "lead": {**COLLEAGUE["lead"], "lead_id": 2}}
    np.testing.assert_equal(features(request(account_leads=[itself, COLLEAGUE, again, itself])), once)
    for name in (None, ""):
        nameless = {**COLLEAGUE, "lead": {**COLLEAGUE["lead"], "lead_id": name}}
        found = features({**request(account_leads=[nameless, nameless]), **lead(lead_id=name)})
        assert found["fit_colleagues_known"] == 2


def test_colleagues_are_in_one_order() -> None:
    """By creation, then id, however they were sent; the lead keeps its place among them."""
    others = [{**COLLEAGUE, "lead": {"lead_id": i, "created_at": "2025-01-01T00:00:00Z"}} for i in ("3", "0", "2")]
    one = asked(request(account_leads=others), READING)
    assert one.lead.tolist() == [1]
    assert features(request(account_leads=others)) == pytest.approx(
        features(request(account_leads=others[::-1])), nan_ok=True
    )


def test_requests_read_together_are_read_as_alone() -> None:
    """Whatever parts each leaves out: the very features; one that cannot be read leaves nothing behind."""
    reader, alone = Reader(READING), []
    bare = {"lead": request()["lead"], "as_of": request()["as_of"]}
    for given_ in (request(), bare, request(events=[]), {**bare, "account_leads": []}, request(stages=None)):
        with pytest.raises(WrongRequest):
            reader.add(request(account_leads=[{"lead": {"lead_id": "9"}}, {"lead": {"size": SECRET}}]), 0)
        reader.add(given_, instant(given_, READING))
        alone.append(features_of(asked(given_, READING), PLAN).values)
    np.testing.assert_array_equal(features_of(reader.asked(), PLAN).values, np.concatenate(alone))


def test_a_time_without_an_offset_is_of_the_zone() -> None:
    """As in the tables: also where the clock is set back (the earlier) and where it is set forward."""
    zone = ZoneInfo("Europe/Helsinki")
    assert micros("2025-01-01T02:00:00", "x", zone) == micros("2025-01-01T00:00:00Z", "x")
    assert micros("2025-10-26T03:30:00", "x", zone) == micros("2025-10-26T00:30:00Z", "x")
    assert micros("2025-03-30T03:30:00", "x", zone) == micros("2025-03-30T01:30:00Z", "x")
    assert micros("2025-01-01T02:00:00+01:00", "x", zone) == micros("2025-01-01T01:00:00Z", "x")


def test_events_without_an_id_are_no_repeats() -> None:
    """CRMs export what is empty as an empty text: each is an event of its own."""
    views = [{"type": "page_view", "occurred_at": f"2025-01-0{day}T00:00:00Z"} for day in (1, 2)]
    plain = features(request(events=views))
    assert plain["engagement_page_view_all"] == 2
    for nothing in ("", None):
        assert features(request(events=[{**view, "event_id": nothing} for view in views])) == pytest.approx(
            plain, nan_ok=True
        )


def test_a_stage_is_entered_once_at_an_instant() -> None:
    """In whatever form its time is written, and whatever is said of it besides."""
    rows = [{"stage": "mql", "entered_at": t} for t in ("2025-01-02T00:00:00Z", "2025-01-02T02:00:00+02:00")]
    rows[1]["reason"] = "again"
    assert features(request(stages=rows))["intent_stages_entered"] == 1


def test_texts_that_stand_for_nothing_are_nothing() -> None:
    """As in the tables, by source.na_values: of attributes, topics and amounts."""
    reading = Reading(PLAN, marks=Marks(nothing=frozenset({"Select"})))
    lead = {
        "lead_id": "1",
        "created_at": "2025-01-01T00:00:00Z",
        "size": "Select",
        "source": "Select",
        "value": " Select ",
    }
    event = {"type": "page_view", "occurred_at": "2025-01-02T00:00:00Z", "topic": "Select", "value": "Select"}
    said, left_out = (
        asked(request(lead={**lead, **nothing}, events=[{**event, "topic": topic, "value": topic}]), reading)
        for nothing, topic in (({}, "Select"), ({"size": None, "source": None, "value": None}, None))
    )
    np.testing.assert_array_equal(features_of(said, PLAN).values, features_of(left_out, PLAN).values)
    assert said.worth == left_out.worth == (None,)


@pytest.mark.parametrize(
    "change",
    [
        {"field": "Budget"},
        {"field": " BUDGET "},
        {"entity": "Lead", "field": "budget"},
        {"entity": " lead", "field": "budget"},
    ],
)
def test_a_field_of_history_is_meant_in_any_spelling(change: dict[str, str]) -> None:
    """As in the tables."""
    row = {"value": "7", "changed_at": "2025-01-02", **change}
    assert features(request(history=[row]))["intent_budget"] == 7


def test_times_and_records_are_read_as_tables_have_them() -> None:
    """A lower case t and z; an empty `available_at` is none."""
    event = {"type": "page_view", "occurred_at": "2025-01-02t00:00:00z", "available_at": ""}
    assert features(request(events=[event]))["engagement_page_view_all"] == 1


def test_a_deal_of_less_than_nothing_is_refused() -> None:
    """As in the tables."""
    with pytest.raises(WrongRequest, match=r"lead\.value: expected a number of at least 0"):
        features(request(lead={"lead_id": "1", "created_at": "2025-01-01T00:00:00Z", "value": -1}))


def test_what_nobody_knows_is_unknown_in_any_company() -> None:
    """History that is left out stays unknown, though a colleague's rows tell of the account; alone as beside others."""
    staff = Attribute("staff", "staff", "account", "numeric", has_history=True)
    plan = replace(PLAN, attributes=(*PLAN.attributes, staff))
    reading = Reading(plan)
    change = {"entity": "account", "field": "staff", "value": "9", "changed_at": "2025-01-01"}
    colleague = {"lead": {"lead_id": "2", "created_at": "2024-12-01"}, "events": [], "stages": [], "history": [change]}
    one, other = request(history=None, account_leads=[colleague]), request(history=[change])
    reader = Reader(reading)
    for said in (one, other):
        reader.add(said, instant(said, reading))
    both, alone = features_of(reader.asked(), plan).values, features_of(asked(one, reading), plan).values
    place = plan.place["fit_staff"]
    assert np.isnan(alone[0, place])
    assert both[1, place] == 9
    np.testing.assert_array_equal(both[0], alone[0])


def test_ids_and_words_that_stand_for_nothing_are_none() -> None:
    """As in the tables: of events and colleagues, of objections, types and times of records."""
    reading = Reading(PLAN, marks=Marks(nothing=frozenset({"NULL"})))
    view = {"type": "page_view", "event_id": "NULL", "available_at": "NULL"}
    events = [{**view, "occurred_at": f"2025-01-0{day}"} for day in (1, 2)]
    lead = {"lead_id": "NULL", "created_at": "2024-12-01", "objected": "NULL"}
    colleagues = [{"lead": lead, "events": [], "stages": []} for _ in range(2)]
    matrix = features_of(asked(request(events=events, account_leads=colleagues), reading), PLAN)
    found = {c.name: matrix.values[0, j] for j, c in enumerate(matrix.columns)}
    assert found["engagement_page_view_all"] == 2
    assert found["fit_colleagues_known"] == 2
    with pytest.raises(WrongRequest, match="type"):
        asked(request(events=[{**events[0], "type": "NULL"}]), reading)


def test_a_colleague_that_is_lost_is_lost_once() -> None:
    """Disqualified after it was lost, without being opened in between, it is not lost again."""
    rows = [{"stage": "lost", "entered_at": f"2025-01-0{day}"} for day in (1, 2)]
    colleague = {"lead": {"lead_id": "2", "created_at": "2024-12-01"}, "events": [], "stages": rows}
    assert features(request(account_leads=[colleague]))["intent_colleagues_lost"] == 1
