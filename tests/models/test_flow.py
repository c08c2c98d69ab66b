"""Leads a week: each at its first hit, and none that had it before the weeks began."""

import numpy as np

from models.funnel.flow import flow


def test_each_lead_counts_once_and_none_that_came_before() -> None:
    """Lead 0 was in before the first week, lead 1 comes twice, lead 2 after the last week, lead 3 never."""
    lead, week = np.array([0, 0, 1, 1, 2, 3]), np.array([-1, 0, 0, 1, 2, 1])
    hit = np.array([1, 1, 1, 1, 1, 0], bool)
    y, p = np.array([1.0, 1, 1, 0, 1, 1]), np.array([0.9, 0.9, 0.3, 0.4, 0.9, 0.9])
    found = flow(lead, hit, week, 2, y, p, 1)
    assert (found.leads, found.converted, found.promised) == (0.5, 0.5, 0.15)
    assert found.leads_interval == (0.0, 1.0)


def test_one_week_has_no_interval() -> None:
    """Nothing can be drawn from one; without a hit nothing comes."""
    one, yes = np.zeros(1, np.int64), np.ones(1, bool)
    assert flow(one, yes, one, 1, np.ones(1), np.ones(1), 1).leads_interval is None
    assert flow(one, ~yes, one, 3, np.ones(1), np.ones(1), 1).leads == 0
