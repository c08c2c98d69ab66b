"""Rows are scored eight at once, and every score is LightGBM's own to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
from growing import KINDS, grown, hostile_rows, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trees.booster import load_booster, merge, raw_scores
from models.trees.forest import forest_of
from models.trees.leaves import Leaves, leaves_of
from models.trees.model import Trees


def leaves(text: str) -> Leaves:
    """Of trees that are small enough."""
    found = leaves_of(forest_of(text))
    assert found is not None
    return found


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.sampled_from(KINDS),
    st.integers(1, 9),
    st.integers(2, 32),
    st.integers(0, 40),
)  # fmt: skip
def test_scores_are_lightgbms_to_the_bit(seed: int, more: dict[str, object], depth: int, most: int, n: int) -> None:
    """Whatever the trees and the rows, with every way that a missing value can go."""
    text = grown(seed, max_depth=depth, num_leaves=most, **more)
    X = hostile_rows(np.random.default_rng(seed + 1), n)
    np.testing.assert_array_equal(leaves(text).scores(X), raw_scores(load_booster(text), X))


def test_a_row_has_the_same_bits_in_any_batch() -> None:
    """Alone and among others: eight rows are a word, and what fills it up is left out."""
    text = merge([grown(seed, rounds=40) for seed in range(3)])
    X = rows(np.random.default_rng(0), 50)
    found = leaves(text)
    whole = found.scores(X)
    np.testing.assert_array_equal([found.scores(row[None])[0] for row in X], whole)
    for n in (2, 7, 8, 9, 17):
        np.testing.assert_array_equal(found.scores(X[-n:]), whole[-n:])
    assert found.scores(X[:0]).shape == (0,)


def test_a_tree_that_is_a_leaf_alone_adds_its_value() -> None:
    """Also where every tree is one."""
    X = rows(np.random.default_rng(0), 10)
    for text in (grown(1, min_data_in_leaf=400), merge([grown(1, min_data_in_leaf=400), grown(2)])):
        np.testing.assert_array_equal(leaves(text).scores(X), raw_scores(load_booster(text), X))


def test_trees_of_many_leaves_are_lightgbms_to_score() -> None:
    """They are not looked up, and score all the same."""
    text = grown(1, max_depth=-1, num_leaves=60, min_data_in_leaf=2, rounds=3)
    X = rows(np.random.default_rng(0), 10)
    trees = Trees(text)
    assert trees.leaves is None
    np.testing.assert_array_equal(trees.scores(X), raw_scores(load_booster(text), X))


def test_a_tree_that_leads_in_a_circle_is_refused() -> None:
    """Rather than followed without end."""
    forest = forest_of(grown(1))
    left = forest.left.copy()
    node = int(left[left > 0][0])
    left[node] = node
    with pytest.raises(ValueError, match="circle"):
        leaves_of(replace(forest, left=left))
