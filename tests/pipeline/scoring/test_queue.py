"""The queue of calls."""

from dataclasses import replace

import polars as pl

from models.policy.policy import Policy
from models.policy.routing import Routing, Rule
from models.policy.values import Values
from pipeline.scoring.queue import lines, queue

POLICY = Policy((0.5,) * 100, 0.1, (), "E", Routing((Rule("x", 0.0),), 0.8, None, ()), Values(None, {}, None), 0.1, 40)


def scores(values: list[float | None]) -> pl.DataFrame:
    """Three open leads, one that buys by itself and one that is closed."""
    return pl.DataFrame(
        {
            "lead_id": list("abcde"),
            "status": ["scored"] * 4 + ["closed"],
            "probability": [0.1, 0.3, 0.2, 0.9, None],
            "expected_value": [*values, 900.0, None],
            "grade": ["C"] * 5,
            "route": ["low_touch"] * 3 + ["no_touch", None],
            "reason_1": ["x"] * 5,
            "reason_2": ["y"] * 5,
            "reason_3": [None] * 5,
        },
        schema_overrides={"reason_3": pl.String, "expected_value": pl.Float64},
    )


def test_calls_go_where_they_are_worth_most() -> None:
    """By expected value less the cost of a call; not where the cost is more, nor where nobody need call."""
    found = queue(scores([500.0, 39.0, 100.0]), POLICY, 50)
    assert found["lead_id"].to_list() == ["a", "c"]
    assert found["worth"].to_list() == [460.0, 60.0]
    assert found["why"].to_list() == ["x; y"] * 2
    assert queue(scores([500.0, 39.0, 100.0]), POLICY, 1)["lead_id"].to_list() == ["a"]


def test_a_call_of_no_known_cost_costs_nothing() -> None:
    """Worth is then what is expected."""
    found = queue(scores([500.0, 39.0, 100.0]), replace(POLICY, call_cost=None), 50)
    assert found["worth"].to_list() == [500.0, 100.0, 39.0]


def test_without_values_the_probability_decides() -> None:
    """One lead of unknown value, and money says nothing of the order."""
    found = queue(scores([500.0, None, 100.0]), POLICY, 50)
    assert found["lead_id"].to_list() == ["b", "c", "a"]
    assert found["worth"].null_count() == 3


def test_a_line_says_who_how_likely_and_what_it_may_bring() -> None:
    """In per cent, and without a value where there is none."""
    assert lines(queue(scores([500.0, 39.0, 100.0]), POLICY, 1)) == [
        "   1  a  10.0 %, expected value 500, C, low_touch: x; y"
    ]
    assert lines(queue(scores([500.0, None, 100.0]), POLICY, 1)) == ["   1  b  30.0 %, C, low_touch: x; y"]
