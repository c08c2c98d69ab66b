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
    fields = [j for j, c in enumerate(columns) if c.measure in ATTRIBUTES]
    known = [j for j, c in enumerate(columns) if c.measure == "known_fields"]
    masked[:, known] = (~np.isnan(masked[:, fields])).sum(axis=1)[:, None]
    return masked
