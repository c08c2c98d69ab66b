"""The life of a team, replayed: each week the best of the leads that are open are taken, each lead once.

Ten looks at one lead flatter a model that knows it well; a team can take it once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from features.arrays import Bools, Floats, Ints
from models.judging import bootstrap, few
from models.judging.bootstrap import Intervals
from models.judging.pairs import Pairs, pairs_of

ORDERS = 20
"""Where scores tie, chance decides: results are means over this many orders."""


@dataclass(frozen=True)
class Weeks:
    """k rows, each a lead that is open at the instant of a week. Arrays have shape (k,) but for `capacity`."""

    week: Ints
    """From 0, not falling."""
    turn: Ints
    """What is taken once: a lead's episode."""
    y: Floats
    """1 where the lead converts within the horizon from the week's instant, else 0."""
    value: Floats
    """What it then brings; 0 where it does not convert, NaN where nobody knows."""
    group: Ints
    chance: Ints
    """A hash of lead and instant, at least 32 bits: who comes first of equal scores."""
    capacity: Ints
    """How many are taken in each week, shape (weeks,)."""


@dataclass(frozen=True)
class Played:
    """How one way to score fared."""

    taken: Floats
    """Shape (k,): 1 where the row is taken; between 0 and 1 where chance decides."""
    pairs: Pairs


def play(weeks: Weeks, score: Floats) -> Played:
    """Replay with scores (k,), the highest taken first. NaN is not allowed: raises ValueError."""
    if np.isnan(score).any():
        raise ValueError(f"row {np.flatnonzero(np.isnan(score))[0]}: expected a score, got NaN")
    pairs = pairs_of(weeks.week, weeks.y, score)
    orders = ORDERS if pairs.tied else 1
    taken = np.zeros(len(score))
    for order in range(orders):
        taken += choose(weeks, score, _shuffled(weeks.chance, order))
    return Played(taken / orders, pairs)


def choose(weeks: Weeks, score: Floats, chance: Ints) -> Bools:
    """The rows taken, shape (k,): in each week the best by score, then `chance`, whose turn was not taken before."""
    gone = np.zeros(int(weeks.turn.max(initial=-1)) + 1, bool)
    taken = np.zeros(len(score), bool)
    edges = np.searchsorted(weeks.week, np.arange(len(weeks.capacity) + 1))
    for k, most in enumerate(weeks.capacity.tolist()):
        rows = np.arange(edges[k], edges[k + 1])
        rows = rows[~gone[weeks.turn[rows]]]
        best = rows[np.lexsort((chance[rows], -score[rows]))[:most]]
        taken[best] = True
        gone[weeks.turn[best]] = True
    return taken


def _shuffled(chance: Ints, order: int) -> Ints:
    """Another order of the same rows: the finaliser of SplitMix64 (Steele et al. 2014), 0 leaves all as it is."""
    if order == 0:
        return chance
    z = chance.astype(np.uint64) + np.uint64(order * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z >> np.uint64(1)).astype(np.int64)


def measures(weeks: Weeks, played: Played) -> dict[str, float]:
    """`taken`, `converted`, and of them `precision`, `lift` over the average open lead, `value`;
    `auc_within_week`. NaN where undefined; value is NaN where that of no converting lead is known."""
    ones = np.ones(len(weeks.y))
    taken, won = float(played.taken.sum()), float((played.taken * weeks.y).sum())
    return {"taken": taken, "converted": won} | _weighted(weeks, played, ones, rates(weeks, ones))


def expected(weeks: Weeks, played: Mapping[str, Played], exact: Floats) -> dict[str, dict[str, float]]:
    """`precision` and `lift` by name, luck apart: the mean over all that could have become of the rows taken; and
    those of `attainable`, which takes by the `exact` probabilities (k,) themselves. A row where these are NaN counts
    as one that never converts."""
    chance = np.nan_to_num(exact)
    fair, every = replace(weeks, y=chance), {**played, "attainable": play(weeks, chance)}
    found = {name: measures(fair, one) for name, one in every.items()}
    return {name: {key: one[key] for key in ("precision", "lift")} for name, one in found.items()}


def rates(weeks: Weeks, weight: Floats) -> Floats:
    """Share of the open leads of each week that convert, shape (weeks,); NaN where none is open."""
    n = len(weeks.capacity)
    rows = np.bincount(weeks.week, weight, minlength=n)
    won = np.bincount(weeks.week, weight * weeks.y, minlength=n)
    return np.asarray(won / np.where(rows > 0, rows, np.nan), dtype=np.float64)


def _weighted(weeks: Weeks, played: Played, weight: Floats, rate: Floats) -> dict[str, float]:
    rows = np.flatnonzero(played.taken)
    part = weight[rows] * played.taken[rows]
    taken, won = float(part.sum()), float((part * weeks.y[rows]).sum())
    expected = float(np.nansum(part * rate[weeks.week[rows]]))
    value = weeks.value[rows]
    known = bool((~np.isnan(weeks.value[weeks.y > 0])).any())
    return {
        "precision": won / taken if taken > 0 else np.nan,
        "lift": won / expected if expected > 0 else np.nan,
        "value": float(np.nansum(part * value)) if known else np.nan,
        "auc_within_week": played.pairs.auc(weight),
    }


def intervals(
    weeks: Weeks, played: Mapping[str, Played], first: str, seed: int, draws: int
) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """95 % intervals by name, and of `first` minus each other on the same draws.

    Accounts are drawn again; what was taken stays taken, so the intervals are of the outcomes of one replay. Those of
    precision and lift are as wide as models/judging/few.py asks for where few accounts converted of those taken; that
    of value goes by `bootstrap.money_span`.
    """
    drawn: dict[str, list[dict[str, float]]] = {name: [] for name in played}
    for weight in bootstrap.weights(weeks.group, seed, draws):
        rate = rates(weeks, weight)
        for name, one in played.items():
            drawn[name].append(_weighted(weeks, one, weight, rate))
    own, apart = bootstrap.spans(drawn, first)
    wide = {name: _with_few(found, weeks, played[name]) for name, found in own.items()}
    return {name: _with_money(found, weeks, played[name], drawn[name]) for name, found in wide.items()}, apart


def _with_few(found: Intervals, weeks: Weeks, played: Played) -> Intervals:
    rows = np.flatnonzero(played.taken)
    part, group = played.taken[rows], weeks.group[rows]
    won, expected = part * weeks.y[rows], part * rates(weeks, np.ones(len(weeks.y)))[weeks.week[rows]]
    wide = {key: few.widened(found.get(key), won, by, group) for key, by in (("precision", part), ("lift", expected))}
    if wide["precision"] is not None:
        wide["precision"] = wide["precision"][0], min(wide["precision"][1], 1.0)
    return found | {key: pair for key, pair in wide.items() if pair is not None}


def _with_money(found: Intervals, weeks: Weeks, played: Played, drawn: list[dict[str, float]]) -> Intervals:
    pair = bootstrap.money_span(measures(weeks, played)["value"], [draw["value"] for draw in drawn])
    rest = {key: own for key, own in found.items() if key != "value"}
    return rest if pair is None else rest | {"value": pair}
