"""The swap set: every lead once, at equal volume, and a difference with an honest interval."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.judging.swap import NONE, difference, swap

ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.booleans(), st.integers(0, 1000)), min_size=1, max_size=40
)


@given(ROWS)
def test_volumes_are_equal_but_for_ties(rows: list[tuple[int, bool, bool, int]]) -> None:
    """As many leads by probability as by points, more only where probabilities tie, never one that is excluded."""
    rows = sorted(rows, key=lambda row: row[0])
    lead, qualified, eligible, p = (np.array(x) for x in zip(*rows, strict=True))
    found = swap(lead, qualified, eligible, p / 1000)
    volume, by_model = (found.by_points != NONE).sum(), (found.by_model != NONE).sum()
    best = [p[(lead == one) & eligible].max(initial=-1) / 1000 for one in found.lead]
    assert by_model >= volume
    assert sum(b > found.threshold for b in best) <= max(volume - 1, 0)
    for rows_of in (found.by_points, found.by_model):
        assert eligible[rows_of[rows_of != NONE]].all()
    for one, row in zip(found.lead, found.by_points, strict=True):
        mine = np.flatnonzero((lead == one) & qualified & eligible)
        assert row == (mine[0] if len(mine) else NONE)


def test_groups_and_the_row_they_are_judged_by() -> None:
    """Stay, in, out; one who stays is judged at the earlier crossing, by whichever it was."""
    lead = np.array([0, 0, 1, 1, 2, 2, 3, 4, 4])
    qualified = np.array([0, 1, 0, 0, 1, 1, 0, 1, 0], bool)
    p = np.array([0.9, 0.1, 0.2, 0.8, 0.1, 0.1, 0.3, 0.1, 0.85])
    found = swap(lead, qualified, np.ones(9, bool), p)
    assert found.group.tolist() == ["stay", "in", "out", "", "stay"]
    assert found.row.tolist() == [0, 3, 4, NONE, 7]
    assert found.threshold == 0.8


def test_an_interval_covers_what_there_is() -> None:
    """A real difference shows above 0; where there is none the interval holds 0; an empty group has none."""
    rng = np.random.default_rng(2)
    group = np.repeat(["in", "out", "stay"], 400)
    accounts = np.arange(1200) // 2
    better = (rng.random(1200) < np.where(group == "in", 0.2, 0.05)).astype(float)
    found = difference(better, group, accounts, 1, 200)
    assert found is not None
    assert 0 < found[1][0] < found[0] < found[1][1]
    same = difference((rng.random(1200) < 0.1).astype(float), group, accounts, 1, 200)
    assert same is not None
    assert same[1][0] < 0 < same[1][1]
    assert difference(better, np.full(1200, "in"), accounts, 1, 20) is None
