"""MODEL_CARD.md."""

import pytest

from pipeline.bundle.card import _refreshed


@pytest.mark.parametrize(("shift", "said"), [(0.0, "moved nothing"), (-0.25, "log odds by -0.250")])
def test_a_refresh_says_what_it_moved(shift: float, said: str) -> None:
    """Or that it found nothing to move."""
    assert said in _refreshed({"shift": shift, "observed": 40.2, "expected": 41.0})
