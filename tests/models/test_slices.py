"""Calibration of parts: nothing hidden, and wide where little is known."""

import numpy as np
import pytest
from scipy.stats import chi2

from models.judging.slices import FEW, by_slice, off


def test_slices_say_what_came_and_what_was_promised() -> None:
    """Counts add up, a slice without examples has no row, and a fair slice's interval holds 1."""
    rng = np.random.default_rng(1)
    p = rng.beta(1, 9, 4000)
    part = rng.integers(0, 3, 4000)
    y = (rng.random(4000) < np.where(part == 2, np.minimum(3 * p, 1), p)).astype(float)
    rows = by_slice(y, p, np.arange(4000) // 2, part, ["a", "b", "off", "empty"], 1, 60)
    assert [row["name"] for row in rows] == ["a", "b", "off"]
    assert sum(row["n"] for row in rows) == 4000
    assert sum(row["positives"] for row in rows) == y.sum()
    for row in rows:
        low, high = row["interval"]
        assert low <= row["observed_over_expected"] <= high
        assert (low <= 1 <= high) == (row["name"] != "off")
        assert (row["smooth_ece"] > row["smooth_ece_null_p95"]) == (row["name"] == "off")


def test_few_conversions_have_a_wide_interval() -> None:
    """None of 30 expected is news, none of 2 is not; one account that converted says little, however many its rows."""
    y, p, group = np.zeros(600), np.full(600, 0.05), np.arange(600) // 4
    few = np.repeat([0, 1], [560, 40])
    much, little = (row["interval"] for row in by_slice(y, p, group, few, ["much", "little"], 1, 20))
    assert much[1] < 1 < little[1]
    y[:4] = 1
    low, high = by_slice(y[:80], p[:80], group[:80], np.zeros(80, int), ["all"], 1, 50)[0]["interval"]
    assert low < 0.05
    assert high == pytest.approx(5.572)


def test_the_limits_of_few_are_garwoods() -> None:
    """Half the quantiles of chi squared with 2 k and 2 k + 2 degrees of freedom."""
    for k, (low, high) in enumerate(FEW):
        assert low == pytest.approx(chi2.ppf(0.025, 2 * k) / 2 if k else 0, abs=2e-3)
        assert high == pytest.approx(chi2.ppf(0.975, 2 * k + 2) / 2, abs=2e-3)


def test_of_many_slices_only_those_that_chance_does_not_explain_are_off() -> None:
    """In 200 honest companies of 40 slices one is named in about one in twenty; without the correction, in most."""
    rng = np.random.default_rng(4)
    named = alone = 0
    for _ in range(200):
        counts = rng.poisson(100, 40)
        rows = [
            {"observed_over_expected": c / 100, "interval": [(c**0.5 - 0.98) ** 2 / 100, (c**0.5 + 0.98) ** 2 / 100]}
            for c in counts.tolist()
        ]
        named += any(off(rows))
        alone += any(off([row])[0] for row in rows)
    assert named <= 20
    assert alone > 150


def test_a_slice_alone_is_off_where_its_interval_does_not_hold_1() -> None:
    """Above, below, nothing seen at all; one without an interval is never off, and takes none of the others' room."""
    rows = [(1.5, [1.01, 2.1]), (1.5, [0.99, 2.1]), (0.6, [0.4, 0.97]), (0.6, [0.4, 1.03]), (0.0, [0.0, 0.9]),
            (0.0, [0.0, 1.1])]  # fmt: skip
    found = [{"observed_over_expected": ratio, "interval": interval} for ratio, interval in rows]
    assert [off([row])[0] for row in found] == [True, False, True, False, True, False]
    unknown = {"observed_over_expected": None, "interval": None}
    assert off([found[0], *[unknown] * 50]) == [True] + [False] * 50
    assert off([found[0]] * 2 + [found[1]]) == [False] * 3
    strong = {"observed_over_expected": 3.0, "interval": [2.5, 3.6]}
    assert off([found[1], strong]) == [False, True]
    assert off([found[0], strong]) == [True, True]  # Holm: the next is judged among those that are left
