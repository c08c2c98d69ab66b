"""Configure fills in defaults, a file a section, and touches only what changed."""

import json
from pathlib import Path

import pytest

from pipeline import configure, stage
from pipeline.params import SECTIONS, Section, parse_params


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the least parameters."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("source: {kind: simulated}\n")
    return tmp_path


def test_the_kind_is_enough() -> None:
    """Every section has its file, also those that params.yaml leaves out, and reads back as it was."""
    configure.main()
    assert {path.stem for path in stage.SETTINGS.iterdir()} == {*SECTIONS, "fingerprint", "points_table", "criteria"}
    params = parse_params("source: {kind: simulated}", "p")
    sections = [value for _, value in params if isinstance(value, Section)]
    assert len(sections) == len(SECTIONS) - 1  # the path of the points is a line of its own
    for section in sections:
        assert stage.section(type(section)) == section


def test_only_the_section_that_changed_is_written() -> None:
    """DVC sees by the files which stages are due."""
    configure.main()
    before = {path.name: path.stat().st_mtime_ns for path in stage.SETTINGS.iterdir()}
    Path("params.yaml").write_text("source: {kind: simulated}\ntrain: {num_leaves: 3}\n")
    configure.main()
    after = {path.name: path.stat().st_mtime_ns for path in stage.SETTINGS.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"train.json"}


def test_a_note_beside_the_tables_reads_nothing_again(tmp_path: Path) -> None:
    """Only files that ingest would read are in the fingerprint."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "leads.csv.gz").write_bytes(b"")
    params = parse_params("source: {kind: tables, path: src}", "p")
    first = configure.fingerprint(params)
    for name in ("README.md", ".DS_Store", "leads.csv.bak", "contacts.csv"):
        (tmp_path / "src" / name).write_text("x")
    assert configure.fingerprint(params) == first
    assert list(first) == ["leads.csv.gz"]


def test_every_file_outside_is_in_the_fingerprint(tmp_path: Path) -> None:
    """By name and content; a folder that is not there is left to ingest, which says so better."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "leads.csv").write_text("lead_id\n")
    params = parse_params("source: {kind: tables, path: src}", "p")
    first = configure.fingerprint(params)
    assert list(first) == ["leads.csv"]
    (tmp_path / "src" / "leads.csv").write_text("lead_id\n1\n")
    (tmp_path / "src" / "events.csv").write_text("lead_id\n")
    second = configure.fingerprint(params)
    assert list(second) == ["events.csv", "leads.csv"]
    assert second["leads.csv"] != first["leads.csv"]
    assert configure.fingerprint(parse_params("source: {kind: tables, path: gone}", "p")) == {"gone": None}


def test_settings_are_plain_json() -> None:
    """Dates and paths are texts, so that equal parameters are equal bytes."""
    Path("params.yaml").write_text("source: {kind: tables, path: a/b, until: 2025-01-01}\n")
    configure.main()
    source = json.loads((stage.SETTINGS / "source.json").read_text())
    assert (source["path"], source["until"]) == ("a/b", "2025-01-01T00:00:00Z")
