"""How values are written, and what stands for a missing one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.marks import Marks

WORDS = ["Select", "0", "1", "nan", "true", "None", "-1.5", "[]", "inf"]
values = st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.sampled_from([*WORDS, " Select ", "", " "])


@given(values | st.lists(values, max_size=2) | st.text(max_size=3), st.sets(st.sampled_from(WORDS)))
def test_a_value_is_missing_where_its_text_is_empty(value: Any, nothing: set[str]) -> None:
    """Whatever it is, and whatever stands for nothing."""
    marks = Marks(nothing=frozenset(nothing))
    assert marks.empty(value) == (marks.text(value) == "")
