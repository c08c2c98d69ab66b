"""Stage compare: the points replayed against what happened, and the swap set against the model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl

from models.points.table import PointsTable
from pipeline import stage
from pipeline.assembly.records import with_known_outcomes
from pipeline.errors import Stop
from pipeline.files import whole_folder
from pipeline.handtuned.inputs import read_inputs, read_table
from pipeline.handtuned.reconcile import AGREE, reconcile, summary
from pipeline.handtuned.swapping import swap_set
from pipeline.judging.partings import attribute_of
from pipeline.params import Compare, Definition, Train
from pipeline.reading.texts import read_booleans

Lists = dict[str, pl.DataFrame]


def compare(say: Callable[[str], None]) -> tuple[dict[str, Any], Lists]:
    """The figures, and by name the lists of the leads behind them."""
    table, shape = read_table(), stage.read_meta()["shape"]
    if table is None:
        return {"left_out": "there is no table of points"}, {}
    figures = {"table": str(stage.read_json(stage.SETTINGS / "points.json")), "thresholds": table.thresholds,
               "rules": stage.read_json(stage.POINTS_RULES)}  # fmt: skip
    if shape != "dated":
        return {**figures, "left_out": "the leads have no dated stages, so nothing can be replayed"}, {}
    if not (table.thresholds or any(rule.auto_qualify for rule in table.rules)):
        return {**figures, "left_out": "the table has no thresholds, so nobody qualifies by it"}, {}
    settings: Compare = stage.section(Compare)
    say("replaying the points")
    replayed, lists = _replayed(table, settings)
    say("swapping")
    swapped, more = _swapped(settings)
    return {**figures, **replayed, **swapped}, {**lists, **more}


def _replayed(table: PointsTable, settings: Compare) -> tuple[dict[str, Any], Lists]:
    inputs, until = read_inputs(table), stage.read_until()
    if until is None:
        raise Stop(f"{stage.TABLES}: no table has a time; run again from validate on")
    inputs = replace(inputs, tables=with_known_outcomes(inputs.tables))
    found = reconcile(inputs, stage.section(Definition), until, settings.tolerance_days)
    return {"reconciliation": summary(found, settings.tolerance_days)}, {
        "reconciliation": found.filter(pl.col("outcome") != AGREE)
    }


def _swapped(settings: Compare) -> tuple[dict[str, Any], Lists]:
    found = swap_set(
        stage.read_table(stage.PREDICTIONS), stage.read_table(stage.POINTS), stage.read_tables(),
        stage.section(Definition), stage.section(Train).seed, _worked(settings.randomly_worked), _source(),
    )  # fmt: skip
    return ({"swap": None}, {}) if found is None else ({"swap": found.summary}, {"swap": found.leads})


def _source() -> str | None:
    """The column of leads that says their source."""
    found = attribute_of(stage.read_attributes(), stage.section(Definition), "source")
    return found.column if found is not None and found.entity == "lead" and not found.has_history else None


def _worked(column: str | None) -> pl.DataFrame | None:
    """`lead_id, randomly_worked` from the column as it was ingested: it is marked by hand, and no attribute."""
    if column is None:
        return None
    leads = stage.read_table(stage.INGESTED / "leads.parquet")
    if column not in leads.columns:
        raise Stop(f"compare.randomly_worked: leads have no column {column!r}; there are {', '.join(leads.columns)}")
    marked = read_booleans(leads[column]).fill_null(False)
    return leads.select(pl.col("lead_id").cast(pl.String), randomly_worked=marked).unique("lead_id", keep="first")


def main() -> None:
    """Read tables, points and predictions; write the figures and the lists."""
    with stage.speaking("compare") as say:
        figures, lists = compare(say)
    with whole_folder(stage.POINTS_LISTS) as folder:
        for name, rows in lists.items():
            stage.write_csv(rows, folder / f"{name}.csv")
        if not lists:
            why = figures.get("left_out", "nobody qualifies by the points in the test period")
            (folder / "nothing.txt").write_text(f"There are no lists: {why}.\n", encoding="utf-8")
    stage.write_json(figures, stage.POINTS_FIGURES)
