"""The question whose answer would tell most: what the model would say to each answer, weighed by its share.

To ask changes nothing by itself: the mean over the answers is what the lead is worth to one who will ask, and the
gain is how far the answers lie from it. So a field whose presence alone moves the model is worth nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Floats
from features.kernel import Matrix, derive
from models.bundle.folder import Bundle, score
from models.bundle.questions import Answer, Question
from models.policy.decisions import decide


@dataclass(frozen=True)
class Worth:
    """What asking for each field is worth, shape (k, questions) each; NaN where the field is known."""

    questions: tuple[Question, ...]
    probability: Floats
    """Expected distance of the probability to its mean over the answers."""
    value: Floats
    """The same of the expected value; NaN too where nobody knows what a deal is worth."""
    route: Floats
    """Chance that the route changes."""

    def best(self) -> list[int | None]:
        """The question to ask each lead: the most of the expected value, or of the probability where that is not
        known; None where no answer would move anything."""
        return [
            _most(v) if not np.isnan(v).all() else _most(p) for v, p in zip(self.value, self.probability, strict=True)
        ]


def _most(worth: Floats) -> int | None:
    found = np.nan_to_num(worth, nan=0.0)
    return int(np.argmax(found)) if len(found) and found.max() > 0 else None


def worth(bundle: Bundle, matrix: Matrix, own: Sequence[float | None]) -> Worth:
    """Of k leads; `own`: the deal values that they themselves have."""
    questions = bundle.questions.questions
    p = score(bundle, matrix, reasons=False).probability
    bands = bundle.questions.bands(p)
    routes = [d.route for d in decide(bundle.policy, matrix, p, own)]
    found = np.full((3, len(p), len(questions)), np.nan)
    for j, question in enumerate(questions):
        rows = np.flatnonzero(missing(matrix, question))
        if len(rows):
            part = Matrix(matrix.values[rows], matrix.columns, matrix.levels)
            shares = np.array(question.shares)[bands[rows]]
            now = [(own[i], routes[i]) for i in rows.tolist()]
            found[:, rows, j] = _worth(bundle, part, question, shares, now)
    return Worth(questions, *found)


def missing(matrix: Matrix, question: Question) -> Bools:
    """Which leads have none of the field's columns, shape (k,)."""
    places = [j for j, c in enumerate(matrix.columns) if c.name in question.columns]
    return np.asarray(np.isnan(matrix.values[:, places]).all(axis=1))


def _worth(
    bundle: Bundle, part: Matrix, question: Question, shares: Floats, now: Sequence[tuple[float | None, str | None]]
) -> Floats:
    """Of one question, shape (3, leads)."""
    own = [value for value, _ in now]
    chance, value, moved = (np.empty((len(now), len(question.answers))) for _ in range(3))
    for a, given in enumerate(question.answers):
        answered = answer(bundle, part, question, given)
        chance[:, a] = score(bundle, answered, reasons=False).probability
        decisions = decide(bundle.policy, answered, chance[:, a], own)
        value[:, a] = [np.nan if d.expected_value is None else d.expected_value for d in decisions]
        moved[:, a] = [d.route != route for d, (_, route) in zip(decisions, now, strict=True)]
    return np.stack([_spread(shares, chance), _spread(shares, value), (shares * moved).sum(axis=1)])


def _spread(shares: Floats, found: Floats) -> Floats:
    mean = (shares * found).sum(axis=1, keepdims=True)
    return np.asarray((shares * np.abs(found - mean)).sum(axis=1))


def answer(bundle: Bundle, matrix: Matrix, question: Question, given: Answer) -> Matrix:
    """The matrix with a field filled in for every lead, and what depends on it recomputed."""
    values, levels = matrix.values.copy(), dict(matrix.levels)
    for name, value in zip(question.columns, given, strict=True):
        place = bundle.plan.place[name]
        if isinstance(value, str):
            texts = levels.get(name, [])
            levels[name] = texts if value in texts else [*texts, value]
            value = float(levels[name].index(value))
        values[:, place] = np.nan if value is None else value
    derive(bundle.plan, values)
    return Matrix(values, matrix.columns, levels)
