"""Folds that follow time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.arrays import DAY_US
from models.folds import FOLDS, Cuts, by_position, by_time, hashed, whole_groups

USUAL = Cuts(0.25, 0.15)


def world(seed: int, n: int = 800, span: int = 400) -> tuple[np.ndarray, ...]:
    """as_of, label and lead of n examples over some days, of which the last thirty are immature; so are a few others,
    as where a table of outcomes alone says nothing of a lead."""
    rng = np.random.default_rng(seed)
    as_of = rng.integers(0, span, n) * DAY_US
    mature = as_of <= (span - 30) * DAY_US
    label = np.where(mature & (rng.random(n) < 0.97), rng.random(n) < 0.4, np.nan)
    return as_of, label, rng.integers(0, n, n)


@given(st.integers(0, 2**32), st.sampled_from([1, 30, 90]), st.sampled_from([0.1, 0.25, 0.5]))
@settings(max_examples=60)
def test_what_is_learned_was_known_when_the_test_began(seed: int, within: int, share: float) -> None:
    """Labels of train and calibrate were known then; train's also when calibrate began; the rest is gap."""
    as_of, label, lead = world(seed)
    mature = ~np.isnan(label)
    fold = by_time(as_of, label, lead, within, Cuts(share, 0.15))
    assert set(fold) <= set(FOLDS)
    assert ((fold == "immature") == ~mature).all()
    end = as_of + within * DAY_US
    test, calibrate = fold == "test", fold == "calibrate"
    assert test.sum() >= np.floor(share * mature.sum())
    begin = as_of[test].min()
    assert (test == (mature & (as_of >= begin))).all(), "whole instants"
    late = end > begin
    assert not late[np.isin(fold, ["train", "calibrate"])].any()
    between = np.zeros(len(fold), bool)
    if calibrate.any():
        first = as_of[calibrate].min()
        assert (end[fold == "train"] <= first).all()
        between = (as_of < first) & (end > first)
    assert ((fold == "gap") == (mature & ~test & (late | between))).all()


def test_a_long_history_has_a_calibrate_fold_and_a_short_one_has_not() -> None:
    """Calibrate comes out of time only where that leaves train most of its converting leads."""
    assert "calibrate" in by_time(*world(1, 4000), 10, USUAL)
    assert "calibrate" not in by_time(*world(1, 4000, span=150), 60, USUAL)


def test_the_test_may_begin_when_one_says() -> None:
    """All mature examples from `test_from` on are test."""
    as_of, label, lead = world(2)
    begin = 200 * DAY_US
    fold = by_time(as_of, label, lead, 30, Cuts(0.25, 0.15, begin))
    assert ((fold == "test") == (~np.isnan(label) & (as_of >= begin))).all()


def test_nothing_mature_is_no_error() -> None:
    """Without a mature example all are immature; without any there is nothing."""
    as_of, label, lead = world(3)
    assert set(by_time(as_of, label * np.nan, lead, 30, USUAL)) == {"immature"}
    assert len(by_time(as_of[:0], label[:0], lead[:0], 30, USUAL)) == 0


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_the_order_of_examples_never_matters(seed: int) -> None:
    """Permuted examples keep their folds."""
    as_of, label, lead = world(seed, 200)
    order = np.random.default_rng(seed).permutation(200)
    fold = by_time(as_of, label, lead, 30, USUAL)
    again = by_time(as_of[order], label[order], lead[order], 30, USUAL)
    assert (fold[order] == again).all()


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_hashed_folds_stay_with_their_ids(seed: int) -> None:
    """Without dates a lead's fold hangs on its id alone: not on the order, nor on the other leads."""
    rng = np.random.default_rng(seed)
    ids = [f"{i:04}" for i in range(600)]
    label = np.where(rng.random(600) < 0.1, np.nan, rng.random(600) < 0.3)
    fold = by_position(ids, label, 0.25, 0.15, 0)
    some = rng.permutation(600)[:300]
    again = by_position([ids[i] for i in some], label[some], 0.25, 0.15, 0)
    assert (fold[some] == again).all()
    assert ((fold == "immature") == np.isnan(label)).all()
    shares = [np.mean(fold[~np.isnan(label)] == name) for name in ("test", "calibrate")]
    assert shares == pytest.approx([0.25, 0.15 * 0.75], abs=0.07)


def test_folds_in_file_order_follow_the_file() -> None:
    """With order: file, train comes first, then calibrate, then test; unknown outcomes are no part of it."""
    label = np.array([0, 1, np.nan, 0, 1, 0, 1, 0, 1])
    fold = by_position([str(i) for i in range(9)], label, 0.25, 0.25, None)
    assert fold.tolist() == ["train"] * 2 + ["immature"] + ["train"] * 3 + ["calibrate"] + ["test"] * 2


def test_hashes_are_the_same_everywhere() -> None:
    """A hash is of the id and the seed, not of the process: these numbers may not change."""
    assert hashed(["a", "b", "0017"], 7, 1000).tolist() == hashed(["a", "b", "0017"], 7, 1000).tolist()
    assert hashed(["a", "b"], 7, 1_000_000).tolist() == [974960, 797514]
    parts = hashed([f"lead:{i}" for i in range(5000)], 7, 5)
    assert np.bincount(parts, minlength=5).min() > 850


@pytest.mark.parametrize(
    ("kept", "held", "there"),
    [((30, 1), (30, 1), True), ((29, 1), (30, 1), False), ((29, 2), (30, 1), False), ((60, 1), (29, 1), False),
     ((60, 1), (15, 2), False)],
)  # fmt: skip
def test_a_calibrate_fold_is_worth_its_price(kept: tuple[int, int], held: tuple[int, int], there: bool) -> None:
    """It holds 30 converting leads at least and leaves train half of them: leads, however often each is looked at."""
    as_of, label, lead = np.arange(400) * DAY_US, np.zeros(400), np.arange(400)
    for first, (leads, looks) in ((100, kept), (256, held)):
        rows = first + np.arange(leads * looks)
        label[rows], lead[rows] = 1, first + np.arange(len(rows)) // looks
    fold = by_time(as_of, label, lead, 1, USUAL)
    assert ("calibrate" in fold) == there
    if there:
        assert (fold == "calibrate").tolist() == [255 <= i < 300 for i in range(400)]


@given(st.integers(0, 2**32), st.integers(1, 7))
@settings(max_examples=20)
def test_parts_of_whole_groups_are_even_and_go_by_no_order(seed: int, parts: int) -> None:
    """Rows of one name share a part, whatever the order of the rows; parts have equally many names, not every n-th in
    the alphabet; another seed parts them otherwise."""
    rng = np.random.default_rng(seed)
    names = [f"account:{i:03}" for i in rng.integers(0, 60, 300)]
    part = whole_groups(names, 7, parts)
    of = dict(zip(names, part.tolist(), strict=True))
    assert [of[name] for name in names] == part.tolist()
    counts = np.bincount(list(of.values()), minlength=parts)
    assert counts.max() - counts.min() <= 1
    order = rng.permutation(300)
    assert (whole_groups([names[i] for i in order], 7, parts) == part[order]).all()
    if parts > 1:
        assert [of[name] for name in sorted(of)] != [i % parts for i in range(len(of))]
        assert (whole_groups(names, 8, parts) != part).any()
