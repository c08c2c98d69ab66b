"""The array types that every room shares, and units of time."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

DAY_US = 86_400_000_000
"""Microseconds a day. Instants are int64 microseconds since 1970-01-01 UTC."""
NEVER = np.iinfo(np.int64).max
"""The instant of what has not happened: after all others."""


def ranges(start: Ints, count: Ints) -> Ints:
    """`start[i], start[i] + 1, …`, `count[i]` of them, one after another, for every i, shape (sum of counts,)."""
    total = count.cumsum()
    index = np.arange(int(total[-1]) if len(total) else 0, dtype=np.int64)
    index += (start - total + count).repeat(count)
    return index
