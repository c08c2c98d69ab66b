"""Metrics: equal to scikit-learn's where it has them, and to their definitions where it has not."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from features.arrays import Floats
from models.judging import metrics

ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.5, 0.77, 1.0]) | st.floats(0, 1)),
    min_size=2,
    max_size=60,
)


def world(n: int, seed: int, mean: float = -3.0, spread: float = 1.2) -> tuple[Floats, Floats]:
    """Labels drawn from known probabilities."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(mean, spread, n)))
    return (rng.random(n) < p).astype(float), p


def arrays(rows: list[tuple[bool, float]]) -> tuple[Floats, Floats]:
    """Labels and probabilities of drawn rows."""
    return np.array([float(y) for y, _ in rows]), np.array([p for _, p in rows])


@given(ROWS)
def test_ranks_and_losses_are_scikit_learns(rows: list[tuple[bool, float]]) -> None:
    """AUC, average precision, log loss and Brier score are scikit-learn's, ties and certainties included."""
    y, p = arrays(rows)
    found = metrics.scores(y, p, null_draws=1)
    if 0 < y.sum() < len(y):
        assert found["auc"] == pytest.approx(roc_auc_score(y, p), abs=1e-12)
        assert found["average_precision"] == pytest.approx(average_precision_score(y, p), abs=1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(y, p, labels=[0, 1]), rel=1e-9, abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(y, p, labels=[0, 1]), abs=1e-12)


@given(ROWS)
def test_every_result_is_json(rows: list[tuple[bool, float]]) -> None:
    """Whatever the labels, each metric is a finite number or None."""
    found = metrics.scores(*arrays(rows), null_draws=1)
    assert tuple(found) == metrics.NAMES
    json.dumps(found, allow_nan=False)


@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(rows: list[tuple[bool, float]], random: object) -> None:
    """Shuffled rows give the same metrics, ties at the cut of the best 10 % included."""
    rows = [(y, min(max(p, 0.01), 0.99)) for y, p in rows]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (metrics.scores(*arrays(r), null_draws=1) for r in (rows, shuffled))
    assert {k for k, v in one.items() if v is None} == {k for k, v in other.items() if v is None}
    for name, value in one.items():
        assert value is None or value == pytest.approx(other[name], rel=1e-5, abs=1e-9)


def test_constant_predictions_rank_nothing() -> None:
    """A constant has AUC 0.5, the base rate among its best 10 %, and no slope."""
    y, _ = world(1000, 1)
    found = metrics.scores(y, np.full(1000, y.mean()))
    assert found["auc"] == 0.5
    assert found["calibration_slope"] is None
    assert found["precision_at_10pct"] == pytest.approx(y.mean())
    assert found["lift_at_10pct"] == pytest.approx(1)
    assert found["observed_over_expected"] == pytest.approx(1)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_leaves_undefined_metrics_none(label: float) -> None:
    """With one class AUC, slope and intercept are None, the losses still numbers."""
    found = metrics.scores(np.full(20, label), np.linspace(0.1, 0.9, 20))
    assert found["auc"] is found["calibration_slope"] is found["calibration_intercept"] is None
    assert found["log_loss"] is not None
    assert found["positives"] == 20 * label


def test_no_rows_have_no_metrics() -> None:
    """An empty fold is None throughout, with n = 0."""
    found = metrics.scores(np.empty(0), np.empty(0))
    assert found.pop("n") == found.pop("positives") == 0
    assert set(found.values()) == {None}


def test_separated_classes_have_no_slope() -> None:
    """Where p separates the classes the likeliest slope is infinite: None."""
    assert metrics.scores(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.2, 0.3, 0.4]))["calibration_slope"] is None


def test_slope_and_intercept_find_the_distortion() -> None:
    """Log odds doubled give slope 0.5; log odds lowered by 0.7 give intercept 0.7."""
    y, p = world(100_000, 2)
    z = metrics.logit(p)
    assert metrics.calibration_slope(y, p) == pytest.approx(1, abs=0.05)
    assert metrics.calibration_slope(y, 1 / (1 + np.exp(-2 * z))) == pytest.approx(0.5, abs=0.03)
    assert metrics.calibration_intercept(y, 1 / (1 + np.exp(0.7 - z))) == pytest.approx(0.7, abs=0.05)


def test_precision_at_the_best_tenth_counts_its_rows() -> None:
    """Of 20 rows the best two are the best 10 %: one of them converted."""
    y, p = np.zeros(20), np.linspace(0, 1, 20)
    y[[19, 3]] = 1
    found = metrics.scores(y, p)
    assert found["precision_at_10pct"] == pytest.approx(0.5)
    assert found["lift_at_10pct"] == pytest.approx(5)


def test_captured_is_one_at_the_truth_and_zero_at_the_base_rate() -> None:
    """The share of attainable improvement runs from the base rate to the truth, and below 0 beyond."""
    _, truth = world(5000, 3)
    base = float(truth.mean())
    assert metrics.captured(truth, truth, base) == 1
    assert metrics.captured(truth, np.full(5000, base), base) == 0
    half = metrics.captured(truth, (truth + base) / 2, base)
    assert half is not None
    assert 0 < half < 1
    assert (metrics.captured(truth, 1 - truth, base) or 0) < 0
    assert metrics.captured(np.full(9, 0.25), np.full(9, 0.5), 0.25) is None


def test_log_loss_is_the_mean_over_labels() -> None:
    """Expected log loss equals the log loss over many labels drawn from the truth."""
    y, truth = world(400_000, 4)
    assert metrics.log_loss(truth, truth * 0.8) == pytest.approx(metrics.log_loss(y, truth * 0.8), rel=0.01)


def test_bad_input_is_named() -> None:
    """An error names the row, what was expected and what came."""
    with pytest.raises(ValueError, match=r"row 1: expected p in \[0, 1\], got nan \(1 of 2\)"):
        metrics.scores(np.array([0.0, 1.0]), np.array([0.5, np.nan]))
    for beyond in (-0.1, 1.1):
        with pytest.raises(ValueError, match=rf"row 0: expected p in \[0, 1\], got {beyond}"):
            metrics.scores(np.array([0.0, 1.0]), np.array([beyond, 0.5]))
    with pytest.raises(ValueError, match="row 0: expected label 0 or 1, got 2"):
        metrics.scores(np.array([2.0, 1.0]), np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="of one length"):
        metrics.scores(np.array([1.0]), np.array([0.5, 0.5]))
