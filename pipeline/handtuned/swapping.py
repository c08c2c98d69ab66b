"""The swap set of a run: leads, groups, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Array, Bools, Floats, Ints
from models.judging.metrics import known
from models.judging.swap import IN, NONE, OUT, STAY, Swap, difference, swap
from pipeline.assembly.groups import groups_of
from pipeline.assembly.values import Tables
from pipeline.outcomes.deals import brought
from pipeline.params import Definition

GROUPS = (STAY, IN, OUT)
COLUMNS = ("lead_id", "group", "points_at", "probability_at", "points", "probability", "converted", "value", "source",
           "month", "randomly_worked")  # fmt: skip
"""Of the list of leads; points and probability are those at the first crossing by either."""
MOST_SOURCES = 12
"""The largest sources are shown, the others together."""


@dataclass(frozen=True)
class Swapped:
    """The leads that cross by points or probability in the test period, and the figures."""

    leads: pl.DataFrame
    """`COLUMNS`, a row each lead of a group."""
    summary: dict[str, Any]


def swap_set(
    predictions: pl.DataFrame,
    points: pl.DataFrame,
    tables: Tables,
    definition: Definition,
    seed: int,
    worked: pl.DataFrame | None,
    source: str | None = None,
) -> Swapped | None:
    """Leads first looked at in the test period, each at its first crossing; None where nobody qualifies by points.

    `predictions`: data/predictions.parquet; `points`: data/points.parquet; `worked`: `lead_id, randomly_worked`;
    `source`: the column of leads by which the groups are broken down.
    """
    rows = fresh(predictions).join(points, on=["lead_id", "as_of"], how="inner", suffix="_again")
    rows = rows.sort("lead_id", "as_of").with_columns(lead=pl.col("lead_id").rank("dense").cast(pl.Int64))
    found = swap(*(rows[name].to_numpy() for name in ("lead", "qualified", "eligible", "probability")))
    if not (found.by_points != NONE).any():
        return None
    leads = _leads(found, rows, tables, definition, worked, source)
    return Swapped(leads.drop("_account"), _summary(found, leads, seed, rows["lead"].n_unique()))


def fresh(predictions: pl.DataFrame) -> pl.DataFrame:
    """The test examples of leads that have none before: earlier crossings would have been acted on."""
    old = predictions.filter(pl.col("fold") != "test")["lead_id"].unique().implode()
    return predictions.filter((pl.col("fold") == "test") & ~pl.col("lead_id").is_in(old))


def _leads(
    found: Swap, rows: pl.DataFrame, tables: Tables, definition: Definition, worked: pl.DataFrame | None,
    source: str | None,
) -> pl.DataFrame:  # fmt: skip
    """One row each lead of a group."""
    some = np.flatnonzero(found.group != "")
    judged = rows[found.row[some].tolist()].select("lead_id", "as_of", "points", "probability", converted="label")
    side = tables["leads"].select("lead_id", **({} if source is None else {"source": source}))
    leads = judged.with_columns(
        group=pl.Series(found.group[some]),
        points_at=_at(rows, found.by_points[some]),
        probability_at=_at(rows, found.by_model[some]),
        month=pl.col("as_of").dt.strftime("%Y-%m"),
        _account=groups_of(judged, tables["leads"]),
    ).join(side, on="lead_id", how="left", maintain_order="left")
    amount = pl.Series(brought(leads, tables, definition)).fill_nan(None)
    if worked is not None:
        leads = leads.join(worked, on="lead_id", how="left", maintain_order="left")
    value = pl.when(pl.col("converted") > 0).then(amount).otherwise(0.0)
    shown: pl.DataFrame = leads.with_columns(value.alias("value"))
    return shown.select(name for name in (*COLUMNS, "_account") if name in shown.columns)


def _at(rows: pl.DataFrame, row: Ints) -> pl.Series:
    return rows["as_of"].gather(np.maximum(row, 0)).set(pl.Series(row == NONE), None)


def _summary(found: Swap, leads: pl.DataFrame, seed: int, fresh_leads: int) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "fresh_leads": fresh_leads,
        "volume": int((found.by_points != NONE).sum()),
        "threshold": found.threshold,
        **_figures(leads, seed),
        "by_source": _by(leads, "source"),
        "by_month": _by(leads, "month"),
    }
    if "randomly_worked" in leads.columns:
        summary["randomly_worked"] = _figures(leads.filter(pl.col("randomly_worked")), seed)
    return summary


def _figures(leads: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Of each group the leads, their conversions, rate and value a lead; of in less out the difference."""
    group, account = leads["group"].to_numpy(), leads["_account"].rank("dense").to_numpy().astype(np.int64)
    values = {"rate": _floats(leads["converted"]), "value": _floats(leads["value"].fill_null(0.0))}
    gaps = {name: difference(x, group, account, seed) for name, x in values.items()}
    return {
        "groups": {name: _group(values, group == name) for name in GROUPS},
        "difference": {name: None if gap is None else {"in_less_out": gap[0], "interval": list(gap[1])}
                       for name, gap in gaps.items()},
    }  # fmt: skip


def _group(values: dict[str, Floats], own: Bools) -> dict[str, Any]:
    n = int(own.sum())
    means = {name: known(x[own].mean()) if n else None for name, x in values.items()}
    return {"leads": n, "converted": int(values["rate"][own].sum()), **means}


def _floats(values: pl.Series) -> Floats:
    return values.to_numpy().astype(np.float64)


def _by(leads: pl.DataFrame, column: str) -> dict[str, Any]:
    """Leads and conversion rate of each group, by a column; its rarest values together."""
    if column not in leads.columns:
        return {}
    names = leads[column].cast(pl.String).fill_null("(none)")
    top = names.value_counts().sort("count", column, descending=[True, False])[column].to_list()
    kept = top[:MOST_SOURCES] if column == "source" else top
    name: Array = np.array([n if n in kept else "(others)" for n in names])
    group, values = leads["group"].to_numpy(), {"rate": _floats(leads["converted"])}
    shown: Sequence[str] = sorted(set(name))
    return {one: {g: _group(values, (name == one) & (group == g)) for g in GROUPS} for one in shown}
