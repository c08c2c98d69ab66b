"""Exact Shapley values of shallow trees (path-dependent, Lundberg 2018) by looking them up.

What a leaf adds to a feature depends on nothing but the answers to the questions on its path. A tree is cut
into groups of leaves that few questions decide; what a group adds to each of its features is computed once
for every pattern of answers. For a row the patterns are found and their entries added up.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.trees.conditions import ROWS, Conditions, conditions_of, words
from models.trees.forest import Forest
from models.trees.paths import Paths, paths_of

QUESTIONS = 6
"""At most this many decide a group. More make fewer groups, larger tables and a slower start."""
BYTE = 8
"""The answers of a group are packed into one byte."""
MOST_BYTES = 48 << 20
TREES = 64
"""Trees whose tables are computed together: bounds memory."""


@dataclass(frozen=True)
class Tables:
    """What is looked up: g groups of leaves, w features at most in each."""

    conditions: Conditions
    asks: Ints
    """Shape (BYTE * g,): the first question of each group, by its number among the conditions, then each second, …"""
    first: Ints
    """Shape (g,): row of `added` for a pattern of no answer."""
    columns: Ints
    """Shape (g * w,): features of a group, by their number; `features` for none."""
    added: Floats
    """Shape (patterns of all groups, w), log odds."""
    base: float
    features: int

    def contributions(self, X: Floats) -> Floats:
        """Shapley values, shape (k, features + 1); the last is the base. A row has the same bits in any batch."""
        found = [self._some(some) for some in words(X)]
        out = np.concatenate(found)[: len(X)] if found else np.empty((0, self.features + 1))
        out[:, -1] = self.base
        return out

    @cached_property
    def _cells(self) -> Ints:
        """Where ROWS rows of contributions have what is looked up, shape (g * ROWS * w,)."""
        columns = self.columns.reshape(len(self.first), 1, -1)
        return (columns + (self.features + 1) * np.arange(ROWS)[:, None]).reshape(-1)

    def _some(self, X: Floats) -> Floats:
        """Of one row or ROWS of them."""
        rows, groups, width = len(X), len(self.first), self.features + 1
        answers = self.conditions.answers(X).view(f"u{rows}").reshape(-1).take(self.asks).reshape(BYTE, groups)
        pattern = np.bitwise_or.reduce(answers << np.arange(BYTE, dtype=answers.dtype)[:, None], axis=0)
        place = pattern.view(np.uint8).reshape(groups, rows) + self.first[:, None]
        cell = self.columns if rows == 1 else self._cells
        sums = np.bincount(cell, self.added.take(place, axis=0).reshape(-1), minlength=rows * width)
        return np.asarray(sums.reshape(rows, width), dtype=np.float64)


def tables_of(forest: Forest) -> Tables | None:
    """Tables of a forest; None where they would take more than MOST_BYTES, trees too deep or too many, or
    where no tree asks anything."""
    if not len(forest.feature) or (forest.leaf_count <= 0).any():
        return None  # nothing is asked, or no training row says what a leaf weighs; LightGBM's own code decides
    paths = paths_of(forest)
    for questions in range(QUESTIONS, 0, -1):
        groups = _groups(forest, paths, questions)
        if groups is not None and groups.size(forest) <= MOST_BYTES:
            return _tables(forest, paths, groups)
    return None


@dataclass(frozen=True)
class Groups:
    """Which leaves are decided together."""

    of_leaf: Ints
    """Group of each leaf."""
    questions: Ints
    """Shape (g, BYTE): nodes that are asked, -1 for none."""
    place: Ints
    """Shape (leaves, steps): the place of each step's node among the questions of the leaf's group."""

    @property
    def asked(self) -> Ints:
        """How many questions each group has, shape (g,)."""
        return np.asarray((self.questions >= 0).sum(axis=1), dtype=np.int64)

    def columns(self, forest: Forest) -> Ints:
        """Different features of each group, shape (g, w), ascending; `forest.features` for none."""
        none = forest.features
        found = np.sort(np.where(self.questions >= 0, forest.feature[self.questions], none), axis=1)
        found[:, 1:][found[:, 1:] == found[:, :-1]] = none
        found = np.sort(found, axis=1)
        return np.asarray(found[:, : int((found < none).sum(axis=1).max(initial=1))], dtype=np.int64)

    def size(self, forest: Forest) -> int:
        """Bytes of the tables."""
        return int((1 << self.asked).sum() * self.columns(forest).shape[1] * 8)


def _groups(forest: Forest, paths: Paths, most: int) -> Groups | None:
    """The largest subtrees that `most` questions decide: those on the way to them and their own. None where
    a leaf alone has more on its way."""
    if paths.depth.max(initial=0) > most:
        return None
    m, steps = paths.node.shape
    nodes = len(forest.feature)
    on = paths.node >= 0
    level = np.zeros(nodes, np.int64)
    level[paths.node[on]] = np.broadcast_to(np.arange(steps), (m, steps))[on]
    leaves = np.bincount(paths.node[on], minlength=nodes)  # a subtree has one node less than leaves
    fits = level + leaves - 1 <= most
    inside = on & fits[paths.node]
    top = np.where(inside.any(axis=1), inside.argmax(axis=1), paths.depth)
    root = np.where(top < paths.depth, np.take_along_axis(paths.node, np.minimum(top, steps - 1)[:, None], 1)[:, 0],
                    nodes + np.arange(m))  # fmt: skip
    roots, of_leaf = np.unique(root, return_inverse=True)
    return _asked(paths, of_leaf.reshape(-1), len(roots), on)


def _asked(paths: Paths, of_leaf: Ints, groups: int, on: Array) -> Groups:
    """Number the different nodes of each group, by their own numbers."""
    group = np.broadcast_to(of_leaf[:, None], paths.node.shape)
    pairs = np.stack([group[on], paths.node[on]], axis=1)
    different, which = np.unique(pairs, axis=0, return_inverse=True)
    start = np.searchsorted(different[:, 0], np.arange(groups))
    rank = np.arange(len(different)) - start[different[:, 0]]
    questions = np.full((groups, BYTE), -1)
    questions[different[:, 0], rank] = different[:, 1]
    place = np.zeros(paths.node.shape, np.int64)
    place[on] = rank[which.reshape(-1)]
    return Groups(of_leaf, questions, place)


def _tables(forest: Forest, paths: Paths, groups: Groups) -> Tables:
    conditions, number = conditions_of(forest)
    false = len(conditions.feature) + len(conditions.coded)
    columns = groups.columns(forest)
    patterns = 1 << groups.asked
    first = np.cumsum(patterns) - patterns
    added = np.zeros((int(patterns.sum()), columns.shape[1]))
    for a in range(0, len(forest.leaf_start) - 1, TREES):
        b = min(a + TREES, len(forest.leaf_start) - 1)
        leaves = slice(int(forest.leaf_start[a]), int(forest.leaf_start[b]))
        _add(forest, paths, groups, columns, first, leaves, added)
    asks = np.where(groups.questions >= 0, np.append(number, false)[groups.questions], false)
    return Tables(conditions, asks.T.reshape(-1), first, columns.reshape(-1), added, _base(forest), forest.features)


def _base(forest: Forest) -> float:
    """The mean of the trees over their training rows: what is expected of a row of which nothing is known."""
    total = np.add.reduceat(forest.leaf_count, forest.leaf_start[:-1])
    tree = np.repeat(np.arange(len(total)), np.diff(forest.leaf_start))
    return float((forest.leaf_count / total[tree] * forest.leaf_value).sum())


def _add(
    forest: Forest, paths: Paths, groups: Groups, columns: Ints, first: Ints, leaves: slice, added: Floats
) -> None:
    """Add what some leaves contribute, by pattern and feature, to the tables of their groups."""
    group, node = groups.of_leaf[leaves], paths.node[leaves]
    asked = groups.asked[group]
    pattern = np.arange(1 << int(asked.max(initial=0)))
    answer = (pattern >> groups.place[leaves].T[:, :, None]) & 1
    holds = (answer == paths.left[leaves].T[:, :, None]) | (node < 0).T[:, :, None]
    feature = np.where(node >= 0, forest.feature[node], -1 - np.arange(node.shape[1]))
    share = paths.share[leaves].T.copy()
    _join(feature, holds, share)
    values = shapley(holds, share, forest.leaf_value[leaves])
    real = pattern < (1 << asked)[:, None]
    row = (first[group][:, None] + pattern)[real]
    for step in range(node.shape[1]):
        column = (columns[group] < feature[:, step, None]).sum(axis=1)  # place among the group's features
        cell = row * columns.shape[1] + np.minimum(column, columns.shape[1] - 1).repeat(1 << asked)
        np.add.at(added.reshape(-1), cell, values[step][real])


def _join(feature: Ints, holds: Bools, share: Floats) -> None:
    """Make the steps that ask of one feature one player, at its first step; the others then hold and weigh nothing.

    `feature` (m, steps); holds (steps, m, patterns) and share (steps, m) are changed in place.
    """
    player = (feature[:, :, None] == feature[:, None, :]).argmax(axis=2)
    for step in range(1, feature.shape[1]):
        rows = np.flatnonzero(player[:, step] < step)
        of = player[rows, step]
        holds[of, rows] &= holds[step, rows]
        share[of, rows] *= share[step, rows]
        holds[step, rows], share[step, rows] = True, 1.0


def shapley(holds: Bools, share: Floats, value: Floats) -> Floats:
    """Shapley values of m games "value × Π over players of (1 if in and holds, 0 if in and not, share if out)".

    `holds` (players, m, patterns), share (players, m) in (0, 1], value (m,); returns (players, m, patterns). A player
    whose share is 1 and who holds gets 0 and changes nothing. The weight of a coalition of k of the n - 1 others is
    ∫ s^k (1 - s)^(n - 1 - k) ds, so the sum over coalitions is the integral of a product: exact by Gauss-Legendre
    quadrature with ceil(n / 2) nodes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(max(1, -(-len(share) // 2)))
    held, share = holds.astype(np.float64), share[:, :, None]
    total = np.zeros(holds.shape)
    for s, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        factor = held * s + (1 - s) * share
        total += weight * factor.prod(axis=0) / factor
    return np.asarray(total * (held - share) * value[:, None])
