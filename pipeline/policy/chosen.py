"""The policy of a run."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from features.arrays import Floats
from models.policy.policy import Policy, scale
from models.policy.routing import Routing, Rule
from models.policy.thresholds import continuity
from models.policy.values import Values
from pipeline.errors import Stop
from pipeline.params import Policy as PolicyParams
from pipeline.policy.thresholds import Standing, held, mark_of, threshold_of


@dataclass(frozen=True)
class Scores:
    """What the policy of a run is set by."""

    predictions: pl.DataFrame
    """data/predictions.parquet: the score of percentiles is the rank among these, so that anyone can count it again."""
    unseen: pl.DataFrame
    """The same by trees that never saw the account (unseen.py). What promises a volume, the threshold and the scale of
    continuity, goes by these: a new lead is one that no tree saw either."""
    base_rate: float
    """Of the outcomes that were known when the test began: the baseline of that name."""


def policy_of(params: PolicyParams, scores: Scores, values: Values, standing: Standing | None = None) -> Policy:
    """The policy of a run, by the calibrate fold, or by train where there is none.

    `standing`: how leads have qualified until now; None where nothing says. Raises Stop where `params` ask for more
    than the data tell.
    """
    standing = standing or Standing()
    threshold = threshold_of(params, scores.unseen, standing, values)
    benefit = None if params.threshold is None else params.threshold.net_benefit
    return Policy(
        scale=_scale(params, scores, threshold, standing),
        base_rate=scores.base_rate,
        grades=tuple(params.grades.items()),
        rest=params.rest,
        routing=Routing(
            rules=tuple(Rule(**rule.model_dump()) for rule in params.routes),
            leave=params.leave,
            large_deal=values.overall if params.large_deal is None else params.large_deal,
            product_events=tuple(params.product_events),
        ),
        values=values,
        threshold=threshold,
        call_cost=None if benefit is None else benefit.call_cost,
    )


def _scale(params: PolicyParams, scores: Scores, threshold: float | None, standing: Standing) -> tuple[float, ...]:
    if params.scale == "percentile":
        return scale(_held(scores.predictions))
    if threshold is None:
        raise Stop(
            "policy.scale: continuity needs a threshold; give policy.threshold, or points by which leads qualify"
        )
    return continuity(_held(scores.unseen), threshold, mark_of(params, standing.mark))


def _held(rows: pl.DataFrame) -> Floats:
    return held(rows)["probability"].to_numpy().astype(np.float64)
