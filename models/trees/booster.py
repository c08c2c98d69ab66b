"""A bag of small, slow LightGBM models, averaged in log odds and merged into one text model.

LightGBM is imported where it is used: that takes half a second, and who only scores small trees never needs it.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from features.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    import lightgbm


MAX_BIN = 63
"""Values of a feature that trees tell apart. LightGBM's 255 say no more and take half as long again."""


@dataclass(frozen=True)
class Settings:
    """How the trees are grown. See LightGBM's documentation of the same names."""

    seed: int
    num_leaves: int
    max_depth: int
    learning_rate: float
    max_rounds: int
    early_stopping_rounds: int
    """0: all rounds, whatever the left-out fold says."""
    feature_fraction: float
    bagging_fraction: float
    min_data_in_leaf: int
    lambda_l1: float
    lambda_l2: float
    threads: int
    """Members grown at once, each by one thread: LightGBM's own threads wait for each other more than they work
    on tables of this size (50 rounds on 52,505 rows of 271 features: 0.8 s of CPU by one thread, 2.7 s by two)."""


@dataclass(frozen=True)
class Sample:
    """What a bag learns from, k rows."""

    X: Floats
    """Shape (k, features): numbers and integer codes."""
    y: Floats
    """In [0, 1], shape (k,), as those below."""
    weight: Floats
    fold: Ints
    """The member that leaves the row out, from 0; whole accounts."""
    categorical: Sequence[int]
    """The features that are codes."""

    def take(self, rows: Ints) -> "Sample":
        """Some of the rows."""
        return Sample(self.X[rows], self.y[rows], self.weight[rows], self.fold[rows], self.categorical)


@dataclass(frozen=True)
class Bag:
    """A merged model and what it learned on the way."""

    text: str
    """LightGBM's own format; raw scores are the mean log odds of the members."""
    left_out: Floats
    """Shape (k,): raw score of each row by the member that did not train on it."""
    rounds: tuple[int, ...]
    curves: tuple[tuple[float, ...], ...]
    """Log loss of the left-out fold by round, a member each, against the labels it was given, soft ones among them."""
    gains: Floats
    """Shape (members, features): what all splits of a feature gained, where believed as far as they were."""


def lightgbm_parameters(settings: Settings) -> dict[str, object]:
    """LightGBM's parameters: log loss, never a class weight; the same file whatever the threads."""
    return {
        "objective": "cross_entropy",
        "metric": "cross_entropy",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "max_depth": settings.max_depth,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.bagging_fraction,
        "bagging_freq": 1,
        "extra_trees": True,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "max_cat_to_onehot": 63,  # one level against the rest, always: learning/encoding.py codes no column of more
        "lambda_l1": settings.lambda_l1,
        "lambda_l2": settings.lambda_l2,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "max_bin": MAX_BIN,
        "num_threads": 1,
        "verbosity": -1,
        "bin_construct_sample_cnt": 1_000_000,
        "feature_pre_filter": False,
    }


def fit_bag(sample: Sample, learn: Bools, settings: Settings, belief: Floats | None = None) -> Bag:
    """One member a fold: it trains on the other folds and stops where its own fold's log loss is least.

    Rows where `learn` is False neither train nor stop; they only get a score from the member of their fold.
    `belief` (members, features) multiplies the gains of each member's splits.
    """
    fold, left_out = sample.fold, np.full(len(sample.y), np.nan)
    folds = np.unique(fold)
    data = _dataset(sample, settings)

    def grow(number: int) -> tuple["lightgbm.Booster", tuple[float, ...]]:
        k = folds[number]
        own: dict[str, Any] = {"seed": settings.seed + int(k)}
        if belief is not None:
            own["feature_contri"] = belief[number].tolist()
        member, curve = _fit_member(data, learn & (fold != k), learn & (fold == k), settings, own)
        left_out[fold == k] = member.predict(sample.X[fold == k], raw_score=True, num_threads=1)
        return member, curve

    with ThreadPoolExecutor(settings.threads) as pool:
        members, curves = zip(*pool.map(grow, range(len(folds))), strict=True)
    rounds = tuple(member.num_trees() for member in members)
    gains = np.array([member.feature_importance("gain") for member in members])
    return Bag(merge([member.model_to_string() for member in members]), left_out, rounds, tuple(curves), gains)


def _dataset(sample: Sample, settings: Settings) -> "lightgbm.Dataset":
    import lightgbm

    return lightgbm.Dataset(
        sample.X,
        label=sample.y,
        weight=sample.weight,
        feature_name=[f"f{j}" for j in range(sample.X.shape[1])],
        categorical_feature=list(sample.categorical),
        params=lightgbm_parameters(settings),
        free_raw_data=True,  # else each member would copy its rows of X besides their bins
    ).construct()


def _fit_member(
    data: "lightgbm.Dataset", inside: Bools, outside: Bools, settings: Settings, own: dict[str, Any]
) -> tuple["lightgbm.Booster", tuple[float, ...]]:
    import lightgbm

    train, stop = (data.subset(np.flatnonzero(rows).tolist()) for rows in (inside, outside))
    seen: dict[str, dict[str, list[float]]] = {}
    patience = settings.early_stopping_rounds
    stopping = [lightgbm.early_stopping(patience, verbose=False)] if patience else []
    booster = lightgbm.train(
        {**lightgbm_parameters(settings), **own},
        train,
        num_boost_round=settings.max_rounds,
        valid_sets=[stop],
        valid_names=["left_out"],
        callbacks=[lightgbm.record_evaluation(seen), *stopping],
    )
    best = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration if stopping else -1))
    return best, tuple(seen["left_out"]["cross_entropy"])


def merge(texts: Sequence[str]) -> str:
    """One model whose raw score is the mean of the models': their trees, each leaf over their number.

    The models must have the same features. LightGBM reads a tree by the sizes that its header gives.
    """
    head = texts[0][: texts[0].index("tree_sizes=")]
    trees = [tree for text in texts for tree in _trees(text)]
    scaled = [_scaled(tree, number, 1 / len(texts)) for number, tree in enumerate(trees)]
    sizes = " ".join(str(len(tree.encode())) for tree in scaled)
    return f"{head}tree_sizes={sizes}\n\n{''.join(scaled)}end of trees\n"


def _trees(text: str) -> list[str]:
    body = text[text.index("Tree=0\n") : text.index("end of trees")]
    return [f"Tree={part}" for part in body.split("Tree=")[1:]]


def _scaled(tree: str, number: int, by: float) -> str:
    tree = re.sub(r"^Tree=\d+", f"Tree={number}", tree)

    def scale(line: re.Match[str]) -> str:
        return line[1] + " ".join(repr(float(value) * by) for value in line[2].split())

    return re.sub(r"^((?:leaf|internal)_value=)(.*)$", scale, tree, flags=re.MULTILINE)


def load_booster(text: str) -> "lightgbm.Booster":
    """A booster of a model's text. A damaged text ends the process: check digests first."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def raw_scores(
    booster: "lightgbm.Booster", X: Floats, threads: int = 1, first: int = 0, trees: int | None = None
) -> Floats:
    """Log odds before calibration, shape (k,); by `trees` trees from the `first` on, where not by all."""
    if len(X) == 0:
        return np.empty(0)
    found = booster.predict(X, first, trees, raw_score=True, num_threads=threads)
    return np.asarray(found, dtype=np.float64)


def contributions(booster: "lightgbm.Booster", X: Floats, threads: int = 1) -> Floats:
    """Exact Shapley values in log odds (Lundberg 2018), shape (k, features + 1); the last is the base."""
    return np.asarray(booster.predict(X, pred_contrib=True, num_threads=threads), dtype=np.float64)
