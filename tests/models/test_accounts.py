"""What the leads of an account say together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrays import NEVER, Bools, Ints
from models import newton
from models.bundle.accounts import COUNT, INDEPENDENT, MAX, UNION, AccountModel, fit, looks
from models.bundle.roles import ROLES, Wanted, by_account, counted_at, missing, said, wanted
from models.judging import metrics
from models.judging.metrics import logit

chances = st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=8)


@given(chances)
def test_without_a_regression_leads_count_as_independent(p: list[float]) -> None:
    """1 − ∏ (1 − p), between the likeliest lead's and the sum."""
    seen = looks(logit(np.array(p)), np.zeros(len(p), np.int64), 1)
    plain = 1 - np.prod(1 - np.array(p))
    naive = seen.naive()
    assert INDEPENDENT.probability(seen)[0] == pytest.approx(plain, rel=1e-6)
    assert naive["max"][0] <= naive["independent"][0] + 1e-12 <= naive["sum"][0] + 2e-9
    assert seen.count.tolist() == [len(p)]


@given(chances, st.floats(0, 2), st.floats(0.1, 2), st.integers(0, 7))
def test_a_likelier_lead_makes_a_likelier_account(p: list[float], a: float, b: float, k: int) -> None:
    """No account falls because one of its leads rises."""
    model = AccountModel(-0.5, {MAX: a, UNION: b, COUNT: -0.3})
    z, none = logit(np.array(p)), np.zeros(len(p), np.int64)
    higher = z.copy()
    higher[k % len(p)] += 1
    assert model.probability(looks(higher, none, 1))[0] >= model.probability(looks(z, none, 1))[0]


def shared(seed: int, n: int = 6000) -> tuple[Ints, Bools, Ints]:
    """Accounts whose leads are won together: each has one will, and 1 to 4 leads that share it. Lead's probability
    in hundredths, whether the account was won, and its number."""
    rng = np.random.default_rng(seed)
    chance = rng.choice([2, 5, 10, 20, 40], n)
    group = np.repeat(np.arange(n), rng.integers(1, 5, n))
    return chance[group], rng.random(n) < chance / 100, group


def test_leads_that_are_won_together_are_not_added_up() -> None:
    """Where an account's leads are won together, the fit beats the sum and independence on accounts it never saw."""
    chance, won, group = shared(1)
    model = fit(looks(logit(chance / 100), group, len(won)), won.astype(float))
    chance, won, group = shared(2)
    seen, y = looks(logit(chance / 100), group, len(won)), won.astype(float)

    def loss(p: object) -> float:
        return float(newton.losses(y, logit(np.clip(np.asarray(p, float), 1e-9, 1 - 1e-9))).mean())

    p = model.probability(seen)
    naive = seen.naive()
    assert loss(p) < loss(naive["independent"]) - 0.01
    assert loss(p) < loss(naive["sum"]) - 0.01
    assert metrics.observed_over_expected(y, p) == pytest.approx(1, abs=0.06)
    assert metrics.observed_over_expected(y, naive["sum"]) < 0.75


@pytest.mark.parametrize("too_high", [0.0, 1.0])
def test_promises_add_up_to_what_came_where_it_was_learned(too_high: float) -> None:
    """The likeliest model promises as many accounts as were won, whatever the leads' own log odds are off by."""
    chance, won, group = shared(3, 4000)
    seen, y = looks(logit(chance / 100) + too_high, group, len(won)), won.astype(float)
    assert fit(seen, y).probability(seen).sum() == pytest.approx(y.sum(), rel=1e-6)


def test_where_all_accounts_have_one_lead_there_is_a_model_still() -> None:
    """Columns that repeat each other are left out; nothing to learn from leaves independence."""
    z = logit(np.tile([0.05, 0.1, 0.3, 0.6], 50))
    seen, y = looks(z, np.arange(200), 200), np.tile([0.0, 0, 1, 1, 0, 1, 0, 1], 25)
    assert set(fit(seen, y).coefficients) == {UNION}
    assert fit(seen, np.zeros(200)) == INDEPENDENT
    assert AccountModel.of_json(fit(seen, y).to_json()) == fit(seen, y)
    with pytest.raises(ValueError, match="sum"):
        AccountModel.of_json({"intercept": 0, "coefficients": {"sum": 1}})


def people(*each: str) -> Ints:
    """One account's people by role."""
    had = np.array([[role in one.split("+") for role in ROLES] for one in each])
    return by_account(had, np.zeros(len(each), np.int64), 1)[0]


def test_the_missing_role_is_one_that_won_accounts_had() -> None:
    """Roles that are commoner where accounts were won, the largest difference first; none where all are there."""
    had = np.array([people("decision-maker+it", "manager"), people("decision-maker+finance"), people("manager+it"),
                    people("specialist+it"), people("specialist")])  # fmt: skip
    asked = wanted(np.repeat(had, 20, axis=0), np.repeat([True, True, True, False, False], 20))
    assert [one.role for one in asked][:2] == ["decision-maker", "manager"]
    assert all(one.won > one.others for one in asked)
    assert missing(asked, np.array([people("manager"), people("decision-maker"), people(*ROLES)])) == [
        "decision-maker", "manager", None,
    ]  # fmt: skip
    assert wanted(had, np.ones(5, bool)) == ()
    assert wanted(had, np.array([True, True, True, False, False])) == (), "chance explains what five accounts show"
    assert missing([Wanted("it", 0.5, 0.2)], np.array([people("it")])) == [None]
    assert said(people("decision-maker+it", "specialist+it")) == "decision-maker 1, specialist 1; IT 2"


def test_chance_asks_for_no_role() -> None:
    """Where roles have nothing to do with winning, any is asked for in one company of twenty."""
    rng = np.random.default_rng(0)
    asked = [wanted(rng.random((330, len(ROLES))) < 0.4, np.arange(330) < 30) for _ in range(200)]
    assert sum(map(bool, asked)) <= 20


def test_accounts_that_were_not_won_are_counted_at_the_ages_of_those_that_were() -> None:
    """One that is younger than that, or was first heard of later, is not counted; a later win is none."""
    first, won_at = np.array([0, 10, 20, 30, 95, 200, 5]), np.array([7, NEVER, 50, NEVER, NEVER, NEVER, 101])
    at = counted_at(first, won_at, 100)
    assert at[[0, 2, 4, 5]].tolist() == [7, 50, NEVER, NEVER]
    assert set((at - first)[[1, 3, 6]].tolist()) == {7, 30}
    assert (counted_at(first, np.full(7, NEVER), 100) == NEVER).all()


def test_others_are_counted_as_late_as_won_accounts_were() -> None:
    """Accounts that come all the time are seldom old enough for a long time to a win; long ones are as common."""
    rng, n, begin = np.random.default_rng(0), 20_000, 1_000_000
    first = rng.integers(0, begin, n)
    won_at = np.where(rng.random(n) < 0.3, first + 1 + rng.gamma(2, begin / 6, n).astype(np.int64), NEVER)
    at = counted_at(first, won_at, begin)
    age, won = (at - first)[at != NEVER], (won_at <= begin)[at != NEVER]
    assert np.quantile(age[~won], [0.25, 0.5, 0.75, 0.95]) == pytest.approx(
        np.quantile(age[won], [0.25, 0.5, 0.75, 0.95]), rel=0.02
    )


@given(st.integers(0, 2**32))
def test_time_alone_makes_no_role_wanted(seed: int) -> None:
    """Decision-makers come to every account alike, and wins at random: the shares differ by chance, not by exposure."""
    rng, n = np.random.default_rng(seed), 4000
    first, came = rng.integers(0, 500, n), rng.exponential(100, n)
    won_at = np.where(rng.random(n) < 0.3, first + 1 + rng.exponential(60, n).astype(np.int64), NEVER)
    at = counted_at(first, won_at, 500)
    some = at != NEVER
    had, won = (first + came < at)[some], (won_at <= 500)[some]
    assert abs(had[won].mean() - had[~won].mean()) < 5 * (0.25 / won.sum() + 0.25 / (~won).sum()) ** 0.5
