"""Is the question worth asking? Fields that were known are hidden, one is asked for, and the exact truth decides.

`python tests/pipeline/scoring/questioning.py FOLDER` measures it for a finished run on a simulated company in FOLDER.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix, derive
from models.bundle.asking import worth
from models.bundle.folder import Bundle, read_bundle, score
from models.bundle.questions import Question

HIDDEN = 0.7
"""Share of the known fields of each example that are hidden."""


@dataclass(frozen=True)
class Gain:
    """Expected log loss against the exact truth, in a thousandth of a nat per example, under each way to ask."""

    examples: int
    none: float
    random: float
    suggested: float
    low: float
    """2.5 % point of random less suggested, by bootstrap over leads."""


def measure(root: Path, seed: int = 1) -> Gain:
    """Of the test examples of a finished run that have two or more hidden fields."""
    bundle = read_bundle(root / "artifacts/bundle")
    matrix, truth, leads = _examples(root, bundle)
    rng = np.random.default_rng(seed)
    questions = bundle.questions.questions
    hidden = _hidden(matrix, questions, rng)
    blind = matrix.values.copy()
    for j, question in enumerate(questions):
        blind[np.ix_(hidden[:, j], _places(matrix, question))] = np.nan
    derive(bundle.plan, blind)
    seen = Matrix(blind, matrix.columns, matrix.levels)
    suggested = _suggested(bundle, seen, hidden)
    some = np.array([rng.choice(np.flatnonzero(row)) for row in hidden])
    losses = [_loss(truth, _p(bundle, matrix, blind, questions, chosen)) for chosen in (None, some, suggested)]
    none, random, best = (float(loss.mean()) * 1000 for loss in losses)
    return Gain(len(truth), none, random, best, _low(losses[1] - losses[2], leads, rng) * 1000)


def _examples(root: Path, bundle: Bundle) -> tuple[Matrix, Floats, Ints]:
    """Features of test examples with their true probabilities and the number of their lead."""
    from pipeline.assembly.matrices import matrix_of

    keys = ["lead_id", "as_of"]
    test = pl.read_parquet(root / "data/predictions.parquet").filter(pl.col("fold") == "test").select(keys)
    truth = pl.read_parquet(root / "data/simulated/truth/truth.parquet")
    rows = test.join(truth.select(*keys, true=pl.col("probability")), on=keys)
    rows = rows.join(pl.read_parquet(root / "data/features.parquet"), on=keys).drop_nulls("true")
    matrix = matrix_of(rows, bundle.plan.features)
    fields = [_places(matrix, question) for question in bundle.questions.questions]
    known = np.stack([~np.isnan(matrix.values[:, places]).all(axis=1) for places in fields], axis=1).sum(axis=1)
    rows = rows.filter(pl.Series(known >= 4))
    lead = rows["lead_id"].rank("dense").to_numpy().astype(np.int64) - 1
    return matrix_of(rows, bundle.plan.features), rows["true"].to_numpy(), lead


def _hidden(matrix: Matrix, questions: tuple[Question, ...], rng: np.random.Generator) -> Bools:
    """Which known fields are hidden, shape (k, questions): one at least."""
    known = np.stack([~np.isnan(matrix.values[:, _places(matrix, q)]).all(axis=1) for q in questions], axis=1)
    dice = np.where(known, rng.random(known.shape), 2.0)
    return np.asarray(known & ((dice < HIDDEN) | (dice == dice.min(axis=1, keepdims=True))))


def _places(matrix: Matrix, question: Question) -> list[int]:
    return [j for j, c in enumerate(matrix.columns) if c.name in question.columns]


def _suggested(bundle: Bundle, seen: Matrix, hidden: Bools) -> Ints:
    """Of the hidden fields the one whose answer is expected to move the probability most: fields that nobody ever
    knew are not asked for here, because nobody knows the answer."""
    found = worth(bundle, seen, [None] * len(seen.values)).probability
    return np.argmax(np.where(hidden, np.nan_to_num(found, nan=0.0), -1.0), axis=1).astype(np.int64)


def _p(bundle: Bundle, matrix: Matrix, blind: Floats, questions: tuple[Question, ...], chosen: Ints | None) -> Floats:
    """Probabilities once the chosen fields have been answered with what they are."""
    values = blind.copy()
    for j, question in enumerate(questions):
        if chosen is not None:
            cells = np.ix_(chosen == j, _places(matrix, question))
            values[cells] = matrix.values[cells]
    derive(bundle.plan, values)
    return score(bundle, Matrix(values, matrix.columns, matrix.levels), False).probability


def _loss(truth: Floats, p: Floats) -> Floats:
    return np.asarray(-truth * np.log(p) - (1 - truth) * np.log1p(-p))


def _low(difference: Floats, lead: Ints, rng: np.random.Generator) -> float:
    count = np.bincount(lead)
    total = np.bincount(lead, difference)
    weights = rng.multinomial(len(count), np.full(len(count), 1 / len(count)), size=1000)
    return float(np.quantile(weights @ total / (weights @ count), 0.025))


def _finished(folder: Path) -> Path:
    """A run on a simulated company as large as the default one, where there is none yet."""
    from pipeline.stages import STAGES

    if not (folder / "artifacts/bundle").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "params.yaml").write_text("source: {kind: simulated, simulated: {leads: 20000, seed: 1}}\n")
        os.chdir(folder)
        for name in STAGES:
            STAGES[name]()
    return folder


if __name__ == "__main__":
    print(measure(_finished(Path(sys.argv[1]).resolve())))
