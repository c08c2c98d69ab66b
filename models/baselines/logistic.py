"""One-hot logistic regression: the baseline that a careful analyst would fit."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from features.arrays import Bools, Floats, Ints
from models import newton
from models.folds import random_folds

Singles = npt.NDArray[np.float32]
Levels = dict[int, tuple[int, ...]]

STRENGTHS = (0.0003, 0.003, 0.03)
"""Inverse strength of the L2 penalty, as scikit-learn's C on standardised columns."""
PARTS = 3
MOST_TUNING = 8_000
"""Rows on which the strength is chosen (whole groups), so that 40,000 rows take seconds."""
MOST_ROWS = 100_000
RARE = 20
"""Levels of fewer training rows share one column."""
SKEWED = 2.0
FURTHEST = 8.0
"""Standardised values are kept within ±8, so that an outlier never seen in train cannot run away."""
CHUNK = 50_000


@dataclass(frozen=True)
class Numeric:
    """How a numeric column is read: sign(x) log1p(|x|) where skewed, median where missing, standardised."""

    column: int
    skewed: bool
    median: float
    centre: float
    scale: float

    def read(self, X: Floats) -> Floats:
        """Shape (n,), in standard deviations of train."""
        x = _signed_log(X[:, self.column]) if self.skewed else X[:, self.column]
        z = (np.where(np.isnan(x), self.median, x) - self.centre) / self.scale
        return np.clip(z, -FURTHEST, FURTHEST)


@dataclass(frozen=True)
class Logistic:
    """A fitted baseline; every statistic is of the training rows alone."""

    numeric: tuple[Numeric, ...]
    missing: tuple[int, ...]
    """Columns that get an indicator of a missing value."""
    levels: Levels
    """By categorical column, the codes that have a column of their own; others share one, missing is none."""
    strength: float
    intercept: float
    coefficients: Floats
    names: tuple[str, ...]
    """Shape (m,), of `coefficients`."""

    def log_odds(self, X: Floats) -> Floats:
        """X (n, columns) as in training; shape (n,)."""
        parts = [X[i : i + CHUNK] for i in range(0, len(X), CHUNK)]
        found = [self._part(part) for part in parts]
        return np.concatenate(found or [np.empty(0)]) + self.intercept

    def to_json(self) -> dict[str, Any]:
        """Plain types; floats come back to the last bit."""
        levels = [[column, list(codes)] for column, codes in self.levels.items()]
        return {**asdict(self), "levels": levels, "coefficients": self.coefficients.tolist()}

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Logistic":
        """The inverse of `to_json`."""
        return Logistic(
            numeric=tuple(Numeric(**column) for column in stored["numeric"]),
            missing=tuple(stored["missing"]),
            levels={column: tuple(codes) for column, codes in stored["levels"]},
            strength=stored["strength"],
            intercept=stored["intercept"],
            coefficients=np.array(stored["coefficients"], dtype=np.float64),
            names=tuple(stored["names"]),
        )

    def _part(self, X: Floats) -> Floats:
        Z = _design(X, self.numeric, self.missing, self.levels)
        return (Z @ self.coefficients.astype(np.float32)).astype(np.float64)


def fit_logistic(
    X: Floats, names: Sequence[str], categorical: Sequence[int], y: Floats, groups: Ints, seed: int
) -> Logistic:
    """X (n, columns); the columns `categorical` hold codes ≥ 0; NaN is missing; y (n,) of both classes.

    The penalty is chosen by log loss over folds of whole groups. Deterministic. Uses at most MOST_ROWS rows.
    """
    rows = _some(groups, MOST_ROWS, seed)
    X, y, groups = X[rows], y[rows], groups[rows]
    numeric, missing, levels = _read(X, categorical)
    Z = _design(X, numeric, missing, levels)
    strength = _choose(Z, y, groups, seed)
    fitted = _fit(Z, y, strength)
    return Logistic(
        numeric,
        missing,
        levels,
        strength,
        float(fitted.intercept_[0]),
        fitted.coef_[0].astype(np.float64),
        _names(names, numeric, missing, levels),
    )


def _some(groups: Ints, most: int, seed: int) -> Ints:
    """Rows of whole groups, about `most` of them, in order; all where there are no more."""
    if len(groups) <= most:
        return np.arange(len(groups))
    names, group = np.unique(groups, return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(names))
    running = np.cumsum(np.bincount(place[group], minlength=len(names)))
    return np.flatnonzero(place[group] < max(2, int(np.searchsorted(running, most, side="right"))))


def _read(X: Floats, categorical: Sequence[int]) -> tuple[tuple[Numeric, ...], tuple[int, ...], Levels]:
    others = sorted(set(range(X.shape[1])) - set(categorical))
    numeric = tuple(found for column in others if (found := _numeric(X[:, column], column)) is not None)
    return numeric, _indicators(X, others), {column: _levels(X[:, column]) for column in categorical}


def _numeric(x: Floats, column: int) -> Numeric | None:
    """None where train knows at most one value."""
    known = x[~np.isnan(x)]
    if known.size == 0 or known.min() == known.max():
        return None
    skewed = abs(_skewness(known)) > SKEWED
    known = _signed_log(known) if skewed else known
    median = float(np.median(known))
    filled = np.append(known, np.full(len(x) - len(known), median))
    return Numeric(column, skewed, median, float(filled.mean()), float(filled.std()) or 1.0)


def _skewness(x: Floats) -> float:
    centred = x - x.mean()
    spread = centred.std()
    return float(((centred / spread) ** 3).mean()) if spread > 0 else 0.0


def _signed_log(x: Floats) -> Floats:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)), dtype=np.float64)


def _indicators(X: Floats, columns: Sequence[int]) -> tuple[int, ...]:
    """Columns with both known and missing values, one for each pattern of missingness."""
    patterns: dict[bytes, int] = {}
    for column in columns:
        gone = np.isnan(X[:, column])
        if gone.any() and not gone.all():
            patterns.setdefault(np.packbits(gone).tobytes(), column)
    return tuple(patterns.values())


def _levels(x: Floats) -> tuple[int, ...]:
    codes, count = np.unique(x[~np.isnan(x)], return_counts=True)
    return tuple(int(code) for code in codes[count >= RARE])


def _design(X: Floats, numeric: Sequence[Numeric], missing: Sequence[int], levels: Levels) -> Singles:
    """Shape (n, m). Filled a column at a time, so columns are what lies together in memory."""
    columns = chain(
        (column.read(X) for column in numeric),
        (np.isnan(X[:, column]) for column in missing),
        (hot for column, codes in levels.items() for hot in _one_hot(X[:, column], codes)),
    )
    Z = np.zeros((max(1, _width(numeric, missing, levels)), len(X)), dtype=np.float32)
    for place, values in enumerate(columns):
        Z[place] = values
    return Z.T


def _width(numeric: Sequence[Numeric], missing: Sequence[int], levels: Levels) -> int:
    return len(numeric) + len(missing) + sum(len(codes) + 1 for codes in levels.values())


def _one_hot(x: Floats, codes: Sequence[int]) -> list[Bools]:
    own = [x == code for code in codes]
    return [*own, ~np.isnan(x) & ~np.isin(x, codes)]


def _names(
    names: Sequence[str],
    numeric: Sequence[Numeric],
    missing: Sequence[int],
    levels: Levels,
) -> tuple[str, ...]:
    found = [names[column.column] for column in numeric] + [f"{names[column]} missing" for column in missing]
    for column, codes in levels.items():
        found += [f"{names[column]} = {code}" for code in codes] + [f"{names[column]} rare"]
    return tuple(found or ["nothing"])


def _choose(Z: Singles, y: Floats, groups: Ints, seed: int) -> float:
    """The strength of least log loss over folds of whole groups; the middle one where folds lack a class."""
    rows = _some(groups, MOST_TUNING, seed)
    Z, y, groups = Z[rows], y[rows], groups[rows]
    fold = random_folds(groups, seed, PARTS)
    if any(len(np.unique(y[fold != k])) < 2 for k in range(PARTS)):
        return STRENGTHS[1]
    losses = {strength: _held_out(Z, y, fold, strength) for strength in STRENGTHS}
    return min(losses, key=losses.__getitem__)


def _held_out(Z: Singles, y: Floats, fold: Ints, strength: float) -> float:
    total = 0.0
    for k in range(PARTS):
        out = fold == k
        total += newton.loss(y[out], _fit(Z[~out], y[~out], strength).decision_function(Z[out]).astype(np.float64))
    return total


def _fit(Z: Singles, y: Floats, strength: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # 200 steps are within 1e-4 of the optimum's log loss; a baseline needs no more
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=200, tol=1e-3).fit(Z, y)
