"""Kernel features to what the booster is given: few-valued texts as codes, many-valued ones as log odds.

Trees that may sort hundreds of levels into two heaps find heaps that suit the rows they learn from and nothing else;
and given both the code and the log odds of the other folds, they read the labels of a row's own fold from the
difference. Six columns of that kind that meant nothing took a third of what a model knew (docs/modelling.md). So a
column is one of the two, and its log odds, against those of the mean, are drawn to it as far as its levels differ by
chance alone. A column that tells nothing is 0 in every fold and when serving: no fold can be told by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix
from features.levels import lookup

LEAST_OF_LEVEL = 20
"""A level that fewer leads of train have is rare: all rare and unseen ones share one code."""
MANY = 40
"""Columns of more levels than this are log odds to the booster instead of codes."""
LEAST_PRIOR = 1.0
"""Leads of the mean rate that every level is given at least: none has a rate of 0 or 1."""


@dataclass(frozen=True)
class Level:
    """What train knew of a categorical column."""

    vocabulary: tuple[str, ...]
    target: tuple[float, ...] | None
    """Log odds of conversion of each level less those of the mean, shrunk to 0; the last is of rare ones. None: few
    levels, coded."""


@dataclass(frozen=True)
class Encoding:
    """The booster's features: the kernel's columns in their order."""

    columns: tuple[str, ...]
    levels: dict[str, Level]

    @cached_property
    def texts(self) -> list[int]:
        """Places of the columns that hold texts."""
        return [j for j, name in enumerate(self.columns) if name in self.levels]

    @cached_property
    def targets(self) -> list[int]:
        """Places of those that are log odds to the booster."""
        return [j for j in self.texts if self.levels[self.columns[j]].target is not None]

    @cached_property
    def categorical(self) -> list[int]:
        """Places of those that are codes to the booster."""
        return [j for j in self.texts if j not in self.targets]

    @cached_property
    def codes(self) -> dict[str, dict[str, int]]:
        """Code of each level by column."""
        return {name: {text: i for i, text in enumerate(v.vocabulary)} for name, v in self.levels.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain types."""
        levels = {n: {"vocabulary": list(v.vocabulary), "target": v.target} for n, v in self.levels.items()}
        return {"columns": list(self.columns), "levels": levels}

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Encoding":
        """The inverse of `to_json`."""
        levels = {
            n: Level(tuple(v["vocabulary"]), tuple(v["target"]) if v["target"] else None)
            for n, v in stored["levels"].items()
        }
        return Encoding(tuple(stored["columns"]), levels)


def fit_encoding(matrix: Matrix, y: Floats, lead: Ints, group: Ints) -> Encoding:
    """Vocabularies and log odds of train: y in [0, 1], shape (k,); `lead` numbers the leads, `group` their accounts."""
    encoding, weight = fit_codes(matrix, lead), once_each(lead)
    levels, X = dict(encoding.levels), coded(encoding, matrix)
    for j in encoding.texts:
        name = encoding.columns[j]
        if len(levels[name].vocabulary) > MANY:
            code = X[:, j]
            known = ~np.isnan(code)
            target = _log_odds(_codes(code[known]), y[known], weight[known], group[known], _size(levels[name]))
            levels[name] = replace(levels[name], target=tuple(target.tolist()))
    return replace(encoding, levels=levels)


def fit_codes(matrix: Matrix, lead: Ints) -> Encoding:
    """Vocabularies alone, `lead` (k,) numbering the leads: every text a code, whatever the number of its levels."""
    weight = once_each(lead)
    levels = {
        column.name: Level(_vocabulary(matrix.values[:, j], matrix.levels.get(column.name, []), weight), None)
        for j, column in enumerate(matrix.columns)
        if column.categorical
    }
    return Encoding(tuple(c.name for c in matrix.columns), levels)


def _size(level: Level) -> int:
    """How many codes there are: the vocabulary's, and one for what is rare or unseen."""
    return len(level.vocabulary) + 1


def once_each(owner: Ints) -> Floats:
    """1 over the number of rows of the row's owner, shape (k,): a lead, or an account, counts once."""
    _, inverse, count = np.unique(owner, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[inverse], dtype=np.float64)


def _vocabulary(values: Floats, texts: Sequence[str], weight: Floats) -> tuple[str, ...]:
    """Texts of LEAST_OF_LEVEL leads and more, the most frequent first."""
    known = ~np.isnan(values)
    leads = np.round(np.bincount(_codes(values[known]), weight[known], minlength=len(texts)), 6)  # three thirds are one
    common = [i for i in range(len(texts)) if leads[i] >= LEAST_OF_LEVEL and texts[i] != "(other)"]
    return tuple(texts[i] for i in sorted(common, key=lambda i: (-leads[i], texts[i])))


def _codes(values: Floats) -> Ints:
    return values.astype(np.int64)


def _log_odds(code: Ints, y: Floats, weight: Floats, group: Ints, levels: int) -> Floats:
    """Log odds of each level less those of the mean, drawn to it by as many leads as the levels' own differences ask
    for, shape (levels,). Rows (k,) have weights that make a lead one."""
    total, won = (np.bincount(code, w, minlength=levels).astype(np.float64) for w in (weight, weight * y))
    mean = float(np.clip(won.sum() / max(total.sum(), 1e-9), 1e-6, 1 - 1e-6))
    own = np.where(total > 0, won / np.maximum(total, 1e-9), mean)
    _, cell = np.unique(code + levels * np.unique(group, return_inverse=True)[1], return_inverse=True)
    prior = _prior(total, own, mean, np.bincount(cell, weight * (y - own[code])).astype(np.float64))
    if np.isinf(prior):
        return np.zeros(levels)
    rate = (won + prior * mean) / (total + prior)
    return np.asarray(np.log(rate / (1 - rate)) - np.log(mean / (1 - mean)), dtype=np.float64)


def _prior(total: Floats, own: Floats, mean: float, residual: Floats) -> float:
    """How many leads of the mean rate each level is given besides its own: the variance within levels over that between
    them, by moments (DerSimonian and Laird 1986); inf where levels differ no more than chance lets them.

    `total` leads and `own` rates by level, shape (levels,). Leads of one account come and go together, so chance is
    counted in cells: `residual` is the sum of y less its level's rate over each account's leads of one level.
    """
    leads, levels, cells = total.sum(), int((total > 0).sum()), len(residual)
    spread = leads - (total**2).sum() / max(leads, 1e-9)
    if cells <= levels or spread <= 0:
        return np.inf
    variance = (residual**2).sum() / leads * cells / (cells - levels)
    between = ((total * (own - mean) ** 2).sum() - variance * (levels - 1)) / spread
    return float(max(variance / between, LEAST_PRIOR)) if between > 0 else np.inf


def encode(encoding: Encoding, matrix: Matrix) -> Floats:
    """The booster's input, shape (k, columns). Unseen and rare levels are one level; missing is NaN."""
    X = coded(encoding, matrix)
    for j in encoding.targets:
        X[:, j] = lookup(np.array([*(encoding.levels[encoding.columns[j]].target or ()), np.nan]), X[:, j])
    return X


def coded(encoding: Encoding, matrix: Matrix) -> Floats:
    """The kernel's features with texts as codes of the vocabulary, shape (k, columns): its length for unseen and rare
    levels, NaN for missing ones."""
    X = matrix.values.copy()
    table, begin = list[float](), list[int]()  # one for all columns, one after another
    for j in encoding.texts:
        codes = encoding.codes[encoding.columns[j]]
        begin.append(len(table))
        table += [codes.get(text, len(codes)) for text in matrix.levels.get(encoding.columns[j], [])]
    X[:, encoding.texts] = lookup(np.array([*table, np.nan]), X[:, encoding.texts] + begin)
    return X


def out_of_fold(
    encoding: Encoding, matrix: Matrix, y: Floats, lead: Ints, group: Ints, fold: Ints, learn: Bools
) -> Floats:
    """As `encode`, with log odds that each row's own fold had no part in, nor rows where `learn` is False; shapes (k,).
    A level of which the other folds know nothing is 0, as the mean is."""
    X, weight = coded(encoding, matrix), np.zeros(len(y))
    weight[learn] = once_each(lead[learn])
    for j in encoding.targets:
        code, size = X[:, j].copy(), _size(encoding.levels[encoding.columns[j]])
        for k in np.unique(fold):
            others = learn & (fold != k) & ~np.isnan(code)
            table = _log_odds(_codes(code[others]), y[others], weight[others], group[others], size)
            X[fold == k, j] = lookup(np.append(table, np.nan), code[fold == k])
    return X
