"""Leads that are one lead under two ids, one of them learned from and the other tested on."""

from collections.abc import Sequence

import polars as pl

from features.plan import Attribute
from pipeline.findings import Check
from pipeline.records import Tables

NAME = "duplicate leads across the split"
TELLING = 2
"""Twins are equal in all, and share at least so many values (a person counts twice) that nobody else has: by chance
leads may have the same job in the same town, but hardly the same creation and the same clicks to the second."""
SHOWN = 5


def check_twins(tables: Tables, examples: pl.DataFrame, attributes: Sequence[Attribute]) -> Check:
    """Fails where a lead of the test fold has a twin among those that were learned from, train or calibrate."""
    learned = _leads_of(examples, ("train", "calibrate"))
    tested = _leads_of(examples, ("test",))
    leads = tables["leads"].filter(pl.col("lead_id").is_in([*learned, *tested]))
    likeness = _likeness(leads, tables, [a.column for a in attributes if a.entity == "lead"])
    twins, alike = _groups(likeness)
    across = [group for group in twins if _parted(group, learned, tested)]
    leaning = sum(_parted(group, learned, tested) for group in alike)
    numbers = {
        "leads": len(leads),
        "across": len(across),
        "alike_by_chance": leaning,
        "rows": [_rows(leads, group) for group in across[:SHOWN]],
    }
    said = f"{len(across)} of {len(leads):,} leads that were learned from have a twin under another id in the test fold"
    warnings = []
    if leaning:
        warnings.append(
            f"{leaning} groups of leads with equal attributes lie on both sides of the split, without anything that"
            " only they share: they may be chance, or copies; with source ids of persons (LEADSCORE_ID_KEY) one could"
            " tell"
        )
    return Check(NAME, said, problems=_problems(leads, across), warnings=warnings, numbers=numbers)


def _leads_of(examples: pl.DataFrame, folds: Sequence[str]) -> frozenset[str]:
    return frozenset(examples.filter(pl.col("fold").is_in(folds))["lead_id"].to_list())


def _likeness(leads: pl.DataFrame, tables: Tables, columns: Sequence[str]) -> pl.DataFrame:
    """A row a lead: `lead_id`, and as texts all that twins share."""
    there = [c for c in ("person_id", "created_at", *columns) if c in leads.columns]
    frame = leads.select("lead_id", *(pl.col(c).cast(pl.String).alias(f"_{c}") for c in there))
    if "events" not in tables or "created_at" not in leads.columns:
        return frame
    each = pl.concat_str(
        pl.col("occurred_at").to_physical(), "type", "topic", "value", separator=" ", ignore_nulls=True
    )
    traces = tables["events"].select("lead_id", each.alias("_events")).group_by("lead_id")
    return frame.join(traces.agg(pl.col("_events").sort().str.join("\n").hash()), on="lead_id", how="left")


def _groups(frame: pl.DataFrame) -> tuple[list[list[str]], list[list[str]]]:
    """Ids of leads that are equal in all: those that share telling values, and those that do not."""
    columns = [c for c in frame.columns if c != "lead_id"]
    if not columns:
        return [], []
    size = pl.len().over(columns)
    telling = [
        (2 if c == "_person_id" else 1) * (pl.col(c).is_not_null() & (pl.len().over(c) == size)).cast(pl.Int32)
        for c in columns
    ]
    alike = frame.with_columns(_size=size, _telling=pl.sum_horizontal(telling)).filter(pl.col("_size") > 1)
    found = alike.group_by(columns, maintain_order=True).agg("lead_id", pl.col("_telling").min())
    sure = found["_telling"] >= TELLING
    return found.filter(sure)["lead_id"].to_list(), found.filter(~sure)["lead_id"].to_list()


def _parted(group: Sequence[str], learned: frozenset[str], tested: frozenset[str]) -> bool:
    """Whether one was learned from and another, not the same, is tested on."""
    first, second = learned.intersection(group), tested.intersection(group)
    return bool(first and second and len(first | second) > 1)


def _rows(leads: pl.DataFrame, group: Sequence[str]) -> list[int]:
    """Places in the input, from 0: ids stay out of logs."""
    return sorted(leads.filter(pl.col("lead_id").is_in(group))["row"].to_list())


def _problems(leads: pl.DataFrame, across: Sequence[Sequence[str]]) -> list[str]:
    if not across:
        return []
    shown = "; ".join(", ".join(map(str, _rows(leads, group))) for group in across[:SHOWN])
    return [
        f"table leads: {len(across)} leads are there under more than one lead_id, on both sides of the split: rows "
        f"{shown}{' …' if len(across) > SHOWN else ''} (from 0). Keep one id of each"
    ]
