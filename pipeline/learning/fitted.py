"""The model as stage train left it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from models.bundle.folder import links_of
from models.learning import calibration
from models.learning.calibration import Calibration
from models.learning.encoding import Encoding, encode
from models.learning.horizons import Link
from models.trees.booster import raw_scores
from models.trees.model import Trees
from pipeline import stage
from pipeline.params import Train


@dataclass(frozen=True)
class Fitted:
    """The model as the train stage left it."""

    text: str
    encoding: Encoding
    calibration: Calibration
    links: tuple[Link, ...] = ()
    """Of the shorter horizons."""
    threads: int = 1
    """LightGBM's."""

    @cached_property
    def trees(self) -> Trees:
        """Parsed once, whatever is scored in however many parts."""
        return Trees(self.text, self.threads)


def read_model() -> Fitted:
    """From artifacts/model: text, so that what is tested is what is served."""
    return Fitted(
        (stage.MODEL / "model.txt").read_text(encoding="utf-8"),
        Encoding.of_json(stage.read_json(stage.MODEL / "encoding.json")),
        Calibration.of_json(stage.read_json(stage.MODEL / "calibration.json")),
        links_of({path.name: path.read_bytes() for path in stage.MODEL.iterdir()}),
        stage.section(Train).threads,
    )


def log_odds(fitted: Fitted, matrix: Matrix) -> Floats:
    """Calibrated log odds, shape (k,)."""
    return calibration.log_odds(fitted.calibration, fitted.trees.scores(encode(fitted.encoding, matrix)))


def predict(fitted: Fitted, matrix: Matrix) -> Floats:
    """Calibrated probabilities, shape (k,)."""
    return calibration.probability(log_odds(fitted, matrix))


def log_odds_unseen(fitted: Fitted, matrix: Matrix, member: Ints, rounds: Sequence[int]) -> Floats:
    """Calibrated log odds, shape (k,), of each row by the trees of one member of the bag: the one that left the row's
    account out; by the whole bag where `member` (k,) is below 0. `rounds`: trees of each member, in their order.

    The encodings of many-valued categories have seen the account, one among all of its category, and soft labels know
    of it at second hand (models/learning/soft.py). One member's scores spread a little further than the mean of all.
    """
    X = encode(fitted.encoding, matrix)
    raw, never = np.empty(len(X)), member < 0
    raw[never] = fitted.trees.scores(X[never])
    booster, first = fitted.trees.booster, np.concatenate([[0], np.cumsum(rounds)])
    for k, trees in enumerate(rounds):
        mine = member == k
        raw[mine] = len(rounds) * raw_scores(booster, X[mine], fitted.threads, int(first[k]), trees)
    return calibration.log_odds(fitted.calibration, raw)
