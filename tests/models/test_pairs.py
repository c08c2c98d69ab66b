"""Pairs of one part, one that converts and one that does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.judging.pairs import pairs_of


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_the_area_counts_pairs(seed: int, distinct: int) -> None:
    """Equal to counting every pair of every part, ties half, rows as often as they weigh."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 80))
    part, y, w = rng.integers(-1, 5, n), (rng.random(n) < 0.2).astype(float), rng.integers(0, 4, n)
    score = rng.integers(distinct, size=n)
    ahead, of = 0.0, 0
    for i in np.flatnonzero(y == 1):
        for j in np.flatnonzero((y == 0) & (part == part[i])):
            ahead += w[i] * w[j] * (float(score[i] > score[j]) + float(score[i] == score[j]) / 2)
            of += w[i] * w[j]
    found = pairs_of(part, y, score.astype(float))
    assert found.auc(w.astype(float)) == pytest.approx(ahead / of) if of else np.isnan(found.auc(w.astype(float)))
    assert found.tied == (len({*zip(part.tolist(), score.tolist(), strict=True)}) < n)
