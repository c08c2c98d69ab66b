"""What the policy brings, on the finished run: volumes, kept thresholds, expected values, routes of an earlier file."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.plan import plan_of_json
from models.bundle.folder import Bundle
from models.policy.thresholds import entering
from models.policy.values import Values
from pipeline.assembly.matrices import matrix_of
from pipeline.errors import Stop
from pipeline.outcomes.deals import brought
from pipeline.params import Definition, NetBenefit, Policy, Threshold
from pipeline.policy.chosen import Scores, policy_of
from pipeline.policy.forecast import forecast
from pipeline.policy.thresholds import Standing, kept, reaches, standing_of
from pipeline.scoring.previous import read_routes
from pipeline.scoring.score import read, score_tables

NOW = datetime(2100, 1, 1, tzinfo=UTC)
NOTHING = Values(None, {}, None)


def _scores(predictions: pl.DataFrame) -> Scores:
    """As if no tree had seen any of them."""
    return Scores(predictions, predictions, 0.1)


@pytest.fixture
def standing(checked_tables: dict[str, pl.DataFrame]) -> Standing:
    """By the actual rows of stage `mql`."""
    return standing_of(checked_tables, pl.DataFrame(), None)


def test_the_mql_volume_is_kept(predictions: pl.DataFrame, standing: Standing) -> None:
    """As many leads reach the threshold in the calibrate fold as entered the stage; 60 of 100 points are 60 still."""
    params = Policy(threshold=Threshold(keep="mql_volume"), scale="continuity", mark=60)
    found = policy_of(params, _scores(predictions), NOTHING, standing)
    before, best = reaches(predictions)
    at = found.threshold or 0.0
    volume, most = kept(predictions, standing), int((best > before).sum())
    assert standing.by == "stages"
    assert volume > 0
    assert abs(int(((best >= at) & (before < at)).sum()) - min(volume, most)) <= max(1, volume - most)
    assert ((found.score(best) >= 60) == (best >= at)).all()


def test_a_team_is_filled() -> None:
    """Of a lead a day over 70 days, 3 a week are the best 30."""
    n, start = 71, datetime(2025, 1, 1, tzinfo=UTC)
    p = np.random.default_rng(1).permutation(np.linspace(0.01, 0.99, n))
    rows = pl.DataFrame(
        {"lead_id": [f"l{i}" for i in range(n)], "as_of": [start + timedelta(days=i) for i in range(n)],
         "fold": ["calibrate"] * n, "label": [0.0] * n, "probability": p}
    )  # fmt: skip
    found = policy_of(Policy(threshold=Threshold(weekly_capacity=3)), _scores(rows), NOTHING).threshold
    assert found == np.sort(p)[-30]


def _on_days(fold_of: dict[int, str]) -> pl.DataFrame:
    """A lead a day over 57 days, each looked at on the first of the given days that it was there for."""
    start, p = datetime(2025, 1, 1, tzinfo=UTC), np.random.default_rng(2).permutation(np.linspace(0.01, 0.99, 57))
    day = [min(d for d in fold_of if d >= i) for i in range(57)]
    return pl.DataFrame(
        {"lead_id": [f"l{i}" for i in range(57)], "as_of": [start + timedelta(days=d) for d in day],
         "fold": [fold_of[d] for d in day], "label": [0.0] * 57, "probability": p}
    )  # fmt: skip


def test_leads_looked_at_on_fixed_days_came_since_the_day_before() -> None:
    """On a single held day come the leads of all weeks since the last one, for threshold and volume alike."""
    rows = _on_days({0: "train", 56: "calibrate"})
    found = policy_of(Policy(threshold=Threshold(weekly_capacity=3)), _scores(rows), NOTHING).threshold
    assert found == np.sort(rows["probability"][1:].to_numpy())[-24]
    first = rows.select("lead_id", at=pl.lit(datetime(2025, 1, 20, tzinfo=UTC)))
    assert kept(rows, Standing("stages", first.head(5))) == 5


def test_a_single_day_makes_no_week() -> None:
    """Nobody knows since when the leads came that were there on it."""
    with pytest.raises(Stop, match=r"weekly_capacity.*one and the same day.*snapshots\.at"):
        policy_of(Policy(threshold=Threshold(weekly_capacity=3)), _scores(_on_days({56: "train"})), NOTHING)


def test_who_was_above_the_threshold_before_is_not_let_in_again() -> None:
    """Of a lead a day the first ten, all above the rest, are looked at again in the calibrate fold: only others come in
    there, whether the first look was in train or in the gap between the two."""
    n, start = 40, datetime(2025, 1, 1, tzinfo=UTC)
    new = pl.DataFrame(
        {"lead_id": [f"l{i}" for i in range(n)], "as_of": [start + timedelta(days=i) for i in range(n)],
         "fold": ["train"] * 5 + ["gap"] * 5 + ["calibrate"] * 30,
         "probability": [0.9] * 10 + [0.3 + i / 100 for i in range(30)]}
    )  # fmt: skip
    again = new.head(10).with_columns(as_of=pl.col("as_of") + timedelta(days=20), fold=pl.lit("calibrate"))
    before, best = reaches(pl.concat([new, again]))
    assert len(best) == 40
    assert int(entering(before, best, np.array([0.5]))[0]) == int((new["probability"][10:] >= 0.5).sum())


def test_grades_and_report_go_by_one_base_rate(finished_run: Path, bundle: Bundle) -> None:
    """That of all outcomes that were known when the test began, as of every baseline."""
    baselines = json.loads((finished_run / "artifacts/model/baselines.json").read_text())
    assert bundle.policy.base_rate == baselines["base_rate"]


def test_a_call_pays_from_cost_over_value_on(predictions: pl.DataFrame) -> None:
    """With a stated value or the mean of the won deals; a cost above it is an error, and so is no value."""
    wanted = Policy(threshold=Threshold(net_benefit=NetBenefit(call_cost=40)))
    assert policy_of(wanted, _scores(predictions), Values(None, {}, 5000.0)).threshold == pytest.approx(0.008)
    assert policy_of(wanted, _scores(predictions), Values(None, {}, 5000.0)).call_cost == 40
    for values, words in ((NOTHING, "no won deal"), (Values(None, {}, 30.0), "never worth")):
        with pytest.raises(Stop, match=words):
            policy_of(wanted, _scores(predictions), values)


def test_what_the_data_do_not_tell_is_said(predictions: pl.DataFrame) -> None:
    """No volume to keep, and no threshold for the scale; by default there is just no threshold."""
    with pytest.raises(Stop, match="no volume to keep"):
        policy_of(Policy(threshold=Threshold(keep="mql_volume")), _scores(predictions), NOTHING)
    with pytest.raises(Stop, match="continuity needs a threshold"):
        policy_of(Policy(scale="continuity"), _scores(predictions), NOTHING)
    assert policy_of(Policy(), _scores(predictions), NOTHING).threshold is None


def test_weekly_volumes_and_values_add_up(
    finished_run: Path, bundle: Bundle, predictions: pl.DataFrame, checked_tables: dict[str, pl.DataFrame]
) -> None:
    """A threshold of 0 lets in each lead once, none lets in nobody; intervals hold their means; sums of money are those
    of the leads, each the mean of its looks."""
    examples = pl.read_parquet(finished_run / "data" / "examples.parquet")
    plan = plan_of_json(json.loads((finished_run / "data" / "plan.json").read_text()))
    features = pl.read_parquet(finished_run / "data" / "features.parquet").filter(examples["mature"])
    policy, matrix = replace(bundle.policy, threshold=0.0), matrix_of(features, plan.features)
    found, without = (
        forecast(one, predictions, matrix, checked_tables, Definition(), 1)
        for one in (policy, replace(policy, threshold=None))
    )
    assert (without["threshold"], without["score_at_threshold"], without["above"]) == (None, None, None)
    new = predictions.group_by("lead_id").agg(pl.col("as_of").min())
    begin = predictions.filter(pl.col("fold") == "test")["as_of"].min()
    assert isinstance(begin, datetime)
    week = (new["as_of"] - begin).dt.total_microseconds().to_numpy() / 6.048e11
    assert found["above"]["leads"] * found["weeks"] == ((week >= 0) & (week < found["weeks"])).sum()
    for row in (found["above"], *found["grades"].values(), *found["routes"].values()):
        assert row["leads_interval"][0] <= row["leads"] <= row["leads_interval"][1]
        assert row["converted"] <= row["leads"]
    value = found["value"]
    own = predictions.join(checked_tables["leads"].select("lead_id", "value"), on="lead_id", maintain_order="left")
    worth = pl.Series(policy.values.all_of(own["value"].to_list(), policy.values.segments(matrix))).fill_nan(None)
    amount = pl.Series(brought(predictions, checked_tables, Definition())).fill_nan(None)
    rows = predictions.with_columns(worth=worth, amount=amount).filter(fold="test").drop_nulls("worth")
    each = rows.group_by("lead_id").agg(
        due=(pl.col("probability") * pl.col("worth")).mean(),
        won=(pl.col("label") * pl.coalesce("amount", "worth")).mean(),
    )
    assert (value["examples"], value["leads"]) == (len(rows), len(each))
    assert (value["expected"], value["won"]) == pytest.approx((each["due"].sum(), each["won"].sum()))
    assert value["won_over_expected"] == pytest.approx(value["won"] / value["expected"])
    assert value["conversions_without_amount"] == rows.filter(pl.col("label") == 1)["amount"].null_count()
    assert value["interval"][0] <= value["won_over_expected"] <= value["interval"][1]
    assert value["off"] == (not value["interval"][0] <= 1 <= value["interval"][1])
    at_instants = Definition.model_validate({"snapshots": {"at": [begin]}})
    found = forecast(policy, predictions, matrix_of(features, plan.features), checked_tables, at_instants, 1)
    assert "snapshots.at" in found["left_out"]  # days that may be months apart are no weeks
    assert not {"weeks", "above", "grades", "routes"} & set(found)
    assert found["value"] == value


def test_earlier_routes_are_left_later(bundle: Bundle, lead_tables: Path, tmp_path: Path) -> None:
    """A file of scores gives the routes; a lead at 0.9 of the level stays only where it was in the route before."""
    asked = read(bundle, lead_tables, None, None, NOW)
    plain = score_tables(bundle, asked, None).filter(pl.col("status") == "scored")
    plain.with_columns(route=pl.lit("high_touch")).write_csv(tmp_path / "before.csv")
    routes = read_routes(tmp_path / "before.csv")
    again = score_tables(bundle, asked, None, previous=routes).filter(pl.col("status") == "scored")
    lift = plain["probability"].to_numpy() / bundle.policy.base_rate
    stays = np.array(again["route"] == "high_touch")
    assert stays[lift >= 1.6].sum() >= np.array(plain["route"] == "high_touch")[lift >= 1.6].sum()
    assert again.drop("route").equals(plain.drop("route"))
    with pytest.raises(Stop, match="no such file"):
        read_routes(tmp_path / "nothing.csv")
