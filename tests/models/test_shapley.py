"""Exact reasons by looking them up: what LightGBM computes itself, eight times as fast."""

import math
from itertools import combinations

import numpy as np
import pytest
from growing import KINDS, grown, hostile_rows, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle.folder import Bundle
from models.trees.booster import contributions, load_booster, merge
from models.trees.forest import forest_of
from models.trees.shapley import Tables, shapley, tables_of


def looked_up(text: str) -> Tables:
    """The tables of a model that is small enough for them."""
    tables = tables_of(forest_of(text))
    assert tables is not None
    return tables


@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from(KINDS),
    st.integers(1, 6),
    st.integers(2, 31),
)  # fmt: skip
def test_they_are_lightgbms_own(seed: int, kind: dict[str, object], depth: int, leaves: int) -> None:
    """Any shallow model, any row: gaps, zeros that are missing, codes never seen, numbers out of range."""
    text = grown(seed, **kind, max_depth=depth, num_leaves=leaves)
    X = hostile_rows(np.random.default_rng(seed), 40)
    found = looked_up(text).contributions(X)
    np.testing.assert_allclose(found, contributions(load_booster(text), X), rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def text() -> str:
    """A bag of two models, one of which never grew."""
    return merge([grown(1), grown(2, min_data_in_leaf=300, rounds=2)])


def test_a_row_alone_has_the_bits_it_has_among_others(text: str) -> None:
    """Whatever stands beside it."""
    X, tables = rows(np.random.default_rng(3), 70), looked_up(text)
    every = tables.contributions(X)
    alone = np.concatenate([tables.contributions(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(alone, every)
    np.testing.assert_array_equal(tables.contributions(X[::-1])[::-1], every)
    assert tables.contributions(X[:0]).shape == (0, 7)


def test_base_and_shares_are_the_raw_score(text: str) -> None:
    """To within rounding, also in a bag with trees of a single leaf."""
    X, booster = rows(np.random.default_rng(4), 50), load_booster(text)
    assert (np.diff(forest_of(text).leaf_start) == 1).any()
    raw = booster.predict(X, raw_score=True, num_threads=1)
    np.testing.assert_allclose(looked_up(text).contributions(X).sum(axis=1), raw, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_a_game_is_divided_as_shapley_says(n: int) -> None:
    """The sum over all coalitions, written out."""
    rng = np.random.default_rng(n)
    share, holds = rng.uniform(0.1, 1, n), rng.random(n) < 0.5

    def worth(inside: tuple[int, ...]) -> float:
        return math.prod(float(holds[j]) if j in inside else share[j] for j in range(n))

    found = shapley(holds[:, None, None], share[:, None], np.array([2.0]))[:, 0, 0]
    for i in range(n):
        others = [j for j in range(n) if j != i]
        weights = [(c, math.factorial(k) * math.factorial(n - 1 - k) / math.factorial(n))
                   for k in range(n) for c in combinations(others, k)]  # fmt: skip
        assert found[i] == pytest.approx(2 * sum(w * (worth((*c, i)) - worth(c)) for c, w in weights), abs=1e-14)


def test_trees_too_deep_or_too_many_have_no_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then LightGBM's own code is used."""
    assert tables_of(forest_of(grown(1, max_depth=-1, num_leaves=60, min_data_in_leaf=2, rounds=3))) is None
    monkeypatch.setattr("models.trees.shapley.MOST_BYTES", 1000)
    assert tables_of(forest_of(grown(1))) is None


def test_a_bundles_reasons_are_lightgbms_own(bundle: Bundle) -> None:
    """On the model that the pipeline makes, whose tables fit."""
    X = rows(np.random.default_rng(5), 30)[:, np.arange(bundle.trees.booster.num_feature()) % 6]
    assert bundle.trees.tables is not None
    np.testing.assert_allclose(bundle.trees.contributions(X), contributions(bundle.trees.booster, X), rtol=0, atol=1e-9)
