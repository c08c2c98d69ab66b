"""Shares that come in time: what the estimator is where all is known, by hand, and what must never move it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrays import Floats
from models.judging import survival
from models.judging.survival import LEAST, Spells, curve, halfway

HORIZON = 30.0
rows = st.lists(
    st.tuples(st.floats(0, 60), st.integers(0, 2), st.integers(0, 5)).map(lambda t: (round(t[0], 1), t[1], t[2])),
    min_size=1,
    max_size=40,
)


def spells(given: list[tuple[float, int, int]], possible: float = 100.0) -> Spells:
    """Of (days, end, account)."""
    days, end, group = (np.array(column) for column in zip(*given, strict=True))
    return Spells(days.astype(np.float64), end.astype(np.int64), np.full(len(given), possible), group.astype(np.int64))


def shares(s: Spells, end: int, at: Floats, weight: Floats | None = None) -> Floats:
    """F_end at days `at`, whether they can be told of or not."""
    return survival._at(*s.incidence(end, weight), at)


def slowly(given: list[tuple[float, int, int]], end: int, at: float) -> float:
    """The formula of the module, one time after another."""
    left, share = 1.0, 0.0
    for t in sorted({days for days, _, _ in given}):
        if t > at:
            break
        under_way = sum(days >= t for days, _, _ in given)
        share += left * sum(d == t and e == end for d, e, _ in given) / under_way
        left *= 1 - sum(d == t and e > 0 for d, e, _ in given) / under_way
    return share


def test_by_hand() -> None:
    """Five leads: one goes on at 1, one is closed at 2, one last seen at 2, one goes on at 4, one last seen at 5.

    F(1) = 1/5; S(1) = 4/5; S(2) = 4/5 × 3/4 = 3/5 with two left; F(4) = 1/5 + 3/5 × 1/2 = 1/2. The ratio of what
    went on to all would be 2/5, for it counts those not over as lost.
    """
    five = spells([(1, 1, 0), (2, 2, 1), (2, 0, 2), (4, 1, 3), (5, 0, 4)])
    np.testing.assert_allclose(shares(five, 1, np.array([0.5, 1, 3, 4, 9])), [0, 0.2, 0.2, 0.5, 0.5])
    np.testing.assert_allclose(shares(five, 2, np.array([1, 2, 9.0])), [0, 0.2, 0.2])


@given(rows)
def test_it_is_the_formula(given: list[tuple[float, int, int]]) -> None:
    """Counted by arrays as by hand."""
    at = np.array([0.0, 5.5, HORIZON, 60])
    for end in (1, 2):
        np.testing.assert_allclose(shares(spells(given), end, at), [slowly(given, end, t) for t in at], atol=1e-12)


@given(rows)
def test_where_all_is_over_it_is_the_plain_ratio(given: list[tuple[float, int, int]]) -> None:
    """With nothing unfinished, what ended so by a day over all."""
    done = [(d, max(e, 1), g) for d, e, g in given]
    plain = np.mean([d <= HORIZON and e == 1 for d, e, _ in done])
    assert shares(spells(done), 1, np.array([HORIZON]))[0] == pytest.approx(plain)


@given(rows)
def test_shares_rise_and_leave_room_for_each_other(given: list[tuple[float, int, int]]) -> None:
    """Each rises from 0, and together they are at most 1."""
    at: Floats = np.linspace(0, 70, 30)
    one, two = (shares(spells(given), end, at) for end in (1, 2))
    for share in (one, two):
        assert (np.diff(share) >= -1e-12).all()
        assert (share >= 0).all()
    assert (one + two <= 1 + 1e-9).all()


@given(rows, st.integers(0, 3))
def test_a_weight_is_so_many_twins(given: list[tuple[float, int, int]], times: int) -> None:
    """A spell that counts thrice is three spells."""
    weight = np.array([1.0 + (k == 0) * times for k in range(len(given))])
    again = spells([*given, *[given[0]] * times])
    at = np.array([5.0, HORIZON])
    np.testing.assert_allclose(shares(spells(given), 1, at, weight), shares(again, 1, at), atol=1e-12)


def test_days_that_too_few_could_be_followed_are_not_told() -> None:
    """A cohort of which all began ten days ago has a share by day 10 and none by day 30, nor a ratio in its place."""
    young = spells([(10.0, 0, k) for k in range(40)] + [(3.0, 1, k) for k in range(10)], possible=10.0)
    found = curve(young, 1, np.array([3.0, 10.0, HORIZON]), 0, 20)
    assert found.share[:2].tolist() == [0.2, 0.2]
    assert np.isnan(found.share[2])
    assert np.isnan(found.median_days)
    assert found.on(HORIZON) == {"share": None, "interval": None}
    assert spells([(5.0, 0, 0)] * (LEAST - 1), 5.0).followed_days == 5.0


def test_intervals_hold_the_share_and_know_that_nothing_is_not_never() -> None:
    """Where no account converted the upper end is not 0: 3.689 of so many (Garwood)."""
    mixed = spells([(float(k % 40), k % 3, k % 17) for k in range(120)])
    found = curve(mixed, 1, np.array([10.0, HORIZON]), 3, 100)
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    none = curve(spells([(50.0, 0, k) for k in range(100)]), 1, np.array([HORIZON]), 3, 50)
    assert none.share.tolist() == none.low.tolist() == [0.0]
    assert none.high[0] == pytest.approx(0.03689)


def test_young_leads_do_not_drag_the_share_down() -> None:
    """Of ends at known rates, followed for random times: intervals hold the truth about as often as they say, and the
    mean of the shares is right, where the ratio of what has come to all is an eighth too low."""
    truth = 0.6 * (1 - np.exp(-0.05 * HORIZON))
    held, told, ratios = 0, [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        last, possible = rng.exponential(20, 300), rng.uniform(5, 60, 300)
        end = np.where(last > possible, 0, rng.choice([1, 2], 300, p=[0.6, 0.4]))
        found = Spells(np.minimum(last, possible), end, possible, np.arange(300))
        said = curve(found, 1, np.array([HORIZON]), seed, 100)
        held += bool(said.low[0] <= truth <= said.high[0])
        told.append(said.share[0])
        ratios.append(np.mean((end == 1) & (found.days <= HORIZON)))
    assert held >= 52
    assert np.mean(told) == pytest.approx(truth, abs=0.01)
    assert np.mean(ratios) < 0.9 * truth


def test_half_of_those_that_end_so() -> None:
    """The median is of what comes in time, not of all."""
    times, share = spells([(1, 1, 0), (2, 1, 1), (20, 1, 2), (40, 1, 3), (50, 2, 4)]).incidence(1)
    assert halfway(times, share, HORIZON) == 2
    assert np.isnan(halfway(times, share, 0.5))


def test_a_median_has_an_interval_where_it_can_be_told() -> None:
    """Of forty accounts that converted on a day of their own: half by day 20, give or take some days."""
    found = curve(spells([(float(day), 1, day) for day in range(1, 41)]), 1, np.array([40.0]), 1, 200)
    low, high = found.median_interval or (np.nan, np.nan)
    assert 10 < low < found.median_days == 20 < high < 30
    assert found.median() == {"days": 20, "interval": [low, high]}


def test_nothing_seen_of_few_that_were_followed_is_not_nearly_never() -> None:
    """Of 2,000 accounts 25 were followed for ninety days, without an event: the upper end is that of 25."""
    young = [(2.0, 0, k) for k in range(1975)]
    old = [(90.0, 0, k) for k in range(1975, 2000)]
    seen = spells([*young, *old])
    high = curve(replace(seen, possible=seen.days), 1, np.array([90.0]), 1, 20).high[0]
    assert high == pytest.approx(3.689 / 25, rel=0.01)


def test_days_on_which_nobody_was_under_way_are_not_told() -> None:
    """Twenty old spells end on day 5, a thousand young ones were last seen on day 30: of day 90 nobody knows."""
    seen = spells([(5.0, 1, k) for k in range(20)] + [(30.0, 0, k) for k in range(20, 1020)])
    seen = replace(seen, possible=np.where(seen.days == 5, 100.0, 30.0))
    assert seen.followed_days == 30.0
    assert np.isnan(curve(seen, 1, np.array([30.0, 90.0]), 1, 5).share).tolist() == [False, True]


def test_a_day_is_told_where_just_enough_spells_began_so_long_ago() -> None:
    """Of 25 spells that are over, begun 1, 2, …, 25 days ago, LEAST began 6 days ago or earlier: that day is told, and
    none after it; of fewer spells than LEAST the youngest decides."""
    n = LEAST + 5
    spells = Spells(np.full(n, 0.5), np.ones(n, np.int64), np.arange(1.0, n + 1), np.arange(n))
    assert spells.followed_days == 6
    found = curve(spells, 1, np.array([5.0, 6.0, 6.5]), 1, 10)
    assert np.isnan(found.share).tolist() == [False, False, True]
    assert np.isnan(found.median_days)  # told as far as the last day asked for, and no half of a share that is not told
    assert curve(spells, 1, np.array([6.0]), 1, 10).median_days == 0.5
    assert spells.take(np.arange(n) >= n - 3).followed_days == n - 2
