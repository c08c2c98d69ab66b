"""Naive Bayes as the CRM has it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baselines.bayes import fit_bayes
from models.judging.bins import bins, quantile_edges


def test_it_is_the_product_of_frequencies() -> None:
    """By hand: 3 won and 5 lost, one field; +0.1 to every count."""
    codes = np.array([[0], [0], [1], [0], [1], [1], [1], [-1]])
    y = np.array([1, 1, 1, 0, 0, 0, 0, 0.0])
    won, lost = (2.1 / 3.2) * 3.1, (1.1 / 4.2) * 5.1
    assert fit_bayes(codes, y).probability(np.array([[0]])) == pytest.approx(won / (won + lost))


def test_a_field_without_a_value_is_skipped() -> None:
    """Missing and unseen values leave the prior as it is."""
    rng = np.random.default_rng(0)
    codes, y = rng.integers(-1, 4, (500, 3)), (rng.random(500) < 0.2).astype(float)
    model = fit_bayes(codes, y)
    prior = (y.sum() + 0.1) / (500 + 0.2)
    for value in (-1, 4, 99):
        assert model.probability(np.full((1, 3), value)) == pytest.approx(prior)


def test_evidence_adds_up_beyond_underflow() -> None:
    """Two thousand fields that agree end at 99.99 %, not at NaN."""
    y = np.repeat([0.0, 1.0], 50)
    codes = np.tile(y.astype(int)[:, None], (1, 2000))
    model = fit_bayes(codes, y)
    assert model.probability(codes[[0, -1]]) == pytest.approx([0.0001, 0.9999])


def test_no_fields_and_no_values_give_the_base_rate() -> None:
    """Without fields, or with empty ones, every lead gets the prior."""
    y = np.repeat([0.0, 1.0], [90, 10])
    for codes in (np.empty((100, 0), dtype=int), np.full((100, 2), -1)):
        assert fit_bayes(codes, y).probability(codes) == pytest.approx(np.full(100, 0.1), abs=0.01)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1), st.integers(2, 12))
def test_bins_rise_with_the_value(values: list[float], parts: int) -> None:
    """A larger value is never in a lower bin; a missing one is in none."""
    x = np.array(values)
    found = bins(x, quantile_edges(x, parts))
    assert ((found == -1) == np.isnan(x)).all()
    assert (np.diff(found[np.argsort(x)][: (~np.isnan(x)).sum()]) >= 0).all()
    assert found.max() < parts
