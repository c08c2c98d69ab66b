"""Codes of categories, to their texts and to whatever else a table has of them."""

from collections.abc import Sequence

import numpy as np

from features.arrays import Array, Floats


def texts(codes: Floats, levels: Sequence[str]) -> list[str | None]:
    """The text of each code into `levels`, (k,); None where it is NaN."""
    return [None if code != code else levels[int(code)] for code in codes.tolist()]


def lookup(table: Array, codes: Floats) -> Array:
    """Entries (rows) of a table by codes, shape (k, …). Its last entry is that of missing codes, NaN."""
    return table[np.where(np.isnan(codes), len(table) - 1, codes).astype(np.int64)]
