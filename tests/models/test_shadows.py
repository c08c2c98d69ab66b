"""Shadows: the values of other accounts, and what is made of columns that gain no more."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.booster import Settings
from models.shadows import belief_in, strangers

SETTINGS = Settings(7, 8, 4, 0.15, 60, 10, 0.8, 0.9, 10, 0.1, 1.0, 1)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80), st.integers(0, 2**32))
@settings(deadline=None)
def test_an_account_takes_the_rows_of_one_account(groups: list[int], seed: int) -> None:
    """Every account takes the rows of one account, each account is taken once, in order, ends with ends."""
    group = np.array(groups)
    taken = strangers(group, np.random.default_rng(seed))
    source = group[taken]
    pairs = {(int(a), int(b)) for a, b in zip(group, source, strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(set(groups))
    for a, b in pairs:
        rows = taken[group == a]
        assert (np.diff(rows) >= 0).all()
        assert rows[0] == np.flatnonzero(group == b)[0]


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
    found = belief_in([0, 1, 2, 3], X[:, :4], y, np.ones(len(y)), group, group % 3, [2], SETTINGS)
    assert found.shape == (3, 4)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found[:, 0] > 0.8).all()
    assert (found[:, 1:].mean(axis=0) < 0.3).all()
    assert (belief_in([1], X, y, np.ones(len(y)), group, group % 3, [], SETTINGS)[:, [0, 2, 3, 4]] == 1).all()
    assert (belief_in([], X, y, np.ones(len(y)), group, group % 3, [], SETTINGS) == 1).all()


def test_belief_is_repeatable() -> None:
    """The same rows and seed are the same, whatever the threads."""
    X, y, group = world()
    one, two = (
        belief_in([1, 2], X, y, np.ones(len(y)), group, group % 3, [2], replace(SETTINGS, threads=threads))
        for threads in (1, 2)
    )
    np.testing.assert_array_equal(one, two)
