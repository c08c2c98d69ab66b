"""What a change of the criteria would do: who meets them before and after, and what came of those leads."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Floats, Ints
from models.judging.bootstrap import span, weights

DRAWS = 400
MEASURES = ("leads_a_week", "conversions_a_week", "conversion", "share_of_conversions", "value_a_week", "value_a_lead")


@dataclass(frozen=True)
class Measured:
    """A figure, and its 95 % interval; None where too few draws tell it."""

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Trial:
    """MEASURES by name: before, after, and after less before. `moved`: conversion of those who come in and go out."""

    before: dict[str, Measured]
    after: dict[str, Measured]
    change: dict[str, Measured]
    moved: dict[str, Measured]


def trial(before: Bools, after: Bools, y: Floats, value: Floats, weeks: float, group: Ints, seed: int) -> Trial:
    """Of n leads: who met the criteria before and would after, y in {0, 1}, what each brought (0 for nothing), (n,).

    Intervals by drawing whole accounts again (`group`), before and after on the same draws. weeks > 0.
    """
    sides = {"before": before, "after": after}

    def of(w: Floats) -> dict[str, Floats]:
        found = {name: _measures(own * w, y, value, weeks, w) for name, own in sides.items()}
        moved = [_mean(y, (after & ~before) * w), _mean(y, (before & ~after) * w)]
        return {**found, "change": found["after"] - found["before"], "moved": np.array(moved)}

    exact = of(np.ones(len(y)))
    drawn = [of(w) for w in weights(group, seed, DRAWS)]
    names = {**dict.fromkeys(("before", "after", "change"), MEASURES), "moved": ("in", "out")}
    return Trial(**{key: _told(exact[key], [d[key] for d in drawn], names[key]) for key in names})


def _measures(w: Floats, y: Floats, value: Floats, weeks: float, every: Floats) -> Floats:
    """In the order of MEASURES; NaN where nobody meets the criteria, or nobody converted."""
    leads, came, brought, total = w.sum(), (w * y).sum(), (w * value).sum(), (every * y).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([
            leads / weeks, came / weeks, np.divide(came, leads), np.divide(came, total), brought / weeks,
            np.divide(brought, leads),
        ])  # fmt: skip


def _mean(y: Floats, w: Floats) -> float:
    return float((w * y).sum() / w.sum()) if w.sum() > 0 else float("nan")


def _told(exact: Floats, drawn: list[Floats], names: tuple[str, ...]) -> dict[str, Measured]:
    return {name: Measured(*_one(exact[i], np.array([d[i] for d in drawn]))) for i, name in enumerate(names)}


def _one(exact: float, drawn: Floats) -> tuple[float | None, tuple[float, float] | None]:
    return (float(exact), span(drawn)) if np.isfinite(exact) else (None, None)
