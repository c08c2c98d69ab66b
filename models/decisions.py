"""What the policy makes of each lead's probability, in files of scores and in the service alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.arrays import Floats
from features.kernel import Matrix
from models.policy import Policy


@dataclass(frozen=True)
class Decision:
    """One lead's."""

    score: int
    grade: str
    route: str | None
    expected_value: float | None
    value_source: str | None
    """Where the deal's value is from: the lead, the name of its segment's column, or all deals."""


def decide(policy: Policy, matrix: Matrix, p: Floats, own: Sequence[float | None]) -> list[Decision]:
    """A row each. `own`: the deal values that the leads themselves have."""
    found = []
    for q, s, g, v, t in zip(
        p.tolist(), policy.score(p).tolist(), policy.grade(p), own, _segments(policy, matrix), strict=True
    ):
        value, source = policy.value(v, t)
        found.append(Decision(s, g, policy.route(g), None if value is None else value * q, source))
    return found


def _segments(policy: Policy, matrix: Matrix) -> list[str | None]:
    """The text of each row in the policy's segment column."""
    column = policy.values.column
    place = next((j for j, c in enumerate(matrix.columns) if c.name == column), None) if column else None
    if column is None or place is None:
        return [None] * len(matrix.values)
    texts = matrix.levels[column]
    return [None if code != code else texts[int(code)] for code in matrix.values[:, place].tolist()]
