"""Smooth calibration error: its definition, its null, its independence of scale of n."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.arrays import Floats
from models.judging.smooth_ece import smooth_ece, smooth_ece_null


def direct(y: Floats, p: Floats) -> float:
    """smECE by its definition: a reflected Gaussian on a grid, and bisection for the fixed point."""
    t = (np.arange(1000) + 0.5) / 1000

    def error(s: float) -> float:
        images = [t[:, None] - (2 * k + sign * p[None, :]) for k in range(-2, 3) for sign in (1, -1)]
        kernel = sum(np.exp(-0.5 * (x / s) ** 2) for x in images) / (s * np.sqrt(2 * np.pi))
        return float(np.abs((kernel * (y - p)).mean(axis=1)).mean())

    low, high = 0.0, 1.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if error(middle) > middle else (low, middle)
    return low


@settings(max_examples=6)
@given(st.integers(0, 1000), st.floats(0.3, 3))
def test_it_is_the_definition(seed: int, power: float) -> None:
    """Binned and by Fourier transform it equals the definition within 0.001."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 6, 80)
    y = (rng.random(80) < p**power).astype(float)
    assert smooth_ece(y, p) == pytest.approx(direct(y, p), abs=1e-3)


@pytest.mark.parametrize(("n", "expected"), [(2_000, 0.013), (20_000, 0.006)])
def test_a_perfect_model_has_what_the_design_measured(n: int, expected: float) -> None:
    """At 5 % positives the null's 95th percentile is .013 at 2,000 rows and .006 at 20,000."""
    p = 1 / (1 + np.exp(-np.random.default_rng(0).normal(-3.6, 1.2, n)))
    assert smooth_ece_null(p, 1) == pytest.approx(expected, abs=0.0015)


def test_a_perfect_model_stays_within_its_null() -> None:
    """Of 100 sets of labels drawn from p, about 95 stay below the null's 95th percentile."""
    rng = np.random.default_rng(5)
    p = rng.beta(1, 15, 3_000)
    limit = smooth_ece_null(p, 1)
    below = sum(smooth_ece((rng.random(3_000) < p).astype(float), p) <= limit for _ in range(100))
    assert 87 <= below <= 100


def test_a_wrong_model_exceeds_its_null() -> None:
    """Probabilities a third too high are found at 20,000 rows."""
    rng = np.random.default_rng(6)
    p = rng.beta(1, 15, 20_000)
    y = (rng.random(20_000) < p / 1.33).astype(float)
    assert smooth_ece(y, p) > 1.5 * smooth_ece_null(p, 1)


def test_a_constant_off_by_a_tenth_has_an_error_near_a_tenth() -> None:
    """For a constant prediction smECE comes near the plain difference of rates."""
    y = np.repeat([0.0, 1.0], [700, 300])
    assert smooth_ece(y, np.full(1000, 0.4)) == pytest.approx(0.1, abs=0.005)
    assert smooth_ece(y, np.full(1000, 0.3)) < 1e-4


def test_certain_predictions_that_are_right_have_no_error() -> None:
    """p of 0 and 1 that come true: no error, and no null either."""
    y = np.repeat([0.0, 1.0], 50)
    assert smooth_ece(y, y) < 1e-4
    assert smooth_ece_null(y, 1) < 1e-4


def test_the_null_is_the_seeds() -> None:
    """Equal seeds give equal nulls."""
    p = np.linspace(0.01, 0.3, 500)
    assert smooth_ece_null(p, 3, draws=30) == smooth_ece_null(p, 3, draws=30)


def test_more_draws_refine_the_same_null() -> None:
    """The number of draws changes the estimate, hardly the quantity."""
    p = np.random.default_rng(7).beta(1, 15, 2_000)
    assert smooth_ece_null(p, 1, draws=60) == pytest.approx(smooth_ece_null(p, 1, draws=400), rel=0.15)
