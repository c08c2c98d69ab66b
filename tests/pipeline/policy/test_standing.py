"""How leads qualified before: by whom, when first, and what the old threshold was."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from models.points.table import PointsTable
from pipeline.errors import Stop
from pipeline.params import Policy
from pipeline.policy.thresholds import mark_of, standing_of

TABLE = PointsTable.model_validate(
    {"rules": [{"id": "a", "when": {"field": "size", "gt": 5}, "points": 60}], "thresholds": {"mql": 60}}
)


def day(n: int) -> datetime:
    """So many days after the start."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n)


def test_a_lead_counts_when_it_first_qualified() -> None:
    """By a table of points at the first look at which it could, else by the first of its rows of stage mql."""
    lead, at = ["a", "a", "a", "b"], [day(5), day(2), day(1), day(3)]
    stages = pl.DataFrame({"lead_id": lead, "stage": ["MQL", "mql", "new", "new"], "entered_at": at})
    found = standing_of({"stages": stages}, pl.DataFrame(), None)
    assert found.by == "stages"
    assert found.first is not None
    assert found.first.rows() == [("a", day(2))]
    could = {"qualified": [True, True, True, False], "eligible": [True, True, False, True]}
    found = standing_of({"stages": stages}, pl.DataFrame({"lead_id": lead, "as_of": at, **could}), TABLE)
    assert (found.by, found.mark) == ("points", 60)
    assert found.first is not None
    assert found.first.rows() == [("a", day(2))]


@pytest.mark.parametrize(("old", "mark"), [(0.5, 1), (60.0, 60), (60.2, 61), (100.0, 100)])
def test_the_old_threshold_is_a_score(old: float, mark: int) -> None:
    """The next whole one from 1 to 100, unless policy.mark says another."""
    assert mark_of(Policy(), old) == mark
    assert mark_of(Policy(mark=7), old) == 7


@pytest.mark.parametrize("old", [None, 0.0, 100.5])
def test_a_scale_needs_a_threshold_on_it(old: float | None) -> None:
    """Else the run stops and says what to set."""
    with pytest.raises(Stop, match=r"between 1 and 100.*set policy\.mark"):
        mark_of(Policy(), old)
