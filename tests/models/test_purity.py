"""Leads that share a value and nearly all convert, or hardly ever, are seen however few they are; chance is not taken
for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from features.columns import Column
from features.kernel import Matrix
from models.leaks.purity import SOME, SURE_Z, barren, purest, purest_of_accounts
from models.leaks.screening import strengths


def matrix(*columns: tuple[np.ndarray, bool]) -> Matrix:
    """Columns of values, categorical or not."""
    named = tuple(Column(f"fit_{i}", "fit", "lead", "numeric", categorical=c) for i, (_, c) in enumerate(columns))
    return Matrix(np.column_stack([values for values, _ in columns]).astype(float), named, {})


def test_a_truth_is_a_group_and_nearly_everybody_is_none() -> None:
    """Of a boolean those that are true; nothing is said where fewer than ten leads are left to compare with."""
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [20, 5, 30, 900])
    true = np.where(np.arange(len(y)) < 25, 1.0, 0.0)
    of = (Column("fit_sure", "fit", "lead", "boolean"),)
    (found,) = purest(Matrix(true[:, None], of, {}), y, np.arange(len(y)))
    assert (found.rows, found.converting) == (25, 20)
    for others, told in ((9, 0), (10, 1)):
        known = np.where(np.arange(len(y)) < others, np.nan, 0.0)
        assert len(purest(matrix((known, False)), y, np.arange(len(y)))) == told


@given(st.integers(10, 400), st.integers(0, 400))
def test_a_group_is_as_sure_as_wilson_has_it(won: int, lost: int) -> None:
    """The lower end of its rate is scipy's; the odds are against those of the others."""
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [won, lost, 50, 1000])
    there = np.where(np.arange(len(y)) < won + lost, 1.0, np.nan)
    (found,) = purest(matrix((there, False)), y, np.arange(len(y)))
    level = 2 * norm.cdf(SURE_Z) - 1
    low = binomtest(won, won + lost).proportion_ci(level, "wilson").low
    assert (found.rows, found.converting) == (won + lost, won)
    np.testing.assert_allclose(found.low, low, atol=1e-9)
    np.testing.assert_allclose(found.odds, low / (1 - low) * 1000.5 / 50.5, rtol=1e-6)


def test_a_column_of_customers_is_pure_of_accounts_not_of_leads() -> None:
    """Of five leads of each customer one converts: a level that customers alone have shows by account."""
    group = np.repeat(np.arange(200), 5)
    customer = group < 30
    y = (customer & (np.arange(1000) % 5 == 0)).astype(float)
    named = (Column("fit_segment", "fit", "account", "category", categorical=True),)
    segments = Matrix(customer.astype(float)[:, None], named, {"fit_segment": ["prospect", "customer"]})
    assert not [one for one in purest(segments, y, group) if one.low > 0.5]
    (found,) = purest_of_accounts(segments, customer.astype(float), group)
    assert (found.level, found.rows, found.converting, found.each) == ("customer", 30, 30, "account")
    of_leads = replace(segments, columns=(replace(named[0], block="lead"),))
    assert purest_of_accounts(of_leads, customer.astype(float), group) == [found]  # as a flat file has it
    differs = replace(of_leads, values=np.where(np.arange(1000) == 1, 0.0, segments.values[:, 0])[:, None])
    assert purest_of_accounts(differs, customer.astype(float), group) == []


@pytest.mark.parametrize("where", ["above", "between"])
def test_numbers_that_only_some_winners_have_are_a_group(where: str) -> None:
    """Far above all others, or where hardly anybody is, and no two alike: a tenth of all rows hides them."""
    rng = np.random.default_rng(5)
    y = np.repeat([1.0, 0.0], [200, 2800])
    mine = np.arange(3000) < 90
    usual = rng.normal(size=3000)
    apart = (
        np.where(mine, 9 + usual, usual) if where == "above" else np.where(mine, usual / 500, usual + np.sign(usual))
    )
    (found,) = purest(matrix((apart, False)), y, np.arange(3000))
    assert found.level == SOME
    assert found.converting > 70
    assert found.converting / found.rows > 0.9
    assert strengths(matrix((apart, False)), y, np.arange(3000))[0].value.auc < 0.9
    assert [one for one in purest(matrix((usual, False)), y, np.arange(3000)) if one.low > 0.5] == []


def test_levels_of_few_winners_each_are_a_group() -> None:
    """Campaigns renamed for customers, three of them in each: no level has the ten that prove anything alone."""
    rng = np.random.default_rng(6)
    y = np.repeat([1.0, 0.0], [200, 2800])
    level = np.where(np.arange(3000) < 90, 50 + np.arange(3000) % 30, rng.integers(0, 50, 3000))
    named = matrix((level, True))
    levels = replace(named, levels={"fit_0": [str(i) for i in range(80)]})
    (found,) = purest(levels, y, np.arange(3000))
    assert found.level == SOME
    assert found.rows == found.converting > 70  # of the others their fellows are in the same fold


def test_what_all_winners_have_does_not_hide_what_only_winners_have() -> None:
    """No winner is without the field, so the odds of having it are the greatest; but who has most of its values may
    lose, and one value is of winners alone."""
    y = np.repeat([1.0, 0.0], [100, 2000])
    level = np.where(np.arange(2100) < 60, 1.0, 0.0)
    field = np.where(np.arange(2100) < 400, level, np.nan)
    named = replace(matrix((field, True)), levels={"fit_0": ["open", "paid"]})
    (found,) = purest(named, y, np.arange(2100))
    assert (found.rows, found.converting) == (60, 60)


def test_levels_that_differ_by_chance_are_not_sure() -> None:
    """Three hundred levels of ten leads and noise of many columns: none is sure, whatever its own rate."""
    rng = np.random.default_rng(4)
    y = (rng.random(3000) < 0.1).astype(float)
    columns = [(rng.integers(0, k, 3000).astype(float), True) for k in (2, 5, 30, 300) for _ in range(20)]
    named = matrix(*columns)
    levels = {c.name: [str(i) for i in range(300)] for c in named.columns}
    assert all(one.odds < 3 for one in purest(Matrix(named.values, named.columns, levels), y, np.arange(3000)))


def test_noise_of_very_many_winners_shows_no_group() -> None:
    """Where nearly all convert, some column of a hundred leaves ten rows of whom none does, by chance: no group of all
    the others is told from that."""
    rng = np.random.default_rng(7)
    y = (rng.random(3000) < 0.95).astype(float)
    noise = matrix(*[(rng.normal(size=3000), False) for _ in range(60)])
    assert all(one.odds < 10 for one in purest(noise, y, np.arange(3000)))


def test_what_only_losers_have_is_a_group_of_its_own() -> None:
    """A reason written down for two in five of the lost: its area is no sign, and no winner has it. What nearly all
    have says nothing of the few without."""
    y = np.repeat([1.0, 0.0], [250, 2750])
    reason = np.where(np.arange(3000) >= 1900, np.arange(3000) % 4, np.nan)
    named = replace(matrix((reason, True)), levels={"fit_0": list("abcd")})
    (found,) = barren(named, y)
    assert (found.rows, found.converting) == (1100, 0)
    assert found.odds > 20
    assert strengths(named, y, np.arange(3000))[0].missing.auc < 0.75
    assert barren(matrix((np.where(np.arange(3000) < 20, np.nan, 1.0), False)), y) == []
