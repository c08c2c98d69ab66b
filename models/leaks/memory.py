"""Whether a row's own label reaches what the booster is given for it."""

from dataclasses import replace

import numpy as np

from features.arrays import Bools, Floats
from models.learning import training
from models.learning.training import Rows


def remembered(rows: Rows) -> tuple[str, ...] | None:
    """Categorical columns whose input of some row changes with the labels of the row's own fold.

    Every label of a fold is turned over, fold after fold; what that fold's rows are given must stay as it was,
    and nobody's code may change. None where there is no categorical column.
    """
    coded = [j for j, column in enumerate(rows.matrix.columns) if column.categorical]
    if not coded:
        return None
    matrix = rows.matrix
    columns = tuple(matrix.columns[j] for j in coded)
    rows = replace(rows, matrix=replace(matrix, values=matrix.values[:, coded], columns=columns))
    every = np.ones(len(rows.y), bool)
    _, X = training.inputs(rows, every)
    changed = np.zeros(len(coded), bool)
    for k in np.unique(rows.fold):
        own = rows.fold == k
        _, other = training.inputs(replace(rows, y=np.where(own, 1 - rows.y, rows.y)), every)
        changed |= _differs(X[own], other[own])
    return tuple(column.name for column, found in zip(columns, changed, strict=True) if found)


def _differs(a: Floats, b: Floats) -> Bools:
    """Columns (of equally many) in which some row differs, NaN equal to NaN."""
    return np.asarray(((a != b) & ~(np.isnan(a) & np.isnan(b))).any(axis=0), dtype=np.bool_)
