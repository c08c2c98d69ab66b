"""Vocabularies and target encodings: what train knew, and never a row's own fold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.columns import Column
from features.kernel import Matrix
from models.learning.encoding import MANY, Encoding, coded, encode, fit_encoding, once_each, out_of_fold

COLUMNS = (
    Column("fit_size", "fit", "lead", "numeric"),
    Column("fit_many", "fit", "lead", "categorical", categorical=True),
    Column("fit_few", "fit", "lead", "categorical", categorical=True),
)
SOME = MANY + 6
LEVELS = {"fit_many": [f"m{i:02}" for i in range(SOME)], "fit_few": ["a", "b", "(other)"]}


def world(seed: int, k: int = 9000) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """A matrix of a numeric and two categorical columns, outcomes, and leads of three rows each."""
    rng = np.random.default_rng(seed)
    lead = np.arange(k) // 3
    many = rng.integers(0, SOME, k)[lead * 3].astype(float)
    many[rng.random(k) < 0.1] = np.nan
    few = rng.integers(0, 3, k).astype(float)
    y = (rng.random(k) < np.where(np.isnan(many), 0.3, 0.1 + many / (2 * SOME))).astype(float)
    return Matrix(np.column_stack([rng.random(k), many, few]), COLUMNS, LEVELS), y, lead


def test_a_level_needs_twenty_leads() -> None:
    """Levels of 20 leads have a code each, most frequent first; rarer, unseen and "(other)" share the next."""
    counts = {"x": 20, "y": 21, "z": 19, "(other)": 50}
    texts = [*counts]
    codes = np.repeat(np.arange(4.0), [c * 3 for c in counts.values()])
    lead = np.arange(len(codes)) // 3
    column = (Column("fit_c", "fit", "lead", "categorical", categorical=True),)
    fitted = fit_encoding(Matrix(codes[:, None], column, {"fit_c": texts}), np.zeros(len(codes)), lead, lead)
    assert fitted.levels["fit_c"].vocabulary == ("y", "x")
    new = Matrix(np.array([[0.0], [1], [2], [3], [4], [np.nan]]), column, {"fit_c": ["z", "y", "new", "x", "(other)"]})
    np.testing.assert_array_equal(encode(fitted, new)[:, 0], [2, 0, 2, 1, 2, np.nan])


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_the_numbers_of_the_levels_never_matter(seed: int) -> None:
    """The same texts under other codes, with unused ones between: the same encoding and the same input."""
    matrix, y, lead = world(seed)
    rng = np.random.default_rng(seed + 1)
    values, levels = matrix.values.copy(), {}
    for j, name in ((1, "fit_many"), (2, "fit_few")):
        order = rng.permutation(len(LEVELS[name]) + 3)
        texts = [*LEVELS[name], "u1", "u2", "u3"]
        levels[name] = [texts[i] for i in order]
        place = np.argsort(order).astype(float)
        known = ~np.isnan(values[:, j])
        values[known, j] = place[values[known, j].astype(int)]
    other = Matrix(values, COLUMNS, levels)
    one, two = fit_encoding(matrix, y, lead, lead // 2), fit_encoding(other, y, lead, lead // 2)
    assert one == two
    np.testing.assert_array_equal(encode(one, matrix), encode(one, other))


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_the_order_of_rows_never_matters(seed: int) -> None:
    """Permuted rows give the same vocabularies, and target encodings within rounding."""
    matrix, y, lead = world(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    one = fit_encoding(matrix, y, lead, lead // 2)
    two = fit_encoding(Matrix(matrix.values[order], COLUMNS, LEVELS), y[order], lead[order], lead[order] // 2)
    assert {n: v.vocabulary for n, v in one.levels.items()} == {n: v.vocabulary for n, v in two.levels.items()}
    np.testing.assert_allclose(one.levels["fit_many"].target or (), two.levels["fit_many"].target or (), atol=1e-12)


@given(st.integers(0, 2**32), st.integers(0, 3))
@settings(max_examples=20)
def test_a_row_is_never_encoded_by_its_own_fold(seed: int, k: int) -> None:
    """Other outcomes in a fold, or in rows not to be learned from, leave that fold's own encodings as they are."""
    matrix, y, lead = world(seed)
    group = lead // 2
    fold, learn = group % 4, lead % 7 != 0
    fitted = fit_encoding(matrix, y, lead, lead // 2)
    assert fitted.targets == [1], f"more than {MANY} levels"
    assert fitted.categorical == [2]
    X = encode(fitted, matrix)
    changed = np.where((fold == k) | ~learn, 1 - y, y)
    one, two = (out_of_fold(fitted, matrix, outcome, lead, group, fold, learn) for outcome in (y, changed))
    np.testing.assert_array_equal(one[fold == k], two[fold == k])
    assert not np.array_equal(one[fold != k], two[fold != k], equal_nan=True)
    np.testing.assert_array_equal(one[:, [0, 2]], X[:, [0, 2]])
    np.testing.assert_array_equal(np.isnan(one[:, 1]), np.isnan(X[:, 1]))


def test_log_odds_of_levels_are_drawn_to_the_mean() -> None:
    """Log odds of (conversions + m · mean) / (leads + m) less those of the mean for one m, each lead counted once."""
    matrix, y, lead = world(3)
    fitted = fit_encoding(matrix, y, lead, lead // 2)
    target = fitted.levels["fit_many"].target
    assert target is not None
    weight, code = once_each(lead), coded(fitted, matrix)[:, 1]
    known = ~np.isnan(code)
    total, won = (np.bincount(code[known].astype(int), w[known], minlength=len(target)) for w in (weight, weight * y))
    mean = won.sum() / total.sum()
    rates = 1 / (1 + np.exp(-np.array(target) - np.log(mean / (1 - mean))))
    has = total > 0
    prior = (won - rates * total)[has] / (rates - mean)[has]
    assert prior[0] > 0
    assert prior == pytest.approx(prior[0], rel=1e-6)


def told_apart(account: np.ndarray, level: np.ndarray, effect: float, alike: float, seed: int) -> float:
    """How far the log odds of levels differ whose own differ by `effect`, in standard deviations, leads of an account
    being alike by `alike`."""
    rng = np.random.default_rng(seed)
    own, shared = rng.normal(size=50) * effect, rng.normal(size=account.max() + 1) * alike
    y = (rng.random(len(account)) < 1 / (1 + np.exp(2 - own[level] - shared[account]))).astype(float)
    matrix = Matrix(level[:, None].astype(float), COLUMNS[1:2], {"fit_many": [f"m{i:02}" for i in range(50)]})
    fitted = fit_encoding(matrix, y, np.arange(len(account)), account)
    return float(np.std((fitted.levels["fit_many"].target or ())[:-1]))


@pytest.mark.parametrize("leads", [1, 5, 20])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("alike", [0.0, 1.5])
def test_levels_are_told_apart_where_they_differ_and_hardly_where_not(leads: int, shared: bool, alike: float) -> None:
    """Whatever the leads of an account, alike or not, and whether the text is the account's or the lead's own: levels
    that differ by 0.5 are told apart (less where 300 accounts of 20 share them), levels that do not differ a fifth of
    that at most. Means of ten draws."""
    account = np.arange(6_000) // leads
    rng = np.random.default_rng(2)
    level = rng.integers(0, 50, account.max() + 1)[account] if shared else rng.integers(0, 50, 6_000)
    differ, none = (np.mean([told_apart(account, level, effect, alike, s) for s in range(10)]) for effect in (0.5, 0.0))
    assert differ > (0.1 if shared and leads == 20 else 0.2)
    assert none < 0.1


def test_a_text_that_tells_nothing_is_the_same_in_every_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log odds are 0, out of fold and when serving: by no value can a fold, and so its labels, be told."""
    monkeypatch.setattr("models.learning.encoding._prior", lambda *_: np.inf)
    matrix, y, lead = world(1)
    fitted = fit_encoding(matrix, y, lead, lead)
    known = ~np.isnan(matrix.values[:, 1])
    assert (encode(fitted, matrix)[known, 1] == 0).all()
    fold = lead % 3
    assert (out_of_fold(fitted, matrix, y, lead, lead, fold, np.ones(len(y), bool))[known, 1] == 0).all()


def test_a_level_that_stands_alone_differs_from_none() -> None:
    """Where the rows that are learned from have a single level, it and all others are 0, as the mean is."""
    matrix, y, lead = world(4)
    fitted, known = fit_encoding(matrix, y, lead, lead), ~np.isnan(matrix.values[:, 1])
    found = out_of_fold(fitted, matrix, y, lead, lead, lead % 2, matrix.values[:, 1] == 3)
    assert (found[known, 1] == 0).all()


def test_rows_that_are_not_learned_from_count_for_nothing() -> None:
    """Out of fold, rows beside those learned from change no log odds, though they are of the same leads."""
    matrix, y, lead = world(6)
    fitted = fit_encoding(matrix, y, lead, lead // 2)
    fold, learn = lead // 2 % 3, np.arange(len(y)) % 3 < 2
    every = out_of_fold(fitted, matrix, y, lead, lead // 2, fold, learn)
    part = Matrix(matrix.values[learn], COLUMNS, LEVELS)
    alone = out_of_fold(
        fitted, part, y[learn], lead[learn], lead[learn] // 2, fold[learn], np.ones(int(learn.sum()), bool)
    )
    np.testing.assert_array_equal(every[learn], alone)


def test_encodings_survive_json() -> None:
    """To plain types and back is the same encoding."""
    matrix, y, lead = world(4)
    fitted = fit_encoding(matrix, y, lead, lead // 2)
    again = Encoding.of_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    np.testing.assert_array_equal(encode(again, matrix), encode(fitted, matrix))
    assert again.columns == ("fit_size", "fit_many", "fit_few")


def test_nothing_to_encode() -> None:
    """No rows, no levels, outcomes all alike: no error and no infinity."""
    matrix, y, lead = world(5)
    fitted = fit_encoding(matrix, np.ones(len(y)), lead, lead)
    assert np.isfinite(fitted.levels["fit_many"].target or ()).all()
    empty = Matrix(np.empty((0, 3)), COLUMNS, {})
    assert encode(fitted, empty).shape == (0, 3)
    missing = Matrix(np.full((2, 3), np.nan), COLUMNS, {})
    assert np.isnan(encode(fitted, missing)).all()
