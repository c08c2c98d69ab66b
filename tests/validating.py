"""Small lead tables for the tests of validation."""

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from pipeline.params import Definition, Source
from pipeline.reading.checked import Checked, check

NOW = datetime(2025, 1, 1, tzinfo=UTC)
SOURCE = Source(kind="tables")
LEADS = [
    {"lead_id": "1", "created_at": "2024-01-01", "source": "web"},
    {"lead_id": "2", "created_at": "2024-01-02", "source": "fair"},
]
LEAD = {"lead_id": "3", "created_at": "2024-01-01", "source": "web"}
EVENT = {
    "lead_id": "1",
    "occurred_at": "2024-02-01T10:00:00Z",
    "type": "visit",
    "event_id": "e1",
    "available_at": None,
}
CHANGE = {"entity": "lead", "id": "1", "field": "budget", "value": "5", "changed_at": "2024-02-01"}
WON = {"lead_id": "1", "stage": "won", "entered_at": "2024-03-01"}


def raw(**tables: list[Mapping[str, object]]) -> dict[str, pl.DataFrame]:
    """Raw tables as ingest leaves them."""
    frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items()}
    return {
        name: frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)) for name, frame in frames.items()
    }


def checked(definition: dict[str, object] | None = None, **tables: list[Mapping[str, object]]) -> Checked:
    """What check finds in LEADS and WON, or in the tables given."""
    given = {"leads": LEADS, "stages": [WON], **tables}
    return check(raw(**given), SOURCE, Definition.model_validate(definition or {}), None, NOW)


def codes(result: Checked, table: str) -> list[tuple[int, str]]:
    """The rows of a table that got a code."""
    both = [frames[table].select("row", "code") for frames in (result.refused, result.excluded)]
    return sorted(pl.concat(both).rows())
