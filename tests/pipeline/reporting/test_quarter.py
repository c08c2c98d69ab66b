"""Deals a quarter: counted at equal volume, said with their interval, and not said where nothing can be counted."""

from typing import Any

import pytest

from pipeline.reporting.quarter import how, noun, quarter, said, tiles


def weekly(mine: float, theirs: float, rival: str = "points", taken: float = 260.0) -> dict[str, Any]:
    """Metrics of 26 weeks in which both took as many leads."""
    one = {"taken": 260.0, "converted": mine, "precision": mine / 260, "value": None}
    other = {"taken": taken, "converted": theirs, "precision": theirs / taken, "value": None}
    return {"test": {}, "weekly": {"weeks": 26, "base_rate_of_open": 0.1, "model": one, rival: other}}


def apart(low: float, high: float, rival: str = "points") -> dict[str, Any]:
    """Interval of the difference of the shares."""
    return {"weekly": {"difference": {rival: {"precision": (low, high)}}}}


def test_weeks_are_scaled_to_a_quarter() -> None:
    """26 weeks are two quarters, and the interval is that of the shares times what a quarter takes."""
    found = quarter(weekly(60, 20), apart(0.1, 0.2))
    assert found is not None
    assert (found.mine, found.theirs, found.more) == (30, 10, 20)
    assert found.interval == pytest.approx((13, 26))
    assert said(found, "deals") == (
        "Of equally many leads, those the model picks contain 20.0 more deals per quarter than those the points pick"
        " (95\u00a0% interval 13.0 to 26.0): 30.0 instead of 10.0."
    )


@pytest.mark.parametrize(
    ("pool", "words", "every"),
    [
        ("open", "on each of the 26 Mondays of the test, each of the two picks its 10 best open leads,", "open leads"),
        ("created", "in each of the 26 weeks of the test, each of the two picks its 10 best of the leads created in it",
         "leads"),
    ],
)  # fmt: skip
def test_how_it_was_counted_says_who_was_picked_from(pool: str, words: str, every: str) -> None:
    """Open leads, or those created in a week where outcomes alone are known: nobody knows whether these were open."""
    metrics = weekly(60, 20)
    metrics["weekly"][pool] = 100.0
    found = quarter(metrics, {})
    assert found is not None
    assert how(found, metrics["weekly"]).startswith(f"How this was counted: {words}")
    assert tiles(metrics, {}, "deals")[-1]["says"].endswith(f"of all {every}")


def test_a_loss_and_mere_chance_are_said() -> None:
    """Fewer is said to be fewer; an interval that holds 0 is said to be chance; without points chance is the rival."""
    found = quarter(weekly(20, 26, "base_rate"), apart(-0.1, 0.02, "base_rate"))
    assert found is not None
    words = said(found, noun("sql"))
    assert "than as many picked by chance" in words
    assert "3.0 fewer conversions per quarter" in words
    assert words.endswith("10.0 instead of 13.0; chance alone may explain the difference.")


def test_unequal_volumes_are_not_compared() -> None:
    """Where one list ran out of leads, or there are no weeks but instants of any distance, there is no such figure, and
    no tile of it."""
    assert quarter(weekly(60, 20, taken=200), {}) is None
    assert quarter({"test": {}}, {}) is None
    months = weekly(60, 20)
    months["weekly"]["instants"] = months["weekly"].pop("weeks")
    assert quarter(months, {}) is None
    assert tiles({"test": {}}, {}, "deals") == []
    assert [tile["key"] for tile in tiles(weekly(60, 20), {}, "deals")] == ["quarter.more", "weekly.model.precision"]
