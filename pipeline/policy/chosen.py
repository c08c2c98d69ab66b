"""The policy of a run."""

import numpy as np
import polars as pl

from models.policy.policy import Policy, scale
from models.policy.routing import Routing, Rule
from models.policy.thresholds import continuity
from models.policy.values import Values
from pipeline.errors import Stop
from pipeline.params import Policy as PolicyParams
from pipeline.policy.thresholds import Standing, held, mark_of, threshold_of


def policy_of(
    params: PolicyParams,
    predictions: pl.DataFrame,
    unseen: pl.DataFrame,
    values: Values,
    standing: Standing | None = None,
) -> Policy:
    """The policy of a run, by the calibrate fold, or by train where there is none.

    The score of percentiles is the rank among `predictions` (data/predictions.parquet), so that anyone can count it
    again. What promises a volume, the threshold and the scale of continuity, goes by `unseen` (unseen.py): a new lead
    is one that no tree saw either. `standing`: how leads have qualified until now; None where nothing says.

    Raises Stop where `params` ask for more than the data tell.
    """
    standing = standing or Standing()
    known = predictions.filter(pl.col("fold").is_in(["train", "calibrate"]))
    threshold = threshold_of(params, unseen, standing, values)
    benefit = None if params.threshold is None else params.threshold.net_benefit
    return Policy(
        scale=_scale(params, held(predictions), held(unseen), threshold, standing),
        base_rate=(float(known["label"].sum()) + 0.5) / (len(known) + 1),
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


def _scale(
    params: PolicyParams, seen: pl.DataFrame, unseen: pl.DataFrame, threshold: float | None, standing: Standing
) -> tuple[float, ...]:
    if params.scale == "percentile":
        return scale(seen["probability"].to_numpy().astype(np.float64))
    if threshold is None:
        raise Stop("policy.scale: continuity needs a threshold; give policy.threshold, or a points table that lets in")
    p = unseen["probability"].to_numpy().astype(np.float64)
    return continuity(p, threshold, mark_of(params, standing.mark))
