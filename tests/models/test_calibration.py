"""Calibration: chosen by held-out log loss, rising, and the same bits alone as in a batch."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrays import Floats, Ints
from models import newton
from models.learning import calibration
from models.learning.calibration import FLATTEST, Calibration, apply, choose, fit, log_odds

SLOPES = st.floats(0.01, 5)
CALIBRATIONS = (
    st.just(Calibration("none"))
    | st.builds(lambda a: Calibration("intercept", (a,)), st.floats(-5, 5))
    | st.builds(lambda a, b: Calibration("platt", (a, b)), st.floats(-5, 5), SLOPES)
    | st.builds(lambda c, a, b: Calibration("beta", (c, a, b)), st.floats(-5, 5), SLOPES, SLOPES)
)


def world(n: int, seed: int) -> tuple[Floats, Floats, Ints]:
    """Labels, the true log odds, and groups of four."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2.5, 1.3, n)
    return (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float), z, np.arange(n) // 4


@given(CALIBRATIONS, st.integers(0, 100))
def test_a_row_has_the_same_bits_alone_as_in_a_batch(chosen: Calibration, seed: int) -> None:
    """1,000 rows at once, slices of 1 to 17, strided and reversed: equal to the last bit."""
    raw = np.random.default_rng(seed).normal(-3, 4, 1000)
    whole = apply(chosen, raw)
    for size in range(1, 18):
        np.testing.assert_array_equal(apply(chosen, raw[5 : 5 + size]), whole[5 : 5 + size])
    np.testing.assert_array_equal(apply(chosen, raw[::3]), whole[::3])
    np.testing.assert_array_equal(apply(chosen, raw[::-1]), whole[::-1])


@given(CALIBRATIONS)
def test_a_higher_raw_score_is_a_higher_probability(chosen: Calibration) -> None:
    """Probabilities rise with the raw score wherever doubles can tell, and stay within (0, 1)."""
    p = apply(chosen, np.linspace(-12, 4, 400))
    z = calibration.log_odds(chosen, np.linspace(-12, 4, 400))
    inside = np.abs(z) < 30
    assert (np.diff(p[inside]) > 0).all()
    assert (np.diff(p) >= 0).all()
    far = apply(chosen, np.array([-1e6, -700.0, 700.0, 1e6]))
    assert ((far > 0) & (far < 1)).all()


@given(CALIBRATIONS)
def test_it_survives_json(chosen: Calibration) -> None:
    """Written as JSON and read back it is the same."""
    assert Calibration.of_json(json.loads(json.dumps(chosen.to_json()))) == chosen


def test_a_wrong_file_is_named() -> None:
    """An unknown kind, or too few coefficients, is an error."""
    with pytest.raises(ValueError, match="expected one of"):
        Calibration.of_json({"kind": "isotonic", "coefficients": []})
    with pytest.raises(ValueError, match="expected one of"):
        Calibration.of_json({"kind": "platt", "coefficients": [1]})


def test_known_distortions_are_undone() -> None:
    """Log odds that were shifted, or shrunk and shifted, come back within sampling error."""
    y, z, groups = world(40_000, 1)
    shifted, table = choose(y, z - 0.8, groups, 1)
    assert shifted.kind == "intercept"
    assert shifted.coefficients[0] == pytest.approx(0.8, abs=0.06)
    assert set(table) == set(calibration.KINDS)
    shrunk, _ = choose(y, 0.5 * z + 0.3, groups, 1)
    assert shrunk.kind == "platt"
    assert shrunk.coefficients == pytest.approx((-0.6, 2), abs=0.1)


def test_beta_is_chosen_where_it_is_true() -> None:
    """A beta distortion is recovered, coefficients and all."""
    rng = np.random.default_rng(2)
    raw = rng.normal(0, 2, 60_000)
    truth = Calibration("beta", (-0.5, 0.4, 2.0))
    y = (rng.random(60_000) < apply(truth, raw)).astype(float)
    found, _ = choose(y, raw, np.arange(60_000), 1)
    assert found.kind == "beta"
    assert found.coefficients == pytest.approx(truth.coefficients, abs=0.15)


def test_perfect_scores_are_left_nearly_alone() -> None:
    """In 20 worlds where raw scores are right, mostly `none`, and on average hardly moved."""
    kinds, moved = [], []
    for seed in range(20):
        y, z, groups = world(5_000, seed)
        found, _ = choose(y, z, groups, seed)
        kinds.append(found.kind)
        moved.append(np.abs(apply(found, z) - 1 / (1 + np.exp(-z))).mean())
    assert kinds.count("none") >= 15
    assert np.mean(moved) < 0.004


def test_few_converting_accounts_allow_an_intercept_at_most() -> None:
    """Under 50 converting accounts no slope is fitted, though each has many rows."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(400), 10)
    y = np.repeat(np.arange(400) < 49, 10).astype(float)
    found, table = choose(y, rng.normal(size=4000) + y, groups, 1)
    assert set(table) == {"none", "intercept"}
    assert found.kind == "intercept"


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_is_left_as_it_is(label: float) -> None:
    """Without both classes nothing can be fitted."""
    assert choose(np.full(30, label), np.linspace(-1, 1, 30), np.arange(30), 1)[0] == Calibration("none")


def test_a_falling_relation_falls_back_to_the_intercept() -> None:
    """Scores that mislead would need a slope below 0: an intercept is all that is fitted."""
    y, z, _ = world(5_000, 4)
    assert fit("platt", y, -z).kind == "intercept"
    assert fit("beta", y, -z).kind == "intercept"


def test_equal_seeds_choose_equally() -> None:
    """The choice is a function of its arguments."""
    y, z, groups = world(3_000, 5)
    assert choose(y, z, groups, 9) == choose(y, z, groups, 9)


def test_it_needs_numpy_alone() -> None:
    """Serving imports it: no scikit-learn, SciPy or Polars comes along."""
    code = (
        "import sys, models.learning.calibration; print({'sklearn', 'scipy', 'polars', 'lightgbm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("seed", range(6))
def test_a_lead_that_is_there_twenty_times_speaks_once(seed: int) -> None:
    """Rows of one account that are all alike choose what one of each does; taken for independent they would be sure of
    more than they know."""
    y, raw, _ = world(400, seed)
    account = np.arange(400)
    once = choose(y, raw - 0.15, account, 1)[0].kind
    assert choose(*(np.repeat(x, 20) for x in (y, raw - 0.15, account)), 1)[0].kind == once


@pytest.mark.parametrize("flat", [1, 2])
def test_a_slope_that_would_fall_is_held_and_the_rest_is_likeliest(flat: int) -> None:
    """Where low (or high) scores tell nothing, beta is as flat there as may be, and no beta that rises is likelier."""
    rng = np.random.default_rng(1)
    raw = rng.normal(0, 2, 4000)
    slopes = np.where(np.arange(1, 3) == flat, -0.3, 1.0)
    truth = log_odds(Calibration("beta", (-1.0, *slopes.tolist())), raw)
    y = (rng.random(4000) < 1 / (1 + np.exp(-truth))).astype(float)
    found = fit("beta", y, raw)
    assert found.kind == "beta"
    assert found.coefficients[flat] == FLATTEST
    best = np.array(found.coefficients)
    for step in rng.normal(0, 0.05, (50, 3)):
        other = Calibration("beta", tuple(np.maximum(best + step, [-9, FLATTEST, FLATTEST]).tolist()))
        assert newton.loss(y, log_odds(found, raw)) <= newton.loss(y, log_odds(other, raw))
