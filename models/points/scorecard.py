"""A model told in points: the few yes-or-no tests whose weighted sum comes nearest to its log odds."""

import numpy as np

from features.arrays import Bools, Floats, Ints

MOST_POINTS = 30
"""The strongest test gets this many, up or down."""


def choose(held: Bools, log_odds: Floats, most: int) -> tuple[Ints, Floats]:
    """Up to `most` tests, the most telling first, and their weights in log odds.

    `held` (k, tests), `log_odds` (k,). Forward selection by least squares: each step takes the test that lowers the
    squared error most, beside those that are in, by a step of Gauss-Jordan elimination.
    """
    columns = np.column_stack([held.astype(np.float64), log_odds])
    columns -= columns.mean(axis=0)
    gram = columns.T @ columns
    least, n = gram.diagonal()[:-1] * 1e-6 + 1e-12, held.shape[1]
    chosen: list[int] = []
    for _ in range(min(most, n)):
        own = gram.diagonal()[:-1]
        gain = np.where(own > least, gram[:-1, -1] ** 2 / np.maximum(own, least), 0.0)
        gain[chosen] = 0.0
        best = int(np.argmax(gain))
        if gain[best] <= 1e-9 * len(log_odds):
            break
        gram = _swept(gram, best)
        chosen.append(best)
    return np.array(chosen, np.int64), gram[chosen, -1] if chosen else np.zeros(0)


def _swept(gram: Floats, i: int) -> Floats:
    """The cross products after regression on column i; its row holds the coefficients."""
    row = gram[i] / gram[i, i]
    out = gram - np.outer(gram[:, i], row)
    out[i] = row
    return out


def whole_points(weights: Floats) -> Ints:
    """Weights (t,) as whole points, the strongest MOST_POINTS; 0 for what is too weak for one."""
    top = float(np.abs(weights).max(initial=0.0))
    return np.rint(weights * (MOST_POINTS / top)).astype(np.int64) if top > 0 else np.zeros(len(weights), np.int64)


def rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's, of a and b (n,): the correlation of the mean ranks; NaN where one of them is constant."""
    ranks = np.column_stack([_mean_ranks(a), _mean_ranks(b)])
    if not ranks.std(axis=0).all():
        return float("nan")
    return float(np.asarray(np.corrcoef(ranks.T))[0, 1])


def _mean_ranks(x: Floats) -> Floats:
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], dtype=np.float64)


def overlap(points: Floats, p: Floats, share: float) -> float:
    """Of the n leads that a capacity of `share` takes by p, the part that it takes by points as well.

    Ties at the edge of the points count by the chance that they are taken.
    """
    by_model = np.zeros(len(p))
    by_model[np.argsort(-p, kind="stable")[: max(1, round(share * len(p)))]] = 1.0
    room = by_model.sum()
    edge = np.sort(points)[::-1][int(room) - 1]
    sure, tied = points > edge, points == edge
    return float((by_model * (sure + tied * (room - sure.sum()) / tied.sum())).sum() / room)
