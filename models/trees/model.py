"""A model's trees: a text of LightGBM's own format, and what is made of it to score rows and to explain scores."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from features.arrays import Floats
from models.trees.booster import contributions, load_booster, raw_scores
from models.trees.forest import Forest, forest_of
from models.trees.leaves import Leaves, leaves_of
from models.trees.shapley import Tables, tables_of

if TYPE_CHECKING:
    import lightgbm


@dataclass(frozen=True)
class Trees:
    """Check digests first: LightGBM ends the process on a damaged text."""

    text: str
    threads: int = 1
    """LightGBM's, where it is asked; what is looked up takes one, which is faster than two of LightGBM's."""

    @property
    def columns(self) -> int | None:
        """How many columns it scores, as its text says; None where it does not say."""
        found = re.search(r"^max_feature_idx=(\d{1,9})$", self.text, re.MULTILINE)
        return None if found is None else int(found[1]) + 1

    @cached_property
    def booster(self) -> "lightgbm.Booster":
        """LightGBM's own, which is asked only where trees are too large for `leaves` or `tables`."""
        return load_booster(self.text)

    @cached_property
    def _forest(self) -> Forest:
        return forest_of(self.text)

    @cached_property
    def leaves(self) -> Leaves | None:
        """What scores: LightGBM's bits in a fifth of its time. None for trees of many leaves."""
        return leaves_of(self._forest)

    @cached_property
    def tables(self) -> Tables | None:
        """Where exact reasons are looked up; made when first asked for, which takes about 0.4 s. None for trees too
        deep for tables: LightGBM's own code, eight times slower, explains those."""
        return tables_of(self._forest)

    def scores(self, X: Floats) -> Floats:
        """Log odds before calibration, shape (k,). A row has the same bits in any batch."""
        return self.leaves.scores(X) if self.leaves else raw_scores(self.booster, X, self.threads)

    def contributions(self, X: Floats) -> Floats:
        """Exact Shapley values in log odds, shape (k, features + 1); the last is the base."""
        return self.tables.contributions(X) if self.tables else contributions(self.booster, X, self.threads)
