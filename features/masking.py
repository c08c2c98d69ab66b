"""Parts of a record that nobody knows: their columns are NaN."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats
from features.columns import Block, Column

ATTRIBUTES = ("numeric", "boolean", "categorical", "seniority", "function")


def mask(values: Floats, columns: Sequence[Column], unknown: Collection[Block]) -> Floats:
    """A copy of the features, shape (k, columns), as they are when the blocks of `unknown` are left out."""
    masked = values.copy()
    masked[:, [j for j, c in enumerate(columns) if c.block in unknown]] = np.nan
    count_known_fields(masked, field_places(columns))
    return masked


@dataclass(frozen=True)
class FieldPlaces:
    """Numbers of columns."""

    attributes: list[int]
    functions: list[int]
    """Second column of a title, whose first is its seniority."""
    count: list[int]
    """The column that says how many attributes are known; none where there is no such column."""


def field_places(columns: Sequence[Column]) -> FieldPlaces:
    """Where attributes lie among the columns."""
    return FieldPlaces(
        [j for j, c in enumerate(columns) if c.measure in ATTRIBUTES],
        [j for j, c in enumerate(columns) if c.measure == "function"],
        [j for j, c in enumerate(columns) if c.measure == "known_fields"],
    )


def count_known_fields(values: Floats, places: FieldPlaces) -> None:
    """Count again, in place, how many attributes are known; shape (k, columns). A title, which has two columns, is
    known where it says a seniority or a function."""
    count = (~np.isnan(values[:, places.attributes])).sum(axis=1)
    for j in places.functions:
        count -= ~np.isnan(values[:, j - 1 : j + 1]).any(axis=1)
    values[:, places.count] = count[:, None]
