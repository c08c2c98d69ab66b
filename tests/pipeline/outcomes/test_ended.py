"""A refused outcome ends its lead when it happened, until something opens the lead again."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline.assembly.values import instant_us
from pipeline.outcomes.ended import ended

TIME = pl.Datetime("us", "UTC")
REFUSED_D = 5


def day(n: int) -> datetime:
    """So many days after the start."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n)


@pytest.mark.parametrize(
    ("stages", "at", "over"),
    [
        ([], REFUSED_D - 1, False),
        ([], REFUSED_D, True),
        ([("mql", 8)], 9, True),
        ([("recycled", 8)], 9, False),
        ([("recycled", 8)], 8, False),
        ([("recycled", 8)], 7, True),
        ([("recycled", 3)], 9, True),
        ([("recycled", REFUSED_D)], 9, True),
        ([("recycled", 3), ("recycled", 8), ("mql", 9)], 9, False),
    ],
)
def test_only_a_reopening_that_has_come_opens_it_again(stages: list[tuple[str, int]], at: int, over: bool) -> None:
    """Not any stage, not one before, and not one that is still to come. A lead with no such row is not ended."""
    refused = pl.Series([None, day(REFUSED_D)], dtype=TIME)
    tables = {
        "leads": pl.DataFrame({"lead_id": ["whole", "refused"], "refused_at": refused}),
        "stages": pl.DataFrame(
            [{"lead_id": "refused", "stage": name, "entered_at": day(n)} for name, n in stages],
            schema={"lead_id": pl.String, "stage": pl.String, "entered_at": TIME},
        ),
    }
    order = pl.DataFrame({"lead_id": ["refused", "whole"]})
    assert ended(tables, order, ["recycled"], instant_us(day(at))).tolist() == [over, False]
    if not stages:
        assert ended({"leads": tables["leads"]}, order, ["recycled"], instant_us(day(at))).tolist() == [over, False]
