"""What was known by an instant, of records in their canonical order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import records
from features.records import known_until, starts

Pairs = list[tuple[int, int]]
rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=12)
examples = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 10)), max_size=6)


@pytest.mark.parametrize("few", [0, 4, records.FEW])
@given(rows=rows, examples=examples)
def test_rows_are_known_until_the_instant(few: int, rows: Pairs, examples: Pairs) -> None:
    """Inclusive, whichever way they are found: for few rows or many, all known or none."""
    ordered = np.array(sorted(rows), np.int64).reshape(-1, 2)
    lead, as_of = np.array(examples, np.int64).reshape(-1, 2).T
    start = starts(ordered[:, 0], 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "FEW", few)
        found = known_until(ordered[:, 1], start, lead, as_of)
    assert (found - start[lead]).tolist() == [sum(r == i and at <= t for r, at in rows) for i, t in examples]
