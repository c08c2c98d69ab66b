"""The trees of a LightGBM model's text as flat arrays, one tree after another."""

from collections.abc import Mapping, Sequence
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
    head, _, body = text.partition("\nTree=")
    given = _fields(body[: body.index("\nend of trees")])
    if "1" in given.get("is_linear", ()):
        raise ValueError("a model with linear leaves: expected constant ones")
    leaves = _numbers(given["num_leaves"]).astype(np.int64)
    nodes = leaves - 1
    node_start, leaf_start = (np.concatenate([[0], np.cumsum(n)]) for n in (nodes, leaves))
    tree = np.repeat(np.arange(len(nodes)), nodes)
    children = [_numbers(given[f"{side}_child"]).astype(np.int64) for side in ("left", "right")]
    left, right = (np.where(c >= 0, c + node_start[tree], ~(~c + leaf_start[tree])) for c in children)
    decision, threshold = _numbers(given["decision_type"]).astype(np.int64), _numbers(given["threshold"])
    return Forest(
        feature=_numbers(given["split_feature"]).astype(np.int64),
        threshold=threshold,
        decision=decision,
        left=left,
        right=right,
        node_count=_numbers(given["internal_count"]),
        leaf_count=_numbers(given["leaf_count"], "1"),
        leaf_value=_numbers(given["leaf_value"]),
        node_start=node_start,
        leaf_start=leaf_start,
        levels=_levels(given, tree, threshold, decision),
        features=int(_fields(head)["max_feature_idx"][0]) + 1,
    )


def _fields(lines: str) -> dict[str, list[str]]:
    """What each name is given as, in the order of the trees."""
    found: dict[str, list[str]] = {}
    for line in lines.split("\n"):
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


def _numbers(values: Sequence[str], none: str = "") -> Floats:
    """All trees' numbers of a field, one after another; `none` for a tree that gives none."""
    text = " ".join(value or none for value in values)
    if not text.strip():  # NumPy reads a number out of nothing
        return np.empty(0)
    return np.fromstring(text, dtype=np.float64, sep=" ")


def _levels(given: Mapping[str, Sequence[str]], tree: Ints, threshold: Floats, decision: Ints) -> dict[int, Bools]:
    """Bit sets of the categorical nodes; the threshold of such a node is the number of its set in its tree."""
    sets: dict[int, tuple[Sequence[int], Sequence[int]]] = {}
    with_sets = [t for t, n in enumerate(given["num_cat"]) if int(n) > 0]
    bounds_of, words_of = given.get("cat_boundaries", ()), given.get("cat_threshold", ())
    for t, bounds, words in zip(with_sets, bounds_of, words_of, strict=True):
        sets[t] = ([int(b) for b in bounds.split()], [int(w) for w in words.split()])
    found = {}
    for node in np.flatnonzero(decision & CATEGORICAL).tolist():
        start, word = sets[int(tree[node])]
        which = int(threshold[node])
        mine = np.array(word[start[which] : start[which + 1]], dtype="<u4")
        found[node] = np.unpackbits(mine.view(np.uint8), bitorder="little").astype(bool)
    return found
