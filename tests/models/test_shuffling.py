"""Shuffled labels: what an honest model scores on them is chance, and what a leak scores is not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.leaks.shuffling import shuffled, tried


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=60), st.integers(0, 9))
def test_a_stratum_keeps_its_labels(rows: list[tuple[int, bool]], seed: int) -> None:
    """Within each month as many convert as before."""
    stratum, y = np.array([s for s, _ in rows]), np.array([float(label) for _, label in rows])
    out = shuffled(y, stratum, np.random.default_rng(seed))
    for s in np.unique(stratum):
        assert sorted(out[stratum == s]) == sorted(y[stratum == s])


def test_every_permutation_of_a_stratum_is_as_likely() -> None:
    """One converting lead of four is found in each place a quarter of the time."""
    rng, y = np.random.default_rng(0), np.array([1.0, 0, 0, 0])
    share = np.mean([shuffled(y, np.zeros(4, int), rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(share, 0.25, atol=0.03)


def test_honest_predictions_are_inside_and_leaks_are_not() -> None:
    """Predictions of anything but the judged labels are inside, fifty times of fifty; a trace of them is outside."""
    rng = np.random.default_rng(3)
    n = 800
    y, month = (rng.random(n) < 0.1).astype(float), rng.integers(0, 6, n)
    judged = np.arange(n) >= 400
    for seed in range(50):
        found = tried(
            lambda order, s=seed: np.random.default_rng(s).normal(size=n) + month, y, month, judged, seed, 400
        )
        assert found.inside
    assert not tried(lambda order: y[order] + 2 * rng.normal(size=n), y, month, judged, 0, 400).inside


def test_a_weak_leak_is_found() -> None:
    """25 converting leads whose predictions are 0.7 standard deviations higher: outside at least four times of five."""
    rng, n = np.random.default_rng(5), 500
    y, month = (np.arange(n) % 20 == 0).astype(float), rng.integers(0, 6, n)
    found = [
        tried(lambda order: 0.7 * y[order] + rng.normal(size=n), y, month, np.ones(n, bool), seed, 400).inside
        for seed in range(20)
    ]
    assert sum(found) <= 4


def test_labels_of_one_class_are_chance() -> None:
    """They have no order, and nothing is tried further."""
    y, month = np.zeros(40), np.zeros(40, int)
    assert tried(lambda order: np.arange(40.0), y, month, np.ones(40, bool), 0, 20).auc == 0.5


def test_constant_predictions_are_chance() -> None:
    """A model that learned nothing says the same of all, and that is inside."""
    y, month = np.tile([1.0, 0.0], 50), np.zeros(100, int)
    assert tried(np.zeros_like, y, month, np.ones(100, bool), 0, 100).inside  # of the order, too
