"""Typed tables to the kernel's arrays."""

import numpy as np
import polars as pl
import pytest
from validating import NOW, SOURCE, raw

from features.catalogue import EventType
from features.columns import Attribute
from features.plan import Plan
from features.records import SINCE_CREATION
from pipeline.assembly.records import records_of
from pipeline.params import Definition
from pipeline.reading.checked import check

PLAN = Plan(
    attributes=(Attribute("source", "source", "lead", "categorical"), Attribute("size", "size", "account", "numeric"),
                Attribute("budget", "budget", "lead", "numeric", "intent", True)),
    types=(EventType("visit", "engagement", True),), topics=("x",), stages=("mql",), closes=("won", "lost", "buy"),
    reopens=("recycled",), won="buy", ignored=("sales_call",), closing_event="buy",
)  # fmt: skip
LEADS = [
    {"lead_id": "b2", "created_at": "2024-01-02", "account_id": "B", "source": "web"},
    {"lead_id": "007", "created_at": "2024-01-05", "account_id": None, "source": "fair"},
    {"lead_id": "b1", "created_at": "2024-01-02", "account_id": "B", "source": None},
    {"lead_id": "a1", "created_at": "2024-01-09", "account_id": "A", "source": "web"},
    {"lead_id": "B", "created_at": "2024-01-01", "account_id": None, "source": "web"},
]
EVENTS = [
    {
        "lead_id": "b1",
        "occurred_at": "2024-02-02",
        "type": "visit",
        "available_at": "2024-02-09",
        "value": 1,
        "topic": "y",
    },
    {
        "lead_id": "b1",
        "occurred_at": "2024-02-03",
        "type": "sales_call",
        "available_at": None,
        "value": None,
        "topic": None,
    },
    {
        "lead_id": "b1",
        "occurred_at": "2024-02-03",
        "type": "buy",
        "available_at": "2024-02-05",
        "value": None,
        "topic": None,
    },
    {
        "lead_id": "a1",
        "occurred_at": "2024-02-01",
        "type": "unheard of",
        "available_at": None,
        "value": None,
        "topic": "x",
    },
]
STAGES = [{"lead_id": "b1", "stage": s, "entered_at": "2024-02-05"} for s in ("lost", "recycled", "mql")]
HISTORY = [
    {"entity": "lead", "id": "b2", "field": "budget", "value": v, "changed_at": t}
    for v, t in (("9", "2024-03-01"), ("7", "2024-02-01"), (None, "2024-04-01"))
]


def tables() -> dict[str, pl.DataFrame]:
    """Typed tables of five leads."""
    given = raw(leads=LEADS, accounts=[{"account_id": "B", "size": 7.0}, {"account_id": "Z", "size": 1.0}],
                events=EVENTS, stages=STAGES, history=HISTORY)  # fmt: skip
    definition = Definition.model_validate({"conversion": {"event": "buy", "within_days": 9, "repeats": True}})
    return check(given, SOURCE, definition, None, NOW).tables


def test_leads_lie_by_account_creation_and_id() -> None:
    """Whole accounts together; a lead without one is one of its own, though an account may bear its id."""
    records, order = records_of(tables(), PLAN)
    assert order["lead_id"].to_list() == ["a1", "b1", "b2", "007", "B"]
    assert records.account.tolist() == [0, 1, 1, 2, 3]
    assert records.account_start.tolist() == [0, 1, 3, 4, 5]
    assert (np.diff(records.created[1:3]) >= 0).all()
    assert len(records) == 5


def test_attributes_have_codes_numbers_or_nothing() -> None:
    """Texts by their levels; an account's for all its leads; no row of the account: missing."""
    records, _ = records_of(tables(), PLAN)
    assert records.levels["fit_source"] == ["fair", "web"]
    np.testing.assert_array_equal(records.attributes[:, 0], [1, np.nan, 1, 0, 1])
    np.testing.assert_array_equal(records.attributes[:, 1], [np.nan, 7, 7, np.nan, np.nan])


def test_events_have_slots_and_lie_by_when_they_were_known() -> None:
    """The sellers' own are gone, unseen types and topics have a code of their own."""
    records, order = records_of(tables(), PLAN)
    e = records.events
    lead = np.repeat(order["lead_id"].to_numpy(), np.diff(e.start))
    assert lead.tolist() == ["a1", "b1", "b1"]
    assert e.slot.tolist() == [PLAN.other_slot, PLAN.other_slot, 0]
    assert e.topic.tolist() == [0, -1, 1]
    assert (e.known >= e.occurred).all()


def test_a_closing_event_stands_among_the_stages_from_when_it_was_known() -> None:
    """Rows of one instant: stages in the order of the input, then events."""
    s = records_of(tables(), PLAN)[0].stages
    assert s.code.tolist() == [1, 1, 0, 1]
    assert s.closed.tolist() == [True, False, False, True]
    assert s.episode.tolist() == [0, 1, 1, 1]
    assert s.won.tolist() == [False, False, False, True]
    assert s.lost.tolist() == [True, False, False, False]
    assert (s.opened[1:] == s.at[0]).all()
    assert s.opened[0] == SINCE_CREATION


def test_history_lies_by_time_and_may_say_nothing() -> None:
    """A value that was emptied is missing from then on."""
    h = records_of(tables(), PLAN)[0].history["intent_budget"]
    np.testing.assert_array_equal(h.value, [7, 9, np.nan])
    assert h.start.tolist() == [0, 0, 0, 3, 3, 3]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_never_matters(seed: int) -> None:
    """Shuffled tables give the same arrays; a row's place in the input is its column `row`."""
    one, _ = records_of(tables(), PLAN)
    mixed = {name: t.sample(fraction=1, shuffle=True, seed=seed) for name, t in tables().items()}
    two, _ = records_of(mixed, PLAN)
    parts = ([r.attributes, r.events.known, r.events.slot, r.stages.code, r.history["intent_budget"].value]
             for r in (one, two))  # fmt: skip
    for a, b in zip(*parts, strict=True):
        np.testing.assert_array_equal(a, b)


def test_inputs_are_not_changed() -> None:
    """The tables are as they were."""
    given = tables()
    before = {name: t.clone() for name, t in given.items()}
    records_of(given, PLAN)
    assert all(t.equals(before[name]) for name, t in given.items())
