"""The weekly replay: what a team that took the best of its open leads each week of the test would have got."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Floats, Ints
from features.kernel import Matrix
from features.plan import Plan
from models import folds
from models.judging import bootstrap, metrics, weekly
from models.judging.weekly import Played, Weeks
from models.policy.values import Values
from pipeline.assembly.featuring import in_parts
from pipeline.assembly.groups import groups_of
from pipeline.assembly.values import Tables, instants
from pipeline.judging.weeks import Pool

Predict = Callable[[pl.DataFrame, Matrix], Mapping[str, Floats]]
"""Scores by name of rows `lead_id, as_of` with their features; `model` among them."""


@dataclass(frozen=True)
class Replay:
    """What the replay found; metrics are empty where there was nothing to replay."""

    metrics: dict[str, Any]
    intervals: dict[str, Any]
    weeks: dict[str, Any]
    """`kind`, `reason` where there is nothing, and by week `at`, `open`, `converting`, `capacity` and, by name,
    `taken` and `converted`."""
    expected: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Luck apart, by name, as `weekly.expected` has it; empty where the truth is not known."""


@dataclass(frozen=True)
class Test:
    """What the replay needs to know of the test fold's examples: shapes (k,)."""

    y: Floats
    age_days: Floats
    group: Ints
    scores: Mapping[str, Floats]


def replay(
    found: Pool,
    weeks: Weeks,
    scores: Mapping[str, Floats],
    test: Test,
    seed: int,
    draws: int,
    exact: Floats | None = None,
) -> Replay:
    """Let each scorer choose among the rows of the pool, which `weeks` has as arrays, and measure what it chose; with
    the `exact` probabilities of the rows also what that was worth, luck apart."""
    played = {name: weekly.play(weeks, p) for name, p in scores.items()}
    own, apart = weekly.intervals(weeks, played, "model", seed, draws)
    young = _at_age_0(test, seed, draws)
    measured = {name: _measured(weeks, one, young.auc[name]) for name, one in played.items()}
    return Replay(
        metrics={**_facts(weeks, found.kind), **measured},
        intervals={**{name: {**own[name], **young.own[name]} for name in played},
                   "difference": {name: {**apart[name], **young.apart[name]} for name in apart}},
        weeks={"kind": found.kind, "weeks": _by_week(found, weeks, played)},
        expected={} if exact is None else _expected(weeks, played, exact),
    )  # fmt: skip


def scored_rows(
    tables: Tables, plan: Plan, rows: pl.DataFrame, values: Values, predict: Predict
) -> tuple[dict[str, Floats], Floats]:
    """Scores by name of a pool's rows, and what `expected_of` says of each: the features come and go in parts."""
    parts, expected = [], []
    for part, matrix in in_parts(tables, plan, rows):
        parts.append(predict(part, matrix))
        expected.append(expected_of(part, matrix, values, tables["leads"]))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, np.concatenate(expected)


def expected_of(rows: pl.DataFrame, matrix: Matrix, values: Values, leads: pl.DataFrame) -> Floats:
    """The deal value expected of each row that converts, shape (k,); NaN of the others, and where nobody knows."""
    expected, won = np.full(len(rows), np.nan), np.flatnonzero(rows["label"].to_numpy() == 1)
    own = rows[won].join(leads.select("lead_id", "value"), on="lead_id", how="left", maintain_order="left")["value"]
    expected[won] = values.all_of(own.to_list(), values.segments(replace(matrix, values=matrix.values[won])))
    return expected


def absent(reason: str) -> Replay:
    """Nothing was replayed, and why."""
    return Replay({}, {}, {"kind": "none", "reason": reason, "weeks": []})


def weeks_of(found: Pool, expected: Floats, leads: pl.DataFrame, seed: int) -> Weeks:
    """The pool as arrays. `expected`: what each row would bring, where its conversion does not say."""
    rows = found.rows
    names = [f"{lead} {at}" for lead, at in zip(rows["lead_id"], instants(rows).tolist(), strict=True)]
    return Weeks(
        week=rows["week"].to_numpy().astype(np.int64),
        turn=rows["turn"].to_numpy().astype(np.int64),
        y=rows["label"].to_numpy().astype(np.float64),
        value=_brought(rows, expected),
        group=groups_of(rows, leads).rank("dense").to_numpy().astype(np.int64),
        chance=folds.hashed(names, seed, 1 << 32),
        capacity=np.array(found.capacity, dtype=np.int64),
    )


def _brought(rows: pl.DataFrame, expected: Floats) -> Floats:
    """What each row brings: its won amount, else what was expected; 0 where it does not convert, NaN unknown."""
    amount = rows["amount"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    brought = np.where(np.isnan(amount), expected, amount)
    return np.where(rows["label"].to_numpy() == 1, brought, 0.0)


def _facts(weeks: Weeks, kind: str) -> dict[str, Any]:
    """How often leads were taken, in `weeks` or at `instants`, which may be months apart; and of how many each time,
    `open` ones or those `created` in the week."""
    n = len(weeks.capacity)
    return {
        "instants" if kind == "instants" else "weeks": n,
        "capacity": float(weeks.capacity.mean()),
        "created" if kind == "created" else "open": len(weeks.y) / n,
        "base_rate_of_open": float(weeks.y.mean()),
    }


def _expected(weeks: Weeks, played: Mapping[str, Played], exact: Floats) -> dict[str, dict[str, float | None]]:
    found = weekly.expected(weeks, played, exact)
    return {name: {key: metrics.known(value) for key, value in own.items()} for name, own in found.items()}


def _measured(weeks: Weeks, played: Played, auc_age_0: float) -> dict[str, float | None]:
    found = {**weekly.measures(weeks, played), "auc_age_0": auc_age_0}
    return {name: metrics.known(value) for name, value in found.items()}


@dataclass(frozen=True)
class _Young:
    auc: dict[str, float]
    own: dict[str, bootstrap.Intervals]
    apart: dict[str, bootstrap.Intervals]


def _at_age_0(test: Test, seed: int, draws: int) -> _Young:
    """AUC of the test examples at age 0: leads of which little more than their form is known."""
    rows = np.flatnonzero(test.age_days == 0)
    y = test.y[rows]
    scores = {name: p[rows] for name, p in test.scores.items()}
    if len(rows) == 0:
        nothing: dict[str, bootstrap.Intervals] = {name: {} for name in scores}
        return _Young(dict.fromkeys(scores, np.nan), nothing, nothing)
    own, apart = bootstrap.compare(y, scores, "model", test.group[rows], seed, draws)
    return _Young({name: metrics.ordering(y, p)["auc"] for name, p in scores.items()}, _auc(own), _auc(apart))


def _auc(spans: Mapping[str, bootstrap.Intervals]) -> dict[str, bootstrap.Intervals]:
    return {name: {"auc_age_0": found["auc"]} if "auc" in found else {} for name, found in spans.items()}


def _by_week(found: Pool, weeks: Weeks, played: Mapping[str, Played]) -> list[dict[str, Any]]:
    n = len(weeks.capacity)
    there, won = np.bincount(weeks.week, minlength=n), np.bincount(weeks.week, weeks.y, minlength=n)
    taken = {name: np.bincount(weeks.week, one.taken, minlength=n) for name, one in played.items()}
    converted = {name: np.bincount(weeks.week, one.taken * weeks.y, minlength=n) for name, one in played.items()}
    return [
        {
            "at": at.isoformat(),
            "open": int(there[k]),
            "converting": int(won[k]),
            "capacity": int(weeks.capacity[k]),
            "taken": {name: float(of[k]) for name, of in taken.items()},
            "converted": {name: float(of[k]) for name, of in converted.items()},
        }
        for k, at in enumerate(found.instants)
    ]
