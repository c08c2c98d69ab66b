"""Leads a week: each at its first hit, and none that had it before the weeks began."""

import numpy as np
import pytest
from scipy.stats import t

from models.funnel.flow import flow


def test_each_lead_counts_once_and_none_that_came_before() -> None:
    """Lead 0 was in before the first week, lead 1 comes twice, lead 2 after the last week, lead 3 never."""
    lead, week = np.array([0, 0, 1, 1, 2, 3]), np.array([-1, 0, 0, 1, 2, 1])
    hit = np.array([1, 1, 1, 1, 1, 0], bool)
    y, p = np.array([1.0, 1, 1, 0, 1, 1]), np.array([0.9, 0.9, 0.3, 0.4, 0.9, 0.9])
    found = flow(lead, hit, week, 2, y, p, 1)
    assert (found.leads, found.converted, found.promised) == (0.5, 0.5, 0.15)
    assert found.leads_interval is not None
    assert found.leads_interval == pytest.approx((0.0, 0.5 + t.ppf(0.975, 1) * 0.5), rel=0.02)  # sd of 1 and 0 over √2


@pytest.mark.parametrize("weeks", [2, 4, 12])
def test_few_weeks_are_as_uncertain_as_they_are(weeks: int) -> None:
    """The interval covers the true mean of weeks with 20 leads on average in 95 of 100 cases."""
    rng, covered = np.random.default_rng(3), 0
    for k in range(200):
        week = np.arange(weeks).repeat(rng.poisson(20, weeks))
        lead, one = np.arange(len(week)), np.ones(len(week))
        low, high = flow(lead, one > 0, week, weeks, one, one, k).leads_interval or (np.nan, np.nan)
        covered += low <= 20 <= high
    assert 184 <= covered <= 197  # 190 expected, sd 3.1


def test_one_week_has_no_interval() -> None:
    """Nothing can be drawn from one; without a hit nothing comes."""
    one, yes = np.zeros(1, np.int64), np.ones(1, bool)
    assert flow(one, yes, one, 1, np.ones(1), np.ones(1), 1).leads_interval is None
    assert flow(one, ~yes, one, 3, np.ones(1), np.ones(1), 1).leads == 0
