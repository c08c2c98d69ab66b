"""Few tests, whole points, and figures of fidelity that mean what they say."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.points.scorecard import MOST_POINTS, choose, overlap, rank_correlation, whole_points


def test_the_tests_that_made_the_log_odds_are_found() -> None:
    """Of forty tests the three that count, the strongest first, with their weights; a twin of one adds nothing."""
    rng = np.random.default_rng(1)
    held = rng.random((4000, 40)) < rng.uniform(0.1, 0.6, 40)
    held[:, 9] = held[:, 5]
    log_odds = -3 + 2.0 * held[:, 3] - 1.0 * held[:, 5] + 0.6 * held[:, 20]
    chosen, weights = choose(held, log_odds, 30)
    assert chosen.tolist() == [3, 5, 20]
    np.testing.assert_allclose(weights, [2, -1, 0.6], atol=1e-9)
    assert whole_points(weights).tolist() == [MOST_POINTS, -15, 9]


def test_no_more_than_asked_for() -> None:
    """The most telling, and least squares among them."""
    rng = np.random.default_rng(2)
    held, log_odds = rng.random((500, 12)) < 0.4, rng.normal(size=500)
    chosen, weights = choose(held, log_odds, 5)
    X = np.column_stack([np.ones(500), held[:, chosen]])
    np.testing.assert_allclose(weights, np.linalg.lstsq(X, log_odds, rcond=None)[0][1:], atol=1e-9)


def test_nothing_to_choose() -> None:
    """Constant log odds, or tests that always hold, give no rule."""
    assert len(choose(np.ones((9, 3), bool), np.arange(9.0), 3)[0]) == 0
    assert len(choose(np.eye(9, dtype=bool), np.zeros(9), 3)[0]) == 0
    assert whole_points(np.zeros(0)).tolist() == []


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_overlap_is_the_expected_share_in_common(drawn: list[int], chance: Random) -> None:
    """Between 0 and 1; 1 for the same order; of ties at the edge as many as there is room for, by chance."""
    points, p = np.array(drawn, float), np.array(chance.sample(range(1000), len(drawn)), float)
    assert 0 <= overlap(points, p, 0.3) <= 1 + 1e-12
    assert overlap(p, p, 0.3) == 1
    room = max(1, round(0.3 * len(p)))
    np.testing.assert_allclose(overlap(np.zeros(len(p)), p, 0.3), room / len(p))


def test_rank_correlation_knows_ties() -> None:
    """Equal values share their mean rank; constant values have none."""
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([10.0, 20, 90])) == 1
    # ranks 1.5 1.5 3 and 1 2 3: covariance 1.5 / sqrt(1.5 × 2)
    np.testing.assert_allclose(rank_correlation(np.array([1.0, 1, 3]), np.array([1.0, 2, 3])), 1.5 / np.sqrt(3))
    assert np.isnan(rank_correlation(np.ones(3), np.arange(3.0)))
