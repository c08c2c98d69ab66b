"""The kernel's features as a table of `data/features.parquet`, and back."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from features.arrays import Floats
from features.columns import Column
from features.kernel import Matrix


def frame_of(matrix: Matrix) -> pl.DataFrame:
    """One column a feature: numbers, texts of the categorical ones; NaN becomes null."""
    series = {}
    for j, column in enumerate(matrix.columns):
        values = matrix.values[:, j]
        series[column.name] = _texts(values, matrix.levels[column.name]) if column.categorical else _numbers(values)
    return pl.DataFrame(series)


def _numbers(values: Floats) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _texts(values: Floats, levels: Sequence[str]) -> pl.Series:
    texts = pl.Series([*levels, None], dtype=pl.String)
    return texts.gather(np.where(np.isnan(values), len(levels), values).astype(np.int64))


def matrix_of(frame: pl.DataFrame, columns: Sequence[Column]) -> Matrix:
    """The inverse of `frame_of`, up to the order of the levels. Only the columns named are read."""
    values = np.empty((len(frame), len(columns)))
    levels: dict[str, list[str]] = {}
    for j, column in enumerate(columns):
        series = frame[column.name]
        if column.categorical:
            texts = series.unique().drop_nulls().sort()
            levels[column.name] = texts.to_list()
            series = series.replace_strict(texts, pl.int_range(len(texts), eager=True), default=None)
        values[:, j] = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return Matrix(values, tuple(columns), levels)
