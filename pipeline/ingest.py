"""Ingest: the tables as they came, without personal data, as Parquet. A run's present is when it began."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import stage
from pipeline.errors import Stop
from pipeline.files import whole_folder
from pipeline.params import Definition, Source
from pipeline.reading.personal import Removed, id_key, remove
from pipeline.reading.tables import read_tables


def main() -> None:
    """Read the source, drop what is personal, write data/ingested."""
    source, definition = stage.section(Source), stage.section(Definition)
    with stage.speaking("ingest") as say:
        say("simulating the company" if source.kind == "simulated" else f"reading {source.path}")
        ingest(source, stage.INGESTED, datetime.now(UTC), id_key(), definition)


def ingest(
    source: Source,
    out: Path,
    started_at: datetime,
    key: bytes | None,
    definition: Definition | None = None,
    simulated: Path = stage.SIMULATED,
) -> dict[str, Any]:
    """Write `<table>.parquet` and ingest.json under `out`, whole or not at all; the latter's content."""
    if source.kind == "simulated":
        source = simulate_into(simulated, source, definition or Definition())
    tables, removed = remove(read_tables(source), key)
    facts = _facts(tables, removed, started_at)
    with whole_folder(out) as folder:
        for name, table in tables.items():
            table.write_parquet(folder / f"{name}.parquet")
        text = json.dumps(facts, indent=2, ensure_ascii=False)
        (folder / "ingest.json").write_text(text + "\n", encoding="utf-8")
    return facts


def simulate_into(folder: Path, source: Source, definition: Definition) -> Source:
    """Let the imagined company write its tables; the Source that reads them."""
    from pipeline.simulator import WORLDS, simulate
    from pipeline.simulator.ahead import MOST_DAYS

    size, days = source.simulated, definition.conversion.within_days
    if size.world not in WORLDS:
        raise Stop(f"source.simulated.world: expected one of {', '.join(WORLDS)}, got {size.world!r}")
    if days != int(days) or not 1 <= days <= MOST_DAYS:
        raise Stop(
            f"definition.conversion.within_days: a simulated company takes whole days from 1 to {MOST_DAYS}, got"
            f" {days:g}; change it, or bring tables of your own"
        )
    simulate(folder, WORLDS[size.world], size.leads, size.seed, definition.snapshots.ages_days, int(days))
    return Source(kind="tables", path=folder)


def _facts(tables: dict[str, pl.DataFrame], removed: Removed, started_at: datetime) -> dict[str, Any]:
    return {
        "started_at": started_at.isoformat(),
        "tables": {name: table.height for name, table in tables.items()},
        "personal": removed.columns,
        "masked": removed.masked,
    }
