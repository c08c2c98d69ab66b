"""From features and labels to a bagged, calibrated model, and how it does inside train."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from features.arrays import DAY_US, Bools, Floats, Ints
from features.columns import Block
from features.kernel import Matrix
from features.masking import ATTRIBUTES, mask
from models.folds import random_folds
from models.learning.encoding import Encoding, fit_encoding, once_each, out_of_fold
from models.learning.shadows import belief_in
from models.trees.booster import Bag, Sample, Settings, fit_bag

MASKS: tuple[tuple[Block, ...], ...] = (
    ("events",),
    ("account_leads",),
    ("history",),
    ("stages",),
    ("account", "account_leads"),
    ("account", "events", "stages", "history", "account_leads"),
)
"""Parts that callers leave out: each masked row has one of these unknown."""
LEAST_TO_VALIDATE = 20
"""Converting leads, learned from and tried on, below which there is no validation."""


@dataclass(frozen=True)
class Masking:
    """Callers leave parts of a record out, so copies of some rows that lack one are learned from too."""

    blocks: Sequence[Block] = ()
    """The parts that there are; without any there are no copies."""
    fraction: float = 0.0
    """Share of the rows that are copied."""


NO_COPIES = Masking()


@dataclass(frozen=True)
class Rows:
    """Examples to learn from, shape (k,) each."""

    matrix: Matrix
    y: Floats
    lead: Ints
    group: Ints
    """Number of the account, or of the lead that has none."""
    fold: Ints
    """The member of the bag that leaves the row out; whole accounts."""
    hash: Floats
    """Uniform in [0, 1), by seed and example: decides what is masked."""


@dataclass(frozen=True)
class Model:
    """What training learned, before calibration."""

    encoding: Encoding
    bag: Bag
    belief: Mapping[str, float] = field(default_factory=dict)
    """Attribute → how far the gains of its splits counted, in [0, 1], mean of the members; none where no doubt."""


def take(rows: Rows, keep: Bools) -> Rows:
    """Some of the rows; where that is all of them, no copy."""
    if keep.all():
        return rows
    matrix = replace(rows.matrix, values=rows.matrix.values[keep])
    return Rows(matrix, rows.y[keep], rows.lead[keep], rows.group[keep], rows.fold[keep], rows.hash[keep])


THIRDS = 3


def thirds(rows: Rows) -> Rows:
    """The same rows for a bag of three, each of which leaves out as many accounts: enough where a bag only says what it
    had not seen."""
    return replace(rows, fold=random_folds(rows.group, 0, THIRDS))


def fit(
    rows: Rows, settings: Settings, learn: Bools | None = None, masking: Masking = NO_COPIES, *, doubt: bool = True
) -> Model:
    """Fit encodings and the bag to the k rows where `learn` (k,) is True, by default all; without masked copies unless
    `masking` says so.

    A lead counts by the root of its number of rows: ten looks at one lead are more than one, less than ten.
    Other rows only get a score from the member that leaves them out. `doubt`: whether attributes are held against
    shadows of them.
    """
    learn = np.ones(len(rows.y), bool) if learn is None else learn
    encoding, X = inputs(rows, learn)
    sample = Sample(X, rows.y, np.sqrt(once_each(rows.lead)), rows.fold, encoding.categorical)
    del X  # `sample` alone has it: two such matrices would not fit beside each other
    believed = _believed(rows, sample, learn, settings) if doubt else None
    again, masked = _masked(rows, sample.X, encoding, masking)
    sample = _with_copies(sample, again, masked)
    bag = fit_bag(sample, np.concatenate([learn, learn[again]]), settings, believed)
    belief = {} if believed is None else {encoding.columns[j]: float(believed[:, j].mean()) for j in _attributes(rows)}
    return Model(encoding, replace(bag, left_out=bag.left_out[: len(rows.y)]), belief)


def inputs(rows: Rows, learn: Bools) -> tuple[Encoding, Floats]:
    """The encoding that rows of `learn` give, and what the bag learns from, shape (k, columns): log odds that no label
    of the row's own fold had a part in."""
    part = take(rows, learn)
    encoding = fit_encoding(part.matrix, part.y, part.lead, part.group)
    del part
    return encoding, out_of_fold(encoding, rows.matrix, rows.y, rows.lead, rows.group, rows.fold, learn)


def quick(settings: Settings) -> Settings:
    """Faster than the model proper: for a first model, of which the model proper only learns."""
    rate = max(settings.learning_rate, min(3 * settings.learning_rate, 0.15))
    return replace(settings, learning_rate=rate, early_stopping_rounds=max(1, settings.early_stopping_rounds // 3))


MOST_SHADOWED = 60_000
"""Rows that shadows are held against, by their hash."""


def _believed(rows: Rows, sample: Sample, learn: Bools, settings: Settings) -> Floats:
    """What to make of the gains of attributes, of which users bring what they have; the kernel's own are believed."""
    some = np.flatnonzero(learn & (rows.hash < MOST_SHADOWED / max(int(learn.sum()), 1)))
    members = np.unique(rows.fold)
    return belief_in(_attributes(rows), sample.take(some), rows.group[some], members, quick(settings))


def _attributes(rows: Rows) -> list[int]:
    return [j for j, column in enumerate(rows.matrix.columns) if column.measure in ATTRIBUTES]


def _masked(rows: Rows, X: Floats, encoding: Encoding, masking: Masking) -> tuple[Ints, Floats]:
    """Which rows are added with something masked, and their input: as if those parts had been left out."""
    masks = [m for m in MASKS if any(block in masking.blocks for block in m)]
    again = np.flatnonzero(rows.hash < masking.fraction)
    if not masks or not len(again):
        return again[:0], X[:0]
    which = (rows.hash[again] / masking.fraction * len(masks)).astype(np.int64)
    out = X[again].copy()
    texts = np.isin(np.arange(len(encoding.columns)), encoding.texts)
    for k, unknown in enumerate(masks):
        mine = which == k
        hidden = mask(rows.matrix.values[again[mine]], rows.matrix.columns, unknown)
        out[mine] = np.where(np.isnan(hidden), np.nan, np.where(texts, out[mine], hidden))
    return again, out


def _with_copies(sample: Sample, again: Ints, masked: Floats) -> Sample:
    return Sample(
        np.concatenate([sample.X, masked]),
        np.concatenate([sample.y, sample.y[again]]),
        np.concatenate([sample.weight, sample.weight[again]]),
        np.concatenate([sample.fold, sample.fold[again]]),
        sample.categorical,
    )


@dataclass(frozen=True)
class Validation:
    """Predictions out of time and of accounts unseen, inside train; shape (v,) each."""

    row: Ints
    raw: Floats


def validate(
    rows: Rows,
    as_of: Ints,
    within_days: float,
    settings: Settings,
    masking: Masking,
    labels: Callable[[Rows, int], tuple[Rows, Bools]] | None = None,
) -> Validation | None:
    """How such a bag of three does on the last quarter of train, learned from what was known before, without
    the accounts that it is tried on. What people choose settings by; the test fold stays unseen. `labels` gives what
    may be learned at an instant (µs): rows and which of them; without it, those whose label was known. None without
    dates, or where too little is left or it cannot be parted by account."""
    horizon = round(within_days * DAY_US)
    begin = int(np.quantile(as_of, 0.75)) if len(as_of) else 0
    later, learn = as_of >= begin, as_of + horizon <= begin
    if min(_positive_leads(rows, learn), _positive_leads(rows, later)) < LEAST_TO_VALIDATE:
        return None
    taught, learn = (thirds(rows), learn) if labels is None else labels(thirds(rows), begin)
    if not parted(taught.fold, learn):
        return None
    model = fit(taught, settings, learn, masking)
    return Validation(np.flatnonzero(later), model.bag.left_out[later])


def parted(fold: Ints, learn: Bools) -> bool:
    """Whether there are several parts, and in each of them rows to learn from: every member needs some of its own to
    stop by."""
    parts = np.unique(fold)
    return len(parts) > 1 and len(np.unique(fold[learn])) == len(parts)


def _positive_leads(rows: Rows, keep: Bools) -> int:
    return len(np.unique(rows.lead[keep & (rows.y > 0.5)]))
