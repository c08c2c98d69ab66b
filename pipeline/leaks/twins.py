"""Leads that are one lead under two ids, one of them learned from and the other tested on."""

from collections.abc import Sequence

import polars as pl

from features.columns import Attribute
from pipeline.assembly.values import Tables
from pipeline.leaks.findings import Check

NAME = "duplicate leads across the split"
TELLING = 2
"""Twins share at least this many values (a person counts twice) that nobody else has. By chance leads may have the same
job in the same town, but hardly the same creation and the same clicks to the second."""
SHOWN = 5


def check_twins(tables: Tables, examples: pl.DataFrame, attributes: Sequence[Attribute]) -> Check:
    """Fails where a lead of the test fold has a twin among those that were learned from, train or calibrate."""
    learned = _leads_of(examples, ("train", "calibrate"))
    tested = _leads_of(examples, ("test",))
    leads = tables["leads"].filter(pl.col("lead_id").is_in([*learned, *tested]))
    twins, alike = _alike(leads, [a.column for a in attributes if a.entity == "lead"])
    twins = _merged([*twins, *_same_traces(tables, leads)])
    across = [group for group in twins if _parted(group, learned, tested)]
    leaning = sum(_parted(group, learned, tested) for group in alike)
    numbers = {
        "leads": len(leads),
        "across": len(across),
        "alike_by_chance": leaning,
        "rows": [_rows(leads, group) for group in across[:SHOWN]],
    }
    said = f"Of {len(leads):,} leads, {len(across)} have a twin under another id on the other side of the split."
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


def _alike(leads: pl.DataFrame, columns: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Leads with the same person, account, creation and attributes: those that share telling values, and those that do
    not. An account tells nothing: colleagues share it, and with it a town or a name."""
    there = [c for c in ("person_id", "account_id", "created_at", *columns) if c in leads.columns]
    if not there:
        return [], []
    size = pl.len().over(there)
    weight = {"person_id": 2, "account_id": 0}
    telling = [weight.get(c, 1) * (pl.col(c).is_not_null() & (pl.len().over(c) == size)).cast(pl.Int32) for c in there]
    marked = leads.select("lead_id", *there, _size=size, _telling=pl.sum_horizontal(telling)).filter(
        pl.col("_size") > 1
    )
    found = marked.group_by(there, maintain_order=True).agg("lead_id", pl.col("_telling").min())
    sure = found["_telling"] >= TELLING
    return found.filter(sure)["lead_id"].to_list(), found.filter(~sure)["lead_id"].to_list()


def _same_traces(tables: Tables, leads: pl.DataFrame) -> list[list[str]]:
    """Leads with the same events at the same instants, TELLING or more of which nobody else has."""
    if "events" not in tables or leads["created_at"].null_count():
        return []
    mine = tables["events"].join(leads.select("lead_id"), on="lead_id", how="semi")
    trace = mine.select("lead_id", key=pl.struct("occurred_at", "type", "topic").hash()).unique()
    trace = trace.with_columns(holders=pl.len().over("key"))
    each = trace.group_by("lead_id").agg(pl.col("key").sort().hash().sum().alias("all"), "holders")
    alike = each.with_columns(size=pl.len().over("all")).filter(pl.col("size") > 1).explode("holders")
    telling = alike.group_by("all", "lead_id").agg((pl.col("holders") == pl.col("size")).sum().alias("telling"))
    found = telling.filter(pl.col("telling") >= TELLING).sort("lead_id").group_by("all").agg("lead_id")
    return found["lead_id"].to_list()


def _merged(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Each group once, in a fixed order."""
    return [list(group) for group in sorted({tuple(sorted(group)) for group in groups})]


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
