"""The replay of the finished run: what was taken depends on nothing later, and knowing all is best."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.arrays import Bools, Floats
from features.plan import Plan
from models.baselines.fitted import Baselines
from models.bundle.folder import Bundle, score
from models.judging import weekly
from models.judging.weekly import Weeks
from pipeline import stage
from pipeline.assembly.featuring import features, in_parts
from pipeline.judging.replay import expected_of, weeks_of
from pipeline.judging.weeks import Pool, pool
from pipeline.params import Definition

Tables = dict[str, pl.DataFrame]
UNTIL = datetime(2025, 7, 1, tzinfo=UTC)
TIMES = {"leads": "created_at", "events": "known_at", "stages": "entered_at", "history": "changed_at"}


def begin(run: Path) -> datetime:
    """When the test began."""
    test = pl.read_parquet(run / "data/examples.parquet").filter(pl.col("fold") == "test")
    return test["as_of"].min()  # type: ignore[return-value]


def chosen(tables: Tables, run: Path, bundle: Bundle) -> tuple[Pool, Weeks, dict[str, Bools]]:
    """Pool and choices of model and logistic regression, all from the tables given."""
    plan: Plan = bundle.plan
    found = pool(tables, "dated", UNTIL, begin(run), Definition(), "UTC", 3)
    matrix = features(tables, plan, found.rows)
    expected = expected_of(found.rows, matrix, bundle.policy.values, tables["leads"])
    weeks = weeks_of(found, expected, tables["leads"], 7)
    others = Baselines.of_json(stage.read_json(run / "artifacts/model/baselines.json"))
    ways = {"model": score(bundle, matrix, reasons=False).probability, "logistic": others.predict(matrix)["logistic"]}
    return found, weeks, {name: weekly.choose(weeks, p, weeks.chance) for name, p in ways.items()}


def test_nothing_later_influences_a_choice(finished_run: Path, bundle: Bundle, checked_tables: Tables) -> None:
    """From tables that end at a Monday, the same leads are taken on it and on every Monday before."""
    found, _, taken = chosen(checked_tables, finished_run, bundle)
    week = len(found.instants) // 2
    cut = {
        name: table.filter(pl.col(TIMES[name]) <= found.instants[week]) if name in TIMES else table
        for name, table in checked_tables.items()
    }
    before, _, again = chosen(cut, finished_run, bundle)
    keys = ["week", "lead_id"]
    for name in taken:
        whole = found.rows.filter(pl.Series(taken[name]) & (pl.col("week") <= week)).select(keys)
        assert whole.equals(before.rows.filter(pl.Series(again[name]) & (pl.col("week") <= week)).select(keys))
        assert whole["lead_id"].n_unique() > week  # it chose among many


def test_who_knows_the_future_is_best(finished_run: Path, bundle: Bundle, checked_tables: Tables) -> None:
    """Those who convert soonest first, and no one wasted who converts later: no score takes more who convert."""
    found, weeks, taken = chosen(checked_tables, finished_run, bundle)
    perfect = weekly.choose(weeks, foresight(found, checked_tables), weeks.chance)
    rng = np.random.default_rng(1)
    others = [*taken.values(), *(weekly.choose(weeks, rng.random(len(weeks.y)), weeks.chance) for _ in range(20))]
    best = weeks.y[perfect].sum()
    assert all(weeks.y[other].sum() <= best for other in others)
    assert best > 0
    for one in (perfect, *others):
        assert np.unique(weeks.turn[one]).size == one.sum()


def foresight(found: Pool, tables: Tables) -> Floats:
    """Converting in time: the sooner the higher. Then those who never will, then those who will later."""
    won = tables["stages"].filter(pl.col("stage") == "won").select("lead_id", "entered_at").sort("entered_at")
    ahead = found.rows.sort("as_of").join_asof(
        won, left_on="as_of", right_on="entered_at", by="lead_id", strategy="forward", check_sortedness=False
    ).sort("week", "lead_id")  # fmt: skip
    days = (ahead["entered_at"] - ahead["as_of"]).dt.total_seconds().to_numpy() / 86_400
    rank = np.where(np.isnan(days), 0.0, np.where(days <= 90, 1000.0 - days, -1.0))
    assert ((rank > 1) == (ahead["label"].to_numpy() == 1)).mean() > 0.99
    return np.asarray(rank, dtype=np.float64)


def test_the_run_holds_the_weekly_truth(finished_run: Path) -> None:
    """Metrics for the model and each baseline, what each week came to, and sums that agree."""
    found = stage.read_json(finished_run / "reports/metrics.json")["weekly"]
    weeks = stage.read_json(finished_run / "reports/weekly.json")["weeks"]
    assert len(weeks) == found["weeks"] > 10
    for name in ("model", "base_rate", "logistic", "naive_bayes"):
        one = found[name]
        assert one["taken"] == pytest.approx(sum(week["taken"][name] for week in weeks))
        assert one["converted"] == pytest.approx(sum(week["converted"][name] for week in weeks))
        assert one["precision"] == pytest.approx(one["converted"] / one["taken"])
        assert {"lift", "value", "auc_within_week", "auc_age_0"} <= set(one)
    assert all(a["at"] < b["at"] for a, b in pairwise(weeks))
    assert datetime.fromisoformat(weeks[-1]["at"]) + timedelta(days=90) <= UNTIL


def test_features_in_parts_are_those_of_all_at_once(bundle: Bundle, checked_tables: Tables, finished_run: Path) -> None:
    """Bit for bit and in order, however large a part is; of no rows there is one part, of none."""
    rows = pl.read_parquet(finished_run / "data/examples.parquet").head(100)
    whole = features(checked_tables, bundle.plan, rows)
    parts = list(in_parts(checked_tables, bundle.plan, rows, 33))
    assert pl.concat([part for part, _ in parts]).equals(rows)
    np.testing.assert_array_equal(np.concatenate([matrix.values for _, matrix in parts]), whole.values)
    assert [len(part) for part, _ in in_parts(checked_tables, bundle.plan, rows.clear())] == [0]
