"""Parts of a record that nobody knows: their columns are NaN."""

from collections.abc import Collection, Sequence

import numpy as np

from features.arrays import Floats
from features.columns import Block, Column

ATTRIBUTES = ("numeric", "boolean", "categorical", "seniority", "function")


def mask(values: Floats, columns: Sequence[Column], unknown: Collection[Block]) -> Floats:
    """A copy of the features, shape (k, columns), as they are when the blocks of `unknown` are left out."""
    masked = values.copy()
    masked[:, [j for j, c in enumerate(columns) if c.block in unknown]] = np.nan
    count_known_fields(masked, columns)
    return masked


def count_known_fields(values: Floats, columns: Sequence[Column]) -> None:
    """Count again, in place, how many attributes are known; shape (k, columns).

    A title is one attribute of two columns, its seniority and then its function: known where it says either.
    """
    known = ~np.isnan(values[:, [j for j, c in enumerate(columns) if c.measure in ATTRIBUTES]])
    titles = [j for j, c in enumerate(columns) if c.measure == "function"]
    both = ~np.isnan(values[:, titles]) & ~np.isnan(values[:, [j - 1 for j in titles]])
    count = [j for j, c in enumerate(columns) if c.measure == "known_fields"]
    values[:, count] = (known.sum(axis=1) - both.sum(axis=1))[:, None]
