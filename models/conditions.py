"""What the nodes of a forest ask of a row, each question asked once, however many nodes ask it."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.forest import CATEGORICAL, ZERO, Forest

NEARLY_ZERO = 1e-35
"""LightGBM takes numbers within this of 0 for 0."""


@dataclass(frozen=True)
class Conditions:
    """c different questions whose answer sends a row to the left."""

    feature: Ints
    """Shape (n,): of the questions about numbers, which come first."""
    threshold: Floats
    missing_left: Bools
    zero_is_missing: Bools
    coded: Ints
    """Shape (c - n,): features of the questions about codes, which come last."""
    levels: Bools
    """Shape (c - n, codes + 1): which codes go left; the last column, for all others, is False."""

    def answers(self, X: Floats) -> Bools:
        """Whether each row goes left, shape (k, c + 1); the last column is False."""
        n = len(self.feature)
        out = np.zeros((len(X), n + len(self.coded) + 1), bool)
        value = X.take(self.feature, axis=1)
        left = np.less_equal(value, self.threshold, out=out[:, :n])
        left |= np.isnan(value) & self.missing_left
        if self.zero_is_missing.any():
            zero = self.zero_is_missing & (np.abs(value) <= NEARLY_ZERO)
            np.copyto(left, self.missing_left, where=zero)
        if len(self.coded):
            code = X.take(self.coded, axis=1)
            last = self.levels.shape[1] - 1
            code = np.where((code > -1) & (code < last), code, last).astype(np.int64)
            out[:, n:-1] = self.levels[np.arange(len(self.coded)), code]
        return out


def conditions_of(forest: Forest) -> tuple[Conditions, Ints]:
    """The different questions of a forest, and each node's, shape (nodes,)."""
    coded = (forest.decision & CATEGORICAL) > 0
    missing_left = np.where(forest.missing == 0, forest.threshold >= 0, forest.default_left)  # 0: NaN counts as 0
    asked = np.stack([forest.feature, forest.threshold, missing_left, forest.missing == ZERO], axis=1)[~coded]
    numeric, which = np.unique(asked, axis=0, return_inverse=True)
    number = np.empty(len(coded), np.int64)
    number[~coded] = which.reshape(-1)
    sets: dict[tuple[int, bytes], int] = {}
    for node, levels in forest.levels.items():
        key = (int(forest.feature[node]), levels.tobytes())
        number[node] = len(numeric) + sets.setdefault(key, len(sets))
    return _conditions(numeric, sets), number


def _conditions(numeric: Array, sets: dict[tuple[int, bytes], int]) -> Conditions:
    levels = [np.frombuffer(words, bool) for _, words in sets]
    table = np.zeros((len(sets), max((len(s) for s in levels), default=0) + 1), bool)
    for row, these in enumerate(levels):
        table[row, : len(these)] = these
    return Conditions(
        feature=numeric[:, 0].astype(np.int64),
        threshold=numeric[:, 1],
        missing_left=numeric[:, 2] > 0,
        zero_is_missing=numeric[:, 3] > 0,
        coded=np.array([feature for feature, _ in sets], np.int64),
        levels=table,
    )
