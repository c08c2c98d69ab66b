"""What the model is held against, on the same folds: base rate, logistic regression, naive Bayes.

Each is fitted once, on what the model learns from, and then predicts any matrix of the kernel's. Kept as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.columns import Column
from features.kernel import Matrix
from features.levels import lookup
from features.masking import ATTRIBUTES
from models.baselines.bayes import Bayes, fit_bayes
from models.baselines.logistic import Logistic, fit_logistic
from models.judging.bins import bins, quantile_edges
from models.judging.rates import smoothed
from models.learning.calibration import probability
from models.learning.encoding import Encoding, coded, fit_codes


@dataclass(frozen=True)
class Analyst:
    """The logistic regression with what prepares its input; by its likelihood it is calibrated on what it learned."""

    encoding: Encoding
    fitted: Logistic

    def predict(self, matrix: Matrix) -> Floats:
        """Probabilities, shape (k,)."""
        return probability(self.fitted.log_odds(coded(self.encoding, matrix)))

    def to_json(self) -> dict[str, Any]:
        """Plain types; floats come back to the last bit."""
        return {"encoding": self.encoding.to_json(), "fitted": self.fitted.to_json()}

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Analyst":
        """The inverse of `to_json`."""
        return Analyst(Encoding.of_json(stored["encoding"]), Logistic.of_json(stored["fitted"]))


@dataclass(frozen=True)
class Field:
    """A column as naive Bayes reads it: texts by their place in `levels`, numbers by where they lie in `edges`."""

    name: str
    levels: tuple[str, ...] | None
    """None for numbers."""
    edges: tuple[float, ...] = ()

    def codes(self, matrix: Matrix, column: int) -> Ints:
        """Shape (k,); −1 for a missing value or a text that train did not have."""
        x = matrix.values[:, column]
        if self.levels is None:
            return bins(x, np.array(self.edges))
        place = {text: i for i, text in enumerate(self.levels)}
        table = np.array([place.get(text, -1) for text in matrix.levels.get(self.name, [])] + [-1])
        return lookup(table, x)


@dataclass(frozen=True)
class Crm:
    """Naive Bayes with how it reads its fields."""

    fields: tuple[Field, ...]
    fitted: Bayes

    def predict(self, matrix: Matrix) -> Floats:
        """Probabilities, shape (k,)."""
        return self.fitted.probability(_codes(self.fields, matrix))

    def to_json(self) -> dict[str, Any]:
        """Plain types; floats come back to the last bit."""
        return {"fields": [asdict(field) for field in self.fields], "prior": self.fitted.prior,
                "added": [added.tolist() for added in self.fitted.fields]}  # fmt: skip

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Crm":
        """The inverse of `to_json`."""
        fields = tuple(
            Field(f["name"], None if f["levels"] is None else tuple(f["levels"]), tuple(f["edges"]))
            for f in stored["fields"]
        )
        return Crm(fields, Bayes(stored["prior"], tuple(np.array(added, float) for added in stored["added"])))


def _codes(fields: Sequence[Field], matrix: Matrix) -> Ints:
    """Shape (k, fields)."""
    place = {column.name: j for j, column in enumerate(matrix.columns)}
    codes = np.full((len(matrix.values), len(fields)), -1, np.int64)
    for i, field in enumerate(fields):
        codes[:, i] = field.codes(matrix, place[field.name])
    return codes


@dataclass(frozen=True)
class Baselines:
    """All of them, fitted."""

    rate: float
    analyst: Analyst
    crm: Crm

    def predict(self, matrix: Matrix) -> dict[str, Floats]:
        """Probabilities of every row by baseline, shape (k,)."""
        return {
            "base_rate": np.full(len(matrix.values), self.rate),
            "logistic": self.analyst.predict(matrix),
            "naive_bayes": self.crm.predict(matrix),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain types; floats come back to the last bit."""
        return {"base_rate": self.rate, "logistic": self.analyst.to_json(), "naive_bayes": self.crm.to_json()}

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Baselines":
        """The inverse of `to_json`."""
        return Baselines(
            stored["base_rate"], Analyst.of_json(stored["logistic"]), Crm.of_json(stored["naive_bayes"])
        )  # fmt: skip


def fit_baselines(matrix: Matrix, y: Floats, lead: Ints, group: Ints, known: Bools, seed: int) -> Baselines:
    """y (k,) is NaN where unknown; `known` says which rows may be learned from: those that the model learns from."""
    rows, own = _rows(matrix, known), y[known]
    return Baselines(
        smoothed(float(own.sum()), len(own)), _analyst(rows, own, lead[known], group[known], seed), _crm(rows, own)
    )


def _rows(matrix: Matrix, keep: Bools) -> Matrix:
    return replace(matrix, values=matrix.values[keep])


def _analyst(matrix: Matrix, y: Floats, lead: Ints, group: Ints, seed: int) -> Analyst:
    encoding = fit_codes(matrix, lead)
    X = coded(encoding, matrix)
    return Analyst(encoding, fit_logistic(X, encoding.columns, encoding.categorical, y, group, seed))


def _crm(matrix: Matrix, y: Floats) -> Crm:
    """Frequencies by field: attributes and the stage, numbers in tenths."""
    columns = [(j, c) for j, c in enumerate(matrix.columns) if c.measure in (*ATTRIBUTES, "stage")]
    fields = tuple(_field(matrix, j, column) for j, column in columns)
    return Crm(fields, fit_bayes(_codes(fields, matrix), y))


def _field(matrix: Matrix, j: int, column: Column) -> Field:
    x = matrix.values[:, j]
    if not column.categorical:
        return Field(column.name, None, tuple(quantile_edges(x).tolist()))
    texts = matrix.levels[column.name]
    return Field(column.name, tuple(texts[int(code)] for code in np.unique(x[~np.isnan(x)])))
