"""What the nodes of a forest ask of a row, each question asked once, however many nodes ask it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.trees.forest import CATEGORICAL, ZERO, Forest

NEARLY_ZERO = 1e-35
"""LightGBM takes numbers within this of 0 for 0."""
ROWS = 8
"""Rows that are asked together: an answer is a byte, so those of eight rows are one word."""


@dataclass(frozen=True)
class Conditions:
    """c different questions whose answer sends a row to the left."""

    feature: Ints
    """Shape (n,): of the questions about numbers, which come first: those that send a missing one to the right, then
    those that send it to the left."""
    threshold: Floats
    missing_left: Bools
    zero_is_missing: Bools
    coded: Ints
    """Shape (c - n,): features of the questions about codes, which come last."""
    levels: Bools
    """Shape (c - n, codes + 1): which codes go left; the last column, for all others, is False."""

    @cached_property
    def _rows(self) -> Floats:
        """A threshold for each of ROWS rows, shape (n, ROWS): NumPy compares long rows, not many short ones."""
        return np.repeat(self.threshold[:, None], ROWS, axis=1)

    @cached_property
    def _to_the_left(self) -> int:
        """The first question that sends a missing number to the left."""
        return int(np.searchsorted(self.missing_left, True))

    @cached_property
    def _with_zero(self) -> bool:
        return bool(self.zero_is_missing.any())

    def answers(self, X: Floats) -> Bools:
        """Whether each of 1 or ROWS rows goes left, shape (c + 1, rows): rows side by side. The last is False."""
        n, rows, cut = len(self.feature), len(X), self._to_the_left
        x = np.ascontiguousarray(X.T)
        out = np.empty((n + len(self.coded) + 1, rows), bool)
        out[-1] = False
        value, threshold = x.take(self.feature, axis=0), self._rows if rows == ROWS else self.threshold[:, None]
        np.less_equal(value[:cut], threshold[:cut], out=out[:cut])
        left = np.greater(value[cut:], threshold[cut:], out=out[cut:n])
        np.logical_not(left, out=left)
        if self._with_zero:
            zero = self.zero_is_missing[:, None] & (np.abs(value) <= NEARLY_ZERO)
            np.copyto(out[:n], self.missing_left[:, None], where=zero)
        if len(self.coded):
            last = self.levels.shape[1] - 1
            code = x.take(self.coded, axis=0)
            code = np.where((code > -1) & (code < last), code, last).astype(np.int64)
            out[n:-1] = self.levels[np.arange(len(self.coded))[:, None], code]
        return out


def words(X: Floats) -> Iterator[Floats]:
    """Rows for `Conditions.answers`: a row alone, or ROWS together, the last ones repeated where there are fewer."""
    if len(X) == 1:
        yield X
        return
    for start in range(0, len(X), ROWS):
        some = X[start : start + ROWS]
        yield some if len(some) == ROWS else some[np.minimum(np.arange(ROWS), len(some) - 1)]


def conditions_of(forest: Forest) -> tuple[Conditions, Ints]:
    """The different questions of a forest, and each node's, shape (nodes,)."""
    coded = (forest.decision & CATEGORICAL) > 0
    missing_left = np.where(forest.missing == 0, forest.threshold >= 0, forest.default_left)  # 0: NaN counts as 0
    asked = np.stack([missing_left, forest.feature, forest.threshold, forest.missing == ZERO], axis=1)[~coded]
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
        feature=numeric[:, 1].astype(np.int64),
        threshold=numeric[:, 2],
        missing_left=numeric[:, 0] > 0,
        zero_is_missing=numeric[:, 3] > 0,
        coded=np.array([feature for feature, _ in sets], np.int64),
        levels=table,
    )
