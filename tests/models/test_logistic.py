"""The logistic baseline: recovers what is linear, reads all from train, is deterministic."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from features.arrays import Floats, Ints
from models.baselines.logistic import Logistic, fit_logistic
from models.judging import metrics


def world(n: int, seed: int) -> tuple[Floats, Floats, Floats, Ints]:
    """Skewed, missing, categorical, constant and empty columns; true log odds linear in what is used."""
    rng = np.random.default_rng(seed)
    skewed, plain, code = rng.lognormal(2.5, 1, n), rng.normal(size=n), rng.integers(0, 5, n)
    gone = rng.random(n) < 0.1
    plain[gone] = 0
    z = -2.5 + 0.8 * (np.log1p(skewed) - 2.5) + 0.7 * plain + np.array([0, 1.0, -1, 0.5, 0])[code]
    X = np.column_stack([skewed, np.where(gone, np.nan, plain), code.astype(float), np.ones(n), np.full(n, np.nan)])
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)
    return X, y, z, np.arange(n) // 3


NAMES = ("skewed", "plain", "code", "one", "empty")


def fitted(n: int, seed: int) -> tuple[Logistic, Floats, Floats, Floats]:
    """A baseline of a world, and that world."""
    X, y, z, groups = world(n, seed)
    return fit_logistic(X, NAMES, [2], y, groups, 1), X, y, z


def test_it_recovers_what_is_linear() -> None:
    """On new rows of a linear world it captures nearly all of the attainable."""
    model, _, y, _ = fitted(20_000, 1)
    X, _, z, _ = world(20_000, 2)
    share = metrics.captured(1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-model.log_odds(X))), float(y.mean()))
    assert share is not None
    assert share > 0.92


def test_it_is_as_good_as_a_tight_fit() -> None:
    """Its log loss is within 1e-4 of scikit-learn's optimum on the same columns and strength."""
    from models.baselines.logistic import _design

    model, X, y, _ = fitted(5_000, 3)
    Z = _design(X, model.numeric, model.missing, model.levels).astype(np.float64)
    tight = LogisticRegression(C=model.strength, tol=1e-10, max_iter=5000).fit(Z, y)
    losses = [metrics.log_loss(y, 1 / (1 + np.exp(-s))) for s in (model.log_odds(X), tight.decision_function(Z))]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_constant_and_empty_columns_are_left_out() -> None:
    """A column of one value or none has no coefficient; the others keep readable names."""
    model, *_ = fitted(2_000, 4)
    assert model.names == (
        "skewed", "plain", "plain missing",
        "code = 0", "code = 1", "code = 2", "code = 3", "code = 4", "code rare",
    )  # fmt: skip
    assert len(model.coefficients) == len(model.names)


def test_rows_are_scored_one_by_one() -> None:
    """A row alone scores as in the batch; unseen codes and infinities do not break it."""
    model, X, *_ = fitted(2_000, 5)
    alone = [model.log_odds(X[i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(alone, model.log_odds(X)[:20], rtol=1e-4, atol=1e-5)
    odd = np.array([[1e300, -1e300, 99.0, np.nan, 7.0], [np.inf, np.nan, np.nan, 1.0, np.nan]])
    assert np.isfinite(model.log_odds(odd)).all()
    assert len(model.log_odds(X[:0])) == 0


def test_it_is_deterministic_and_leaves_its_input() -> None:
    """Two fits are equal, and X is as it was."""
    X, y, _, groups = world(2_000, 6)
    before = X.copy()
    one, two = (fit_logistic(X, NAMES, [2], y, groups, 1).log_odds(X) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(X, before)


def test_rare_levels_share_a_column() -> None:
    """Codes of fewer than 20 training rows are one column together."""
    X, y, _, groups = world(2_000, 7)
    X[:5, 2], X[5:12, 2] = 77, 78
    names = fit_logistic(X, NAMES, [2], y, groups, 1).names
    assert "code = 77" not in names
    assert "code rare" in names


def test_nothing_to_learn_from_is_the_base_rate() -> None:
    """Without a usable column the intercept alone remains."""
    y = np.repeat([0.0, 1.0], [90, 10])
    model = fit_logistic(np.ones((100, 1)), ["one"], [], y, np.arange(100), 1)
    assert 1 / (1 + np.exp(-model.log_odds(np.ones((1, 1))))) == pytest.approx(0.1, abs=0.01)


def test_many_rows_are_thinned_by_whole_groups() -> None:
    """Above the limit, whole groups are kept until it is reached."""
    from models.baselines.logistic import _some

    groups = np.repeat(np.arange(100), 7)
    rows = _some(groups, 350, 1)
    assert len(rows) == 350
    assert (np.bincount(groups[rows]) % 7 == 0).all()
