"""reports/policy.json: what the policy would have brought week by week of the test, and whether its values add up."""

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from features.arrays import DAY_US, Bools, Floats, Ints
from features.kernel import Matrix
from models.funnel.flow import flow
from models.judging.bootstrap import money_span, weights
from models.judging.metrics import known
from models.policy.policy import Policy
from pipeline.assembly.groups import groups_of
from pipeline.assembly.values import Tables
from pipeline.outcomes.deals import brought
from pipeline.params import Definition

DRAWS = 400


def forecast(
    policy: Policy, predictions: pl.DataFrame, matrix: Matrix, tables: Tables, definition: Definition, seed: int
) -> dict[str, Any]:
    """`predictions` and their features `matrix`, row by row, of every fold; `left_out` says why there are no weeks."""
    p = predictions["probability"].to_numpy().astype(np.float64)
    own = predictions.join(tables["leads"].select("lead_id", "value"), on="lead_id", how="left", maintain_order="left")
    values = policy.values.all_of(own["value"].to_list(), policy.values.segments(matrix))
    found = {"threshold": policy.threshold, "score_at_threshold": _score_at(policy)}
    if predictions["as_of"].null_count():
        return {**found, "left_out": "without dates there are no weeks"}
    value = _value(predictions, p, values, tables, definition, seed)
    if definition.snapshots.at:
        return {**found, "left_out": "leads are looked at on the days of definition.snapshots.at", "value": value}
    routes = policy.route(p, values, policy.product_use(matrix))
    return {
        **found,
        **_weekly(policy, predictions, p, np.array(policy.grade(p)), np.array(routes), seed),
        "value": value,
    }


def _score_at(policy: Policy) -> int | None:
    return None if policy.threshold is None else int(policy.score(np.array([policy.threshold]))[0])


def _weekly(policy: Policy, rows: pl.DataFrame, p: Floats, grade: Any, route: Any, seed: int) -> dict[str, Any]:
    """Leads a week that first come above the threshold, into each grade, and into each route, in whole weeks."""
    order = rows.with_row_index("n").sort("lead_id", "as_of")["n"].to_numpy()
    ordered = rows[order]
    week, weeks = _weeks(ordered)
    if weeks == 0:
        return {"left_out": "the test period is shorter than a week"}
    lead = ordered["lead_id"].rank("dense").to_numpy().astype(np.int64)
    y, q = ordered["label"].to_numpy().astype(np.float64), p[order]

    def of(hit: Bools) -> dict[str, Any]:
        return asdict(flow(lead, hit[order], week, weeks, y, q, seed))

    return {
        "weeks": weeks,
        "above": None if policy.threshold is None else of(p >= policy.threshold),
        "grades": {name: of(grade == name) for name in (*(g for g, _ in policy.grades), policy.rest)},
        "routes": {name: of(route == name) for name in dict.fromkeys(r.route for r in policy.routing.rules)},
        "rules": [asdict(rule) for rule in policy.routing.rules],
    }


def _weeks(rows: pl.DataFrame) -> tuple[Ints, int]:
    """The week of each row since the test began, negative before, and how many whole ones there are."""
    at, test = rows["as_of"].to_physical().to_numpy(), (rows["fold"] == "test").to_numpy()
    begin, end = int(at[test].min()), int(at[test].max())
    return np.asarray((at - begin) // (7 * DAY_US)), (end - begin) // (7 * DAY_US)


def _value(
    rows: pl.DataFrame, p: Floats, values: Floats, tables: Tables, definition: Definition, seed: int
) -> dict[str, Any] | None:
    """Expected and won amounts of the leads of the test with a value, each the mean of its examples, so that ten looks
    at one deal are one deal; None where no conversion has an amount.

    A conversion without an amount is taken to have brought the value that was expected of it.
    """
    at = np.flatnonzero((rows["fold"] == "test").to_numpy() & ~np.isnan(values))
    amount = brought(rows[at], tables, definition)
    y = rows["label"].to_numpy().astype(np.float64)[at]
    told = (y == 1) & ~np.isnan(amount)
    if not told.any():
        return None
    looks = rows[at].select(pl.len().over("lead_id")).to_series().to_numpy().astype(np.float64)
    won = y * np.where(np.isnan(amount), values[at], amount) / looks
    due = p[at] * values[at] / looks
    group = groups_of(rows[at], tables["leads"]).rank("dense").to_numpy().astype(np.int64)
    ratios = [float((w * won).sum() / (w * due).sum()) for w in weights(group, seed, DRAWS) if (w * due).sum() > 0]
    ratio = float(won.sum() / due.sum()) if due.sum() > 0 else np.nan
    interval = money_span(ratio, ratios)
    return {
        "examples": len(at),
        "leads": rows[at]["lead_id"].n_unique(),
        "expected": float(due.sum()),
        "won": float(won.sum()),
        "won_over_expected": known(ratio),
        "interval": interval,
        "off": None if interval is None else not interval[0] <= 1 <= interval[1],
        "conversions_without_amount": int((y == 1).sum() - told.sum()),
    }
