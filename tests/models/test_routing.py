"""Routes: the first rule that holds, and no going to and fro near a level."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy.routing import Routing, Rule
from pipeline.params import ROUTES

ROUTING = Routing(tuple(Rule(**rule.model_dump()) for rule in ROUTES), 0.8, 1000.0, ("product_use",))
LEVELS = (0.5, 1.0, 2.0)


def one(lift: float, value: float, used: bool, previous: str | None = None) -> str:
    """The route of one lead."""
    return ROUTING.route(np.array([lift]), np.array([value]), np.array([used]), [previous])[0]


def test_a_small_product_qualified_deal_is_not_touched_and_a_large_one_is() -> None:
    """Without use, or with a deal of unknown value, the probability alone decides."""
    assert one(1.0, 999, True) == one(9.0, 999, True) == "no_touch"
    assert one(1.0, 1000, True) == "high_touch"
    assert one(1.0, 1000, False) == one(1.9, float("nan"), True) == "low_touch"
    assert [one(x, 5000, False) for x in (2.0, 1.0, 0.5, 0.49)] == ["high_touch", "low_touch", "nurture", "recheck"]


def test_a_route_is_left_below_the_level_of_coming_in() -> None:
    """At 0.8 of the level and not before; one that never was there needs the whole level."""
    assert one(1.6, 1.0, False, "high_touch") == "high_touch"
    assert one(1.59, 1.0, False, "high_touch") == "low_touch"
    assert one(1.6, 1.0, False, "low_touch") == "low_touch"
    assert one(1.0, 800, True, "high_touch") == "no_touch"


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=40),
    st.floats(0.2, 3),
    st.sampled_from([100.0, 5000.0, float("nan")]),
    st.booleans(),
)
@settings(max_examples=200)
def test_small_oscillations_do_not_flap(wiggles: list[float], middle: float, value: float, used: bool) -> None:
    """Within a tenth around any level a lead changes its route at most once for each level there, then stays."""
    lifts = [middle * (1 + w / 10) for w in wiggles]
    inside = sum(min(lifts) < level <= max(lifts) for level in LEVELS)
    routes: list[str] = []
    for lift in lifts:
        routes.append(one(lift, value, used, routes[-1] if routes else None))
    assert sum(a != b for a, b in itertools.pairwise(routes)) <= inside


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=40))
def test_deals_near_the_size_that_is_large_do_not_flap(wiggles: list[float]) -> None:
    """A product-qualified deal whose value goes about the level changes its route at most once."""
    routes: list[str] = []
    for w in wiggles:
        routes.append(one(1.5, 1000 * (1 + w / 10), True, routes[-1] if routes else None))
    assert sum(a != b for a, b in itertools.pairwise(routes)) <= 1


@pytest.mark.parametrize(
    ("previous", "value", "route"),
    [(None, 999, "rest"), ("big", 999, "big"), ("big", 800, "big"), ("big", 799, "rest"), ("rest", 999, "rest")],
)
def test_a_large_deal_stays_large_down_to_the_share(previous: str | None, value: float, route: str) -> None:
    """By its value as by its probability a lead leaves a route later than it came in."""
    routing = Routing((Rule("big", 0, deal="large"), Rule("rest", 0)), 0.8, 1000.0, ())
    assert routing.route(np.ones(1), np.array([value]), np.zeros(1, bool), [previous]) == [route]
