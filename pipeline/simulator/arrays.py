"""Names for the arrays and instants of the simulator."""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY_US = 86_400_000_000
SPAN_US = 2**47  # longer than any simulated calendar (4.4 years); spaces leads apart in one sorted key
TIME = pl.Datetime("us", "UTC")


def epoch_us(at: datetime) -> int:
    """Microseconds since 1970 of an instant with an offset."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000


def column_us(column: pl.Series) -> Ints:
    """A column of instants as microseconds since 1970; null not allowed."""
    return column.cast(TIME).to_physical().to_numpy().astype(np.int64)


def instants(us: Ints) -> pl.Series:
    """Microseconds since 1970 as a column of instants in UTC."""
    return pl.Series(us, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def ids(prefix: str, numbers: Ints) -> pl.Series:
    """Numbers as ids of one width: L0000042."""
    return prefix + pl.Series(numbers, dtype=pl.Int64).cast(pl.String).str.zfill(7)
