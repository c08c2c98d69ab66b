"""The range of training."""

import numpy as np

from features.columns import Column
from features.kernel import Matrix
from models.bundle.trained_ranges import trained_ranges


def test_ranges_are_those_of_the_rows_and_of_numbers() -> None:
    """Missing values do not count, nor do other rows; a column that all lack, or of codes, has none."""
    columns = tuple(Column(f"fit_{n}", "fit", "lead", kind) for n, kind in
                    zip("abc", ("numeric", "numeric", "categorical"), strict=True))  # fmt: skip
    values = np.array([[1, np.nan, 0], [np.nan, np.nan, 1], [5, np.nan, 2], [99, 7, 3]])
    rows = np.array([True, True, True, False])
    assert trained_ranges(Matrix(values, columns, {}), rows) == {"fit_a": (1.0, 5.0)}
