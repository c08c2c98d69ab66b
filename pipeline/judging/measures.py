"""How good predictions are on the test fold, and what they rest on."""

from dataclasses import replace
from typing import Any

import numpy as np

from features.arrays import Array, Floats
from models import folds
from models.judging import bootstrap, metrics
from models.learning.encoding import encode
from pipeline.assembly.data import Data
from pipeline.learning.fitted import Fitted

MOST_EXPLAINED = 2_000
"""Examples whose contributions are averaged for what matters."""


def one_per_lead(data: Data, rows: Array, seed: int) -> Array:
    """Of each lead one of its rows, by a hash: shape (leads,), positions."""
    at = np.flatnonzero(rows)
    names = [f"{data.examples['lead_id'][int(i)]} {data.as_of[i]}" for i in at]
    order = np.lexsort((folds.hashed(names, seed, 1 << 30), data.lead[at]))
    _, first = np.unique(data.lead[at][order], return_index=True)
    return np.sort(at[order][first])


def evaluate(data: Data, p: Floats, baselines: dict[str, Floats], truth: Floats | None, seed: int) -> dict[str, Any]:
    """The contract's metrics on the test fold; and how much of the attainable the model captured, where the `truth` of
    the test examples is known."""
    test = np.flatnonzero(data.rows("test"))
    single = one_per_lead(data, data.rows("test"), seed)
    found: dict[str, Any] = {
        "test": metrics.scores(data.y[test], p[test], seed),
        "test_one_per_lead": metrics.scores(data.y[single], p[single], seed),
        "baselines": {name: _baseline(data.y, q, test, single, seed) for name, q in baselines.items()},
    }
    if truth is not None:
        some = ~np.isnan(truth)  # leads that only carry a planted error have no truth
        known = test[some]
        found["truth"] = _attainable(truth[some], p[known], {k: q[known] for k, q in baselines.items()})
    return found


def _baseline(y: Floats, q: Floats, test: Array, single: Array, seed: int) -> dict[str, Any]:
    """Its metrics on the test fold, and on one example a lead."""
    found: dict[str, Any] = dict(metrics.scores(y[test], q[test], seed))
    return {**found, "test_one_per_lead": metrics.scores(y[single], q[single], seed)}


def _attainable(truth: Floats, p: Floats, baselines: dict[str, Floats]) -> dict[str, Any]:
    base = baselines["base_rate"]
    return {
        "log_loss": metrics.log_loss(truth, truth),
        "model_log_loss": metrics.log_loss(truth, p),
        "base_rate_log_loss": metrics.log_loss(truth, base),
        "captured": metrics.captured(truth, p, base),
        "captured_by_logistic": metrics.captured(truth, baselines["logistic"], base),
    }


def intervals(data: Data, p: Floats, baselines: dict[str, Floats], seed: int, draws: int) -> dict[str, Any]:
    """95 % intervals by bootstrap over accounts, of the metrics and of the model's lead over each baseline."""
    test = data.rows("test")
    y, group = data.y[test], data.group[test]
    every = {"model": p[test], **{name: q[test] for name, q in baselines.items()}}
    own, apart = bootstrap.compare(y, every, "model", group, seed, draws)
    return {"test": own.pop("model"), "baselines": own, "difference": apart}


def importance(data: Data, fitted: Fitted, seed: int) -> dict[str, float]:
    """Mean absolute contribution in log odds of each feature over test examples."""
    rows = np.flatnonzero(data.rows("test"))
    some = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_EXPLAINED])
    X = encode(fitted.encoding, replace(data.matrix, values=data.matrix.values[some]))
    shares = fitted.trees.contributions(X)[:, :-1]
    return dict(zip(fitted.encoding.columns, np.abs(shares).mean(axis=0).tolist(), strict=True))


def judge_order(scores: dict[str, Any], data: Data, points: Floats, seed: int) -> None:
    """Put what only the order decides by the points themselves, whatever curve was fitted to them."""
    single = one_per_lead(data, data.rows("test"), seed)
    for into, rows in ((scores, np.flatnonzero(data.rows("test"))), (scores["test_one_per_lead"], single)):
        into |= {k: metrics.known(v) for k, v in metrics.ordering(data.y[rows], points[rows]).items()}
