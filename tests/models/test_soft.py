"""Soft labels: of what was known, by a first model that had not seen the account."""

from dataclasses import replace

import numpy as np
import pytest

from features.columns import Column
from features.kernel import Matrix
from models.learning import training
from models.learning.soft import LEAST_TO_SOFTEN, Later, Past, soften
from models.learning.training import Rows, fit, thirds
from models.trees.booster import Settings

SETTINGS = Settings(7, 8, 4, 0.1, 30, 10, 0.8, 0.9, 10, 0.1, 1.0, 1)
ONE_ROUND = replace(SETTINGS, max_rounds=1)
"""When to stop is decided by the rows left out, so that their labels reach the number of rounds: here it is one."""
COLUMNS = (
    Column("engagement_n", "engagement", "events", "count"),
    Column("fit_c", "fit", "account", "categorical", categorical=True),
)
DAYS, WITHIN = 28.0, 90.0


def world(k: int = 1500) -> tuple[Rows, Past, Later, np.ndarray]:
    """Rows of accounts of two leads, what was known of them, later looks at two in three, and each lead's true rate."""
    rng = np.random.default_rng(0)
    rate = rng.normal(size=k)
    values = np.column_stack([rate, rng.integers(0, 5, k)])
    came = np.where(rng.random(k) < 1 / (1 + np.exp(1 - rate)), rng.uniform(1, WITHIN, k), np.nan)
    age = rng.uniform(DAYS, 200, k)
    came[came > age] = np.nan
    matrix = Matrix(values, COLUMNS, {"fit_c": [f"c{i}" for i in range(5)]})
    rows = Rows(matrix, np.zeros(k), np.arange(k), np.arange(k) // 2, np.arange(k) // 2 % 3, rng.random(k))
    later = np.flatnonzero(~(came <= DAYS) & (rng.random(k) < 0.67))
    return rows, Past(age, came, DAYS, WITHIN), Later(later, replace(matrix, values=values[later])), rate


def test_what_was_settled_in_between_is_no_guess() -> None:
    """1 where the lead converted by the later look; the outcome, where known, of those that nobody looked at later."""
    rows, past, later, _ = world()
    soft = soften(rows, past, later, SETTINGS)
    assert soft is not None
    assert (soft[past.came <= DAYS] == 1).all()
    gone = ~np.isin(np.arange(len(soft)), later.row) & ~(past.came <= DAYS)
    known = past.age >= WITHIN
    np.testing.assert_array_equal(soft[gone], (known & (past.came <= WITHIN))[gone])


def test_recent_leads_get_what_the_first_model_says_of_them() -> None:
    """Where the horizon was not over, the label is a probability that follows the lead's own rate."""
    rows, past, later, rate = world()
    soft = soften(rows, past, later, SETTINGS)
    assert soft is not None
    recent = later.row[past.age[later.row] < WITHIN]
    assert ((soft[recent] > 0) & (soft[recent] < 1)).all()
    assert np.corrcoef(soft[recent], rate[recent])[0, 1] > 0.7


def test_a_known_outcome_is_half_of_the_label() -> None:
    """The other half is what the first model says, also of a lead whose horizon is over at that very instant; where it
    is not over, the guess is all."""
    rows, past, later, _ = world()
    row, age = later.row, past.age.copy()
    age[row[:200]] = WITHIN
    soft = soften(rows, replace(past, age=age), later, SETTINGS)
    assert soft is not None
    known, won = age[row] >= WITHIN, past.came[row] <= WITHIN
    assert (soft[row][known & won] > 0.5).all()
    assert (soft[row][known & ~won] < 0.5).all()
    assert won[:200].sum() > 20
    assert not (soft[row][~known & won] > 0.5).all()


def test_no_soft_label_has_seen_its_own_account() -> None:
    """Turning over all outcomes of one fold of accounts leaves what the first model says of its rows as it is."""
    rows, past, later, _ = world()
    recent = later.row[past.age[later.row] < WITHIN]
    fold = thirds(rows).fold
    mine = recent[fold[recent] == 1]
    turned = np.where(np.isnan(past.came), DAYS + 1, np.where(past.came > DAYS, np.nan, past.came))
    one = soften(rows, past, later, ONE_ROUND)
    other = soften(rows, replace(past, came=np.where(fold == 1, turned, past.came)), later, ONE_ROUND)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one[mine], other[mine])
    assert (one[recent[fold[recent] != 1]] != other[recent[fold[recent] != 1]]).any()


def test_where_no_lead_is_open_later_labels_are_what_was_known() -> None:
    """A company that wins or loses every lead within days has nothing to guess."""
    rows, past, later, _ = world()
    nobody = Later(later.row[:0], replace(later.matrix, values=later.matrix.values[:0]))
    soft = soften(rows, past, nobody, ONE_ROUND)
    np.testing.assert_array_equal(soft, past.came <= np.where(past.age >= WITHIN, WITHIN, DAYS))


def test_labels_of_the_rows_are_not_looked_at() -> None:
    """Only what was known at the instant counts: the rows' own labels may be of any later time."""
    rows, past, later, _ = world()
    one, other = (soften(replace(rows, y=np.full(len(rows.y), y)), past, later, SETTINGS) for y in (0.0, np.nan))
    np.testing.assert_array_equal(one, other)


def test_too_few_conversions_soften_nothing() -> None:
    """A first model that every member could not learn from is none: each needs LEAST_TO_SOFTEN converting leads in the
    two folds that it does not leave out."""
    rows, past, later, _ = world()
    fold, half = thirds(rows).fold, LEAST_TO_SOFTEN // 2
    for counts, enough in (((half, half, half - 1), False), ((half, half, half), True)):
        came = np.full(len(past.came), np.nan)
        for k, count in enumerate(counts):
            came[np.flatnonzero((fold == k) & (past.age >= WITHIN))[:count]] = WITHIN - DAYS
        assert (soften(rows, replace(past, came=came), later, ONE_ROUND) is not None) == enough


def test_the_first_model_has_three_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large the bag is: what softens labels is one member's word for each row anyway."""
    seen: list[int] = []
    monkeypatch.setattr(
        training, "fit", lambda rows, *a, **k: seen.append(len(np.unique(rows.fold))) or fit(rows, *a, **k)
    )
    rows, past, later, _ = world()
    assert soften(replace(rows, fold=rows.lead // 2 % 5), past, later, ONE_ROUND) is not None
    assert seen == [3]


def test_the_first_model_learns_from_no_horizon_that_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows whose rest of the horizon was over at the instant, and later looks whose whole one was: were younger ones
    learned from, what has not converted yet would pass for what never does."""
    seen: list[tuple[Rows, np.ndarray]] = []
    monkeypatch.setattr(training, "fit", lambda rows, *a, **k: seen.append((rows, a[-1])) or fit(rows, *a, **k))
    rows, past, later, _ = world()
    soften(rows, past, later, ONE_ROUND)
    ((first, learn),) = seen
    age, came = (np.concatenate([x, x[later.row]]) for x in (past.age, past.came))
    horizon = np.repeat([WITHIN - DAYS, WITHIN], [len(past.age), len(later.row)])
    assert (age < horizon).any()
    np.testing.assert_array_equal(learn, age >= horizon)
    np.testing.assert_array_equal(first.y, came <= horizon)


def test_the_first_model_is_never_slower() -> None:
    """Its learning rate is at least the model's own."""
    for rate in (0.01, 0.05, 0.1, 0.5):
        assert training.quick(replace(SETTINGS, learning_rate=rate)).learning_rate >= rate
