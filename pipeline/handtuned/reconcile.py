"""The replay of the points against what happened: when leads should have become an MQL, and when they did.

Before any claim about the model: where the replay does not agree with the `mql` rows of `stages`, the table is not the
one that was in force, or the data lack what it went by.
"""

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from features.arrays import DAY_US, NEVER, Ints
from features.episodes import opening
from features.vocabulary import stages_called
from models.points.crossings import first_crossings
from models.points.table import TOTAL
from models.points.totals import tally
from pipeline.assembly.planning import bare_plan
from pipeline.assembly.records import records_of
from pipeline.assembly.values import Tables, instant_us, places
from pipeline.handtuned.inputs import Inputs
from pipeline.handtuned.records import point_records
from pipeline.params import Definition

AGREE, EARLIER, LATER, ONLY_REPLAY, ONLY_ACTUAL = "agree", "earlier", "later", "only_replay", "only_actual"
TIME = pl.Datetime("us", "UTC")


def reconcile(inputs: Inputs, definition: Definition, until: datetime, tolerance_days: float) -> pl.DataFrame:
    """`lead_id, outcome, replayed_at, actual_at, days, points_at_actual`, a row each lead with either date.

    `days`: how much later the replay is; `outcome`: agree (within the tolerance), earlier or later (the replay),
    only_replay, only_actual. A lead qualifies while it is open, up to `until`. Points: the sum at `actual_at`.
    """
    table, tables = inputs.table, inputs.tables
    records, lead_ids = point_records(inputs)
    stages, order = records_of(tables, bare_plan(definition))
    of = places(lead_ids, order["lead_id"])
    end = np.full(len(records), instant_us(until))
    replayed = first_crossings(table, records, end, lambda lead, at: opening(stages, of[lead], at).open)
    actual = _actual(tables, lead_ids, instant_us(until))
    some = np.flatnonzero((replayed != NEVER) | (actual != NEVER))
    replayed, actual = replayed[some], actual[some]
    both = (replayed != NEVER) & (actual != NEVER)
    days = np.where(both, (replayed - np.where(both, actual, replayed)) / DAY_US, np.nan)
    points = tally(table, records, some, np.where(actual == NEVER, replayed, actual)).total
    return pl.DataFrame(
        {
            "lead_id": lead_ids.gather(some),
            "outcome": np.select(
                [actual == NEVER, replayed == NEVER, np.abs(days) <= tolerance_days, days < 0],
                [ONLY_REPLAY, ONLY_ACTUAL, AGREE, EARLIER], LATER,
            ),
            "replayed_at": _times(replayed),
            "actual_at": _times(actual),
            "days": pl.Series(days).fill_nan(None),
            "points_at_actual": pl.Series(points).set(pl.Series(actual == NEVER), None),
        }
    )  # fmt: skip


def _actual(tables: Tables, lead_ids: pl.Series, until: int) -> Ints:
    """When each lead first became an MQL; NEVER for none by `until`, and for all where there are no stages."""
    if "stages" not in tables:
        return np.full(len(lead_ids), NEVER)
    called = stages_called(TOTAL, tables["stages"]["stage"].unique().to_list())
    mql = tables["stages"].filter(pl.col("stage").is_in(called), pl.col("entered_at").to_physical() <= until)
    first = mql.group_by("lead_id").agg(pl.col("entered_at").min())
    joined = lead_ids.to_frame("lead_id").join(first, on="lead_id", how="left", maintain_order="left")
    return joined["entered_at"].to_physical().fill_null(NEVER).to_numpy().astype(np.int64)


def _times(at: Ints) -> pl.Series:
    return pl.Series(at).set(pl.Series(at == NEVER), None).cast(TIME)


def summary(found: pl.DataFrame, tolerance_days: float) -> dict[str, Any]:
    """How many leads of each outcome, and the share that agrees of those that became an MQL in either."""
    counts = dict(found["outcome"].value_counts().iter_rows())
    sums = {name: int(counts.get(name, 0)) for name in (AGREE, EARLIER, LATER, ONLY_REPLAY, ONLY_ACTUAL)}
    share = sums[AGREE] / len(found) if len(found) else None
    return {**sums, "leads": len(found), "agreeing": share, "tolerance_days": tolerance_days}
