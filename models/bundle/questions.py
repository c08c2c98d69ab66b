"""What leads of train answered to each question that one may ask: shares of answers by score band."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from features.plan import Plan

BANDS = 3
"""Score bands, with equally many examples of train each."""
BINS = 5
"""A number is answered by the median of one of this many ranges, with equally many examples each."""
MOST = 20
"""The most frequent answers of a question are kept."""
PRIOR = 20.0
"""A band's shares are shrunk to those of all, as if by this many more examples."""

Answer = tuple[float | str | None, ...]


@dataclass(frozen=True)
class Question:
    """An attribute that may be asked for, with the answers that leads of train gave."""

    name: str
    columns: tuple[str, ...]
    """Kernel columns: one, or seniority and function of a title."""
    answers: tuple[Answer, ...]
    """A value for each column: a number, the text of a category, or None."""
    shares: tuple[tuple[float, ...], ...]
    """Share of each answer by band, shape (bands, answers); each band's add up to 1."""


@dataclass(frozen=True)
class Questions:
    """Stored in the bundle; empty where nothing can be asked."""

    edges: tuple[float, ...] = ()
    """Probabilities at which the bands part, rising."""
    questions: tuple[Question, ...] = ()

    def bands(self, p: Floats) -> Ints:
        """Band of each probability, shape (k,)."""
        return np.searchsorted(np.array(self.edges), p, side="right").astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Plain types."""
        questions = [
            {"name": q.name, "columns": q.columns, "answers": q.answers, "shares": q.shares} for q in self.questions
        ]
        return {"edges": self.edges, "questions": questions}

    @staticmethod
    def of_json(stored: Mapping[str, Any]) -> "Questions":
        """The inverse of `to_json`."""
        questions = [
            Question(
                q["name"], tuple(q["columns"]), tuple(tuple(a) for a in q["answers"]), tuple(map(tuple, q["shares"]))
            )
            for q in stored["questions"]
        ]
        return Questions(tuple(stored["edges"]), tuple(questions))


NOTHING_TO_ASK = Questions()


def learn(plan: Plan, matrix: Matrix, p: Floats) -> Questions:
    """Answers of the examples of train, shape (k, …), k > 0; `p`: their probabilities.

    A question with fewer than two known answers is left out: asking it would tell nothing.
    """
    edges = np.unique(np.quantile(p, np.arange(1, BANDS) / BANDS))
    empty = Questions(tuple(edges.tolist()))
    bands = empty.bands(p)
    found = [
        _question(a.name, tuple(c.name for c in own), plan, matrix, bands, len(edges) + 1)
        for a, own in zip(plan.attributes, plan.columns_of, strict=True)
    ]
    return Questions(empty.edges, tuple(q for q in found if len(q.answers) > 1))


def _question(name: str, columns: tuple[str, ...], plan: Plan, matrix: Matrix, bands: Ints, n: int) -> Question:
    places = [plan.place[c] for c in columns]
    values = matrix.values[:, places]
    known = ~np.isnan(values).all(axis=1)
    values, bands = values[known], bands[known]
    if [matrix.columns[j].measure for j in places] == ["numeric"]:
        values = _by_range(values)
    rows, code = np.unique(np.nan_to_num(values, nan=np.inf), axis=0, return_inverse=True)
    counts = np.zeros((n, len(rows)))
    np.add.at(counts, (bands, code.reshape(-1)), 1.0)
    often = np.argsort(-counts.sum(axis=0), kind="stable")[:MOST]
    counts = counts[:, often]
    shares = counts + PRIOR * counts.sum(axis=0) / max(counts.sum(), 1.0)
    shares /= shares.sum(axis=1, keepdims=True) if len(often) else 1.0
    answers = tuple(_answer(row, columns, matrix) for row in rows[often].tolist())
    return Question(name, columns, answers, tuple(map(tuple, shares.tolist())))


def _by_range(values: Floats) -> Floats:
    """Each number as the median of its range, shape (k, 1)."""
    if not len(values):
        return values
    inner = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    part = np.searchsorted(inner, values[:, 0], side="right")
    medians = {i: np.median(values[part == i]) for i in np.unique(part).tolist()}
    return np.array([[medians[i]] for i in part.tolist()])


def _answer(row: list[float], columns: tuple[str, ...], matrix: Matrix) -> Answer:
    found: list[float | str | None] = []
    for value, name in zip(row, columns, strict=True):
        texts = matrix.levels.get(name)
        found.append(None if value == np.inf else value if texts is None else texts[int(value)])
    return tuple(found)
