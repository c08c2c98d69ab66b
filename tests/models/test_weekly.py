"""The replay of a team: who is taken, what it came to, and how sure one is of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.arrays import Floats
from models.judging import weekly
from models.judging.weekly import Weeks


def world(seed: int, n: int = 300, weeks: int = 6, turns: int = 90) -> Weeks:
    """Rows in any number of each turn, at most one a week."""
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.stack([rng.integers(weeks, size=n), rng.integers(turns, size=n)]), axis=1)
    k = pairs.shape[1]
    y = (rng.random(k) < 0.2).astype(float)
    return Weeks(
        week=pairs[0], turn=pairs[1], y=y, value=y * rng.integers(1, 9, k), group=pairs[1] // 3,
        chance=rng.permutation(k).astype(np.int64), capacity=rng.integers(0, 8, weeks),
    )  # fmt: skip


def slowly(weeks: Weeks, score: Floats) -> set[int]:
    """The rows taken, in the plainest words."""
    gone: set[int] = set()
    taken: set[int] = set()
    for week, capacity in enumerate(weeks.capacity):
        left = capacity
        there = [i for i in range(len(score)) if weeks.week[i] == week]
        for i in sorted(there, key=lambda i: (-score[i], weeks.chance[i])):
            if left and weeks.turn[i] not in gone:
                gone.add(weeks.turn[i])
                taken.add(i)
                left -= 1
    return taken


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_the_replay_is_the_obvious_one(seed: int, distinct: int) -> None:
    """Each week the best that were never taken, whatever the ties; no turn twice; never more than the capacity."""
    weeks = world(seed)
    score = np.random.default_rng(seed + 1).integers(distinct, size=len(weeks.y)).astype(float)
    taken = weekly.choose(weeks, score, weeks.chance)
    assert set(np.flatnonzero(taken).tolist()) == slowly(weeks, score)
    assert np.unique(weeks.turn[taken]).size == taken.sum()
    assert (np.bincount(weeks.week[taken], minlength=len(weeks.capacity)) <= weeks.capacity).all()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_a_week_is_not_changed_by_a_later_one(seed: int) -> None:
    """Cut off the later weeks, or score them otherwise: what was taken before stays."""
    weeks = world(seed)
    rng = np.random.default_rng(seed)
    score, early = rng.random(len(weeks.y)), weeks.week < 3
    whole = weekly.choose(weeks, score, weeks.chance)
    other = weekly.choose(weeks, np.where(early, score, rng.random(len(score))), weeks.chance)
    np.testing.assert_array_equal(whole[early], other[early])


def test_equal_scores_are_taken_by_chance() -> None:
    """A constant score takes as a mean over orders: no row surely, and it lifts nothing."""
    weeks = replace(world(1, 4000, 6, 4000), capacity=np.full(6, 60))
    played = weekly.play(weeks, np.full(len(weeks.y), 0.1))
    assert played.taken.max() < 1
    assert played.taken.sum() == pytest.approx(360)
    found = weekly.measures(weeks, played)
    assert found["lift"] == pytest.approx(1, abs=0.15)
    assert found["auc_within_week"] == 0.5


def test_measures_are_what_they_say() -> None:
    """Two weeks by hand: precision, lift over each week's open leads, value, AUC within the week."""
    weeks = Weeks(
        week=np.array([0, 0, 0, 1, 1]), turn=np.array([0, 1, 2, 0, 3]), y=np.array([1.0, 0, 0, 1, 0]),
        value=np.array([50.0, 0, 0, 70, 0]), group=np.arange(5), chance=np.arange(5), capacity=np.array([1, 1]),
    )  # fmt: skip
    played = weekly.play(weeks, np.array([3.0, 2, 1, 9, 8]))
    assert played.taken.tolist() == [1, 0, 0, 0, 1]
    assert weekly.measures(weeks, played) == pytest.approx(
        {"taken": 2, "converted": 1, "precision": 0.5, "lift": 1 / (1 / 3 + 1 / 2), "value": 50, "auc_within_week": 1}
    )
    unknown = replace(weeks, value=np.where(weeks.y > 0, np.nan, 0))
    assert np.isnan(weekly.measures(unknown, played)["value"])
    with pytest.raises(ValueError, match="row 1: expected a score"):
        weekly.play(weeks, np.array([1, np.nan, 1, 1, 1]))


def test_intervals_hold_what_they_are_of() -> None:
    """Each measure lies in its interval; a better score is told apart from chance, and from itself by nothing."""
    weeks = replace(world(2, 3000, 8, 1500), capacity=np.full(8, 40))
    rng = np.random.default_rng(3)
    good = weeks.y + rng.normal(0, 1, len(weeks.y))
    played = {"model": weekly.play(weeks, good), "twin": weekly.play(weeks, good * 2),
              "base_rate": weekly.play(weeks, np.ones(len(good)))}  # fmt: skip
    own, apart = weekly.intervals(weeks, played, "model", 1, 100)
    measured = weekly.measures(weeks, played["model"])
    assert all(low <= measured[name] <= high for name, (low, high) in own["model"].items())
    assert apart["twin"]["precision"] == (0, 0)
    assert apart["base_rate"]["precision"][0] > 0


def test_lift_is_over_the_weeks_that_leads_were_taken_in() -> None:
    """Three taken in a week where half convert, one where a quarter does: 3 / 2 + 1 / 4 were due, not 4 × the mean."""
    weeks = Weeks(
        week=np.repeat([0, 1], 4), turn=np.arange(8), y=np.array([1.0, 1, 0, 0, 1, 0, 0, 0]), value=np.zeros(8),
        group=np.arange(8), chance=np.arange(8), capacity=np.array([3, 1]),
    )  # fmt: skip
    found = weekly.measures(weeks, weekly.play(weeks, -np.arange(8.0)))
    assert found["lift"] == pytest.approx((2 + 1) / (3 / 2 + 1 / 4))


def test_lift_and_what_it_is_over_are_drawn_together() -> None:
    """Where every open lead is taken the lift is 1, whichever accounts are drawn."""
    weeks = replace(world(4, 400, 5, 4000), capacity=np.full(5, 400))
    weeks = replace(weeks, turn=np.arange(len(weeks.y)))
    own, _ = weekly.intervals(
        weeks, {"model": weekly.play(weeks, np.arange(len(weeks.y), dtype=float))}, "model", 1, 50
    )
    assert own["model"]["lift"] == pytest.approx((1, 1))
    assert own["model"]["precision"][0] < own["model"]["precision"][1]


def test_where_none_that_was_picked_converted_one_is_not_sure_that_none_will() -> None:
    """None of 12 picked: up to 3.7 / 12 would show that one time in forty; a precision is at most 1."""
    n = 120
    y = (np.arange(n) >= 90).astype(float)
    weeks = Weeks(
        week=np.repeat([0, 1, 2], 40), turn=np.arange(n), y=y, value=y, group=np.arange(n), chance=np.arange(n),
        capacity=np.array([12, 0, 0]),
    )  # fmt: skip
    own, _ = weekly.intervals(weeks, {"model": weekly.play(weeks, -np.arange(n, dtype=float))}, "model", 1, 50)
    assert own["model"]["precision"] == pytest.approx((0, 3.689 / 12))
    few = replace(weeks, y=y[::-1], value=y[::-1], capacity=np.array([2, 0, 0]))
    own, _ = weekly.intervals(few, {"model": weekly.play(few, -np.arange(n, dtype=float))}, "model", 1, 50)
    assert own["model"]["precision"] == (pytest.approx(0.2422 / 2), 1)


def test_the_interval_of_the_value_covers_where_few_deals_are_large() -> None:
    """Percentiles ended below what is to be expected in one of ten replays; one in forty is meant to."""
    rng, n, below = np.random.default_rng(0), 400, 0
    for seed in range(100):
        y = (rng.random(n) < 0.1).astype(float)
        weeks = Weeks(
            week=np.zeros(n, np.int64), turn=np.arange(n), y=y, value=y * rng.lognormal(-0.5, 1, n),
            group=np.arange(n), chance=np.arange(n), capacity=np.array([100]),
        )  # fmt: skip
        own, _ = weekly.intervals(weeks, {"model": weekly.play(weeks, rng.random(n))}, "model", seed, 100)
        below += own["model"]["value"][1] < 100 * 0.1
    assert below <= 6


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_luck_apart_a_choice_is_worth_the_mean_of_many_outcomes(seed: int) -> None:
    """Precision: the mean exact probability of what was taken, whatever came of it; and in a single week no score
    does better than the exact probabilities."""
    weeks, rng = world(seed, weeks=1), np.random.default_rng(seed)
    exact, score = rng.random(len(weeks.y)) ** 3, rng.random(len(weeks.y))
    played = {"model": weekly.play(weeks, score)}
    found = weekly.expected(weeks, played, exact)
    taken = played["model"].taken > 0
    if not taken.any():
        assert np.isnan(found["model"]["precision"])
        return
    assert found["model"]["precision"] == pytest.approx(exact[taken].mean())
    assert found["model"]["lift"] == pytest.approx(exact[taken].mean() / exact.mean())
    assert found["attainable"]["precision"] >= found["model"]["precision"] - 1e-12
    assert found == weekly.expected(replace(weeks, y=1 - weeks.y), played, exact)


def test_what_has_no_exact_probability_counts_as_never_converting() -> None:
    """It is taken last, and adds nothing where it is taken."""
    weeks = replace(world(1, weeks=1), capacity=np.array([1000]))
    exact = np.full(len(weeks.y), 0.5)
    exact[0] = np.nan
    found = weekly.expected(weeks, {}, exact)
    assert found["attainable"]["precision"] == pytest.approx(0.5 * (len(exact) - 1) / len(exact))
