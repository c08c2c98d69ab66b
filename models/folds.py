"""Folds that follow time, and folds that keep accounts whole."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, Array, Bools, Floats, Ints

FOLDS = ("train", "calibrate", "gap", "test", "immature")
"""In the order of time."""
MOST_LOST = 0.5
"""A calibrate fold out of time that costs train a larger share of its converting leads is not made: calibration then
takes what the bag left out."""
LEAST_TO_CALIBRATE = 30
"""Nor is one that holds fewer converting leads than this."""


def hashed(ids: Sequence[str], seed: int, parts: int) -> Ints:
    """A part 0..parts-1 for each of k ids, shape (k,), the same wherever and whenever it is asked for."""
    return np.array([zlib.crc32(f"{seed}:{i}".encode()) % parts for i in ids], dtype=np.int64)


def whole_groups(names: Sequence[str], seed: int, parts: int) -> Ints:
    """A part 0..parts-1 for each of k rows, shape (k,), that keeps rows of one name together; all parts have about the
    same number of names.

    In the order of a hash of the names, so that the order of the rows does not matter. With fewer names than parts,
    there are as many parts as names.
    """
    unique = sorted(set(names), key=lambda name: (zlib.crc32(f"{seed}:{name}".encode()), name))
    part = {name: i % parts for i, name in enumerate(unique)}
    return np.array([part[name] for name in names], dtype=np.int64)


def random_folds(group: Ints, seed: int, parts: int) -> Ints:
    """A part 0..parts-1 for each row that keeps rows of one group number (n,) together, at random; all parts have about
    the same number of groups. For what is tried on the rows of one call; what others must find again goes by names
    (`whole_groups`).
    """
    names, place = np.unique(group, return_inverse=True)
    return np.random.default_rng(seed).permutation(np.arange(len(names)) % parts)[place]


@dataclass(frozen=True)
class Cuts:
    """Where the folds part."""

    test_fraction: float
    """The latest mature examples, whole instants."""
    calibration_fraction: float
    """Of what was known when the test began, the latest."""
    test_from: int | None = None
    """µs: all mature examples from then on are test, whatever their share."""


def by_time(as_of: Ints, label: Floats, lead: Ints, within_days: float, cuts: Cuts) -> Array:
    """Fold of each example, shape (k,), texts of FOLDS: `label` NaN is immature.

    train and calibrate hold only examples whose label was known when the test began.
    """
    horizon, mature = round(within_days * DAY_US), ~np.isnan(label)
    fold = np.where(mature, "gap", "immature").astype("U9")
    if not mature.any():
        return fold
    begin = cuts.test_from if cuts.test_from is not None else _quantile(as_of[mature], 1 - cuts.test_fraction)
    fold[mature & (as_of >= begin)] = "test"
    known = mature & (as_of + horizon <= begin)
    fold[known] = "train"
    calibrate = _calibrate_from(as_of[known], label[known] == 1, lead[known], horizon, cuts.calibration_fraction)
    if calibrate is not None:
        fold[known & (as_of >= calibrate)] = "calibrate"
        fold[known & (as_of < calibrate) & (as_of + horizon > calibrate)] = "gap"
    return fold


def begin_of_test(fold: Array, as_of: Ints) -> int:
    """The instant of the first test example, µs, by fold and instant of each example, shapes (k,). Every run has one:
    stage label stops where there is none."""
    return int(as_of[fold == "test"].min())


def _quantile(at: Ints, share: float) -> int:
    ordered = np.sort(at)
    return int(ordered[min(len(ordered) - 1, round(len(ordered) * share))])


def _calibrate_from(as_of: Ints, converting: Bools, lead: Ints, horizon: int, fraction: float) -> int | None:
    """Start of a calibrate fold that comes after train as the test comes after it; None where it costs too much. Shapes
    (k,): the examples whose label was known when the test began."""
    if not len(as_of):
        return None
    begin = _quantile(as_of, 1 - fraction)
    before = converting & (as_of + horizon <= begin)
    after = converting & (as_of >= begin)
    kept, held = (len(np.unique(lead[rows])) for rows in (before, after))
    enough = kept >= (1 - MOST_LOST) * len(np.unique(lead[converting])) and held >= LEAST_TO_CALIBRATE
    return begin if enough else None


def by_position(ids: Sequence[str], label: Floats, test: float, calibrate: float, seed: int | None) -> Array:
    """Folds without dates, shape (k,), texts of FOLDS: by a hash of the id, or by the order of the rows where `seed` is
    None. `label` NaN is immature; `test` and `calibrate` are shares, the latter of what is not test."""
    n = len(ids)
    fold = np.full(n, "train", dtype="U9")
    known = ~np.isnan(label)
    place = np.full(n, np.nan)
    place[known] = np.arange(known.sum()) / max(known.sum(), 1)
    if seed is not None:
        place[known] = hashed([ids[int(i)] for i in np.flatnonzero(known)], seed, 1_000_000) / 1_000_000
    fold[place >= 1 - test - calibrate * (1 - test)] = "calibrate"
    fold[place >= 1 - test] = "test"
    fold[~known] = "immature"
    return fold
