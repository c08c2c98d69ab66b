"""What a conversion brought is one thing for the forecast, the weeks, the definition and the swap set."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.columns import Attribute
from pipeline.agreement.outcomes import value_of
from pipeline.assembly.planning import bare_plan
from pipeline.handtuned.swapping import swap_set
from pipeline.outcomes.deals import brought, deal_values
from pipeline.params import Definition

START = datetime(2025, 1, 1, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
STAGE = Definition()
EVENT = Definition.model_validate({"conversion": {"event": "purchase", "within_days": 30}})
LEADS = st.sampled_from(["a", "b", "c"])
CONVERSION = st.tuples(LEADS, st.integers(0, 20), st.booleans(), st.none() | st.integers(1, 99).map(float))


def day(n: int) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=n)


def tables(conversions: list[tuple[str, int, bool, float | None]], definition: Definition) -> dict[str, pl.DataFrame]:
    """Leads, and their conversions (where True, else something else) as stages or events."""
    known = {"lead_id": pl.Series([c[0] for c in conversions], dtype=pl.String)}
    at = pl.Series([day(c[1]) for c in conversions], dtype=TIME)
    amount = pl.Series([c[3] for c in conversions], dtype=pl.Float64)
    leads = pl.DataFrame({"lead_id": ["a", "b", "c"], "value": [5.0, None, 7.0], "account_id": ["x", "y", "z"]})
    if definition.conversion.event is None:
        names = pl.Series(["won" if c[2] else "lost" for c in conversions], dtype=pl.String)
        rows = pl.DataFrame({**known, "stage": names, "entered_at": at, "amount": amount})
        return {"leads": leads, "stages": rows}
    names = pl.Series(["purchase" if c[2] else "visit" for c in conversions], dtype=pl.String)
    events = {"type": names, "occurred_at": at, "known_at": at, "value": amount}
    return {"leads": leads, "events": pl.DataFrame({**known, **events})}


def rows_of(looks: list[tuple[str, int]], **columns: Any) -> pl.DataFrame:
    """Leads looked at on days."""
    as_of = pl.Series([day(n) for _, n in looks], dtype=TIME)
    return pl.DataFrame({"lead_id": pl.Series([name for name, _ in looks], dtype=pl.String), "as_of": as_of, **columns})


@pytest.mark.parametrize("definition", [STAGE, EVENT])
@given(conversions=st.lists(CONVERSION, max_size=12), looks=st.lists(st.tuples(LEADS, st.integers(0, 20)), max_size=8))
def test_it_is_the_amount_of_the_first_conversion_after(
    definition: Definition, conversions: list[Any], looks: list[tuple[str, int]]
) -> None:
    """Strictly after; of rows of one instant the first that says an amount."""
    found = brought(rows_of(looks), tables(conversions, definition), definition)
    for (lead, n), amount in zip(looks, found, strict=True):
        later = sorted((c for c in conversions if c[0] == lead and c[2] and c[1] > n), key=lambda c: c[1])
        told = [c[3] for c in later if c[1] == later[0][1] and c[3] is not None]
        assert amount == told[0] if told else np.isnan(amount)


def test_without_dates_or_records_nothing_is_known() -> None:
    """Neither of a flat table nor where the conversions' table is not there."""
    there = tables([("a", 3, True, 9.0)], STAGE)
    flat = pl.DataFrame({"lead_id": ["a"], "as_of": pl.Series([None], dtype=TIME)})
    assert np.isnan(brought(flat, there, STAGE)).all()
    assert np.isnan(brought(rows_of([("a", 1)]), there, EVENT)).all()


@pytest.mark.parametrize("definition", [STAGE, EVENT])
def test_a_lead_that_converts_brings_its_amount_or_what_was_expected(definition: Definition) -> None:
    """Else nothing."""
    there = tables([("a", 3, True, 9.0), ("b", 3, True, None), ("c", 3, True, None)], definition)
    rows = rows_of([("a", 1), ("b", 1), ("c", 1), ("a", 1)], label=[1.0, 1.0, 1.0, 0.0])
    assert value_of(rows, there, definition).tolist() == [9, 0, 7, 0]


@pytest.mark.parametrize("definition", [STAGE, EVENT])
def test_deals_are_those_that_train_knew(definition: Definition) -> None:
    """What leads of train brought, by a stage or an event, as long as train lasted; not what b did, nor c later."""
    there = tables([("a", 3, True, 9.0), ("a", 4, True, 5.0), ("b", 3, True, 40.0), ("c", 9, True, 70.0)], definition)
    examples = rows_of([("a", 1), ("c", 1), ("c", 5), ("b", 8)], fold=["train"] * 3 + ["test"])
    assert deal_values(there, bare_plan(definition), definition, examples).overall == 7
    flat = examples.with_columns(as_of=pl.lit(None, TIME))
    assert deal_values(there, bare_plan(definition), definition, flat).overall is None


@pytest.mark.parametrize("definition", [STAGE, EVENT])
def test_an_attribute_called_amount_is_not_what_the_deal_brought(definition: Definition) -> None:
    """Segments are by what the leads say, whatever their column is called: of two kinds each brings its own amount."""
    conversions = [(name, 3 + k, True, 90.0 if name == "a" else 10.0) for k in range(12) for name in ("a", "b")]
    there = tables(conversions, definition)
    there["leads"] = there["leads"].with_columns(amount=pl.Series(["large", "small", "small"]))
    kind = Attribute("amount", "amount", "lead", "categorical")
    plan = replace(bare_plan(definition), attributes=(kind,))
    examples = rows_of([("a", 1), ("b", 20)], fold=["train", "train"])
    assert set(deal_values(there, plan, definition, examples).by_segment) == {"large", "small"}


@pytest.mark.parametrize("definition", [STAGE, EVENT])
def test_the_swap_set_counts_what_conversions_bring(definition: Definition) -> None:
    """Whether they are a stage or an event: by points a comes in, by probability b, and both convert."""
    there = tables([("a", 3, True, 9.0), ("b", 3, True, 4.0), ("c", 3, True, 2.0)], definition)
    predictions = rows_of([("a", 1), ("b", 1), ("c", 1)], probability=[0.1, 0.9, 0.2], label=[1.0, 1.0, 0.0],
                          fold=["test"] * 3)  # fmt: skip
    points = rows_of([("a", 1), ("b", 1), ("c", 1)], points=[9.0, 1, 1], qualified=[True, False, False],
                     eligible=[True] * 3)  # fmt: skip
    found = swap_set(predictions, points, there, definition, 1, None)
    assert found is not None
    assert dict(found.leads.select("lead_id", "value").iter_rows()) == {"a": 9, "b": 4}
    assert [found.summary["groups"][name]["value"] for name in ("in", "out")] == [4, 9]
