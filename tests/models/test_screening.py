"""A single feature that tells nearly all is seen in whatever shape it tells it; luck is not taken for it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.columns import Column
from features.kernel import Matrix
from models.leaks.screening import bounded, strengths


def matrix(*columns: tuple[np.ndarray, bool]) -> Matrix:
    """Columns of values, categorical or not."""
    named = tuple(Column(f"fit_{i}", "fit", "lead", "numeric", categorical=c) for i, (_, c) in enumerate(columns))
    return Matrix(np.column_stack([values for values, _ in columns]).astype(float), named, {})


def test_a_number_counts_by_its_order_its_reverse_its_middle_and_its_gaps() -> None:
    """Rising, falling, telling in the middle, told by being missing, told by a level: all above 0.9; noise is not."""
    rng = np.random.default_rng(1)
    y = (rng.random(2000) < 0.1).astype(float)
    x = rng.normal(size=2000)
    rising = x + 5 * y
    middle = np.where(y == 1, 0.05 * x, np.sign(x) * (1 + np.abs(x)))
    gaps = np.where(y == 1, x, np.nan)
    level = np.where(y == 1, 7, rng.integers(0, 5, 2000))
    found = strengths(
        matrix((rising, False), (-rising, False), (middle, False), (gaps, False), (level, True), (x, False)),
        y, np.arange(2000),
    )  # fmt: skip
    assert [one.value.auc > 0.9 for one in found] == [True] * 5 + [False]
    assert found[3].missing.auc == 1
    assert found[5].value.auc < 0.6


def test_levels_of_one_account_each_tell_nothing() -> None:
    """A category with a level an account would know its labels by heart; out of fold by account it knows none."""
    rng = np.random.default_rng(2)
    account = np.repeat(np.arange(200), 5)
    y = np.repeat((rng.random(200) < 0.2).astype(float), 5)
    assert strengths(matrix((account, True)), y, account)[0].value.auc < 0.6


def test_few_leads_prove_nothing() -> None:
    """No column is judged by fewer than ten converting leads; by ten, luck must be ruled out."""
    y = np.repeat([1.0, 0.0], [9, 100])
    assert strengths(matrix((y, False)), y, np.arange(109)) == []
    few, many = np.repeat([1.0, 0.0], [10, 200]), np.repeat([1.0, 0.0], [200, 4000])
    assert not bounded(0.8, few).above(0.75)
    assert bounded(0.8, many).above(0.75)
    assert bounded(1.0, few).above(0.9)


@given(st.integers(0, 100))
def test_the_order_of_a_number_is_scikit_learns_area(seed: int) -> None:
    """The AUC is at least scikit-learn's of the number itself, in the better direction."""
    rng = np.random.default_rng(seed)
    y = np.repeat([1.0, 0.0], [20, 60])
    x = rng.normal(size=80) + y
    area = roc_auc_score(y, x)
    assert strengths(matrix((x, False)), y, np.arange(80))[0].value.auc >= max(area, 1 - area) - 1e-12


def test_an_area_is_as_sure_as_in_the_textbook() -> None:
    """Hanley and McNeil 1982 give 0.032 for the standard error of 0.893, of 51 against 58."""
    area = bounded(0.893, np.repeat([1.0, 0.0], [51, 58]))
    np.testing.assert_allclose((area.auc - area.low) / 1.645, 0.032, atol=1e-3)
