"""How far the splits of a column are believed: by what a shadow of it, the values of other accounts, gains.

A CRM has a hundred fields, and trees find something in each: leads of an account, and looks at a lead, come out alike,
so chance looks like a rule. A column whose shadow gains as much tells nothing (Kursa and Rudnicki 2010); here its
gains are scaled down by as much, which is softer than to leave it out.
"""

from collections.abc import Sequence

import numpy as np

from features.arrays import Floats, Ints
from models.booster import Settings, fit_bag

DRAWS = 3
"""Shadows of a column: one alone is luck."""
DOUBT = 1.5
"""A column that gains less than this many times what its shadows do is not believed at all."""


def belief_in(
    columns: Sequence[int], X: Floats, y: Floats, weight: Floats, group: Ints, fold: Ints, categorical: Sequence[int],
    settings: Settings,
) -> Floats:  # fmt: skip
    """What to multiply the gains of each column's splits by, in [0, 1], shape (members, all columns):
    1 - DOUBT * shadow's gain / own gain, 0 where that is negative. A member's are from rows that it learns from, too.

    X (k, all), the rest (k,); `columns` have shadows, others are believed. `categorical` are those of X.
    """
    n, m = X.shape[1], len(columns)
    found = np.ones((len(np.unique(fold)), n))
    if not m:
        return found
    rng = np.random.default_rng(settings.seed)
    shadows = [X[strangers(group, rng)][:, columns] for _ in range(DRAWS)]
    coded = [n + i for i, j in enumerate([*columns] * DRAWS) if j in categorical]
    every = np.ones(len(y), bool)
    bag = fit_bag(np.hstack([X, *shadows]), y, weight, fold, range(n + DRAWS * m), [*categorical, *coded], every,
                  settings)  # fmt: skip
    for member, gain in enumerate(bag.gains):
        shadow = gain[n:].reshape(DRAWS, m).mean(axis=0)
        shadow = np.maximum(shadow, np.median(shadow) / 2)
        found[member, columns] = np.maximum(1 - DOUBT * shadow / np.maximum(gain[columns], 1e-12), 0)
    return found


def strangers(group: Ints, rng: np.random.Generator) -> Ints:
    """For each row a row of another account, shape (k,): rows of one account all go to rows of one, in their order."""
    order = np.argsort(group, kind="stable")
    _, start, count = np.unique(group[order], return_index=True, return_counts=True)
    other = rng.permutation(len(start))
    place = np.arange(len(group)) - np.repeat(start, count)
    size = np.repeat(count[other], count)
    taken = np.empty(len(group), np.int64)
    taken[order] = order[np.repeat(start[other], count) + place * size // np.repeat(count, count)]
    return taken
