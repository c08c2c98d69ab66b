"""The leads some days later: what is looked at, and what was known when the test began."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.arrays import DAY_US
from features.plan import Plan, plan_of_json
from pipeline import stage
from pipeline.assembly.data import Data, known, load
from pipeline.assembly.featuring import features
from pipeline.assembly.matrices import frame_of
from pipeline.learning.later import STEP, Looks, looks_of, softened
from pipeline.learning.rows import rows_of, settings_of
from pipeline.params import Train

WITHIN_D = 90.0
SETTINGS = settings_of(Train(bags=2, max_rounds=5, threads=1))


@pytest.fixture(scope="module")
def seen(finished_run: Path, checked_tables: dict[str, pl.DataFrame]) -> tuple[Data, Plan, Looks]:
    """The mature examples of the finished run, and their leads later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(str(finished_run))
        plan = plan_of_json(stage.read_json(stage.PLAN))
        leads = stage.read_table(stage.TABLES / "leads.parquet")
        data = load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)
    looks = looks_of(data, checked_tables, plan, WITHIN_D, data.begin_of_test)
    assert looks is not None
    return data, plan, looks


def test_later_features_are_the_kernels_own(
    seen: tuple[Data, Plan, Looks], checked_tables: dict[str, pl.DataFrame]
) -> None:
    """Those of the same leads as of `days` later, texts and all; nobody is looked at after the test began."""
    data, plan, looks = seen
    row = looks.later.row
    later = data.as_of[row] + round(looks.days * DAY_US)
    assert len(row) > 100
    assert later.max() <= data.begin_of_test
    examples = data.examples[row.tolist()].with_columns(as_of=pl.Series(later).cast(pl.Datetime("us", "UTC")))
    expected = frame_of(features(checked_tables, plan, examples))
    found = frame_of(looks.later.matrix)
    same = [found[name].eq_missing(expected[name]) | found[name].is_null() for name in found.columns]
    assert all(bool(column.all()) for column in same)
    assert sum(int(found[n].null_count() - expected[n].null_count()) for n in found.columns) < 0.01 * len(row)


def test_who_converted_in_between_is_not_looked_at(seen: tuple[Data, Plan, Looks]) -> None:
    """The first model is asked about leads that are still open."""
    _, _, looks = seen
    assert not (looks.heard[looks.later.row] <= looks.days).any()
    assert looks.days == WITHIN_D * STEP


def test_what_came_after_the_test_began_softens_nothing(
    seen: tuple[Data, Plan, Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outcomes recorded after that instant, turned over or taken away, leave every label that is learned as it is."""
    monkeypatch.setattr("models.learning.soft.LEAST_TO_SOFTEN", 2)
    data, _, looks = seen
    begin, over = data.begin_of_test, known(data.fold, data.as_of, WITHIN_D)
    keep = over | looks.over(data, begin)
    later = ~(data.as_of + looks.heard * DAY_US <= begin)
    secret = np.where(np.isnan(looks.came), 80.0, np.nan)
    blinded = replace(looks, came=np.where(later, secret, looks.came), heard=np.where(later, 1e6, looks.heard))
    rows = rows_of(data, keep, Train(bags=2))
    turned = replace(rows, y=np.where(over[keep], rows.y, 1 - rows.y))
    one, learn = softened(data, rows, keep, over, begin, looks, SETTINGS)
    other, same = softened(data, turned, keep, over, begin, blinded, SETTINGS)
    np.testing.assert_array_equal(learn, same)
    assert learn.all()
    assert ((one.y > 0) & (one.y < 1)).any()
    np.testing.assert_array_equal(one.y, other.y)


def test_no_test_example_is_learned_from(seen: tuple[Data, Plan, Looks]) -> None:
    """Every example whose next days were over came before the test."""
    data, _, looks = seen
    assert not (looks.over(data, data.begin_of_test) & data.rows("test")).any()


def test_nothing_is_softened_without_times_of_conversions(
    seen: tuple[Data, Plan, Looks], checked_tables: dict[str, pl.DataFrame]
) -> None:
    """Where the tables only say that leads converted, labels stay what they are."""
    data, plan, _ = seen
    without = replace(data, examples=data.examples.with_columns(days_to_record=pl.lit(None, pl.Float64)))
    assert looks_of(without, checked_tables, plan, WITHIN_D, data.begin_of_test) is None
    over = known(data.fold, data.as_of, WITHIN_D)
    rows = rows_of(data, over, Train(bags=2))
    same, learn = softened(data, rows, over, over, data.begin_of_test, None, SETTINGS)
    assert same is rows
    assert learn.all()
