"""The trees of a LightGBM model's text as flat arrays, all trees behind one another."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Floats, Ints

CATEGORICAL, DEFAULT_LEFT = 1, 2
ZERO, NAN = 1, 2
"""LightGBM's missing types, after those two bits of `decision_type`."""


@dataclass(frozen=True)
class Forest:
    """n nodes and m leaves. A child is the number of a node, or ~ the number of a leaf."""

    feature: Ints
    threshold: Floats
    decision: Ints
    left: Ints
    right: Ints
    node_count: Floats
    """Training rows that came to a node, shape (n,)."""
    leaf_count: Floats
    leaf_value: Floats
    node_start: Ints
    """Shape (trees + 1,): the nodes of tree t are `node_start[t]:node_start[t + 1]`; the first is its root."""
    leaf_start: Ints
    levels: dict[int, Bools]
    """By categorical node: which codes go left; all others, negative and missing ones go right."""
    features: int

    @property
    def default_left(self) -> Bools:
        """Where a missing value goes, shape (n,)."""
        return (self.decision & DEFAULT_LEFT) > 0

    @property
    def missing(self) -> Ints:
        """Missing type of each node: 0, ZERO or NAN."""
        return (self.decision >> 2) & 3


def forest_of(text: str) -> Forest:
    """Parse a model's text. Raises ValueError for trees with linear leaves, which are not made here."""
    if re.search(r"^is_linear=1", text, re.MULTILINE):
        raise ValueError("a model with linear leaves: expected constant ones")
    body = text[text.index("\nTree=") : text.index("\nend of trees")]
    leaves = _numbers(body, "num_leaves").astype(np.int64)
    nodes = leaves - 1
    node_start, leaf_start = (np.concatenate([[0], np.cumsum(n)]) for n in (nodes, leaves))
    tree = np.repeat(np.arange(len(nodes)), nodes)
    children = [_numbers(body, f"{side}_child").astype(np.int64) for side in ("left", "right")]
    left, right = (np.where(c >= 0, c + node_start[tree], ~(~c + leaf_start[tree])) for c in children)
    decision, threshold = _numbers(body, "decision_type").astype(np.int64), _numbers(body, "threshold")
    return Forest(
        feature=_numbers(body, "split_feature").astype(np.int64),
        threshold=threshold,
        decision=decision,
        left=left,
        right=right,
        node_count=_numbers(body, "internal_count"),
        leaf_count=_numbers(body, "leaf_count", "1"),
        leaf_value=_numbers(body, "leaf_value"),
        node_start=node_start,
        leaf_start=leaf_start,
        levels=_levels(body, tree, threshold, decision),
        features=int(re.search(r"^max_feature_idx=(\d+)$", text, re.MULTILINE)[1]) + 1,  # type: ignore[index]
    )


def _lines(body: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", body, re.MULTILINE)


def _numbers(body: str, name: str, none: str = "") -> Floats:
    """All trees' numbers of a field, one after another; `none` for a tree that gives none."""
    return np.array(" ".join(line or none for line in _lines(body, name)).split(), dtype=np.float64)


def _levels(body: str, tree: Ints, threshold: Floats, decision: Ints) -> dict[int, Bools]:
    """Bit sets of the categorical nodes; the threshold of such a node is the number of its set in its tree."""
    sets: dict[int, tuple[Sequence[int], Sequence[int]]] = {}
    numbers = [int(n) for n in _lines(body, "num_cat")]
    with_sets = [t for t, n in enumerate(numbers) if n > 0]
    for t, bounds, words in zip(with_sets, _lines(body, "cat_boundaries"), _lines(body, "cat_threshold"), strict=True):
        sets[t] = ([int(b) for b in bounds.split()], [int(w) for w in words.split()])
    found = {}
    for node in np.flatnonzero(decision & CATEGORICAL).tolist():
        start, word = sets[int(tree[node])]
        which = int(threshold[node])
        mine = np.array(word[start[which] : start[which + 1]], dtype="<u4")
        found[node] = np.unpackbits(mine.view(np.uint8), bitorder="little").astype(bool)
    return found
