"""Which facts carry weight: intervals against textbook ones, and the edges of what can be told."""

import numpy as np
import pytest

from models.funnel.weighing import FEW, LEAST, UNSHOWN, weigh
from models.judging.rates import Z


def four(met_won: int, met_lost: int, unmet_won: int, unmet_lost: int) -> tuple[np.ndarray, np.ndarray]:
    """A fact and outcomes with these counts."""
    counts = [met_won, met_lost, unmet_won, unmet_lost]
    return np.repeat([True, True, False, False], counts), np.repeat([1.0, 0.0, 1.0, 0.0], counts)


def test_the_interval_of_one_fact_is_that_of_its_table() -> None:
    """Woolf 1955: the variance of a log odds ratio is the sum of one over each count; here n / (n - 1) times that.
    Twins in accounts of two say as much as one of each."""
    fact, y = four(30, 70, 20, 180)
    error = np.sqrt((1 / 30 + 1 / 70 + 1 / 20 + 1 / 180) * 300 / 299)
    expected = (30 * 180 / (70 * 20)) * np.exp(np.array([-Z, Z]) * error)
    for times in (1, 2):
        (found,) = weigh(np.repeat(fact, times)[:, None], np.repeat(y, times), np.repeat(np.arange(300), times))
        assert found.odds_ratio == pytest.approx(30 * 180 / (70 * 20))
        assert found.interval == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((LEAST - 5, 5, 5, 99), True),
        ((LEAST - 6, 5, 9, 99), False),
        ((5, 99, LEAST - 5, 5), True),
        ((9, 99, LEAST - 6, 5), False),
        ((9, 99, 10, 99), False),
        ((0, 99, 40, 99), False),
        ((40, 0, 40, 99), False),
        ((40, 99, 0, 99), False),
        ((40, 99, 40, 0), False),
    ],
)
def test_a_weight_needs_leads_of_every_kind(counts: tuple[int, int, int, int], told: bool) -> None:
    """LEAST with the fact, without it and that convert; on either side some that convert and some that do not."""
    fact, y = four(*counts)
    (found,) = weigh(fact[:, None], y, np.arange(len(y)))
    assert (found.verdict != FEW) == told


@pytest.mark.parametrize("counts", [(0, 99, 40, 99), (40, 0, 40, 99), (40, 99, 0, 99), (40, 99, 40, 0)])
def test_a_fact_that_settles_one_side_takes_no_weight_from_others(counts: tuple[int, int, int, int]) -> None:
    """It has none itself: all, or none, of the leads with it or without it convert."""
    fact, y = four(*counts)
    other, account = np.arange(len(y)) % 2 == 0, np.arange(len(y))
    odd, sound = weigh(np.column_stack([fact, other]), y, account)
    (alone,) = weigh(other[:, None], y, account)
    assert odd.verdict == FEW
    assert sound.odds_ratio == alone.odds_ratio is not None


def test_facts_that_settle_the_outcome_together_have_no_weight() -> None:
    """Two of three decide who converts: each alone could be weighed, and no regression of all has an optimum."""
    facts = (np.arange(400)[:, None] >> np.arange(3)) % 2 == 1
    found = weigh(facts, (facts.sum(axis=1) >= 2).astype(float), np.arange(400))
    assert [one.verdict for one in found] == [FEW] * 3
    assert all(one.odds_ratio is None for one in found)


def test_where_no_fact_carries_weight_one_is_seldom_named() -> None:
    """Six facts that mean nothing: any has a verdict in one company of twenty, not in one of four."""
    rng, n = np.random.default_rng(0), 600
    named = [
        any(one.verdict not in (UNSHOWN, FEW) for one in weigh(rng.random((n, 6)) < 0.3, y, np.arange(n) // 2))
        for y in (rng.random((100, n)) < 0.1).astype(float)
    ]
    assert sum(named) <= 10
