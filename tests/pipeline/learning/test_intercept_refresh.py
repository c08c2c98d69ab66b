"""The intercept refresh in a run: known when the test began, or not looked at."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.plan import plan_of_json
from models.learning import refresh as models_refresh
from models.learning.calibration import Calibration
from models.learning.encoding import encode
from models.learning.training import Model
from models.trees.booster import Bag
from models.trees.model import Trees
from pipeline import stage
from pipeline.assembly.data import Data, load
from pipeline.errors import Stop
from pipeline.learning import refresh
from pipeline.learning.fitted import read_model

DAYS = 90


@pytest.fixture(scope="module")
def run(finished_run: Path) -> Iterator[tuple[Data, Model, Calibration]]:
    """Examples and model of the finished run, in which a handful of conversions, of the whole horizon, is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished_run)
        patch.setattr(models_refresh, "LEAST_EVENTS", 2)
        patch.setattr(models_refresh, "WINDOW", 1)
        plan, fitted = plan_of_json(stage.read_json(stage.PLAN)), read_model()
        leads = stage.read_table(stage.TABLES / "leads.parquet")
        data = load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)
        yield data, Model(fitted.encoding, Bag(fitted.text, np.empty(0), (), (), np.empty((0, 0)))), fitted.calibration


def test_only_what_was_known_when_the_test_began_counts(run: tuple[Data, Model, Calibration]) -> None:
    """Conversions after it planted or taken away, outcomes of gap and test turned round: every figure stays."""
    data, model, chosen = run
    nothing = np.full(len(data.y), np.nan)
    found = refresh.find(data, model, nothing, chosen, DAYS)
    assert found.standard_error is not None
    begin = data.begin_of_test
    heard = pl.col("as_of").dt.epoch("us") + pl.col("days_to_record") * 86_400_000_000
    after = pl.lit(begin) - pl.col("as_of").dt.epoch("us") + 86_400_000_000
    for planted in (pl.lit(None, pl.Float64), pl.max_horizontal(after / 86_400_000_000, 0.5)):
        later = pl.col("fold").is_in(["gap", "test"]) & ((heard > begin) | pl.col("days_to_record").is_null())
        examples = data.examples.with_columns(
            days_to_record=pl.when(later).then(planted).otherwise("days_to_record"), days_to_conversion=pl.lit(1.0)
        )
        others = replace(data, examples=examples, y=np.where(data.rows("train"), data.y, 1 - data.y))
        assert refresh.find(others, model, nothing, chosen, DAYS) == found


def test_it_looks_at_examples_that_are_not_over_and_began_before_the_test(run: tuple[Data, Model, Calibration]) -> None:
    """None of train, calibrate or test; some there are."""
    data, *_ = run
    rows = refresh.recent_rows(data, DAYS)
    begin = data.begin_of_test
    assert rows.any()
    assert set(data.fold[rows]) == {"gap"}
    assert (data.as_of[rows] < begin).all()
    assert (data.as_of[rows] + DAYS * 86_400_000_000 > begin).all()


def test_conversions_without_a_time_stop_it(run: tuple[Data, Model, Calibration]) -> None:
    """Tables of outcomes alone: the error names the parameter and says why."""
    data, model, chosen = run
    timeless = replace(data, examples=data.examples.with_columns(days_to_record=pl.lit(None, pl.Float64)))
    with pytest.raises(Stop, match=r"train\.refresh_intercept: needs to know when"):
        refresh.find(timeless, model, np.full(len(data.y), np.nan), chosen, DAYS)


def test_what_was_learned_from_goes_by_members_that_had_not_seen_it(run: tuple[Data, Model, Calibration]) -> None:
    """Were they to expect more, the same conversions would ask for less of a shift."""
    data, model, chosen = run
    rows = refresh.recent_rows(data, DAYS)
    raw = Trees(model.bag.text).scores(encode(model.encoding, data.matrix))
    estimates = [refresh.find(data, model, raw + more, chosen, DAYS).estimate for more in (0.0, 0.5)]
    assert estimates[1] < estimates[0]
    nothing = np.where(rows, np.nan, raw)
    assert refresh.find(data, model, nothing, chosen, DAYS).estimate == pytest.approx(estimates[0], abs=1e-9)
