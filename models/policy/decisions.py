"""What the policy makes of each lead's probability, in files of scores and in the service alike."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from features.arrays import Floats
from features.kernel import Matrix
from models.policy.policy import Policy


class Decision(NamedTuple):
    """One lead's."""

    score: int
    grade: str
    route: str
    expected_value: float | None
    value_source: str | None
    """Where the deal's value is from: the lead, the name of its segment's column, or all deals."""
    qualified: bool | None
    """Whether the probability reaches the policy's threshold; None where there is none."""


def decide(
    policy: Policy,
    matrix: Matrix,
    p: Floats,
    own: Sequence[float | None],
    previous: Sequence[str | None] | None = None,
) -> list[Decision]:
    """One each of k leads, by their features and probabilities (k,). `own`: the deal values that the leads themselves
    have; `previous`: the routes that they had."""
    found = [policy.values.of(v, t) for v, t in zip(own, policy.values.segments(matrix), strict=True)]
    values = np.array([np.nan if value is None else value for value, _ in found], dtype=np.float64)
    routes = policy.route(p, values, policy.product_use(matrix), previous)
    return [
        Decision(score, grade, route, None if value is None else value * q, source, qualified)
        for q, score, grade, route, (value, source), qualified in zip(
            p.tolist(), policy.score(p).tolist(), policy.grade(p), routes, found, policy.qualified(p), strict=True
        )
    ]
