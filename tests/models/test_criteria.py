# ruff: noqa: E501 # rows of tables on one line
"""Criteria as people write them, and what results say of them: small companies counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.arrays import NEVER
from models.funnel.deciders import deciders
from models.funnel.editions import edition
from models.funnel.trying import trial
from models.funnel.weighing import FEW, NO, UNSHOWN, YES, weigh
from models.judging.rates import rate, wilson
from models.points.criteria import WrongCriterion, criteria_of
from models.points.parse import parse


def test_words_of_any_shape_are_kept() -> None:
    """What was accepted before stays accepted; only `when` is checked by machine."""
    found = criteria_of(
        {"a": "x", "b": ["x", 1], "c": {"who": "y"}, "d": None, "e": {"field": "n", "gt": 1}, "f": {"field": "n"}}
    )
    assert [(c.name, c.words, c.when is None) for c in found] == [
        ("a", "x", True), ("b", "x, 1", True), ("c", "who: y", True), ("d", "", True), ("e", "", False),
        ("f", "field: n", True),
    ]  # fmt: skip


def test_a_test_may_be_a_line_or_a_mapping() -> None:
    """Both are the same test."""
    line, mapping = criteria_of({"a": {"when": "n > 1"}, "b": {"words": "w", "when": {"field": "n", "gt": 1}}})
    assert line.when == mapping.when == parse("n > 1").test


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"when": "n >"}, "size.when: at character 4"),
        ({"when": {"field": "n", "gtt": 1}}, "size.when.gtt"),
        ({"when": {"fild": "n"}}, "expected a line of text"),
        ({"when": 5}, "expected a line of text"),
        ({"when": "n > 1", "wrods": "x"}, "size.wrods: unknown key"),
    ],
)
def test_a_wrong_test_names_its_key(entry: object, said: str) -> None:
    """The criterion and the key below it."""
    with pytest.raises(WrongCriterion, match=said):
        criteria_of({"size": entry})


@given(st.integers(1, 400), st.data())
def test_an_interval_holds_its_rate_and_has_width(n: int, data: st.DataObject) -> None:
    """Within [0, 1], around the share, also where nobody or everybody converted."""
    k = data.draw(st.integers(0, n))
    low, high = wilson(k / n, n)
    assert 0 <= low <= k / n <= high <= 1
    assert high > low


def test_accounts_that_stand_together_make_a_rate_less_sure() -> None:
    """Twenty rows of four accounts that agree say about as much as four rows."""
    y, account = np.repeat([1.0, 0.0, 1.0, 0.0], 5), np.repeat(np.arange(4), 5)
    together, alone = rate(y, account), rate(y, np.arange(20))
    assert together.rate == alone.rate == 0.5
    assert together.interval is not None
    assert alone.interval is not None
    assert together.interval[0] < alone.interval[0]
    np.testing.assert_allclose(together.interval, wilson(0.5, 3))
    assert rate(y, account, y > 1).interval is None


def test_planted_weights_are_found() -> None:
    """A fact that helps, one that hurts, one of no matter, and one that hardly anyone has."""
    rng = np.random.default_rng(1)
    facts = rng.random((6000, 4)) < np.array([0.5, 0.5, 0.5, 0.001])
    odds = -2 + facts @ np.array([1.0, -1.0, 0.0, 0.0])
    y = (rng.random(6000) < 1 / (1 + np.exp(-odds))).astype(float)
    found = weigh(facts, y, np.arange(6000))
    assert [w.verdict for w in found] == [YES, NO, UNSHOWN, FEW]
    assert found[0].odds_ratio == pytest.approx(np.e, rel=0.2)
    assert found[0].met.n + found[0].unmet.n == 6000


def test_a_shadow_of_another_fact_carries_no_weight() -> None:
    """It converts better with than without, but not where the other fact is alike."""
    rng = np.random.default_rng(2)
    true = rng.random(6000) < 0.5
    shadow = true ^ (rng.random(6000) < 0.2)
    y = (rng.random(6000) < np.where(true, 0.3, 0.05)).astype(float)
    real, other = weigh(np.column_stack([true, shadow]), y, np.arange(6000))
    assert (real.verdict, other.verdict) == (YES, UNSHOWN)
    assert other.met.interval is not None
    assert other.unmet.interval is not None
    assert other.met.interval[0] > other.unmet.interval[1]


def test_of_facts_that_repeat_each_other_the_first_is_told() -> None:
    """No regression tells twins apart: the later one says no more."""
    one = np.arange(200) % 2 == 0
    y = (np.arange(200) % 3 == 0).astype(float)
    first, second = weigh(np.column_stack([one, one]), y, np.arange(200))
    assert (first.verdict, second.verdict) == (UNSHOWN, FEW)


def test_people_known_before_the_win_by_hand() -> None:
    """Account 0: a chief and a manager, then the win, then another chief, who came too late. Account 1 was never won."""
    found = deciders(
        account=np.array([0, 0, 0, 1]),
        created=np.array([0, 5, 90, 0]),
        role=np.array(["chief", "manager", "chief", "manager"]),
        won_at=np.array([50, NEVER]),
        looked=np.array([10, 10]),
        within=100,
        until=200,
    )
    assert (found.won, found.looked_at) == (1, 2)
    assert [(p.name, p.of_won.converted) for p in found.people] == [("1", 0), ("2", 1), ("3", 0), ("4+", 0)]
    chief, manager = found.roles
    assert (chief.won_with.n, chief.won_with.converted, chief.won_without.n) == (1, 1, 1)
    assert (manager.won_with.n, manager.won_with.converted, manager.won_without.n) == (2, 1, 0)


def test_an_account_that_is_too_young_is_not_counted_as_lost() -> None:
    """Only accounts whose time had run out by the present are judged."""
    one = np.array([0])
    assert deciders(one, one, np.array([""]), np.array([NEVER]), np.array([10]), 100, 109).looked_at == 0


def test_an_account_that_was_won_before_it_is_looked_at_is_not_judged() -> None:
    """Neither with a role nor without: only the other two, one of which is won in time."""
    account, created = np.arange(4), np.zeros(4, np.int64)
    role, looked = np.array(["chief", "", "chief", ""]), np.full(4, 10)
    found = deciders(account, created, role, np.array([5, 9, 105, NEVER]), looked, 100, 200)
    (chief,) = found.roles
    assert (found.won, found.looked_at) == (3, 2)
    assert (chief.won_with.n, chief.won_with.converted) == (1, 1)
    assert (chief.won_without.n, chief.won_without.converted) == (1, 0)


def test_a_trial_by_hand() -> None:
    """Four leads in two weeks: before the first two, after the last three."""
    before, after = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 1], bool)
    found = trial(before, after, np.array([0.0, 1, 1, 0]), np.array([0.0, 10, 20, 0]), 2.0, np.arange(4), 1)
    assert {k: v.value for k, v in found.before.items()} == {
        "leads_a_week": 1, "conversions_a_week": 0.5, "conversion": 0.5, "share_of_conversions": 0.5,
        "value_a_week": 5, "value_a_lead": 5,
    }  # fmt: skip
    assert found.change["leads_a_week"].value == 0.5
    assert found.change["conversion"].value == pytest.approx(2 / 3 - 1 / 2)
    assert (found.moved["in"].value, found.moved["out"].value) == (0.5, 0)


def test_no_change_changes_nothing_for_sure() -> None:
    """Before and after are judged on the same draws."""
    own = np.arange(40) % 2 == 0
    found = trial(own, own, (np.arange(40) % 5 == 0).astype(float), np.zeros(40), 1.0, np.arange(40), 1)
    assert {v.interval for v in found.change.values()} == {(0.0, 0.0)}
    assert found.moved["in"].value is None


def test_editions_count_what_was_agreed_anew() -> None:
    """The same agreement keeps number and changes; a criterion that came or went is named."""
    first = edition({"criteria": {"a": {"when": "x"}}, "n": 1}, None)
    again = edition({"n": 1, "criteria": {"a": {"when": "x"}}}, first)
    second = edition({"criteria": {"b": {"when": "x"}}, "n": 1}, again)
    assert (first["edition"], again["edition"], second["edition"]) == (1, 1, 2)
    assert second["changes"] == [
        {"key": "criteria.b.when", "before": None, "after": "x"},
        {"key": "criteria.a.when", "before": "x", "after": None},
    ]
    assert edition(second["agreed"], second)["changes"] == second["changes"]


def test_one_odd_fact_takes_no_weight_from_the_others() -> None:
    """A fact that nobody with it converted by, and a copy of another, have no weight; the rest keep theirs."""
    rng = np.random.default_rng(4)
    n = 4000
    facts = rng.random((n, 2)) < 0.5
    y = (rng.random(n) < np.where(facts[:, 0], 0.2, 0.05)).astype(float)
    odd = np.zeros(n, bool)
    odd[np.flatnonzero(y == 0)[:40]] = True
    found = weigh(np.column_stack([facts, odd, facts[:, 0]]), y, np.arange(n))
    alone = weigh(facts, y, np.arange(n))
    assert [w.verdict for w in found] == [YES, UNSHOWN, FEW, FEW]
    assert [w.odds_ratio for w in found[:2]] == pytest.approx([w.odds_ratio for w in alone])


def test_rows_that_are_all_alike_count_by_account() -> None:
    """Of two accounts of 200 leads none of which converted, no more is known than of two leads."""
    silent = rate(np.zeros(400), np.repeat([0, 1], 200))
    assert silent.interval == pytest.approx(rate(np.zeros(2), np.arange(2)).interval)
    one = rate((np.arange(400) % 10 == 0).astype(float), np.zeros(400, np.int64))
    assert one.interval is not None
    assert one.interval[1] - one.interval[0] > 0.7


def test_a_slip_in_a_test_is_told() -> None:
    """What begins as a test and is none is kept as words, and the reason is there to be said."""
    (one,) = criteria_of({"size": {"field": "employees", "betwen": [50, 500]}})
    assert one.when is None
    assert "size" in one.doubt
    assert "betwen" in one.doubt
    assert criteria_of({"size": {"field": "employees", "between": [50, 500]}})[0].doubt == ""


def test_an_interval_is_never_narrower_than_that_of_independent_rows() -> None:
    """Colleagues who differ by design, one of two in each account, do not make a rate surer than chance would."""
    y, account = np.tile([1.0, 0.0], 10), np.repeat(np.arange(10), 2)
    assert rate(y, account).interval == pytest.approx(wilson(0.5, 20))


def test_a_lead_that_is_there_five_times_weighs_as_once() -> None:
    """Rows of one account that are all alike tell no more than one: the same odds ratio, and the same interval."""
    rng = np.random.default_rng(6)
    facts = rng.random((600, 2)) < 0.5
    y = (rng.random(600) < np.where(facts[:, 0], 0.4, 0.2)).astype(float)
    once = weigh(facts, y, np.arange(600))
    often = weigh(np.repeat(facts, 5, axis=0), np.repeat(y, 5), np.repeat(np.arange(600), 5))
    for one, same in zip(once, often, strict=True):
        assert same.odds_ratio == pytest.approx(one.odds_ratio, rel=1e-6)
        assert same.interval == pytest.approx(one.interval, rel=1e-6)


def test_who_came_after_the_look_was_known_before_the_win_alone() -> None:
    """She counts among those of the won account, not among those that it had when it was looked at; an account that was
    won before the look is not judged by what it had then."""
    account, created = np.array([0, 0]), np.array([0, 20])
    found = deciders(account, created, np.array(["", "chief"]), np.array([50]), np.array([10]), 100, 200)
    (chief,) = found.roles
    assert (chief.of_won.converted, chief.won_with.n) == (1, 0)
    assert (chief.won_without.n, chief.won_without.converted) == (1, 1)
    assert [p.of_won.converted for p in found.people] == [0, 1, 0, 0]
    assert [p.won_with.n for p in found.people] == [1, 0, 0, 0]
    early = deciders(account, created, np.array(["", "chief"]), np.array([5]), np.array([10]), 100, 200)
    assert (early.won, early.looked_at) == (1, 0)


def test_everyone_has_all_the_conversions_for_sure() -> None:
    """The share of all conversions is one of those drawn: of criteria that all meet it is 1 on every draw."""
    y = (np.arange(40) % 5 == 0).astype(float)
    found = trial(np.ones(40, bool), y > 0, y, np.zeros(40), 1.0, np.arange(40), 1)
    assert {found.before["share_of_conversions"].interval, found.after["share_of_conversions"].interval} == {(1.0, 1.0)}
