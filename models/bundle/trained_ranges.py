"""Between which numbers the numeric attributes of training lay: beyond them an answer warns."""

import numpy as np

from features.arrays import Bools
from features.kernel import Matrix


def trained_ranges(matrix: Matrix, rows: Bools) -> dict[str, tuple[float, float]]:
    """Least and greatest of each numeric attribute over some rows, by feature; not of one that all lack."""
    found = {}
    for j, column in enumerate(matrix.columns):
        if column.measure == "numeric":
            values = matrix.values[rows, j]
            values = values[~np.isnan(values)]
            if len(values):
                found[column.name] = float(values.min()), float(values.max())
    return found
