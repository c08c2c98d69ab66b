"""What the next stages and the report need to know besides the rows: meta.json."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from features.columns import spelling
from pipeline.params import Definition, Source
from pipeline.reading.attributes import AttributeList, Inferred, is_theirs
from pipeline.reading.checks.sift import Context
from pipeline.reading.naming import TABLE_OF

TIMES = {"leads": ["created_at"], "events": ["known_at"], "stages": ["entered_at"], "history": ["changed_at"]}


def meta_of(
    tables: Mapping[str, pl.DataFrame],
    source: Source,
    shape: str,
    found: Inferred,
    context: Context,
    scored: Mapping[str, pl.DataFrame],
    there: Collection[str],
) -> dict[str, Any]:
    """What the next stages and the report need to know besides the rows. `there`: names of the tables that came, of
    which `tables` holds what is used."""
    latest = _latest(tables)
    until = _in_zone(source.until, source.timezone) if source.until else latest
    _warn(tables, shape, until if source.until else None, latest, there, context)
    return {
        "until": until.isoformat() if until else None,
        "shape": shape,
        "started_at": context.started_at.isoformat(),
        "warnings": context.warnings,
        "left_out_columns": found.left_out,
        "ignored_columns": _ignored(scored, found.attributes),
        "counts": context.counts,
    }


def _latest(tables: Mapping[str, pl.DataFrame]) -> datetime | None:
    """The latest accepted time in any table, in UTC."""
    times = [tables[name][column].max() for name, columns in TIMES.items() if name in tables for column in columns]
    return max((time for time in times if isinstance(time, datetime)), default=None)


def _in_zone(time: datetime, zone: str) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))


def _warn(
    tables: Mapping[str, pl.DataFrame],
    shape: str,
    until: datetime | None,
    latest: datetime | None,
    there: Collection[str],
    context: Context,
) -> None:
    """Say what is right by the rules and yet worth a look."""
    if shape == "flat":
        context.warnings.append("leads have no created_at: the model cannot be tested out of time")
        if unused := sorted({"events", "stages", "history"} & {*there}):
            context.warnings.append(
                f"leads have no created_at, so nothing of these tables is used: {', '.join(unused)}"
            )
    if until and latest and latest > until:
        context.warnings.append(
            f"some rows are later than source.until ({until.isoformat()}): nothing of them is known then"
        )
    if "stages" in tables:
        context.warnings += unentered(context.definition, set(tables["stages"]["stage"].unique().to_list()))
    stage = context.definition.conversion.stage
    if "stages" in tables and stage and tables["leads"]["converted"].is_not_null().any():
        won = tables["stages"].filter(pl.col("stage") == stage)["lead_id"].unique().implode()
        said = tables["leads"].filter(pl.col("converted").is_not_null() & ~pl.col("outcome_refused"))
        differ = said.select((pl.col("converted") != pl.col("lead_id").is_in(won)).sum()).item()
        if differ:
            context.counts["leads.converted: differs from stages, which decide"] = int(differ)
            context.warnings.append(f"leads.converted differs from stages in {differ} leads; stages decide")


def unentered(definition: Definition, stages: Collection[str]) -> list[str]:
    """What is wrong with the definition's names of stages, of which `stages` are there: nothing closes a lead that does
    not convert, or a name is another but for its letters' case and signs."""
    found = []
    closing = {*definition.terminal} - {definition.conversion.stage}
    others = {*stages} - {definition.conversion.stage}
    if definition.terminal and others and not closing & others:  # an empty list says so itself
        found.append(
            f"definition.terminal: no lead enters any of {', '.join(definition.terminal)} but what converts, so every "
            f"other lead counts as open; stages there are: {', '.join(sorted(stages)[:20])}"
        )
    near = {spelling(stage): stage for stage in sorted(stages)}
    for key, names in (("terminal", definition.terminal), ("reopens", definition.reopens)):
        for name in names:
            if name not in stages and spelling(name) in near:
                found.append(f"definition.{key}: no lead enters {name!r}; did you mean {near[spelling(name)]!r}?")
    return found


def _ignored(raw: Mapping[str, pl.DataFrame], attributes: AttributeList) -> list[str]:
    """Columns of scored tables that the model does not know."""
    known = {(TABLE_OF[attribute.entity], attribute.column) for attribute in attributes}
    return sorted(
        f"{name}.{column}"
        for name in TABLE_OF.values()
        for column in (raw[name].columns if name in raw else [])
        if (name, column) not in known and is_theirs(name, column)
    )
