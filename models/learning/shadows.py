"""How far the splits of a column are believed: by what a shadow of it, the values of other accounts, gains.

A CRM has a hundred fields, and trees find something in each: leads of an account, and looks at a lead, come out alike,
so chance looks like a rule. A column whose shadow gains as much tells nothing (Kursa and Rudnicki 2010); here its
gains are scaled down by as much, which is softer than to leave it out.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from features.arrays import Floats, Ints
from models.trees.booster import Sample, Settings, fit_bag

DRAWS = 3
"""Shadows of a column: one alone is luck."""
DOUBT = 1.5
"""A column that gains less than this many times what its shadows do is not believed at all."""
ROUNDS = 60
"""Enough to see what gains; the left-out fold has no say in it."""


def belief_in(columns: Sequence[int], sample: Sample, group: Ints, members: Ints, settings: Settings) -> Floats:
    """What to multiply the gains of each column's splits by, in [0, 1], shape (members, all columns): 1 - DOUBT *
    shadow's gain / own gain, 0 where that is negative or the column gained nothing. A member's are from rows that it
    learns from, too; a member whose fold has no row believes all.

    `columns` have shadows, others are believed. `group` (k,) numbers the accounts of the rows.
    """
    n, m = sample.X.shape[1], len(columns)
    found, here = np.ones((len(members), n)), np.unique(sample.fold)
    if not m or len(here) < 2:
        return found
    rng = np.random.default_rng(settings.seed)
    shadows = [sample.X[:, columns][strangers(group, rng)] for _ in range(DRAWS)]
    coded = [n + i for i, j in enumerate([*columns] * DRAWS) if j in sample.categorical]
    fixed = replace(settings, max_rounds=min(ROUNDS, settings.max_rounds), early_stopping_rounds=0)
    both = replace(sample, X=np.hstack([sample.X, *shadows]), categorical=[*sample.categorical, *coded])
    bag = fit_bag(both, np.ones(len(sample.y), bool), fixed)
    for member, gain in zip(np.searchsorted(members, here), bag.gains, strict=True):
        shadow = gain[n:].reshape(DRAWS, m).mean(axis=0)
        shadow, own = np.maximum(shadow, np.median(shadow) / 2), gain[columns]
        share = 1 - DOUBT * shadow / np.where(own > 0, own, np.inf)
        found[member, columns] = np.where(own > 0, np.maximum(share, 0), 0)
    return found


def strangers(group: Ints, rng: np.random.Generator) -> Ints:
    """For each row a row of another account, shape (k,), so that rows of one account go to rows of one that is hardly
    larger; the largest takes rows of as many as it needs. With one account alone, any rows.

    Of an account much smaller each row would be taken again and again: a lead's own field would look like the
    account's, which trees find more in.
    """
    _, number, size = np.unique(group, return_inverse=True, return_counts=True)
    if len(size) < 2:
        return rng.permutation(len(group))
    rank = np.empty(len(size), np.int64)
    rank[np.lexsort((rng.permutation(len(size)), size))] = np.arange(len(size))
    order, size = np.argsort(rank[number], kind="stable"), np.sort(size)
    start = np.cumsum(size) - size
    owner = np.repeat(np.arange(len(size)), size)
    place, following = np.arange(len(group)) - start[owner], np.minimum(owner + 1, len(size) - 1)
    source = start[following] + place * size[following] // size[owner]
    largest = owner == len(size) - 1
    source[largest] = start[-1] - 1 - place[largest] % start[-1]
    taken = np.empty(len(group), np.int64)
    taken[order] = order[source]
    return taken
