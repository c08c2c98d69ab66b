"""Shadows: the values of other accounts, and what is made of columns that gain no more."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learning.shadows import belief_in, strangers
from models.trees.booster import Sample, Settings

SETTINGS = Settings(7, 8, 4, 0.15, 60, 10, 0.8, 0.9, 10, 0.1, 1.0, 1)
THREE = np.arange(3)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=80), st.integers(0, 2**32))
def test_rows_are_another_account_s(groups: list[int], seed: int) -> None:
    """No account takes its own rows where there are others; but for the largest, each takes rows of one account that is
    no smaller, each of them once at most."""
    group = np.array(groups)
    taken = strangers(group, np.random.default_rng(seed))
    assert taken.min() >= 0
    names, size = np.unique(group, return_counts=True)
    if len(names) == 1:
        assert sorted(taken) == list(range(len(group)))
        return
    assert (group[taken] != group).all()
    for name, rows in zip(names, size, strict=True):
        if rows < size.max():
            mine = taken[group == name]
            assert len(np.unique(group[mine])) == 1
            assert len(np.unique(mine)) == rows


def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A column that tells, three that do not (an account's own, codes, a lead's own), and the first once more."""
    rng = np.random.default_rng(1)
    group = np.arange(6_000) // 4
    tells = rng.normal(size=6_000)
    chance = rng.normal(size=1_500)[group] * 0.7
    X = np.column_stack(
        [tells, rng.normal(size=1_500)[group], rng.integers(0, 8, 1_500)[group], rng.normal(size=6_000), tells]
    )
    y = (rng.random(6_000) < 1 / (1 + np.exp(2 - tells - chance))).astype(float)
    return X, y, group


def test_columns_that_mean_nothing_are_not_believed() -> None:
    """What tells is believed by most of its gain, what does not by little; columns without shadows are believed."""
    X, y, group = world()
    found = belief_in([0, 1, 2, 3], Sample(X[:, :4], y, np.ones(len(y)), group % 3, [2]), group, THREE, SETTINGS)
    assert found.shape == (3, 4)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[:, 0] > 0.8).all()
    assert (found[:, 1:].mean(axis=0) < 0.3).all()
    assert (
        belief_in([1], Sample(X, y, np.ones(len(y)), group % 3, []), group, THREE, SETTINGS)[:, [0, 2, 3, 4]] == 1
    ).all()
    assert (belief_in([], Sample(X, y, np.ones(len(y)), group % 3, []), group, THREE, SETTINGS) == 1).all()


def test_belief_is_repeatable() -> None:
    """The same rows and seed are the same, whatever the threads."""
    X, y, group = world()
    one, two = (
        belief_in(
            [1, 2], Sample(X, y, np.ones(len(y)), group % 3, [2]), group, THREE, replace(SETTINGS, threads=threads)
        )
        for threads in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_a_member_without_a_row_believes_all() -> None:
    """Folds that no row is of keep their place, and what the others believe is theirs."""
    X, y, group = world()
    few = group % 3 != 1
    found = belief_in(
        [0, 3], Sample(X[few], y[few], np.ones(few.sum()), group[few] % 3, []), group[few], THREE, SETTINGS
    )
    assert (found[1] == 1).all()
    assert (found[[0, 2], 3] < 1).all()


@pytest.mark.parametrize("sizes", ["alike", "one to eleven", "zipf"])
def test_a_lead_s_own_field_is_believed_whatever_the_sizes_of_accounts(sizes: str) -> None:
    """One that tells is believed by most of its gain, also where some accounts have hundreds of leads."""
    rng = np.random.default_rng(4)
    drawn = {
        "alike": np.full(2000, 6),
        "one to eleven": rng.integers(1, 12, 2000),
        "zipf": rng.zipf(1.8, 4000).clip(max=400),
    }
    group = np.repeat(np.arange(len(drawn[sizes])), drawn[sizes])[:12_000]
    X = rng.normal(size=(len(group), 4))
    shared = rng.normal(size=group.max() + 1)[group]
    y = (rng.random(len(group)) < 1 / (1 + np.exp(2 - 0.5 * X[:, 0] - shared))).astype(float)
    found = belief_in([0, 1, 2, 3], Sample(X, y, np.ones(len(y)), group % 3, []), group, THREE, SETTINGS).mean(axis=0)
    assert found[0] > 0.5
    assert (found[1:] < 0.4).all()
