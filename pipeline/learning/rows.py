"""The rows that a model learns from, and what it is told of how."""

from dataclasses import replace

import numpy as np

from features.arrays import Bools, Ints
from models import folds
from models.learning import training
from models.learning.training import Rows
from models.trees.booster import Settings
from pipeline.assembly.data import Data
from pipeline.errors import Stop
from pipeline.params import Train


def check_parted(fold: Ints, learn: Bools) -> None:
    """Raise Stop where no account could be left out, or a part of the model would have none of its own to stop by."""
    if not training.parted(fold, learn):
        raise Stop(
            "train: all leads whose outcome is known are of one account (or person), or of a few, and each part of the "
            "model leaves accounts out to know when to stop; expected known outcomes of at least two accounts, and of "
            "one in each of train.bags parts. If account_id does not tell companies apart, leave it out: "
            "definition.exclude: [account_id]"
        )


def rows_of(data: Data, keep: Bools, params: Train) -> Rows:
    """The rows to learn from, with their bag fold and their hash. Raises Stop where they are of one account."""
    names = [data.groups[i] for i in np.flatnonzero(keep)]
    parts = folds.whole_groups(names, params.seed, params.bags)
    check_parted(parts, np.ones(len(parts), bool))
    instant = [f"{i} {t}" for i, t in zip(data.examples["lead_id"].filter(keep), data.as_of[keep], strict=True)]
    share = folds.hashed(instant, params.seed, 1_000_000) / 1_000_000
    matrix = replace(data.matrix, values=data.matrix.values[keep])
    return Rows(matrix, data.y[keep], data.lead[keep], data.group[keep], parts, share)


def settings_of(params: Train) -> Settings:
    """The booster's own part of the parameters."""
    return Settings(**{name: getattr(params, name) for name in Settings.__dataclass_fields__})
