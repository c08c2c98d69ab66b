"""Leads or accounts that share a value and convert far more often, or less, than the others: who only wins, or only
loses, got it when that was known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from models.folds import random_folds
from models.judging.bins import bins, quantile_edges
from models.judging.rates import smoothed, wilson
from models.leaks.screening import LEAST, PARTS, elsewhere

OF_ACCOUNTS = ("account", "lead")
"""Blocks whose values may be the account's."""
FINE = 2 * LEAST
"""Rows of a range of numbers that is looked at on its own: what marks customers may be far up, or between others."""
SOME = "some"
"""Of levels, or ranges of numbers, that few leads each have."""
SURE_Z = 2.576
"""Two-sided 99 %: the lower end of what a group of leads converts."""


@dataclass(frozen=True)
class Pure:
    """Leads, or accounts, that share a value, or that something is there, and convert more often than the others."""

    column: int
    level: str | None
    """The shared text or number, or SOME; None where it is that something is known, true or happened."""
    rows: int
    converting: int
    low: float
    """Lower end of their rate (Wilson 1927)."""
    odds: float
    """Odds of that over the odds of the others."""
    each: Literal["lead", "account"] = "lead"
    """What a row is."""

    @property
    def most(self) -> bool:
        """Whether most of them surely convert."""
        return self.low > 0.5

    @property
    def telling(self) -> tuple[bool, float]:
        """What one group counts more than another by: all who have anything at all have the greatest odds where no
        winner is without, and hide those of them who have what only winners have."""
        return self.most, self.odds


def purest(matrix: Matrix, y: Floats, group: Ints) -> list[Pure]:
    """Of each column that has one the most telling group, if LEAST of it convert. Rows as in `strengths`.

    An area under the curve does not see a field that is filled in for a third of the winners and for nobody else.
    """
    return _purest(matrix, y, random_folds(group, 0, PARTS), range(len(matrix.columns)))


def _purest(matrix: Matrix, y: Floats, fold: Ints, columns: Iterable[int]) -> list[Pure]:
    found = []
    for j in columns:
        groups = [_pure(j, level, n, won, y) for level, n, won in (*_groups(matrix, j, y), *_some(matrix, j, y, fold))]
        some = [one for one in groups if one is not None]
        found += [max(some, key=lambda one: one.telling)] if some else []
    return found


def purest_of_accounts(matrix: Matrix, y: Floats, group: Ints) -> list[Pure]:
    """As `purest`, of what all leads of an account share, a row an account; y, alike for all rows of one, is 1 for
    customers.

    Of an account that became a customer most leads may never convert, so its leads alone do not show that a column was
    filled in when it did. A flat file has such columns among those of the leads.
    """
    first, place = np.unique(group, return_index=True, return_inverse=True)[1:]
    values = matrix.values
    theirs = values[first][place]
    shared = ((values == theirs) | (np.isnan(values) & np.isnan(theirs))).all(axis=0)
    own = [j for j, column in enumerate(matrix.columns) if column.block in OF_ACCOUNTS and shared[j]]
    rows = replace(matrix, values=values[first])
    found = _purest(rows, y[first], random_folds(np.arange(len(first)), 0, PARTS), own)
    return [replace(one, each="account") for one in found]


def barren(matrix: Matrix, y: Floats) -> list[Pure]:
    """Of each column that has one the rows, half of all at most, for which something is known, true or happened, by how
    much less often they convert than the others: `low` and `odds` are of not converting.

    Why a lead was lost is written down for many of the lost: too few for an area, and no group of winners.
    """
    found = []
    for j in range(len(matrix.columns)):
        groups = [(n, lost) for level, n, lost in _groups(matrix, j, 1 - y) if level is None and 2 * n <= len(y)]
        some = [(one, n) for n, lost in groups if (one := _pure(j, None, n, lost, 1 - y)) is not None]
        found += [replace(one, converting=int(n) - one.converting) for one, n in some]
    return found


def _groups(matrix: Matrix, j: int, y: Floats) -> Iterator[tuple[str | None, float, float]]:
    """Rows and converting rows of each group that a column makes."""
    column, x = matrix.columns[j], matrix.values[:, j]
    counted, known = column.measure in ("count", "topic", "value"), ~np.isnan(x)
    own = x > 0 if counted else known
    yield None, float(own.sum()), float(y[own].sum())
    if column.categorical:
        texts, code = matrix.levels.get(column.name, ()), x[known].astype(np.int64)
        many, won = (np.bincount(code, w, minlength=len(texts)) for w in (None, y[known]))
        yield from zip(texts, many.tolist(), won.tolist(), strict=False)
    elif column.measure == "boolean":
        yield None, float((x == 1).sum()), float(y[x == 1].sum())
    elif column.measure == "numeric" and known.any():
        yield from _of_numbers(x[known], y[known])


def _of_numbers(x: Floats, y: Floats) -> Iterator[tuple[str, float, float]]:
    """Rows with another number than the usual one, as a sum that is 0 until it is paid; and those of each number that
    LEAST converting rows share."""
    numbers, code = np.unique(x, return_inverse=True)
    many, won = (np.bincount(code, w) for w in (None, y))
    usual = int(many.argmax())
    yield f"not {numbers[usual]:g}", float(len(x) - many[usual]), float(y.sum() - won[usual])
    for k in np.flatnonzero(won >= LEAST).tolist():
        yield f"{numbers[k]:g}", float(many[k]), float(won[k])


def _some(matrix: Matrix, j: int, y: Floats, fold: Ints) -> Iterator[tuple[str, float, float]]:
    """Rows of the levels, or FINE ranges of a number, of which most convert in the other folds, however few each: the
    most telling first, as long as more than half of them convert, and half of all rows at most: of many columns some
    leaves a few by chance of whom nobody converts."""
    x = matrix.values[:, j]
    known = int((~np.isnan(x)).sum())
    if matrix.columns[j].categorical:
        code = np.where(np.isnan(x), -1, x).astype(np.int64)
    else:
        code = bins(x, quantile_edges(x, max(known // FINE, 2)))
    score = elsewhere(code, y, fold)
    order = np.argsort(-score, kind="stable")
    won, n = np.cumsum(y[order]), np.arange(1, len(y) + 1)
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    for k in ends[(2 * won[ends] > n[ends]) & (2 * n[ends] <= len(y))].tolist():
        yield SOME, float(n[k]), float(won[k])


def _pure(j: int, level: str | None, n: float, won: float, y: Floats) -> Pure | None:
    others, lost = len(y) - n, float(y.sum()) - won
    if won < LEAST or others < LEAST:
        return None
    low, _ = wilson(won / n, n, SURE_Z)
    rest = smoothed(lost, int(others))
    return Pure(j, level, int(n), int(won), low, low / (1 - low) / (rest / (1 - rest)))
