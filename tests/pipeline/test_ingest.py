"""Ingest keeps the tables as they came, without personal data."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import Stop
from pipeline.ingest import ingest
from pipeline.params import Definition, Source

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def test_what_is_written(tmp_path: Path) -> None:
    """A Parquet file a table, and a record of when, how many and what was removed."""
    (tmp_path / "leads.csv").write_text("lead_id,Email,source\n01,ann@acme.com,web\n02,,fair\n")
    facts = ingest(Source(kind="tables", path=tmp_path), tmp_path / "out", NOW, b"key")
    assert json.loads((tmp_path / "out" / "ingest.json").read_text()) == facts
    assert facts["started_at"] == "2025-01-01T00:00:00+00:00"
    assert facts["tables"] == {"leads": 2}
    assert facts["personal"] == {"leads": {"Email": "mail address"}}
    leads = pl.read_parquet(tmp_path / "out" / "leads.parquet")
    assert leads.select("lead_id", "source", "email_domain_kind").rows() == [
        ("01", "web", "corporate"),
        ("02", "fair", None),
    ]
    assert not any(b"ann@acme" in path.read_bytes() for path in (tmp_path / "out").iterdir())


def test_a_stopped_run_leaves_the_last_one(tmp_path: Path) -> None:
    """What an earlier run wrote stays as it was."""
    source = Source(kind="tables", path=tmp_path / "leads.csv")
    source.path.write_text("lead_id,converted\n1,yes\n")
    ingest(source, tmp_path / "out", NOW, None)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    source.path.write_text("lead_id,converted,converted\n1,yes,no\n")
    with pytest.raises(Stop):
        ingest(source, tmp_path / "out", NOW, None)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("days", [0.5, 30.5, 500])
def test_a_horizon_that_the_simulation_has_not_is_named(tmp_path: Path, days: float) -> None:
    """Only whole days that its truth can be reckoned for."""
    definition = Definition.model_validate({"conversion": {"within_days": days}})
    with pytest.raises(Stop, match=rf"within_days: .* whole days from 1 to 400, got {days:g}; change it"):
        ingest(Source(kind="simulated"), tmp_path / "out", NOW, None, definition, tmp_path / "simulated")


def test_a_folder_of_somebody_else_is_not_simulated_over(tmp_path: Path) -> None:
    """The run stops and names what is there."""
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(Stop, match=r"found .*mine\.txt; move it away"):
        ingest(Source(kind="simulated"), tmp_path / "out", NOW, None, Definition(), tmp_path)
