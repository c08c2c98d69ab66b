"""Small models grown for a question's sake: what they score says whether the way of learning is honest."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Array, Bools, Floats, Ints
from models import folds
from models.judging.ranking import auc, ranking, taken
from models.leaks import memory, shuffling
from models.learning import training
from models.learning.encoding import encode
from models.trees.model import Trees
from pipeline.assembly.data import Data
from pipeline.leaks.findings import Check
from pipeline.leaks.rebuilds import some_of
from pipeline.learning.later import Looks, softened
from pipeline.learning.rows import rows_of, settings_of
from pipeline.params import Train

ENCODING = "target encodings"
SHUFFLED = "labels shuffled within their month"
SPLITS = "random split against split in time"
MOST_ROWS = 10_000
"""Rows that a small model learns from and is judged on, in all."""
LEAST = 10
"""Converting leads without which nothing is tried."""
SMALL = {"num_leaves": 8, "max_depth": 4, "learning_rate": 0.1, "max_rounds": 40, "early_stopping_rounds": 10,
         "feature_fraction": 0.3, "bags": 3, "threads": 1}  # fmt: skip


def small(params: Train) -> Train:
    """The parameters of a model that is grown in a second."""
    return params.model_copy(update=SMALL)


def part_of(data: Data, rows: Ints) -> Data:
    """Some of the examples."""
    return Data(
        examples=data.examples[rows.tolist()],
        matrix=replace(data.matrix, values=data.matrix.values[rows]),
        y=data.y[rows],
        as_of=data.as_of[rows],
        fold=data.fold[rows],
        lead=data.lead[rows],
        group=data.group[rows],
        groups=[data.groups[int(i)] for i in rows],
    )


def learned(data: Data, params: Train, looks: Looks | None = None) -> Floats:
    """Raw scores of every example by a small model of the fold train, shape (k,); `looks` soften its labels."""
    keep, settings = data.rows("train"), settings_of(params)
    begin = 0 if looks is None else data.begin_of_test
    rows, learn = softened(data, rows_of(data, keep, params), keep, keep, begin, looks, settings)
    model = training.fit(rows, settings, learn)
    return Trees(model.bag.text).scores(encode(model.encoding, data.matrix))


def check_encoding(data: Data, params: Train) -> Check:
    """Turn labels over and see whether rows are told of their own."""
    train = np.flatnonzero(data.rows("train"))
    some = part_of(data, np.sort(train[some_of(data.examples[train.tolist()], 2 * MOST_ROWS)]))
    found = memory.remembered(rows_of(some, np.ones(len(some.y), bool), params))
    if found is None:
        return Check(ENCODING, "Does not apply: no feature is categorical.", applies=False)
    said = f"For none of {len(some.y):,} rows of train does the row's own label reach what the model is given for it."
    problems = [
        f"feature {name}: its target encoding is made with the row's own label, not out of fold: the model learns "
        "labels by heart. To do: encode with models.learning.encoding.out_of_fold"
        for name in found
    ]
    return Check(ENCODING, "Labels reach their own rows." if found else said, problems=problems)


def check_shuffled(data: Data, params: Train, look: Callable[[Data], Looks | None] = lambda data: None) -> Check:
    """Learn from labels shuffled within their month, and be judged on such: there is nothing to be found.

    `look` gives the later looks of some examples, by which labels are softened as in training; when each lead converted
    is then shuffled along with whether it did.
    """
    one = _one_each(data)
    if _converting(one, "train") < LEAST or _converting(one, "test") < LEAST:
        return Check(SHUFFLED, f"Fewer than {LEAST} converting leads in train or test: too few.", applies=False)
    months, settings, looks = _months(one), small(params), look(one)
    tried = shuffling.tried(
        lambda order: learned(replace(one, y=one.y[order]), settings, _moved(looks, order)),
        one.y, months, one.rows("test"), params.seed,
    )  # fmt: skip
    numbers = {"auc": tried.auc, "low": tried.low, "high": tried.high, "leads": len(one.y)}
    figures = f"AUC {tried.auc:.3f}, and chance gives {tried.low:.3f} to {tried.high:.3f} in 99 of 100 cases"
    problem = (
        f"a model of shuffled labels has {figures}: the labels of the test fold reach the model. To do: see what in "
        "models/ or features/own.py looks at labels, or at other rows, beyond the fold train"
    )
    said = f"A small model trained and tested on shuffled labels has {figures}."
    return Check(SHUFFLED, said, problems=() if tried.inside else (problem,), numbers=numbers)


def _moved(looks: Looks | None, order: Ints) -> Looks | None:
    """The later looks, where each example has another's conversion."""
    return None if looks is None else replace(looks, came=looks.came[order], heard=looks.heard[order])


def _one_each(data: Data) -> Data:
    """One example of each lead in train and one in test, by a hash, at most half of MOST_ROWS of each."""
    parts = []
    for fold in ("train", "test"):
        rows = np.flatnonzero(data.rows(fold))
        rows = rows[some_of(data.examples[rows.tolist()], len(rows))]
        _, first = np.unique(data.lead[rows], return_index=True)
        parts.append(rows[np.sort(first)[: MOST_ROWS // 2]])
    return part_of(data, np.sort(np.concatenate(parts)))


def _converting(data: Data, fold: str) -> int:
    return len(np.unique(data.lead[data.rows(fold) & (data.y > 0.5)]))


def _months(data: Data) -> Ints:
    """Number of each example's fold and month: labels never cross from one to another."""
    month = data.examples["as_of"].dt.strftime("%Y-%m").fill_null("")
    names = pl.DataFrame({"fold": data.examples["fold"], "month": month})
    return names.select(pl.struct("fold", "month").rank("dense")).to_series().to_numpy().astype(np.int64)


def check_splits(data: Data, params: Train) -> Check:
    """The same small model on the same test rows: learned from a random half of everything, and from the past."""
    if data.examples["as_of"].null_count():
        return Check(SPLITS, "Does not apply: without dates there is no split in time.", applies=False)
    pool, settings = _pool(data), small(params)
    test = pool.rows("test")
    if min(_converting(pool, "train"), _converting(pool, "test")) < LEAST:
        return Check(SPLITS, f"Fewer than {LEAST} converting leads in train or test: too few.", applies=False)
    by_row = folds.hashed([str(i) for i in range(len(pool.y))], params.seed, settings.bags)
    by_account = folds.whole_groups(pool.groups, params.seed, settings.bags)
    numbers: dict[str, Any] = {
        "random_rows": _left_out(pool, by_row, settings, test),
        "random_accounts": _left_out(pool, by_account, settings, test),
        "in_time": _auc(pool.y, learned(pool, settings), test),
        "rows": len(pool.y),
        "test_rows": int(test.sum()),
    }
    said = (
        f"A small model, on the same {int(test.sum()):,} test rows: AUC {numbers['random_rows']:.3f} with rows split "
        f"at random (looks at one lead on both sides), {numbers['random_accounts']:.3f} with whole accounts split at "
        f"random, {numbers['in_time']:.3f} learned from the past alone, as is done here."
    )
    return Check(SPLITS, said, numbers=numbers)


def _pool(data: Data) -> Data:
    """All rows of some accounts in train or test, about MOST_ROWS: looks at one lead stay together."""
    rows = np.flatnonzero(data.rows("train") | data.rows("test"))
    names, group = np.unique(data.group[rows], return_inverse=True)
    place = np.random.default_rng(0).permutation(len(names))
    running = np.cumsum(np.bincount(place[group], minlength=len(names)))
    keep = place[group] <= int(np.searchsorted(running, MOST_ROWS))
    return part_of(data, rows[keep])


def _left_out(pool: Data, fold: Ints, params: Train, judged: Bools) -> float:
    """AUC on the rows judged, each scored by members that did not train on its part."""
    rows = replace(rows_of(pool, np.ones(len(pool.y), bool), params), fold=fold)
    return _auc(pool.y, training.fit(rows, settings_of(params)).bag.left_out, judged)


def _auc(y: Array, score: Floats, rows: Bools) -> float:
    return auc(taken(ranking(y[rows], score[rows])))
