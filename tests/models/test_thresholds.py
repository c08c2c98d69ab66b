"""Thresholds that keep a volume, and the scale on which the old one keeps its meaning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy.policy import Policy
from models.policy.routing import Routing, Rule
from models.policy.thresholds import continuity, entering, filling
from models.policy.values import Values

distinct = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=80, unique=True)


@given(distinct, st.floats(0, 1), st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_the_volume_is_kept_within_one_lead(best: list[float], share: float, seed: int) -> None:
    """As many leads come in as are asked for, some of them leads that had been looked at before."""
    p, rng = np.array(best), np.random.default_rng(seed)
    before = np.where(rng.random(len(p)) < 0.5, -np.inf, p * rng.random(len(p)))
    most = int(entering(before, p, np.unique(p)).max())
    volume = round(share * most)
    got = int(entering(before, p, np.array([filling(before, p, volume)]))[0])
    assert abs(got - volume) <= 1
    assert got <= volume
    counts = entering(before, p, np.unique(p[p > before])[::-1]).tolist()
    exceeds = next((i for i, n in enumerate(counts) if n > volume), len(counts))
    assert got == max(counts[:exceeds], default=0), "no lead too few"


def test_nobody_to_let_in_is_an_error() -> None:
    """Leads that were higher before do not come in again."""
    with pytest.raises(ValueError, match="first time"):
        filling(np.array([0.9]), np.array([0.5]), 1)


@pytest.mark.parametrize("mark", [1, 40, 100])
def test_scores_spread_evenly_on_either_side_of_the_old_threshold(mark: int) -> None:
    """As many calibration probabilities have one score as another, but for the last lead of each."""
    p = np.sort(np.random.default_rng(mark).random(999))
    routing = Routing((Rule("wait", 0.0),), 0.8, None, ())
    policy = Policy(continuity(p, 0.7, mark), 0.1, (), "E", routing, Values(None, {}, None), 0.7)
    counts = np.bincount(policy.score(p), minlength=101)
    for side in (counts[:mark], counts[mark:]):
        assert side.max() - side.min() <= 2


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=200),
    st.floats(0.01, 0.99),
    st.integers(1, 100),
    st.lists(st.floats(0, 1), max_size=50),
)
@settings(max_examples=150)
def test_the_old_threshold_means_the_same(calibration: list[float], at: float, mark: int, asked: list[float]) -> None:
    """On the scale of continuity a score of `mark` or more is a probability at the threshold or above, and back."""
    scale = continuity(np.array(calibration), at, mark)
    routing = Routing((Rule("wait", 0.0),), 0.8, None, ())
    policy = Policy(scale, 0.1, (), "E", routing, Values(None, {}, None), at)
    p = np.sort(np.array([*asked, *calibration, at, np.nextafter(at, 0)]))
    score = policy.score(p)
    assert len(scale) == 100
    assert ((score >= mark) == (p >= at)).all()
    assert policy.qualified(p) == (score >= mark).tolist()
    assert (np.diff(score) >= 0).all()
    assert ((score >= 0) & (score <= 100)).all()
