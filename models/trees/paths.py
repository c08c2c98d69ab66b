"""The way from the root of its tree to each leaf."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Floats, Ints
from models.trees.forest import Forest


@dataclass(frozen=True)
class Paths:
    """The way to each of m leaves, from the root down, padded to the longest; shapes (m, steps)."""

    node: Ints
    """-1 beyond the end."""
    left: Bools
    """Whether the step goes to the left."""
    share: Floats
    """Training rows that took the step, of those that came to it; 1 beyond the end."""
    depth: Ints
    """Steps of each way, shape (m,)."""


def paths_of(forest: Forest) -> Paths:
    """All ways, found from the leaves up, every tree at once. Raises ValueError where one leads in a circle."""
    parent, at = _parents(forest)
    child = ~np.arange(len(at))
    ups: list[tuple[Ints, Ints]] = []
    while (at >= 0).any():
        if len(ups) > int(np.diff(forest.node_start).max()):
            raise ValueError("a tree whose nodes lead in a circle")
        ups.append((at, child))
        child, at = np.where(at >= 0, at, child), np.where(at >= 0, parent[at], -1)
    depth = np.zeros(len(at), np.int64)
    for node, _ in ups:
        depth += node >= 0
    shape = len(depth), max(1, len(ups))
    paths = Paths(np.full(shape, -1), np.zeros(shape, bool), np.ones(shape), depth)
    for up, (node, below) in enumerate(ups):
        rows = np.flatnonzero(node >= 0)
        step, here, next_ = depth[rows] - 1 - up, node[rows], below[rows]
        paths.node[rows, step] = here
        paths.left[rows, step] = forest.left[here] == next_
        paths.share[rows, step] = _count(forest, next_) / forest.node_count[here]
    return paths


def _parents(forest: Forest) -> tuple[Ints, Ints]:
    """Parent of each node and of each leaf; -1 for a root."""
    node, leaf = np.full(len(forest.feature), -1), np.full(len(forest.leaf_value), -1)
    every = np.arange(len(node))
    for child in (forest.left, forest.right):
        node[child[child >= 0]] = every[child >= 0]
        leaf[~child[child < 0]] = every[child < 0]
    return node, leaf


def _count(forest: Forest, child: Ints) -> Floats:
    """Training rows of nodes, and of leaves where the number is ~ that of a leaf."""
    found = np.empty(len(child))
    found[child >= 0] = forest.node_count[child[child >= 0]]
    found[child < 0] = forest.leaf_count[~child[child < 0]]
    return found
