"""Labels shuffled within their month: what then still tells the outcome is a leak."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from features.arrays import Array, Bools, Floats, Ints
from models.judging.ranking import Ranking, auc, ranking, taken

DRAWS = 1_000
TRIES = 3
"""An honest run is outside a 99 % interval once in a hundred: it fails only where it is outside each time."""


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
    """Shuffle, learn, and judge on the shuffled labels of the rows `judged`.

    `learn` takes whose outcome each row is given (n,), and gives a prediction of every row, however it came by it; an
    honest one looks at the outcomes of other rows than those judged. Permutations of one stratum's labels are then
    exchangeable given the predictions: chance is what other permutations of the same labels score with them.
    """
    found = Shuffled(0.5, 0.5, 0.5)
    for attempt in range(TRIES):
        rng = np.random.default_rng([seed, attempt])
        order = shuffled(np.arange(len(y)), stratum, rng)
        labels = y[order]
        mine, own = labels[judged], stratum[judged]
        if len(np.unique(mine)) < 2:
            break  # one class has no order
        ranks = ranking(mine, learn(order)[judged])
        chance = [_auc(ranks, shuffled(mine, own, rng)) for _ in range(draws)]
        low, high = np.quantile(chance, [0.005, 0.995])
        found = Shuffled(_auc(ranks, mine), float(low), float(high))
        if found.inside:
            break
    return found


def _auc(ranks: Ranking, y: Floats) -> float:
    """Of the same predictions and other labels."""
    return auc(taken(replace(ranks, y=y[ranks.order])))
