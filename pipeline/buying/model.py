"""The probability that an account converts: learned, tested and told, and who is missing there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from features.arrays import DAY_US, NEVER, Floats, Ints
from models.bundle.accounts import INDEPENDENT, AccountModel, fit
from models.bundle.roles import Wanted, by_account, counted_at, has_titles, missing, roles, said, wanted
from models.judging import bootstrap, metrics
from models.judging.rates import rate, smoothed
from pipeline.buying.looks import (
    Book,
    Look,
    Past,
    account_names,
    converts,
    first_wins,
    look_at,
    open_lead_converts,
    people,
)

EVERY_US = 28 * DAY_US
"""How often accounts are looked at."""
MOST_LOOKS = 65
"""Five years: a date of long ago, which a CRM fills in by default, must not make thousands of looks."""
DRAWS = 200
MOST_SHOWN = 20
LEAST_CONVERTING = 30
"""With fewer converting accounts nothing is learned, and leads count as independent."""
BINS = 10
Scorer = Callable[[pl.DataFrame], Floats]
"""Calibrated log odds of rows `lead_id, as_of`."""


def learned(found: Past, scored: Scorer, begin: int) -> tuple[AccountModel, dict[str, Any]]:
    """The account's model from looks whose horizon was over when the test began, and what it was learned from.

    `scored` has to be honest: each lead by trees that never saw its account, or the model would learn to trust too far.
    """
    first = int(found.records.created.min())
    look = look_at(found, range(begin - found.horizon, first, -EVERY_US)[:MOST_LOOKS])
    y = converts(found, look, begin)
    won = len(np.unique(look.account[y == 1]))
    enough = won >= LEAST_CONVERTING
    model = fit(look.looks(scored(rows_of(found, look))), y) if enough else INDEPENDENT
    counts = {"looks": len(y), "accounts": len(np.unique(look.account)), "converting": int(y.sum())}
    return model, {**counts, "converting_accounts": won, "learned": enough}


def rows_of(found: Book, look: Look) -> pl.DataFrame:
    """`lead_id, as_of` of the open leads of some looks."""
    at = pl.Series(look.as_of).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame({"lead_id": found.order["lead_id"].gather(look.lead), "as_of": at})


def tested(found: Past, model: AccountModel, scored: Scorer, begin: int, base: float, seed: int) -> dict[str, Any]:
    """How the model does on looks in the test whose horizon is over, every open lead scored at the instant, against
    what needs no regression. `base`: share of looks that converted where it learned."""
    look = look_at(found, range(begin, found.until - found.horizon + 1, EVERY_US))
    if not len(look.account):
        return {"reason": "no look at an account in the test has a horizon that is over"}
    seen, y = look.looks(scored(rows_of(found, look))), converts(found, look, found.until)
    every: dict[str, Floats] = {"model": model.probability(seen), **seen.naive(), "base_rate": np.full(len(y), base)}
    own, apart = bootstrap.compare(y, every, "model", look.account, seed, DRAWS)
    return {
        "looks": len(y),
        "instants": len(np.unique(look.at)),
        "accounts": len(np.unique(look.account)),
        "converting": int(y.sum()),
        "converting_accounts": len(np.unique(look.account[y == 1])),
        "by_open_leads": int(open_lead_converts(found, look).sum()),
        "scores": {name: _scores(y, p, own[name]) for name, p in every.items()},
        "difference": {
            name: {"log_loss": list(apart[name]["log_loss"])} for name in apart if "log_loss" in apart[name]
        },
        "reliability": {name: _reliability(y, every[name], look.account) for name in ("model", "independent", "sum")},
        "by_leads": _by_leads(y, every, seen.count),
    }


def _scores(y: Floats, p: Floats, spans: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    found = {
        "log_loss": metrics.log_loss(y, p),
        "auc": metrics.known(metrics.ordering(y, p)["auc"]),
        "observed_over_expected": metrics.known(metrics.observed_over_expected(y, p)),
    }
    return {**found, "intervals": {name: list(spans[name]) for name in found if name in spans}}


def _reliability(y: Floats, p: Floats, account: Ints) -> list[dict[str, Any]]:
    """Looks by tenths of their probability: how many, and the rates expected and observed, with an interval."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    seen = [rate(y[part], account[part]) for part in parts]
    return [
        {"n": one.n, "expected": float(p[part].mean()), "observed": one.rate, "interval": one.interval}
        for part, one in zip(parts, seen, strict=True)
    ]


def _by_leads(y: Floats, every: Mapping[str, Floats], count: Floats) -> list[dict[str, Any]]:
    """Predicted and actual conversions by number of open leads: where adding probabilities up goes wrong."""
    found = []
    for name, mine in (("1", count == 1), ("2", count == 2), ("3 or more", count >= 3)):
        if mine.any():
            promised = {model: float(p[mine].sum()) for model, p in every.items() if model != "base_rate"}
            found.append(
                {"leads": name, "looks": int(mine.sum()), "converted": int(y[mine].sum()), "promised": promised}
            )
    return found


def roles_of_won(found: Past, begin: int) -> tuple[Wanted, ...]:
    """Roles that accounts had before they were won, against those not won at the same ages, by what was known when the
    test began."""
    r = found.records
    wins, first = first_wins(found, begin), r.account_start[:-1]
    own = found.named[first]
    at = np.full(len(wins), NEVER)
    at[own] = counted_at(r.created[first[own]], wins[own], begin)
    counted = at[r.account]
    lead = np.flatnonzero((r.created < counted) & (counted != NEVER))
    had = by_account(roles(r, found.plan, lead, counted[lead]), r.account[lead], len(wins))
    some = np.bincount(r.account[lead], minlength=len(wins)) > 0
    return wanted(had[some], (wins <= begin)[some])


def shown(found: Book, model: AccountModel, asked: Sequence[Wanted], scored: Scorer) -> list[dict[str, Any]]:
    """The likeliest accounts at the present."""
    look = look_at(found, [found.until])
    if not len(look.account):
        return []
    seen = look.looks(scored(rows_of(found, look)))
    p = model.probability(seen)
    best = np.lexsort((look.account, -p))[:MOST_SHOWN]
    known, active = people(found, look)
    gone, names = missing(asked, known), account_names(found)
    return [
        {
            "account_id": names[int(look.account[i])], "open_leads": int(seen.count[i]), "probability": float(p[i]),
            "known": said(known[i]), "active": said(active[i]), "missing": gone[i],
        }
        for i in best.tolist()
    ]  # fmt: skip


def figures(
    found: Past, begin: int, honest: Scorer, scored: Scorer, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """reports/accounts.json, and what the bundle keeps: `model` and `roles`. `begin`: of the test, µs; `honest` scores
    leads by trees that never saw their account, `scored` by all."""
    model, facts = learned(found, honest, begin)
    asked = roles_of_won(found, begin) if has_titles(found.plan) else ()
    base = smoothed(facts["converting"], facts["looks"])
    kept = {"model": model.to_json(), "roles": [asdict(one) for one in asked]}
    told = {
        **kept,
        "learned_from": facts,
        "test": tested(found, model, scored, begin, base, seed),
        "accounts": shown(found, model, asked, scored),
    }
    return told, kept
