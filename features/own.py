"""Features of your own: functions of the kernel's columns. Add one here and it is trained, served,
explained and checked for leaks like any other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats
from features.columns import Block, Column, Group

Columns = Mapping[str, Floats]


@dataclass(frozen=True)
class Own:
    """A feature made of others. It exists where all columns that it needs exist."""

    make: Callable[[Columns], Floats]
    needs: tuple[str, ...]
    block: Block = "events"
    """The part of the record it depends on; the feature is unknown where the block is."""
    says: str = ""
    """What it is called in reasons, in words; by default its name without its group."""


def per(numerator: Floats, denominator: Floats) -> Floats:
    """Ratio, shape (k,); NaN, not 0 or inf, where the denominator is 0 or either is NaN."""
    return numerator / np.where(denominator == 0, np.nan, denominator)


OWN: dict[str, Own] = {
    "intent_pricing_share_30d": Own(
        lambda c: per(c["intent_pricing_view_30d"], c["engagement_page_view_30d"]),
        needs=("intent_pricing_view_30d", "engagement_page_view_30d"),
        says="pricing views per page view in the last 30 days",
    ),
    "engagement_own_pace_90d": Own(
        lambda c: per(c["engagement_any_engagement_90d"] + c["intent_any_intent_90d"], c["engagement_active_days_90d"]),
        needs=("engagement_any_engagement_90d", "intent_any_intent_90d", "engagement_active_days_90d"),
        says="activities per active day in the last 90 days",
    ),
    # Twenty days of silence are long in a life of thirty and short in one of a year: days alone say the less of a lead
    # the further its age is from those of train.
    "engagement_silent_share": Own(
        lambda c: per(c["engagement_any_engagement_last_days"], c["engagement_known_days"]),
        needs=("engagement_any_engagement_last_days", "engagement_known_days"),
        says="share of its days since the last activity",
    ),
    "intent_silent_share": Own(
        lambda c: per(c["intent_any_intent_last_days"], c["engagement_known_days"]),
        needs=("intent_any_intent_last_days", "engagement_known_days"),
        says="share of its days since the last buying signal",
    ),
}


def own_columns(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Columns of OWN whose needs are met."""
    have = {c.name for c in columns}
    return tuple(
        Column(name, _group(name), own.block, "own", own.says or name.partition("_")[2])
        for name, own in OWN.items()
        if have.issuperset(own.needs)
    )


def _group(name: str) -> Group:
    group = name.partition("_")[0]
    if group not in ("fit", "engagement", "intent"):
        raise ValueError(f"feature {name!r}: expected a name that starts with fit_, engagement_ or intent_")
    return group  # type: ignore[return-value]
