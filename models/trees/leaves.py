"""Raw scores of small trees, all trees and eight rows at once (after QuickScorer, Lucchese and others 2015).

A tree's leaves are numbered from left to right. A node that sends a row to the right takes the leaves on its left away;
of those that stay, the first is the row's. So every question may be asked in any order, without branches, and eight
rows go side by side as the bytes of one word. Leaves are added up tree after tree, as LightGBM does it: the scores are
its own to the last bit.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.trees.conditions import ROWS, Conditions, conditions_of, words
from models.trees.forest import Forest
from models.trees.paths import Paths, paths_of

BYTE = 8
"""Leaves whose fate is a byte."""
MOST_LEAVES = 4 * BYTE
"""Of a tree: with more it takes longer than to walk down the tree."""


@dataclass(frozen=True)
class Leaves:
    """t trees of at most n nodes and 8 b leaves."""

    conditions: Conditions
    asks: Ints
    """Shape (n * t,): each tree's first question, then each one's second, …"""
    taken: Array
    """Shape (b, n * t), words: the leaves that a step to the right takes, the same byte for each of eight rows."""
    value: Floats
    """Shape (t * 8 b,), log odds, by tree and from left to right."""
    start: Ints
    """Shape (t, 1): the place of each tree's first leaf in `value`."""

    @cached_property
    def _of_one(self) -> Array:
        """`taken` for a row alone: the byte itself."""
        return self.taken.astype(np.uint8)

    def scores(self, X: Floats) -> Floats:
        """Raw scores, shape (k,). A row has the same bits in any batch."""
        found = [self.value.take(self._leaf(some)).cumsum(axis=0)[-1] for some in words(X)]
        return np.concatenate(found)[: len(X)] if found else np.empty(0)

    def _leaf(self, X: Floats) -> Ints:
        """The place of the leaf of each tree and row, shape (t, rows)."""
        rows, t = len(X), len(self.start)
        right = self.conditions.answers(X).view(np.uint8) - np.uint8(1)  # 0 for left, every bit for right
        asked = right.view(f"u{rows}").reshape(-1).take(self.asks)
        leaf: Array = np.zeros((t, rows), np.uint8)
        for byte in reversed(range(len(self.taken))):
            taken = self.taken[byte] if rows == ROWS else self._of_one[byte]
            gone = np.bitwise_or.reduce((asked & taken).reshape(-1, t), axis=0).view(np.uint8).reshape(t, rows)
            before = np.bitwise_count(gone & ~(gone + np.uint8(1)))  # the first that stays: those before it are gone
            leaf *= before == BYTE  # the next byte counts only where this one has none that stays
            leaf += before
        return leaf + self.start


def leaves_of(forest: Forest) -> Leaves | None:
    """None where a tree has more than MOST_LEAVES: LightGBM's own code scores those."""
    leaves = np.diff(forest.leaf_start)
    if leaves.max() > MOST_LEAVES:
        return None
    return _leaves(forest, paths_of(forest), -(-int(leaves.max()) // BYTE))


def _leaves(forest: Forest, paths: Paths, many: int) -> Leaves:
    """`many`: bytes that the leaves of a tree take."""
    trees, nodes = len(forest.leaf_start) - 1, np.diff(forest.node_start)
    most, width = int(nodes.max(initial=1)), many * BYTE
    tree = np.arange(trees).repeat(np.diff(forest.leaf_start))
    place = _from_left(paths, tree) - forest.leaf_start[tree]
    value = np.zeros(trees * width)
    value[tree * width + place] = forest.leaf_value
    conditions, number = conditions_of(forest)
    asks = np.full((most, trees), len(conditions.feature) + len(conditions.coded))
    taken = np.zeros((many, most, trees), np.uint64)
    of_node = np.arange(trees).repeat(nodes)
    row = np.arange(len(of_node)) - forest.node_start[of_node]
    asks[row, of_node] = number
    for step in range(paths.node.shape[1]):
        leaf = np.flatnonzero((paths.node[:, step] >= 0) & paths.left[:, step])
        node = paths.node[leaf, step]
        bit = np.uint64(0x0101010101010101) << (place[leaf] % BYTE).astype(np.uint64)
        np.bitwise_or.at(taken, (place[leaf] // BYTE, row[node], of_node[node]), bit)
    start = np.arange(trees)[:, None] * width
    return Leaves(conditions, asks.reshape(-1), taken.reshape(many, -1), value, start)


def _from_left(paths: Paths, tree: Ints) -> Ints:
    """Place of each leaf when those of a tree are ordered from left to right, tree after tree."""
    right: Bools = (paths.node >= 0) & ~paths.left
    order = np.lexsort([*right.T[::-1], tree])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place
