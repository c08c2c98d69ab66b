"""Stage validate: every row is accepted, refused with a code and a reason, or excluded with a code."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import stage
from pipeline.files import whole_file, whole_folder
from pipeline.params import Definition, Source, Validate
from pipeline.reading.attributes import to_json
from pipeline.reading.checked import Checked, check
from pipeline.reading.tables import TABLES


def main() -> None:
    """Accept, refuse or exclude every row of data/ingested."""
    stage.read_json(stage.INGESTED / "ingest.json")  # says what to do where there is none
    limit = stage.section(Validate).max_quarantined_fraction
    source, definition = stage.section(Source), stage.section(Definition)
    checked = validate(stage.INGESTED, stage.TABLES, stage.QUARANTINE, stage.VALIDATION, source, definition, limit)
    with stage.speaking("validate") as say:
        for warning in checked.meta["warnings"]:
            say(f"warning: {warning}")
        for what, number in checked.meta["counts"].items():
            say(f"{what}: {number:,}")


def validate(
    ingested: Path,
    out: Path,
    quarantine: Path,
    report: Path,
    source: Source,
    definition: Definition,
    limit: float,
) -> Checked:
    """Check what ingest left, and write tables, quarantine and report, whole or not at all."""
    facts = json.loads((ingested / "ingest.json").read_text(encoding="utf-8"))
    raw = {name: pl.read_parquet(ingested / f"{name}.parquet") for name in TABLES if name in facts["tables"]}
    dropped = [column for columns in facts["personal"].values() for column in columns]
    checked = check(raw, source, definition, limit, datetime.fromisoformat(facts["started_at"]), None, dropped)
    with whole_folder(out) as tables, whole_folder(quarantine) as refused, whole_file(report) as sums:
        for name, table in checked.tables.items():
            table.write_parquet(tables / f"{name}.parquet")
        for name, table in checked.refused.items():
            table.write_parquet(refused / f"{name}.parquet")
        _write_json(tables / "attributes.json", to_json(checked.attributes))
        _write_json(tables / "meta.json", checked.meta)
        _write_json(sums, checked.report)
    return checked


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
