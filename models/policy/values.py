"""What a deal is worth: its own value, else the mean of its segment or of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from features.levels import texts

PRIOR_DEALS = 20.0
"""A segment's mean amount is shrunk to the overall mean as if by this many more deals of that mean."""
SHUFFLES = 199
CHANCE = 0.05
"""How seldom a column is taken where none tells anything of amounts."""


@dataclass(frozen=True)
class Values:
    """Mean amounts of won training deals."""

    column: str | None
    """Kernel column of the segments; None where no column tells deals apart or nothing has an amount."""
    by_segment: dict[str, float]
    overall: float | None

    def of(self, own: float | None, segment: str | None) -> tuple[float | None, str | None]:
        """A deal's value and where it is from: the lead's own, its segment's mean, or the mean of all."""
        if own is not None and own == own:
            return own, "lead"
        if self.column is not None and segment in self.by_segment:
            return self.by_segment[segment], self.column.partition("_")[2]
        return self.overall, None if self.overall is None else "overall"

    def segments(self, matrix: Matrix) -> list[str | None]:
        """The text of each row of the kernel's features in the segment column, shape (k,)."""
        place = next((j for j, c in enumerate(matrix.columns) if c.name == self.column), None)
        if self.column is None or place is None:
            return [None] * len(matrix.values)
        return texts(matrix.values[:, place], matrix.levels[self.column])

    def all_of(self, own: Sequence[float | None], segments: Sequence[str | None]) -> Floats:
        """The values of k deals, NaN where none is known."""
        found = [self.of(v, s)[0] for v, s in zip(own, segments, strict=True)]
        return np.array([np.nan if v is None else v for v in found], dtype=np.float64)


def segment_values(amounts: Floats, segments: Mapping[str, Sequence[str | None]]) -> Values:
    """Shrunk means by the column that tells deals apart beyond chance; overall where none does.

    `amounts` of won deals, shape (n,); `segments`: the deals' texts by candidate column.
    """
    if len(amounts) == 0:
        return Values(None, {}, None)
    overall = float(amounts.mean())
    names = {column: sorted({t for t in texts if t is not None}) for column, texts in segments.items()}
    codes = {column: _codes(texts, names[column]) for column, texts in segments.items()}
    best = _telling(amounts, codes)
    if best is None:
        return Values(None, {}, overall)
    total, count = _sums(amounts, codes[best])
    means = (total + PRIOR_DEALS * overall) / (count + PRIOR_DEALS)
    return Values(best, dict(zip(names[best], means.tolist(), strict=True)), overall)


def _codes(texts: Sequence[str | None], names: Sequence[str]) -> Ints:
    """Place of each text among the names, shape (n,); -1 for None."""
    place = {t: i for i, t in enumerate(names)}
    return np.array([-1 if t is None else place[t] for t in texts], dtype=np.int64)


def _telling(amounts: Floats, codes: Mapping[str, Ints]) -> str | None:
    """The column that best predicts deals left out, if it does so better than the mean of the others, and, but for
    CHANCE, better than the best of all columns predicts shuffled amounts (Westfall and Young 1993): so neither many
    columns nor columns of many texts have more luck."""
    errors = {column: _left_out_error(amounts, code) for column, code in codes.items()}
    best = min(errors, key=errors.__getitem__, default=None)
    if best is None or errors[best] >= float(np.abs(amounts - _others(amounts)).mean()):
        return None
    rng, lucky = np.random.default_rng(0), 0
    limit = errors[best] * (1 + 1e-9)  # the same deals in another order are no worse
    for _ in range(SHUFFLES):
        shuffled = rng.permutation(amounts)
        lucky += any(_left_out_error(shuffled, code) <= limit for code in codes.values())
        if lucky + 1 > CHANCE * (SHUFFLES + 1):
            return None
    return best


def _left_out_error(amounts: Floats, code: Ints) -> float:
    """Mean absolute error of each deal by the others: of its segment, shrunk, where it has one (code 0 or more)."""
    total, count = _sums(amounts, code)
    guess, own = _others(amounts), code >= 0  # the deal left out is not in the prior either
    left = total[code[own]] - amounts[own]
    guess[own] = (left + PRIOR_DEALS * guess[own]) / (count[code[own]] - 1 + PRIOR_DEALS)
    return float(np.abs(amounts - guess).mean())


def _others(amounts: Floats) -> Floats:
    """Mean of all but each; 0 where there is one alone."""
    return np.asarray((amounts.sum() - amounts) / max(len(amounts) - 1, 1), dtype=np.float64)


def _sums(amounts: Floats, code: Ints) -> tuple[Floats, Ints]:
    """Sum and number of the deals of each segment."""
    own = code >= 0
    return np.bincount(code[own], amounts[own]).astype(np.float64), np.bincount(code[own])
