"""Kernel features to what the booster is given: few-valued texts as codes, many-valued ones as log odds.

Trees that may sort hundreds of levels into two heaps find heaps that suit the rows they learn from and nothing else;
and given both the code and the log odds of the other folds, they read the labels of a row's own fold from the
difference. Six columns of that kind that meant nothing took a third of what a model knew (docs/modelling.md). So a
column is one of the two, and its log odds are drawn to the mean as far as its levels differ by chance alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix

LEAST_LEADS = 20
"""A level that fewer leads of train have is rare: all rare and unseen ones share one code."""
MANY = 40
"""Columns of more levels than this are log odds to the booster instead of codes."""
LEAST_PRIOR = 1.0
"""Accounts of the mean rate that every level is given at least: none has a rate of 0 or 1."""


@dataclass(frozen=True)
class Level:
    """What train knew of a categorical column."""

    vocabulary: tuple[str, ...]
    target: tuple[float, ...] | None
    """Log odds of conversion of each level, shrunk to the mean; the last is of rare ones. None: few levels, coded."""


@dataclass(frozen=True)
class Encoding:
    """The booster's features: the kernel's columns in their order."""

    columns: tuple[str, ...]
    levels: dict[str, Level]

    @cached_property
    def categorical(self) -> list[int]:
        """Places of the columns that are codes to the booster."""
        return [j for j, name in enumerate(self.columns) if name in self.levels and not self.levels[name].target]

    @cached_property
    def targets(self) -> list[int]:
        """Places of the columns that are log odds to the booster."""
        return [j for j, name in enumerate(self.columns) if name in self.levels and self.levels[name].target]

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
    weight, share = once_each(lead), once_each(group)
    levels = {}
    for j, column in enumerate(matrix.columns):
        if column.categorical:
            texts = matrix.levels.get(column.name, [])
            levels[column.name] = _fit_level(matrix.values[:, j], texts, y, weight, share)
    return Encoding(tuple(c.name for c in matrix.columns), levels)


def once_each(owner: Ints) -> Floats:
    """1 over the number of rows of the row's owner: a lead, or an account, counts once."""
    _, inverse, count = np.unique(owner, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[inverse], dtype=np.float64)


def _fit_level(values: Floats, texts: Sequence[str], y: Floats, weight: Floats, share: Floats) -> Level:
    known = ~np.isnan(values)
    code = values[known].astype(np.int64)
    leads = np.round(np.bincount(code, weight[known], minlength=len(texts)), 6)  # three thirds are a lead
    common = [i for i in range(len(texts)) if leads[i] >= LEAST_LEADS and texts[i] != "(other)"]
    common.sort(key=lambda i: (-leads[i], texts[i]))
    vocabulary = tuple(texts[i] for i in common)
    recoded = np.full(len(texts) + 1, len(common))
    recoded[common] = np.arange(len(common))
    target = None
    if len(common) > MANY:
        target = tuple(_log_odds(recoded[code], y[known], share[known], len(common) + 1).tolist())
    return Level(vocabulary, target)


def _log_odds(code: Ints, y: Floats, share: Floats, levels: int) -> Floats:
    """Log odds of each level, drawn to the mean by as many accounts as the levels' own differences ask for."""
    total, won = (np.bincount(code, w, minlength=levels).astype(np.float64) for w in (share, share * y))
    mean = np.clip(won.sum() / max(total.sum(), 1e-9), 1e-6, 1 - 1e-6)
    own = np.where(total > 0, won / np.maximum(total, 1e-9), mean)
    prior = _prior(total, own, mean, float((share * (y - own[code]) ** 2).sum()))
    rate = mean if np.isinf(prior) else (won + prior * mean) / (total + prior)
    return np.full(levels, np.log(rate / (1 - rate)), dtype=np.float64)


def _prior(total: Floats, own: Floats, mean: float, within: float) -> float:
    """How many accounts of the mean rate each level is given besides its own: the variance within levels over that
    between them, by moments (DerSimonian and Laird 1986); inf where levels differ no more than chance lets them.

    `total` accounts and `own` rates by level, shape (levels,); `within` is the sum of squares within levels. Leads of
    one account come and go together, so accounts are what chance is counted in.
    """
    accounts, levels = total.sum(), int((total > 0).sum())
    spread = accounts - (total**2).sum() / max(accounts, 1e-9)
    if accounts <= levels or spread <= 0:
        return np.inf
    variance = within / (accounts - levels)
    between = ((total * (own - mean) ** 2).sum() - variance * (levels - 1)) / spread
    return float(max(variance / between, LEAST_PRIOR)) if between > 0 else np.inf


def encode(encoding: Encoding, matrix: Matrix) -> Floats:
    """The booster's input, shape (k, columns). Unseen and rare levels are one level; missing is NaN."""
    X = coded(encoding, matrix)
    for j in encoding.targets:
        X[:, j] = _lookup(np.array([*(encoding.levels[encoding.columns[j]].target or ()), np.nan]), X[:, j])
    return X


def coded(encoding: Encoding, matrix: Matrix) -> Floats:
    """The kernel's features with texts as codes of the vocabulary, shape (k, columns): its length for unseen and rare
    levels, NaN for missing ones."""
    X = matrix.values.copy()
    for j, name in enumerate(encoding.columns):
        if name in encoding.levels:
            X[:, j] = _recode(encoding.codes[name], matrix.levels.get(name, []), X[:, j])
    return X


def _recode(codes: Mapping[str, int], texts: Sequence[str], values: Floats) -> Floats:
    table = np.array([float(codes.get(text, len(codes))) for text in texts] + [np.nan])
    return _lookup(table, values)


def _lookup(table: Floats, values: Floats) -> Floats:
    """Entries of a table by codes; its last entry, NaN, is of missing ones."""
    return table[np.where(np.isnan(values), len(table) - 1, values).astype(np.int64)]


def out_of_fold(encoding: Encoding, matrix: Matrix, y: Floats, group: Ints, fold: Ints, learn: Bools) -> Floats:
    """As `encode`, with log odds that each row's own fold had no part in, nor rows where `learn` is False."""
    X, share = coded(encoding, matrix), once_each(group)
    for j in encoding.targets:
        code = X[:, j].copy()
        levels = len(encoding.levels[encoding.columns[j]].vocabulary) + 1
        for k in np.unique(fold):
            others = learn & (fold != k) & ~np.isnan(code)
            table = _log_odds(code[others].astype(np.int64), y[others], share[others], levels)
            X[fold == k, j] = _lookup(np.append(table, np.nan), code[fold == k])
    return X
