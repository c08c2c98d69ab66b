"""What the model may learn from, and what happens where there is little."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blinded import blind

from features.plan import plan_of_json
from models.baselines.fitted import Baselines
from models.learning import calibration
from pipeline import stage
from pipeline.assembly.data import Data, known, load
from pipeline.errors import Stop
from pipeline.learning import trained
from pipeline.learning.later import Looks
from pipeline.learning.rows import settings_of
from pipeline.learning.trained import FEW, sized
from pipeline.params import Train

WITHIN_D = 90.0
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def data(finished_run: object) -> Data:
    """The mature examples of the finished run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(str(finished_run))
        plan = plan_of_json(stage.read_json(stage.PLAN))
        leads = stage.read_table(stage.TABLES / "leads.parquet")
        return load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)


def test_only_outcomes_known_when_the_test_began_are_learned_from(data: Data) -> None:
    """Every row's horizon was over then; train and calibrate are among them, the test never is."""
    rows = known(data.fold, data.as_of, WITHIN_D)
    assert (data.as_of[rows] + WITHIN_D * DAY_US <= data.begin_of_test).all()
    assert rows[data.rows("train") | data.rows("calibrate")].all()
    assert not rows[data.rows("test")].any()


def test_later_labels_do_not_decide_what_is_learned_from(data: Data) -> None:
    """Turning every label that was unknown then leaves the choice of rows as it is."""
    rows = known(data.fold, data.as_of, WITHIN_D)
    turned = replace(data, y=np.where(rows, data.y, 1 - data.y))
    np.testing.assert_array_equal(known(turned.fold, turned.as_of, WITHIN_D), rows)


def test_baselines_learn_from_every_outcome_that_was_known(
    data: Data, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just what is known when the test begins, as the model does: rivals on less would flatter it."""
    given: list[np.ndarray] = []

    def taking(*parts: Any) -> Baselines:
        given.append(parts[4])
        return blind(*parts)

    monkeypatch.setattr(trained, "fit_baselines", taking)
    plan = plan_of_json(stage.read_json(finished_run / stage.PLAN))
    few = Train(bags=2, max_rounds=2, least_converting=2, threads=1)
    trained.train(data, plan, few, WITHIN_D, lambda what: None)
    np.testing.assert_array_equal(given[0], known(data.fold, data.as_of, WITHIN_D))


def test_a_luckless_season_moves_no_probabilities(
    data: Data, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the latest tenth of what is known almost nobody converts: what members that had not seen the account expect of
    all of it is still what came, within a tenth."""
    monkeypatch.setattr(trained, "fit_baselines", blind)
    over = known(data.fold, data.as_of, WITHIN_D)
    late = over & (data.as_of >= np.quantile(data.as_of[over], 0.9))
    luckless = late & (data.lead % 8 > 0)
    season = replace(data, fold=np.where(late, "calibrate", data.fold), y=np.where(luckless, 0.0, data.y))
    plan = plan_of_json(stage.read_json(finished_run / stage.PLAN))
    found = trained.train(season, plan, Train(bags=2, max_rounds=5, least_converting=2), WITHIN_D, lambda what: None)
    expected = calibration.apply(found.calibration, found.left_out)[over].sum()
    assert expected == pytest.approx(season.y[over].sum(), rel=0.1)


def test_too_few_conversions_stop_the_run_and_say_what_is_missing() -> None:
    """29 are too few: the message has both numbers and what could be done."""
    params = Train()
    with pytest.raises(Stop, match=r"29 leads that converted .* at least 30 .*within_days"):
        sized(settings_of(params), 29, params)


def test_few_conversions_give_small_trees_and_a_warning() -> None:
    """From 30 on the trees are small and the warning has the number; from FEW on nothing is changed or said."""
    params = Train()
    small, said = sized(settings_of(params), 30, params)
    assert small.num_leaves <= 4
    assert "Only 30 converting leads" in said[0]
    assert sized(settings_of(params), FEW, params) == (settings_of(params), ())


def test_leads_of_one_account_stop_the_run_and_say_so(data: Data, finished_run: Path) -> None:
    """No account could be left out: the message says what to do about an account_id that is none."""
    plan = plan_of_json(stage.read_json(finished_run / stage.PLAN))
    alone = replace(data, group=np.zeros_like(data.group), groups=["account_id:1"] * len(data.groups))
    with pytest.raises(Stop, match=r"one account .*definition.exclude: \[account_id\]"):
        trained.train(alone, plan, Train(least_converting=2), WITHIN_D, lambda what: None)


def test_parts_without_a_known_outcome_stop_the_run_and_say_so(
    data: Data, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three accounts, of which one has recent leads alone: its part of the model could not know when to stop."""
    plan = plan_of_json(stage.read_json(finished_run / stage.PLAN))
    over = known(data.fold, data.as_of, WITHIN_D)
    group = np.where(over, data.lead % 2, 2)
    three = replace(data, group=group, groups=[f"account_id:{k}" for k in group])
    monkeypatch.setattr(trained, "softened", lambda data, rows, keep, known, *_: (rows, known[keep]))
    recent = Looks(28.0, WITHIN_D, None, np.empty(0), np.empty(0))  # type: ignore[arg-type]
    with pytest.raises(Stop, match=r"of one in each of train.bags parts.*definition.exclude: \[account_id\]"):
        trained.train(three, plan, Train(least_converting=2), WITHIN_D, lambda what: None, recent)
