"""Shares of spells that end in time, in the form that the reports hold."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from features.arrays import Floats
from models.judging.survival import Spells, curve


@dataclass(frozen=True)
class Telling:
    """How shares are told: at days `at`, rising, up to `within`; intervals by `draws` draws of accounts."""

    at: Floats
    within: float
    seed: int
    draws: int

    def up_to(self, days: float) -> "Telling":
        """The same, told no further than to a day."""
        last = min(days, self.within)
        return replace(self, at=np.unique([*self.at[self.at <= last], last]), within=last)


def told(spells: Spells, end: int, telling: Telling, *, drawn: bool = False) -> dict[str, Any]:
    """`n, ended, open, followed_days`, `share` and `interval` by the last day, `median_days` of those that end so;
    with `drawn` the whole `curve`. `ended` counts what came by the present: no share follows from it, for young
    spells are not over."""
    at = telling.at if drawn else np.array([telling.within])
    found = curve(spells, end, at, telling.seed, telling.draws)
    said = {
        "n": len(spells),
        "ended": int((spells.end == end).sum()),
        "open": int((spells.end == 0).sum()),
        "followed_days": spells.followed_days,
        **found.on(telling.within),
        "median_days": found.median(),
    }
    return {**said, "curve": found.to_json()} if drawn else said
