"""Bootstrap over accounts: coverage, whole groups, paired differences."""

import numpy as np
import pytest

from features.arrays import Floats, Ints
from models.judging import bootstrap, metrics, recalibration


def accounts(seed: int, of: int = 300, rows: int = 5) -> tuple[Floats, Floats, Ints]:
    """Rows that share their account's hidden propensity, with p its mean: correlated within accounts."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(of), rows)
    propensity = rng.beta(0.5, 2, of)[group]
    return (rng.random(of * rows) < propensity).astype(float), np.full(of * rows, 0.2), group


def intervals(y: Floats, p: Floats, group: Ints, seed: int, draws: int = 200) -> bootstrap.Intervals:
    """Of one prediction."""
    return bootstrap.compare(y, {"p": p}, "p", group, seed, draws)[0]["p"]


def test_intervals_cover_the_truth() -> None:
    """Of 60 worlds with correlated rows, the 95 % interval of observed over expected holds 1 in about 57."""
    covered = 0
    for seed in range(60):
        y, p, group = accounts(seed)
        low, high = intervals(y, p, group, seed, 150)["observed_over_expected"]
        covered += low <= 1 <= high
    assert 51 <= covered <= 60


def test_whole_groups_make_wider_intervals_than_rows() -> None:
    """Rows of an account say the same: drawing accounts gives the wider, honest interval."""
    y, p, group = accounts(1)

    def width(groups: Ints) -> float:
        low, high = intervals(y, p, groups, 1)["observed_over_expected"]
        return high - low

    assert width(group) > 1.2 * width(np.arange(len(y)))


def test_the_metric_lies_in_its_interval() -> None:
    """Every interval holds the metric itself, and the names are the metrics' own."""
    rng = np.random.default_rng(2)
    p = rng.beta(1, 9, 3000)
    y = (rng.random(3000) < p).astype(float)
    scores = metrics.scores(y, p, null_draws=1)
    found = intervals(y, p, np.arange(3000) // 3, 2)
    assert set(found) == {
        "auc", "log_loss", "brier", "average_precision", "observed_over_expected", "precision_at_10pct",
        "calibration_slope", "calibration_intercept",
    }  # fmt: skip
    assert all(low <= (scores[name] or 0) <= high for name, (low, high) in found.items())


def test_weights_are_draws_of_whole_groups() -> None:
    """Rows of a group weigh the same, and groups are picked as often as there are groups."""
    group = np.array([7, 7, 3, 9, 9, 9])
    for w in bootstrap.weights(group, 1, 20):
        assert w[0] == w[1]
        assert w[3] == w[4] == w[5]
        assert w[0] + w[2] + w[3] == 3


def test_a_weight_of_two_is_the_row_twice() -> None:
    """Weighted metrics equal those of the repeated rows."""
    rng = np.random.default_rng(3)
    p = rng.choice([0.1, 0.2, 0.4, 0.7], 200)
    y = (rng.random(200) < p).astype(float)
    w = rng.integers(0, 4, 200)
    again = metrics.scores(np.repeat(y, w), np.repeat(p, w), null_draws=1)
    found = bootstrap._metrics(bootstrap._Parts(y, p), w.astype(float))
    assert found == pytest.approx({name: again[name] for name in found})


def test_differences_are_paired() -> None:
    """A model slightly but always better is told apart though the two intervals overlap."""
    rng = np.random.default_rng(4)
    z = rng.normal(-2.5, 1.5, 5000)
    p = 1 / (1 + np.exp(-z))
    q = 1 / (1 + np.exp(-(z + rng.normal(0, 0.6, 5000))))
    y, group = (rng.random(5000) < p).astype(float), np.arange(5000) // 2
    alone = [intervals(y, r, group, 1)["log_loss"] for r in (p, q)]
    assert alone[0][1] > alone[1][0]
    assert bootstrap.compare(y, {"p": p, "q": q}, "p", group, 1)[1]["q"]["log_loss"][1] < 0
    assert bootstrap.compare(y, {"p": p, "q": p}, "p", group, 1)[1]["q"]["auc"] == (0, 0)


def test_what_is_undefined_has_no_interval() -> None:
    """One class has no interval of AUC; a single group has none at all; equal seeds give equal intervals."""
    p = np.linspace(0.1, 0.4, 40)
    found = intervals(np.zeros(40), p, np.arange(40), 1)
    assert "auc" not in found
    assert found["observed_over_expected"] == (0, pytest.approx(0.3689))
    assert intervals(np.zeros(40), p, np.zeros(40, dtype=int), 1) == {}
    assert found == intervals(np.zeros(40), p, np.arange(40), 1)


def test_an_interval_is_of_the_draws_that_say_something() -> None:
    """The middle 95 % of the finite draws; none where fewer than half are, or there are no draws."""
    drawn = np.arange(201.0)
    assert bootstrap.span(drawn) == pytest.approx((5, 195))
    assert bootstrap.span([*drawn, *[np.nan] * 100, *[np.inf] * 101]) == pytest.approx((5, 195))
    assert bootstrap.span([*drawn, *[np.nan] * 202]) is None
    assert bootstrap.span([]) is None


def test_slopes_of_cells_are_those_of_the_rows() -> None:
    """Gathered into cells, slope and intercept differ from the exact ones by less than 3 % of their spread."""
    rng = np.random.default_rng(5)
    z = rng.normal(-3, 1.5, 4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-0.7 * z))).astype(float)
    w = rng.integers(0, 3, 4000)
    again, p = np.repeat(y, w), 1 / (1 + np.exp(-np.repeat(z, w)))
    slope, intercept = recalibration.Cells(y, z).fit(w.astype(float))
    assert slope == pytest.approx(metrics.calibration_slope(again, p), abs=1e-3)
    assert intercept == pytest.approx(metrics.calibration_intercept(again, p), abs=1e-3)


def test_what_has_no_slope_is_said_to_have_none() -> None:
    """A constant p has an intercept alone; one class has neither; classes that a line parts have no slope."""
    y, ones = np.array([0.0, 0, 0, 1]), np.ones(4)
    assert recalibration.Cells(y, np.zeros(4)).fit(ones) == pytest.approx((np.nan, np.log(1 / 3)), nan_ok=True)
    parted = recalibration.Cells(y, np.array([-3.0, -2, -1, 2]))
    assert np.isnan(parted.fit(ones)[0])
    assert np.isnan(parted.fit(np.array([1.0, 1, 1, 0]))).all()


def test_where_hardly_anybody_converted_chance_may_explain_it() -> None:
    """Ten leads of five looks each at 6 %, none or one of which converts: 0 or 1 of 0.6 is no shift of the rate."""
    group, p = np.repeat(np.arange(10), 5), np.full(50, 0.06)
    for converting in (0, 1):
        y = (group < converting).astype(float)
        low, high = intervals(y, p, group, 1)["observed_over_expected"]
        assert low <= 1 <= high


def test_few_conversions_are_covered() -> None:
    """Of 150 companies in which two of 300 leads are expected to convert, the interval holds 1 in nearly as many as
    it should: the draws alone know nothing of leads that did not convert."""
    rng, held = np.random.default_rng(3), 0
    for seed in range(150):
        lead = np.repeat(np.arange(300), rng.integers(1, 6, 300))
        right = rng.beta(1, 149, 300)
        y, p = (rng.random(300) < right)[lead].astype(float), right[lead]
        low, high = intervals(y, p, lead, seed, 60)["observed_over_expected"]
        held += low <= 1 <= high
    assert held >= 135
