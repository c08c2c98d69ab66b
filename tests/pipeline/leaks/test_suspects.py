"""What stops a run, what is asked about, and twins by what they did: on small cases by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from models.leaks.purity import Pure
from models.leaks.screening import NOTHING, Area
from pipeline.leaks.culprits import Culprit, quoted
from pipeline.leaks.singles import Suspect
from pipeline.leaks.twins import check_twins
from pipeline.params import Leaks

PARAMS = Leaks(level_odds=25)


def suspect(block: str, low: float, odds: float) -> Suspect:
    """A column in which nothing but a group of leads is odd."""
    pure = Pure(0, "gold", 50, 40, low, odds)
    return Suspect("fit_x", block, Culprit("column", "x"), NOTHING, NOTHING, NOTHING, pure)


@pytest.mark.parametrize(
    ("block", "low", "odds", "stops", "asked"),
    [
        ("lead", 0.6, 26, True, True),
        ("lead", 0.6, 25, False, True),
        ("lead", 0.6, 10.1, False, True),
        ("lead", 0.6, 10, False, False),
        ("lead", 0.5, 26, False, True),
        ("lead", 0.5, 25, False, False),
        ("history", 0.6, 26, True, True),
        ("history", 0.6, 25, False, False),
        ("events", 0.6, 26, False, True),
        ("events", 0.6, 25, False, False),
    ],
)
def test_who_only_wins_is_suspected_by_the_odds(block: str, low: float, odds: float, stops: bool, asked: bool) -> None:
    """If most of a group convert, at more than the odds of leaks.level_odds: fields stop the run, what leads did is
    asked about. A field whose past nobody knows is asked about from two fifths of these odds on, and at more than
    all of them also where fewer convert."""
    one = suspect(block, low, odds)
    assert (one.over(PARAMS), one.near(PARAMS)) == (stops, asked)


@pytest.mark.parametrize(("block", "odds", "asked"), [("lead", 10.1, True), ("lead", 10, False), ("events", 99, False)])
def test_who_has_it_and_only_loses_is_asked_about(block: str, odds: float, asked: bool) -> None:
    """A field whose past nobody knows, such as why a lead was lost: those who have it hardly ever convert. What leads
    did may keep them from it."""
    lost = Pure(0, None, 500, 0, 0.98, odds)
    one = Suspect("fit_x", block, Culprit("column", "x"), NOTHING, NOTHING, NOTHING, barren=lost)
    assert (one.over(PARAMS), one.near(PARAMS)) == (False, asked)
    assert one.said.endswith("; of 500 leads with it 0 convert")


@pytest.mark.parametrize(("odds", "asked"), [(26, True), (25, False)])
def test_what_is_made_of_several_things_is_asked_about_by_the_odds(odds: float, asked: bool) -> None:
    """Colleagues who came first, where an account's contacts were entered at the sale and dated back."""
    one = suspect("account_leads", 0.6, odds)
    one = replace(one, culprit=Culprit("made", "engagement_colleagues_first_days", others=True))
    assert (one.over(PARAMS), one.near(PARAMS)) == (False, asked)
    assert "account_id" in one.culprit.remedy


def test_a_field_of_unknown_past_that_tells_much_is_asked_about() -> None:
    """Above 0.8, where few leads do not explain it; a dated one is not before the limit."""
    for block, asked in (("lead", True), ("history", False)):
        told = Suspect("fit_x", block, Culprit("column", "x"), Area(0.85, 0.84, 0.6), NOTHING, NOTHING)
        assert told.near(PARAMS) == asked


def test_how_many_fields_are_filled_in_is_asked_about() -> None:
    """Six fields, each filled in somewhat more often for winners: none of them is suspicious alone."""
    count = Culprit("count", "fit_known_fields")
    told = Suspect("fit_known_fields", "lead", count, Area(0.85, 0.84, 0.6), NOTHING, NOTHING)
    assert (told.over(PARAMS), told.near(PARAMS)) == (False, True)
    assert "definition.exclude" in count.remedy


def test_a_name_is_quoted_where_yaml_needs_it() -> None:
    """So that the remedy can be pasted as it stands."""
    assert quoted("Lead Source") == "Lead Source"
    assert quoted("Won?: yes") == '"Won?: yes"'


def test_who_did_the_same_to_the_second_is_one() -> None:
    """Whatever their fields say: two events at the same instants that nobody else has, and no other; a shared mailing
    proves nothing."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    leads = pl.DataFrame({"lead_id": ["a", "b", "c", "d"], "row": range(4),
                          "created_at": [start + timedelta(days=n) for n in range(4)]})  # fmt: skip
    did = [("a", 11, "visit"), ("a", 12, "click"), ("b", 11, "visit"), ("b", 12, "click"), ("c", 13, "open"),
           ("c", 14, "open"), ("d", 13, "open"), ("d", 14, "open"), ("d", 15, "visit")]  # fmt: skip
    events = pl.DataFrame(
        [(lead, start + timedelta(days=n), kind, None) for lead, n, kind in did],
        schema={"lead_id": pl.String, "occurred_at": pl.Datetime("us", "UTC"), "type": pl.String, "topic": pl.String},
        orient="row",
    )
    examples = pl.DataFrame({"lead_id": leads["lead_id"], "fold": ["train", "test"] * 2})
    found = check_twins({"leads": leads, "events": events}, examples, [])
    assert found.numbers["rows"] == [[0, 1]]
    assert len(found.problems) == 1
