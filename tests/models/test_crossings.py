"""First crossings are exact: no instant before one qualifies, and nothing is missed."""

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pointing import event, lead, records, table, us
from test_points import LEADS, tables

from features.arrays import NEVER, Bools, Ints
from models.points.crossings import first_crossings
from models.points.totals import tally

GRID = np.arange(0, 110, 0.25)
"""Everything that the drawn leads and rules can turn on lies on quarters of a day."""


def always(lead: Ints, as_of: Ints) -> Bools:
    """Every lead may qualify at any instant."""
    return np.ones(len(lead), bool)


@given(tables(), st.lists(LEADS, min_size=1, max_size=3))
@settings(max_examples=40)
def test_the_first_instant_that_qualifies(given_table: Any, leads: list[Any]) -> None:
    """It is the first of a grid of all instants since creation that does."""
    one, made = table(json.dumps(given_table)), records(leads)
    until = np.full(len(leads), us(GRID[-1]))
    found = first_crossings(one, made, until, always)
    at = np.array([us(day) for day in GRID])
    for i in range(len(leads)):
        rows = at[at >= made.created[i]]
        qualified = tally(one, made, np.full(len(rows), i), rows).qualified
        assert found[i] == (rows[qualified.argmax()] if qualified.any() else NEVER)


def test_from_a_date_on_and_only_while_eligible() -> None:
    """A rule that comes into force lifts a lead at its date; one that may not qualify waits for the next rise."""
    one = table("rules: [{id: a, when: {event: x}, points: 5, from: 2025-01-11, each: true}]\nthresholds: {mql: 5}")
    made = records([lead(event(3, "x"), event(15, "x")), lead(event(30, "x"))])
    until = np.array([us(100), us(29)])
    assert first_crossings(one, made, until, always).tolist() == [us(10), NEVER]
    late = first_crossings(one, made, until, lambda lead, at: at > us(12))
    assert late.tolist() == [us(15), NEVER]


def test_who_is_excluded_qualifies_when_that_ends() -> None:
    """At the change that ends it, though no point comes then; up to the very end of the data and no further."""
    one = table("""
    rules: [{id: a, when: {event: x}, points: 5}]
    exclude: [{field: budget, lt: 10}]
    thresholds: {mql: 5}
    """)
    made = records([lead(event(1, "x"), budget=[(0, 1.0), (6, 20.0)])] * 3)
    until = np.array([us(100), us(6), us(6) - 1])
    assert first_crossings(one, made, until, always).tolist() == [us(6), us(6), NEVER]


def test_silence_may_lift_a_lead() -> None:
    """Where points are given for it: so long after the last event, or after the creation of one that never did a
    thing."""
    one = table("rules: [{id: a, when: {no_event_for_days: 30}, points: 5}]\nthresholds: {mql: 5}")
    made = records([lead(created=2), lead(event(5, "x"), created=2)])
    assert first_crossings(one, made, np.full(2, us(100)), always).tolist() == [us(32), us(35)]


def test_no_lead_no_crossing() -> None:
    """Empty in, empty out."""
    one = table("rules: [{id: a, when: {event: x}, points: 5}]\nthresholds: {mql: 5}")
    assert first_crossings(one, records([]), np.zeros(0, np.int64), always).shape == (0,)
