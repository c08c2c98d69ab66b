"""What a table of points looks at is of one run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import stage
from pipeline.errors import Stop
from pipeline.handtuned.inputs import last_run
from pipeline.ingest import ingest
from pipeline.params import Definition, Source
from pipeline.validate import validate

LEADS = "lead_id,created_at,converted,note\n1,2024-01-01,1,same\n2,2024-01-02,0,same\n"


def test_tables_that_were_read_and_refused_since_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that are no attributes are found by their rows, which are others' in newer tables: it is said instead."""
    monkeypatch.chdir(tmp_path)
    file, definition = Path("leads.csv"), Definition()
    source = Source(kind="tables", path=file)
    for kind, section in (("definition", definition), ("source", source)):
        stage.write_json(section.model_dump(mode="json"), stage.SETTINGS / f"{kind}.json")
    places = (stage.INGESTED, stage.TABLES, stage.QUARANTINE, stage.VALIDATION)
    file.write_text(LEADS)
    ingest(source, stage.INGESTED, datetime(2025, 1, 1, tzinfo=UTC), None)
    validate(*places, source, definition, 0)
    assert last_run().raw["leads"]["note"].to_list() == ["same"] * 2
    file.write_text(LEADS.replace("1,2024", "9,2030", 1))
    ingest(source, stage.INGESTED, datetime(2025, 1, 2, tzinfo=UTC), None)
    with pytest.raises(Stop, match="1 future_time"):
        validate(*places, source, definition, 0)
    with pytest.raises(Stop, match="data/ingested: was read later than what data/tables was made of"):
        last_run()
