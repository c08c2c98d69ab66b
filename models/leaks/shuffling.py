"""Labels shuffled within their month: what then still tells the outcome is a leak."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.judging.ranking import Ranking, auc, ranking, taken

DRAWS = 1_000
POOLED = 3
"""Shuffles whose mean AUC is held against the 99 % interval of such means: narrower, so that weak leaks show."""
TRIES = 2
"""An honest run is outside a 99 % interval once in a hundred, and each time that it is repeated, as its seed stays: too
often for what stops a run. So it fails where fresh shuffles are outside too, once in ten thousand."""


@dataclass(frozen=True)
class Shuffled:
    """AUC of a model of shuffled labels on shuffled labels, and the 99 % interval of chance."""

    auc: float
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Both ends are inside."""
        return self.low <= self.auc <= self.high


def shuffled(y: Array, stratum: Ints, rng: np.random.Generator) -> Array:
    """Labels (n,), or whatever else, permuted within each stratum; what a stratum holds of them stays."""
    home = np.argsort(stratum, kind="stable")
    order = np.lexsort((rng.random(len(y)), stratum))
    out = np.empty_like(y)
    out[order] = y[home]
    return out


def tried(
    learn: Callable[[Ints], Floats], y: Floats, stratum: Ints, judged: Bools, seed: int, draws: int = DRAWS
) -> Shuffled:
    """Shuffle, learn, and judge on the shuffled labels of the rows `judged`, the mean of POOLED times.

    `learn` takes whose outcome each row is given (n,), and gives a prediction of every row, however it came by it; an
    honest one looks at the outcomes of other rows than those judged. Permutations of one stratum's labels are then
    exchangeable given the predictions: chance is what other permutations of the same labels score with them. Labels of
    one class have no order: what they score is 0.5, as chance has it.
    """
    found = Shuffled(0.5, 0.5, 0.5)
    for attempt in range(TRIES):
        rng = np.random.default_rng([seed, attempt])
        each = [_scored(learn, y, stratum, judged, rng, draws) for _ in range(POOLED)]
        scored, *chance = np.mean(each, axis=0).tolist()
        if np.isnan(scored):
            break
        low, high = np.quantile(chance, [0.005, 0.995])
        found = Shuffled(scored, float(low), float(high))
        if found.inside:
            break
    return found


def _scored(
    learn: Callable[[Ints], Floats], y: Floats, stratum: Ints, judged: Bools, rng: np.random.Generator, draws: int
) -> list[float]:
    """AUC on labels shuffled once, and then on `draws` other permutations of those judged; NaN where they are one
    class."""
    order = shuffled(np.arange(len(y)), stratum, rng)
    mine, own = y[order][judged], stratum[judged]
    ranks = ranking(mine, learn(order)[judged])
    return [_auc(ranks, mine), *(_auc(ranks, shuffled(mine, own, rng)) for _ in range(draws))]


def _auc(ranks: Ranking, y: Floats) -> float:
    """Of the same predictions and other labels."""
    return auc(taken(replace(ranks, y=y[ranks.order])))
