"""The threshold of a run: which probability keeps a volume, fills a team, or pays for a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import numpy as np
import polars as pl

from features.arrays import Floats
from features.vocabulary import stages_called
from models.points.table import PointsTable
from models.policy.thresholds import filling
from models.policy.values import Values
from pipeline.errors import Stop
from pipeline.params import NetBenefit, Policy

MQL = "mql"
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Standing:
    """How leads have qualified until now."""

    by: str | None = None
    """`points` or `stages`; None where nothing says who qualified."""
    first: pl.DataFrame | None = None
    """`lead_id, at`: when each first did, of those that did."""
    mark: float | None = None
    """The points table's threshold, where it has a single one."""


def standing_of(tables: Mapping[str, pl.DataFrame], points: pl.DataFrame, table: PointsTable | None) -> Standing:
    """By the points table (`points`: data/points.parquet) where there is one, else by the rows of stage `mql`."""
    if table is not None and "qualified" in points.columns:
        hits = points.filter(pl.col("qualified") & pl.col("eligible")).select("lead_id", at="as_of")
        return Standing("points", _first(hits), old_mark(table))
    if "stages" in tables:
        called = stages_called(MQL, tables["stages"]["stage"].unique().to_list())
        hits = tables["stages"].filter(pl.col("stage").is_in(called)).select("lead_id", at="entered_at")
        return Standing("stages", _first(hits)) if len(hits) else Standing()
    return Standing()


def _first(hits: pl.DataFrame) -> pl.DataFrame:
    return hits.group_by("lead_id").agg(pl.col("at").min())


def threshold_of(params: Policy, predictions: pl.DataFrame, standing: Standing, values: Values) -> float | None:
    """By `policy.threshold`, from examples known before the test begins. Raises Stop where the data do not tell.

    Without one the volume of the points table is kept; None where there is none, or it let nobody in.
    """
    wanted = params.threshold
    if wanted is None:
        if standing.by != "points" or (volume := kept(predictions, standing)) == 0:
            return None
        return filling(*reaches(predictions), volume)
    if wanted.net_benefit is not None:
        return _paying(wanted.net_benefit, values)
    if wanted.weekly_capacity is not None:
        begin, end = lasting(predictions)
        if begin == end:
            raise Stop(
                "policy.threshold.weekly_capacity: all leads whose outcomes were known before the test are looked at "
                "on one and the same day, which makes no week; add an earlier day to definition.snapshots.at, or use "
                "net_benefit"
            )
        return filling(*reaches(predictions), wanted.weekly_capacity * (end - begin) / WEEK)
    volume = kept(predictions, standing)
    if volume == 0:
        raise Stop(
            "policy.threshold.keep: nobody qualified before the test, by a points table (`points:`) or the stage "
            f"{MQL!r}, so there is no volume to keep; use weekly_capacity or net_benefit"
        )
    return filling(*reaches(predictions), volume)


def how_set(params: Policy, standing: Standing) -> str:
    """What `threshold_of` went by, in words."""
    wanted = params.threshold
    if wanted is not None and wanted.net_benefit is not None:
        return "so that a call pays for itself"
    if wanted is not None and wanted.weekly_capacity is not None:
        return f"so that about {wanted.weekly_capacity} leads a week reach it"
    who = "the points let in" if standing.by == "points" else f"came to the stage {MQL!r}"
    return f"so that as many leads reach it as {who} in the last weeks whose outcomes were known when the test began"


def _paying(wanted: NetBenefit, values: Values) -> float:
    """Cost over value (the threshold of net benefit, Vickers and Elkin 2006)."""
    value = values.overall if wanted.deal_value is None else wanted.deal_value
    if value is None:
        raise Stop("policy.threshold.net_benefit.deal_value: no won deal has an amount to take instead; give a value")
    if wanted.call_cost >= value:
        raise Stop(
            f"policy.threshold.net_benefit: a call for {wanted.call_cost:g} is never worth a deal of {value:g}; "
            "expected a cost below the value"
        )
    return wanted.call_cost / value


def old_mark(table: PointsTable | None) -> float | None:
    """The threshold of the points, where they have a single one."""
    return table.thresholds.get(MQL) if table is not None and len(table.thresholds) == 1 else None


def mark_of(params: Policy, old: float | None) -> int:
    """The score of the threshold on the scale of continuity; `old` where nothing was said. Raises Stop without one."""
    mark = params.mark if params.mark is not None else old
    if mark is None or not 1 <= ceil(mark) <= 100:
        raise Stop(f"policy.scale: continuity needs the old threshold between 1 and 100, got {mark}; set policy.mark")
    return ceil(mark)


def held(predictions: pl.DataFrame) -> pl.DataFrame:
    """The examples by which scale and threshold are set: the calibrate fold, or train where there is none."""
    rows = predictions.filter(pl.col("fold") == "calibrate")
    return rows if len(rows) else predictions.filter(pl.col("fold") == "train")


def reaches(predictions: pl.DataFrame) -> tuple[Floats, Floats]:
    """Each held lead's highest probability before the held examples begin (-inf for none), and among them. What lies
    between train and the calibrate fold counts as before: it is as long as the horizon, and most leads come in it."""
    rows = held(predictions)
    best = rows.group_by("lead_id").agg(best=pl.col("probability").max())
    earlier = predictions.filter(pl.col("as_of") < rows["as_of"].min())
    before = earlier.group_by("lead_id").agg(before=pl.col("probability").max())
    both = best.join(before, on="lead_id", how="left").sort("lead_id").with_columns(pl.col("before").fill_null(-np.inf))
    return both["before"].to_numpy().astype(np.float64), both["best"].to_numpy().astype(np.float64)


def lasting(predictions: pl.DataFrame) -> tuple[datetime, datetime]:
    """The period in which those first reach a threshold that `reaches` counts: from the last look before the held
    examples to the last of them. Looks on fixed days lie weeks apart, and leads come in between."""
    at = held(predictions)["as_of"]
    earlier = predictions.filter(pl.col("as_of") < at.min())["as_of"].max()
    return at.min() if earlier is None else earlier, at.max()  # type: ignore[return-value] # of instants


def kept(predictions: pl.DataFrame, standing: Standing) -> int:
    """How many leads first qualified in that period."""
    if standing.first is None or held(predictions)["as_of"].null_count():
        return 0
    begin, end = lasting(predictions)
    return standing.first.filter(pl.col("at").is_between(begin, end, closed="right")).height
