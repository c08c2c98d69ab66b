"""The points of many leads at once are those of each lead alone, worked out the obvious way."""

import json
from typing import Any

import numpy as np
import slow_points
from hypothesis import given, settings
from hypothesis import strategies as st
from pointing import event, lead, records, table, tallied, us

from models.points.totals import tally

DAYS = st.sampled_from([0, 0.25, 0.5, 1, 5, 5.25, 7, 7.25, 10, 12, 20, 27, 30, 37.5, 40])  # many are 0.25, 7 … apart
TYPES = ("view", "click", "call")


@st.composite
def events(draw: st.DrawFn) -> Any:
    """An event, now and then known later."""
    day = draw(DAYS)
    topic, value = draw(st.sampled_from([None, "price", "jobs"])), draw(st.sampled_from([np.nan, 1.0, 5.0]))
    return event(day, draw(st.sampled_from(TYPES)), topic, value, day + draw(st.sampled_from([0, 0, 0.5, 20])))


HISTORY = st.lists(st.tuples(DAYS, st.sampled_from([1.0, 20.0])), max_size=3, unique_by=lambda row: row[0])
LEADS = st.builds(
    lambda found, created, title, size, budget: lead(*found, created=created, title=title, size=size, budget=budget),
    st.lists(events(), max_size=8), DAYS, st.sampled_from([None, "VP Sales", "Student", "straße"]),
    st.sampled_from([None, 10.0, 50.0, 99.5]), HISTORY,
)  # fmt: skip
EVENT_TESTS = st.fixed_dictionaries(
    {"event": st.sampled_from(TYPES)},
    optional={
        "topic": st.just("price"),
        "value": st.sampled_from([{"gt": 2}, {"known": False}]),
        "at_least": st.integers(1, 3),
        "within_days": st.sampled_from([0.25, 7, 30]),
    },
)
FIELD_TESTS = st.sampled_from(
    [
        {"field": "title", "contains": ["vp", "STRASSE"]},
        {"field": "title", "eq": "Student"},
        {"field": "title", "known": False},
        {"field": "size", "between": [10, 50]},
        {"field": "size", "in": [10, 99.5]},
        {"field": "size", "lt": 50},
        {"field": "budget", "gt": 10},
        {"field": "budget", "known": True},
    ]
)
SILENCES = st.sampled_from([{"no_event_for_days": days} for days in (0.5, 7, 30)])
TESTS = st.recursive(
    EVENT_TESTS | FIELD_TESTS | SILENCES,
    lambda part: (
        st.lists(part, min_size=1, max_size=2).map(lambda parts: {"all": parts})
        | st.lists(part, min_size=1, max_size=2).map(lambda parts: {"any": parts})
        | part.map(lambda one: {"not": one})
    ),
    max_leaves=3,
)
DECAY = st.sampled_from(
    [{}, {"expires_days": 7}, {"percent": 30, "every_days": 5}, {"percent": 10, "every_days": 0.25, "expires_days": 20}]
)


@st.composite
def rules(draw: st.DrawFn) -> Any:
    """A rule; one by events may repeat and decay."""
    rule: dict[str, Any] = {"group": draw(st.sampled_from(["fit", "act"])), "points": draw(st.integers(-20, 20))}
    if draw(st.booleans()):
        return {**rule, "when": draw(TESTS)}
    decay = draw(DECAY)
    rule |= {"when": draw(EVENT_TESTS), "max": draw(st.sampled_from([15, 25]))} | ({"decay": decay} if decay else {})
    return rule | draw(st.sampled_from([{}, {"each": True}, {"each": True, "max_per_day": 9}]))


@st.composite
def tables(draw: st.DrawFn) -> Any:
    """A table of points; one rule of either group is always there."""
    ends = [
        {"id": group, "group": group, "points": 100, "when": {"event": "view", "at_least": 3}}
        for group in ("fit", "act")
    ]
    found = [{**rule, "id": f"r{i}"} for i, rule in enumerate(draw(st.lists(rules(), min_size=1, max_size=4)))]
    thresholds = draw(st.sampled_from([{"mql": 15}, {"fit": 5, "act": 0}]))
    caps = draw(st.sampled_from([{}, {"fit": [0, 30]}, {"fit": [-10, 30], "act": [0, 50]}]))
    return {"rules": found + ends, "caps": caps, "thresholds": thresholds, "exclude": draw(st.lists(TESTS, max_size=1))}


@given(tables(), st.lists(LEADS, min_size=1, max_size=4), st.lists(DAYS, min_size=1, max_size=4))
@settings(max_examples=150)
def test_many_at_once_are_as_one_by_one(given_table: Any, leads: list[Any], days: list[float]) -> None:
    """Total and qualification of every lead at every instant are those of the slow reading of the contract."""
    one, k = table(json.dumps(given_table)), len(days)
    found = tally(
        one, records(leads), np.repeat(np.arange(len(leads)), k), np.array([us(d) for d in days] * len(leads))
    )
    for i, (each, day) in enumerate((each, day) for each in leads for day in days):
        total, qualified = slow_points.total(given_table, each, us(day))
        np.testing.assert_allclose(found.total[i], total, atol=1e-8)
        assert found.qualified[i] == qualified


@given(st.lists(events(), max_size=8), DAYS)
@settings(max_examples=50)
def test_what_is_known_later_never_counts(found: list[Any], day: float) -> None:
    """Without the events known after an instant, the points at it are the same."""
    text = """
    rules:
      - {id: a, when: {event: [view, call]}, points: 3, each: true, decay: {percent: 20, every_days: 3}}
      - {id: b, when: {no_event_for_days: 5}, points: -7}
      - {id: c, when: {not: {event: click, within_days: 9}}, points: 2}
    """
    known = [e for e in found if e["known"] <= day]
    both = tallied(text, [lead(*found), lead(*known)], [day, day])
    assert both.total[0] == both.total[1]


def test_parts_change_nothing(monkeypatch: Any) -> None:
    """Examples taken a few at a time have the points that they have together."""
    text = "rules: [{id: a, when: {event: x}, points: 3, each: true}, {id: b, when: {no_event_for_days: 2}, points: 1}]"
    leads = [lead(*(event(d, "x") for d in range(n))) for n in range(9)]
    whole = tallied(text, leads, [5.0] * 9)
    monkeypatch.setattr("models.points.totals.PAIRS", 4)
    parts = tallied(text, leads, [5.0] * 9)
    assert parts.total.tolist() == whole.total.tolist()
    assert parts.fired.tolist() == whole.fired.tolist()


def test_nobody_has_no_points() -> None:
    """No example, no total; a lead without any event at all has those of its fields."""
    text = "rules: [{id: a, when: {no_event_for_days: 2}, points: 1}]"
    assert tallied(text, [], []).total.shape == (0,)
    assert tallied(text, [lead()], [2]).total.tolist() == [1]
