"""Kernel features to what the booster is given: codes by a stored vocabulary, and target encodings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix

LEAST_LEADS = 20
"""A level that fewer leads of train have is rare: all rare and unseen ones share one code."""
MANY = 10
"""Columns of more levels than this are target encoded as well."""
PRIOR_LEADS = 20.0


@dataclass(frozen=True)
class Level:
    """What train knew of a categorical column."""

    vocabulary: tuple[str, ...]
    target: tuple[float, ...] | None
    """Log odds of conversion of each level, shrunk to the mean; the last is of rare ones. None: few levels."""


@dataclass(frozen=True)
class Encoding:
    """Columns in the booster's order: the kernel's, then target encodings of the many-valued ones."""

    columns: tuple[str, ...]
    levels: dict[str, Level]

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Categorical columns that are target encoded as well."""
        return tuple(name for name in self.columns if name in self.levels and self.levels[name].target)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the booster's features."""
        return (*self.columns, *(f"{name}_odds" for name in self.targets))

    @cached_property
    def origin(self) -> Ints:
        """Kernel column of each of the booster's features: to add a target encoding's share to its column's."""
        place = {name: j for j, name in enumerate(self.columns)}
        return np.array([*range(len(self.columns)), *(place[name] for name in self.targets)])

    @cached_property
    def categorical(self) -> list[int]:
        """Places of the coded columns."""
        return [j for j, name in enumerate(self.columns) if name in self.levels]

    @cached_property
    def codes(self) -> dict[str, dict[str, int]]:
        """Code of each level by column."""
        return {name: {text: i for i, text in enumerate(v.vocabulary)} for name, v in self.levels.items()}

    def by_column(self, shares: Floats) -> Floats:
        """Shares of the booster's features, shape (k, names), added up by kernel column, shape (k, columns)."""
        found = np.zeros((len(shares), len(self.columns)))
        for j, column in enumerate(self.origin):
            found[:, column] += shares[:, j]
        return found

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


def fit_encoding(matrix: Matrix, y: Floats, lead: Ints) -> Encoding:
    """Vocabularies and target encodings of train: y 0 or 1, shape (k,), `lead` numbers the leads."""
    weight = lead_weights(lead)
    levels = {}
    for j, column in enumerate(matrix.columns):
        if column.categorical:
            levels[column.name] = _fit_level(matrix.values[:, j], matrix.levels.get(column.name, []), y, weight)
    return Encoding(tuple(c.name for c in matrix.columns), levels)


def lead_weights(lead: Ints) -> Floats:
    """1 over the number of rows of the row's lead: a lead counts once."""
    _, inverse, count = np.unique(lead, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[inverse], dtype=np.float64)


def _fit_level(values: Floats, texts: Sequence[str], y: Floats, weight: Floats) -> Level:
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
        target = tuple(_log_odds(recoded[code], y[known], weight[known], len(common) + 1).tolist())
    return Level(vocabulary, target)


def _log_odds(code: Ints, y: Floats, weight: Floats, levels: int) -> Floats:
    """Log odds of each level, shrunk by PRIOR_LEADS leads to the mean (Micci-Barreca 2001)."""
    total, won = (np.bincount(code, w, minlength=levels) for w in (weight, weight * y))
    mean = np.clip(won.sum() / max(total.sum(), 1e-9), 1e-6, 1 - 1e-6)
    rate = (won + PRIOR_LEADS * mean) / (total + PRIOR_LEADS)
    return np.asarray(np.log(rate / (1 - rate)), dtype=np.float64)


def encode(encoding: Encoding, matrix: Matrix) -> Floats:
    """The booster's input, shape (k, names). Unseen and rare levels get the vocabulary's length, missing NaN."""
    n = len(encoding.columns)
    X = np.empty((len(matrix.values), len(encoding.names)))
    X[:, :n] = matrix.values
    odds = n
    for j in encoding.categorical:
        name = encoding.columns[j]
        X[:, j] = _recode(encoding.codes[name], matrix.levels.get(name, []), matrix.values[:, j])
        target = encoding.levels[name].target
        if target:
            X[:, odds] = _lookup(np.array([*target, np.nan]), X[:, j])
            odds += 1
    return X


def _recode(codes: Mapping[str, int], texts: Sequence[str], values: Floats) -> Floats:
    table = np.array([float(codes.get(text, len(codes))) for text in texts] + [np.nan])
    return _lookup(table, values)


def _lookup(table: Floats, values: Floats) -> Floats:
    """Entries of a table by codes; its last entry, NaN, is of missing ones."""
    return table[np.where(np.isnan(values), len(table) - 1, values).astype(np.int64)]


def out_of_fold(encoding: Encoding, X: Floats, y: Floats, lead: Ints, fold: Ints, learn: Bools) -> Floats:
    """X with target encodings that each row's own fold had no part in, nor rows where `learn` is False."""
    X, weight = X.copy(), lead_weights(lead)
    for odds, name in enumerate(encoding.targets, start=len(encoding.columns)):
        code = X[:, encoding.columns.index(name)]
        levels = len(encoding.levels[name].vocabulary) + 1
        for k in np.unique(fold):
            others = learn & (fold != k) & ~np.isnan(code)
            table = _log_odds(code[others].astype(np.int64), y[others], weight[others], levels)
            X[fold == k, odds] = _lookup(np.append(table, np.nan), code[fold == k])
    return X
