"""Rows as they are when parts of a record are left out."""

import numpy as np

from features.columns import Column
from features.masking import count_known_fields, field_places, mask

COLUMNS = (
    Column("fit_a", "fit", "lead", "numeric"),
    Column("fit_b", "fit", "account", "categorical", categorical=True),
    Column("intent_c", "intent", "history", "boolean"),
    Column("fit_known_fields", "fit", "lead", "known_fields"),
    Column("engagement_d", "engagement", "events", "count"),
)


def test_masked_columns_are_nan_and_known_fields_are_counted_again() -> None:
    """The columns of the blocks are NaN, what is left stays, the input is not changed."""
    values = np.array([[1.0, 2, 1, 3, 5], [np.nan, 0, np.nan, 1, 0]])
    before = values.copy()
    found = mask(values, COLUMNS, ("account", "events"))
    np.testing.assert_array_equal(found, [[1, np.nan, 1, 2, np.nan], [np.nan, np.nan, np.nan, 0, np.nan]])
    np.testing.assert_array_equal(values, before)
    np.testing.assert_array_equal(mask(values, COLUMNS, ()), values)
    assert mask(values[:0], COLUMNS, ("events",)).shape == (0, 5)


def test_a_title_is_one_field() -> None:
    """Known where it says a seniority, a function or both."""
    names = ("numeric", "seniority", "function", "known_fields")
    columns = [Column(f"fit_{name}", "fit", "lead", name) for name in names]
    nan = np.nan
    values = np.array([[1.0, 2, 3, nan], [1, 2, nan, nan], [1, nan, 3, nan], [1, nan, nan, nan], [nan, 2, 3, nan]])
    count_known_fields(values, field_places(columns))
    assert values[:, 3].tolist() == [2, 2, 2, 1, 1]
