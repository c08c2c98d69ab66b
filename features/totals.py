"""All engagement and all intent, from the event types that make them up."""

import numpy as np

from features.arrays import Array
from features.plan import Plan


def totals(plan: Plan, by_slot: Array, over: np.ufunc) -> None:
    """Fill the slots of the two totals in place, shape (k, slots, …): `over` of their parts, no scanner's clicks."""
    e, i = plan.engagement_slots, plan.intent_total_slot
    by_slot[:, e - 1] = over.reduce(by_slot[:, : e - 1], axis=1)
    if i > e:
        by_slot[:, i] = over.reduce(by_slot[:, e:i], axis=1)
