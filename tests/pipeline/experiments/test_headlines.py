"""The few figures that runs are compared by, and the differences that they are called by."""

import subprocess
from pathlib import Path

import polars as pl

from pipeline.experiments.differences import MOST, committed, defaults, differing, in_full, in_short
from pipeline.experiments.headlines import headlines
from pipeline.experiments.identity import digest_of_test

SCORES = {"log_loss": 0.2, "auc": 0.7, "calibration_slope": None}


def test_figures_sort_in_the_order_of_use() -> None:
    """By name the groups come as they are read: validation, test, weeks. A rival stands beside the model."""
    weekly = {"capacity": 20, "model": {"lift": 3.0}, "points": {"lift": 2.0}}
    given = {"test": SCORES, "validation": SCORES, "weekly": weekly, "baselines": {"points": SCORES}}
    found = headlines(given, 3)
    assert list(found) == sorted(found) == ["choose_by_validation", "test", "test_weekly"]
    assert found["test"] == {"log_loss": 0.2, "auc": 0.7, "log_loss_of_points": 0.2, "auc_of_points": 0.7, "looks": 3}
    assert found["test_weekly"] == {"lift": 3.0, "lift_of_points": 2.0}


def test_what_is_unknown_is_left_out() -> None:
    """Without validation, weeks or a tracking store there are no figures of them."""
    assert headlines({"test": SCORES}) == {"test": {"log_loss": 0.2, "auc": 0.7}}


def test_differences_in_short_and_in_full() -> None:
    """A name has the first few with their values; a description all of them, before and after."""
    before, now = {f"train.p{i}": 0 for i in range(5)}, {f"train.p{i}": i for i in range(5)}
    found = differing(now, before)
    assert in_short(found) == f"p1 1, p2 2, p3 3, {4 - MOST} more"
    assert in_full(found).startswith("`train.p1` 0 → **1**, ")
    assert (in_short({}), in_full({})) == ("", "nothing")


def test_where_data_lie_is_no_difference() -> None:
    """Paths and the place of tracking change no result."""
    assert not [name for name in defaults("tables") if name.startswith(("source.path", "tracking"))]


def test_parameters_of_the_commit(tmp_path: Path) -> None:
    """Those of params.yaml at HEAD, or at the commit that DVC says an experiment began from; None without git."""
    assert committed(tmp_path, {}) is None
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for leaves in (4, 8):
        (tmp_path / "params.yaml").write_text(f"source: {{kind: simulated}}\ntrain: {{num_leaves: {leaves}}}\n")
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *words], cwd=tmp_path, check=True, capture_output=True)
    for environment, leaves in (({}, 8), ({"DVC_EXP_BASELINE_REV": "HEAD~1"}, 4)):
        found = committed(tmp_path, environment)
        assert found is not None
        assert found["train.num_leaves"] == leaves


def test_a_test_fold_is_its_leads_instants_and_labels(finished_run: Path) -> None:
    """Order and other folds make no other fold; one label does."""
    examples = pl.read_parquet(finished_run / "data" / "examples.parquet")
    digest = digest_of_test(examples)
    assert digest_of_test(examples.reverse()) == digest
    assert digest_of_test(examples.filter(pl.col("fold") == "test")) == digest
    flipped = examples.with_columns(label=pl.when(pl.col("fold") == "test").then(1 - pl.col("label")))
    assert digest_of_test(flipped) != digest
