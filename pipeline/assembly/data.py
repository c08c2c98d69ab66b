"""The mature examples with their features: what is learned from, and judged by."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from features.arrays import DAY_US, Array, Bools, Floats, Ints
from features.kernel import Matrix
from features.plan import Plan
from models.folds import begin_of_test
from pipeline import stage
from pipeline.assembly.groups import groups_of
from pipeline.assembly.matrices import matrix_of
from pipeline.assembly.values import instants


@dataclass(frozen=True)
class Data:
    """Mature examples with their features, shape (k,) each."""

    examples: pl.DataFrame
    matrix: Matrix
    y: Floats
    as_of: Ints
    fold: Array
    lead: Ints
    group: Ints
    """Number of the account, or of the lead that has none."""
    groups: list[str]
    """Its name: folds inside train go by a hash of it."""

    def rows(self, fold: str) -> Bools:
        """Which examples are in a fold."""
        return np.asarray(self.fold == fold)

    @cached_property
    def begin_of_test(self) -> int:
        """The instant of the first test example, µs."""
        return begin_of_test(self.fold, self.as_of)


def read_data(plan: Plan) -> Data:
    """Of the folder's run."""
    leads = stage.read_table(stage.TABLES / "leads.parquet")
    return load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)


def load(examples: pl.DataFrame, features: pl.DataFrame, leads: pl.DataFrame, plan: Plan) -> Data:
    """The mature examples with what training needs of them."""
    mature = examples["mature"]
    examples, features = examples.filter(mature), features.filter(mature)
    names = groups_of(examples, leads)
    return Data(
        examples=examples,
        matrix=matrix_of(features, plan.features),
        y=examples["label"].to_numpy().astype(np.float64),
        as_of=instants(examples),
        fold=examples["fold"].to_numpy(),
        lead=examples["lead_id"].rank("dense").to_numpy().astype(np.int64),
        group=names.rank("dense").to_numpy().astype(np.int64),
        groups=names.to_list(),
    )


def as_known(data: Data, at: int) -> Data:
    """The data as they were known at an instant (µs): a conversion whose record came later is none. Where nobody knows
    when leads converted, all stays."""
    heard = data.examples["days_to_record"].fill_null(np.nan).to_numpy()
    late = heard > (at - data.as_of) / DAY_US
    told = [pl.when(~pl.Series(late)).then(name).alias(name) for name in ("days_to_conversion", "days_to_record")]
    return replace(data, examples=data.examples.with_columns(told), y=np.where(late, 0.0, data.y))


def known(fold: Array, as_of: Ints, within_days: float) -> Bools:
    """Examples whose label was known when the test began: train, calibrate, and what lies between the two. `fold` and
    `as_of` (µs, all alike without dates) have shape (k,).

    To learn from the calibrate fold too is worth more than a calibrator that comes after the trees in time (on the
    simulated company 5 points of the attainable, on bank_marketing 0.04 of log loss); the calibrator goes by scores of
    members that saw nothing of the row's account.
    """
    over = as_of + round(within_days * DAY_US) <= begin_of_test(fold, as_of)
    return np.asarray(np.isin(fold, ["train", "calibrate"]) | ((fold == "gap") & over))
