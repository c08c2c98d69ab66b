"""Calibration of parts: nothing hidden, and wide where little is known."""

import numpy as np
import pytest
from scipy.stats import chi2

from features.arrays import Floats, Ints
from models.judging.few import FEW
from models.judging.slices import alike, by_slice, off


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


def company(rng: np.random.Generator, leads: int) -> tuple[Floats, Floats, Ints, Ints]:
    """y, p, account and lead of examples: one to six looks at each lead, which converts at every look or at none."""
    account = rng.integers(0, leads // 2, leads)
    right = 1 / (1 + np.exp(2.5 - rng.normal(0, 0.8, leads // 2)[account] - rng.normal(0, 1, leads)))
    lead = np.repeat(np.arange(leads), rng.integers(1, 7, leads))
    return (rng.random(leads) < right)[lead].astype(float), right[lead], account[lead], lead


def test_honest_companies_have_no_slice_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 in which each probability is exact and each lead is looked at several times, about five name any of their
    21 slices."""
    monkeypatch.setattr("models.judging.slices.NULL_DRAWS", 1)  # of what is not looked at here, and takes long
    rng, named = np.random.default_rng(4), 0
    for _ in range(100):
        y, p, account, lead = company(rng, 400)
        parts = [(lead * 8 // 400, 8), (rng.integers(0, 5, 400)[lead], 5), (account % 8, 8)]
        rows = [by_slice(y, p, account, part, [str(k) for k in range(n)], 1, 2) for part, n in parts]
        named += any(off([row for each in rows for row in each]))
    assert named <= 10


def test_a_part_that_is_off_is_named_among_many() -> None:
    """Of eight parts of a large company, the one in which six of ten leads that would have converted do not."""
    rng = np.random.default_rng(5)
    y, p, account, lead = company(rng, 8000)
    y[(account % 8 == 3) & (rng.random(8000) < 0.6)[lead]] = 0
    rows = by_slice(y, p, account, account % 8, [str(k) for k in range(8)], 1, 20)
    assert [row["name"] for row, is_off in zip(rows, off(rows), strict=True) if is_off] == ["3"]


def test_what_nobody_saw_counts_as_often_as_leads_are_looked_at() -> None:
    """Six looks at each of 20 leads, none of which converted, are 20 trials: where two are expected, that is chance."""
    seen = np.repeat([0, 1], [120, 480])
    y, group = np.zeros(600), np.arange(600) // 6
    y[120:180] = 1  # elsewhere a lead converts at all its looks
    quiet, _ = by_slice(y, np.full(600, 0.1), group, seen, ["quiet", "other"], 1, 50)
    assert quiet["observed_over_expected"] == 0
    assert quiet["interval"][1] > 1
    assert quiet["chance"] > 0.1


def test_looks_at_one_lead_are_alike() -> None:
    """Ten looks that convert together vary ten times as much as ten independent rows, which vary as themselves."""
    rng = np.random.default_rng(6)
    lead, part = np.repeat(np.arange(4000), 10), np.zeros(40_000, int)
    p = np.full(40_000, 0.1)
    assert alike((rng.random(4000) < 0.1)[lead].astype(float), p, lead, part) == pytest.approx(10, rel=0.1)
    assert alike((rng.random(40_000) < 0.1).astype(float), p, lead, part) == pytest.approx(1, abs=0.1)


def test_slices_are_judged_together() -> None:
    """By Holm: the smallest chance among all, the next among those that are left; one without takes no room."""

    def judged(*chances: float | None) -> list[bool]:
        return off([{"chance": chance} for chance in chances])

    assert judged(0.049) == [True]
    assert judged(0.051) == [False]
    assert judged(0.049, *[None] * 50) == [True] + [False] * 50
    assert judged(0.049, 0.049) == [False, False]
    assert judged(0.049, 0.024) == [True, True]
    assert judged(0.051, 0.024) == [False, True]
