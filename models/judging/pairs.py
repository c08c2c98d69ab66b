"""The AUC among rows of one part alone: how well leads of one week, or of one age, are told apart."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Floats, Ints


@dataclass(frozen=True)
class Pairs:
    """k rows by part and falling score."""

    order: Ints
    """Shape (k,): place in the input."""
    lost: Floats
    """Shape (k,): 1 where the row does not convert, in that order."""
    converting: Ints
    """Rows that convert. Of these are the next two, shape (2, positives): where in the order it begins and ends."""
    run: Ints
    """Rows of the same part and score."""
    part: Ints
    tied: bool
    """Whether two rows of one part have one score."""

    def auc(self, weight: Floats) -> float:
        """Of all pairs of one part, one converting and one not, how many are in order; a tie counts half.

        That is the mean of the parts' AUC, weighted by pairs. `weight` (k,) of the rows; NaN where there are no pairs.
        """
        lost = np.concatenate([[0.0], np.cumsum(weight[self.order] * self.lost)])
        mine = weight[self.converting]
        ahead = lost[self.part[1]] - lost[self.run].mean(axis=0)
        pairs = float((mine * (lost[self.part[1]] - lost[self.part[0]])).sum())
        return float((mine * ahead).sum()) / pairs if pairs > 0 else np.nan


def pairs_of(part: Ints, y: Floats, score: Floats) -> Pairs:
    """Of rows (k,) by the number of their part, y in {0, 1}. Sorted once; every draw reads the result."""
    order = np.lexsort((-score, part))
    home, s, won = part[order], score[order], np.flatnonzero(y[order] == 1)
    first = np.ones(len(home), bool)
    first[1:] = (np.diff(home) != 0) | (np.diff(s) != 0)
    edges = np.append(np.flatnonzero(first), len(home))
    run = np.searchsorted(edges, won, side="right")
    parts = [np.searchsorted(home, home[won], side=side) for side in ("left", "right")]
    return Pairs(
        order, 1 - y[order], order[won], np.stack([edges[run - 1], edges[run]]), np.stack(parts), not first.all()
    )
