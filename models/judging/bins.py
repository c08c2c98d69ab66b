"""Values in bins of about one size."""

import numpy as np

from features.arrays import Floats, Ints


def quantile_edges(x: Floats, parts: int = 10) -> Floats:
    """Rising edges that part the known values of x into at most `parts` of about one size."""
    x = x[~np.isnan(x)]
    return np.unique(np.quantile(x, np.arange(1, parts) / parts)) if x.size else np.empty(0)


def bins(x: Floats, edges: Floats) -> Ints:
    """Bin of each x, shape (n,): 0 below edges[0]; k where edges[k-1] <= x < edges[k]; −1 where x is NaN."""
    return np.where(np.isnan(x), -1, np.searchsorted(edges, x, side="right")).astype(np.int64)
