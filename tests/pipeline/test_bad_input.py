"""Bad input: one message that says where, what was expected and what came; nothing half written."""

import errno
import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline.cli import app

OUTPUTS = {
    "configure": ("data/settings",),
    "ingest": ("data/ingested",),
    "validate": ("data/tables", "data/quarantine", "reports/validation.json"),
    "label": ("data/examples.parquet",),
}
TABLES = "source: {kind: tables, path: src}\n"
FIRST = datetime(2024, 1, 1)
LEADS = 120


def write_tables(folder: Path, n: int = LEADS) -> None:
    """A lead every five days; every third converts on its 20th day, the others are lost."""
    folder.mkdir(parents=True, exist_ok=True)
    days = [FIRST + timedelta(days=5 * i) for i in range(n)]
    leads = [f"{i:05d},{day.isoformat()}Z,{('web', 'fair', 'ad')[i % 3]}" for i, day in enumerate(days)]
    ends = [
        f"{i:05d},{'lost' if i % 3 else 'won'},{(day + timedelta(days=20)).isoformat()}Z" for i, day in enumerate(days)
    ]
    events = [
        f"{i:05d},{(day + timedelta(days=k)).isoformat()}Z,page_view" for i, day in enumerate(days) for k in range(3)
    ]
    (folder / "leads.csv").write_text("\n".join(["lead_id,created_at,source", *leads]) + "\n")
    (folder / "stages.csv").write_text("\n".join(["lead_id,stage,entered_at", *ends]) + "\n")
    (folder / "events.csv").write_text("\n".join(["lead_id,occurred_at,type", *events]) + "\n")


def run(root: Path, *stages: str) -> tuple[str | None, str]:
    """The stage that said no, and its message without lines of progress; (None, "") where all went well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for stage in stages or OUTPUTS:
            result = CliRunner().invoke(app, ["stage", stage])
            if result.exit_code:
                assert isinstance(result.exception, SystemExit), result.exception
                said = [line for line in result.stderr.splitlines() if not line.startswith(f"{stage}: ")]
                return stage, "\n".join(said)
    return None, ""


def digests(root: Path, *stages: str) -> dict[str, str]:
    """SHA-256 of every file that the stages left."""
    found = {}
    for path in (root / name for stage in stages for name in OUTPUTS[stage]):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            found[str(file.relative_to(root))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good run as far as its examples. Copy it before changing anything."""
    root = tmp_path_factory.mktemp("good")
    write_tables(root / "src")
    (root / "params.yaml").write_text(TABLES)
    assert run(root) == (None, "")
    return root


@pytest.fixture
def spoiled(good: Path, tmp_path: Path) -> Path:
    """A copy of the good run, to be spoiled."""
    return Path(shutil.copytree(good, tmp_path / "run"))


@pytest.mark.parametrize("threshold", ["{weekly_capacity: 20}", "{keep: mql_volume}"])
def test_a_volume_of_leads_a_week_needs_dates_and_that_is_said_before_training(threshold: str, tmp_path: Path) -> None:
    """Leads without dates have no weeks. What a call costs needs none."""
    rows = [f"{i},{('yes', 'no', 'no')[i % 3]},{i % 7}" for i in range(LEADS)]
    (tmp_path / "leads.csv").write_text("\n".join(["lead_id,converted,size", *rows]) + "\n")
    flat = "source: {kind: tables, path: leads.csv}\npolicy: {threshold: %s}\n"
    (tmp_path / "params.yaml").write_text(flat % threshold)
    stage, said = run(tmp_path)
    assert (stage, (tmp_path / "data/examples.parquet").exists()) == ("label", False)
    for word in ("policy.threshold", "leads.created_at", "use net_benefit"):
        assert word in said
    (tmp_path / "params.yaml").write_text(flat % "{net_benefit: {call_cost: 20, deal_value: 900}}")
    assert run(tmp_path) == (None, "")


def stops(root: Path, stage: str, *words: str) -> None:
    """`stage` stops with one message that holds the words; what it and later stages had left is unchanged."""
    names = list(OUTPUTS)
    later = names[names.index(stage) :]
    before = digests(root, *later)
    stopped, said = run(root)
    assert stopped == stage, said
    assert said.startswith("leadscore: ")
    assert said.count("leadscore: ") == 1
    assert "Traceback" not in said
    for word in words:
        assert word in said
    assert digests(root, *later) == before
    assert not [path for path in root.rglob(".*") if ".new-" in path.name or ".old-" in path.name]


Spoil = Callable[[Path], object]


def edited(name: str, old: str, new: str) -> Spoil:
    """A table with other text in it."""
    return lambda src: (src / name).write_text((src / name).read_text().replace(old, new))


def lines(name: str, change: Callable[[int, str], str]) -> Spoil:
    """A table with every row changed; rows count from 0."""

    def spoil(src: Path) -> None:
        header, *rows = (src / name).read_text().splitlines()
        (src / name).write_text("\n".join([header, *(change(i, row) for i, row in enumerate(rows))]) + "\n")

    return spoil


def content(name: str, data: bytes) -> Spoil:
    """A file with other content."""
    return lambda src: (src / name).write_bytes(data)


def cut_parquet(src: Path) -> None:
    """The leads as a Parquet file that lost its end."""
    pl.read_csv(src / "leads.csv", infer_schema=False).write_parquet(src / "leads.parquet")
    (src / "leads.csv").unlink()
    (src / "leads.parquet").write_bytes((src / "leads.parquet").read_bytes()[:-50])


def cut_gzip(src: Path) -> None:
    """The leads as a gzip file that lost its end."""
    (src / "leads.csv.gz").write_bytes(gzip.compress((src / "leads.csv").read_bytes())[:-30])
    (src / "leads.csv").unlink()


def twice(src: Path) -> None:
    """The leads as CSV and as Parquet."""
    pl.read_csv(src / "leads.csv", infer_schema=False).write_parquet(src / "leads.parquet")


def cp1252(src: Path) -> None:
    """Leads with letters of another encoding."""
    (src / "leads.csv").write_bytes((src / "leads.csv").read_text().replace("fair", "mässa").encode("cp1252"))


def objecting(src: Path) -> None:
    """Every lead objects to being profiled."""
    lines("leads.csv", lambda i, row: row + ",yes")(src)
    edited("leads.csv", "source\n", "source,objected\n")(src)


@pytest.mark.parametrize(
    ("spoil", "stage", "words"),
    [
        (shutil.rmtree, "ingest", ["src: ", "no such file or folder", "source.path"]),
        (lambda src: (src / "leads.csv").unlink(), "ingest", ["table leads is missing", "found events.csv"]),
        (
            lambda src: (src / "leads.csv").rename(src / "leads.xlsx"),
            "ingest",
            ["table leads is missing", "leads.xlsx"],
        ),
        (edited("leads.csv", "lead_id", "id"), "ingest", ["src/leads.csv", "lead_id is missing", "source.columns"]),
        (edited("stages.csv", "entered_at", "when"), "ingest", ["src/stages.csv", "entered_at is missing", "'when'"]),
        (content("leads.csv", b""), "ingest", ["src/leads.csv: the file is empty"]),
        (content("events.csv", b""), "ingest", ["src/events.csv: the file is empty"]),
        (content("leads.csv", b"lead_id,created_at\n"), "validate", ["leads: the table has no rows"]),
        (content("stages.csv", b"lead_id,stage,entered_at\n"), "label", ["definition.conversion.stage", "'won'"]),
        (edited("stages.csv", "won", "lost"), "label", ["definition.conversion.stage", "'won'", "are: lost"]),
        (edited("stages.csv", "lost", "won"), "label", ["fold train", "do not", "303 of 303"]),
        (lambda src: write_tables(src, 1), "label", ["none of 5 examples is mature", "source.until"]),
        (cp1252, "validate", ["leads: 40 of 120", "undecodable_text (rows 1, 4, 7", "source.encoding"]),
        (
            content("leads.csv", "lead_id,källa\n1,ä\n".encode("cp1252")),
            "ingest",
            ["src/leads.csv", "not utf-8", "source.encoding"],
        ),
        (
            lines("leads.csv", lambda i, row: row.replace(row.split(",")[1], "some day")),
            "validate",
            ["leads.created_at", "none of its 120 values", "ISO 8601", "source.date_format"],
        ),
        (
            lines("stages.csv", lambda i, row: row.replace(row.split(",")[2], "soon")),
            "validate",
            ["stages.entered_at", "ISO 8601", "source.date_format"],
        ),
        (cut_parquet, "ingest", ["src/leads.parquet", "cannot be read as Parquet", "bytes"]),
        (cut_gzip, "ingest", ["src/leads.csv.gz", "cut short", "pack it again"]),
        (twice, "ingest", ["leads.parquet and leads.csv", "remove all but one"]),
        (
            lines("stages.csv", lambda i, row: row.replace("won", "lost") if i < 80 else row),
            "label",
            ["fold train", "found 0 of 303"],
        ),
        (
            lines("stages.csv", lambda i, row: row.replace("won", "lost") if i > 70 else row),
            "label",
            ["fold test", "found 0 of", "split.test_fraction"],
        ),
        (objecting, "validate", ["leads: no row is left of 120", "objected"]),
        (edited("leads.csv", "2024-", "2124-"), "validate", ["leads: 74 of 120", "future_time"]),
    ],
)
def test_a_bad_table_stops_its_stage(spoiled: Path, spoil: Spoil, stage: str, words: list[str]) -> None:
    """The message names the table, what was expected, what came and what to do; earlier results stay."""
    spoil(spoiled / "src")
    stops(spoiled, stage, *words)


@pytest.mark.parametrize(
    ("params", "stage", "words"),
    [
        (None, "configure", ["params.yaml: cannot be read", "project's folder"]),
        (TABLES + "trian: {seed: 1}", "configure", ["params.yaml: trian: unknown key"]),
        (TABLES + "train: {num_leafs: 9}", "configure", ["train.num_leafs: unknown key"]),
        (TABLES + "train: {num_leaves: 1}", "configure", ["train.num_leaves", "greater than or equal to 2", "got 1"]),
        (TABLES + "split: {test_fraction: a third}", "configure", ["split.test_fraction", "number", "'a third'"]),
        (TABLES + "train: {seed: 1}\ntrain: {seed: 2}", "configure", ["'train' is given twice", "line 3"]),
        ("source: {kind: tables\ntrain: [", "configure", ["params.yaml: not YAML", "line 2"]),
        ("", "configure", ["params.yaml: expected keys", "got nothing"]),
        (TABLES + "policy: {scale: continuity}", "configure", ["policy.scale", "between 1 and 100", "policy.mark"]),
        (TABLES + "policy: {scale: continuity, mark: 60}", "configure", ["policy.scale", "give policy.threshold"]),
        ("train: {seed: 1}", "configure", ["params.yaml: source: is missing"]),
        ("source: {path: src}", "configure", ["source.kind: is missing"]),
        (
            TABLES + "definition: {conversion: {stage: signed}}",
            "label",
            ["definition.conversion.stage", "'signed'", "lost, won"],
        ),
        (
            TABLES + "definition: {conversion: {event: purchase}}",
            "label",
            ["definition.conversion.event", "'purchase'", "page_view"],
        ),
        (TABLES + "split: {test_from: 2099-01-01}", "label", ["fold test", "found 0 of 0", "split.test_from"]),
        (TABLES + "split: {test_from: 2001-01-01}", "label", ["fold train", "found 0 of 0", "split.test_from"]),
        ("source: {kind: tables, path: src, until: 2001-01-01}", "label", ["there is no example", "source.until"]),
        ("source: {kind: tables, path: src, until: 2999-01-01}", "label", ["source.until: 2999", "start of ingest"]),
        (
            "source: {kind: tables, path: src, columns: {converted: Won}}",
            "ingest",
            ["source.columns.converted", "'Won'", "'created_at'"],
        ),
        ("source: {kind: simulated, simulated: {world: mars}}", "ingest", ["source.simulated.world", "'mars'"]),
        (TABLES + "definition: {exclude: [Nope]}", "validate", ["definition.exclude", "'Nope'", "'source'"]),
    ],
)
def test_a_bad_parameter_stops_its_stage(spoiled: Path, params: str | None, stage: str, words: list[str]) -> None:
    """The message names the key, what was expected and what came; earlier results stay."""
    path = spoiled / "params.yaml"
    path.unlink() if params is None else path.write_text(params)
    stops(spoiled, stage, *words)


def test_empty_events_are_no_fault(spoiled: Path) -> None:
    """A table of events with a header alone says that nobody did anything."""
    (spoiled / "src" / "events.csv").write_text("lead_id,occurred_at,type\n")
    assert run(spoiled) == (None, "")


@pytest.fixture
def disk(good: Path, tmp_path: Path) -> Iterator[Path]:
    """The good run on a disk of its own, 4 MB large. Skipped where this process may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        yield Path(shutil.copytree(good, place / "run"))
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte of a disk."""
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0


@pytest.mark.parametrize("stage", ["ingest", "validate", "label"])
def test_a_full_disk_leaves_the_last_results(disk: Path, stage: str) -> None:
    """The message says which path found no space; the earlier results are there, byte for byte."""
    (disk / "data" / "settings" / "extra").write_text("")
    before = digests(disk, *OUTPUTS)
    fill(disk)
    stopped, said = run(disk, stage)
    assert stopped == stage
    assert said.startswith("leadscore: ")
    assert "cannot be written, no space is left" in said
    assert digests(disk, *OUTPUTS) == before


def test_a_full_disk_stops_the_simulator(disk: Path) -> None:
    """One message, and no table that is half there."""
    fill(disk)
    result = CliRunner().invoke(app, ["simulate", str(disk / "out"), "--leads", "50"])
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("leadscore: ")
    assert "No space left" in result.stderr or "no space is left" in result.stderr
    assert not list((disk / "out").rglob("*.parquet"))


def test_a_disk_that_fills_is_told_without_one(spoiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the writer says so in its own error."""

    def refuse(*args: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = digests(spoiled, *OUTPUTS)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", refuse)
    stopped, said = run(spoiled, "label")
    assert stopped == "label"
    assert "no space is left" in said
    assert digests(spoiled, *OUTPUTS) == before


@pytest.mark.parametrize("stage", ["configure", "ingest", "validate", "label"])
def test_a_read_only_folder_is_named(disk: Path, stage: str) -> None:
    """The message says where nothing may be written."""
    (disk / "params.yaml").write_text(TABLES + "train: {seed: 8}")
    subprocess.run(["mount", "-o", "remount,ro", str(disk.parent)], check=True)
    stopped, said = run(disk, stage)
    assert stopped == stage
    assert "read-only" in said
    assert "data/" in said


@pytest.mark.parametrize(
    ("stage", "damaged", "word"),
    [
        ("ingest", "data/settings/source.json", "not JSON"),
        ("label", "data/tables/leads.parquet", "not a Parquet"),
        ("validate", "data/ingested/ingest.json", "not JSON"),
    ],
)
@pytest.mark.parametrize("gone", [True, False])
def test_a_missing_or_damaged_result_is_named(spoiled: Path, stage: str, damaged: str, word: str, gone: bool) -> None:
    """A stage says which file of an earlier stage it lacks, and how to make it again."""
    (spoiled / damaged).unlink() if gone else (spoiled / damaged).write_text("{")
    stopped, said = run(spoiled, stage)
    assert stopped == stage
    assert damaged in said
    assert ("is missing" if gone else word) in said
    assert "make run" in said


def score(*args: object) -> tuple[int, str]:
    """Exit code and standard error of `leadscore score`."""
    result = CliRunner().invoke(app, ["score", *map(str, args)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, result.stderr


@pytest.fixture
def to_score(bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Options that score three leads by the finished run's bundle."""
    (tmp_path / "leads.csv").write_text("lead_id,created_at\n0007,2025-01-01\n007,2025-01-02\n7,2025-01-03\n")
    monkeypatch.setattr("models.bundle.folder.prove", lambda folder: None)
    return ["--bundle", bundle_folder, "--tables", tmp_path]


def test_ids_are_echoed_and_formats_agree(to_score: list[object], tmp_path: Path) -> None:
    """Leading zeros stay, also without accounts, events, stages and history; CSV and Parquet hold the same."""
    for name in ("out.csv", "out.parquet"):
        code, said = score(*to_score, "--output", tmp_path / "new" / name)
        assert code == 0
        assert "events: the model was trained with this table, but it is missing here" in said
    one = pl.read_csv(tmp_path / "new/out.csv", schema_overrides={"lead_id": pl.String, "model_version": pl.String})
    other = pl.read_parquet(tmp_path / "new/out.parquet")
    assert other["lead_id"].to_list() == ["0007", "007", "7"]
    assert other["probability"].is_not_null().all()
    as_of = one["as_of"].str.to_datetime(time_unit="us", time_zone="UTC")
    assert one.with_columns(as_of).cast(dict(other.schema)).equals(other)  # type: ignore[arg-type]


def test_a_time_before_all_leads_gives_a_header(to_score: list[object], tmp_path: Path) -> None:
    """Nobody existed: no row, and no failure."""
    assert score(*to_score, "--output", tmp_path / "s.csv", "--as-of", "2001-01-01")[0] == 0
    assert (tmp_path / "s.csv").read_text().startswith("lead_id,as_of,status,probability")
    assert pl.read_csv(tmp_path / "s.csv").height == 0


def test_unknown_columns_are_told_and_harmless(to_score: list[object], tmp_path: Path) -> None:
    """A column that the model does not know changes no score."""
    score(*to_score, "--output", tmp_path / "a.csv")
    text = (tmp_path / "leads.csv").read_text().splitlines()
    (tmp_path / "leads.csv").write_text("\n".join([text[0] + ",shoe", *(f"{row},43" for row in text[1:])]))
    code, said = score(*to_score, "--output", tmp_path / "b.csv")
    assert code == 0
    assert "leads.shoe" in said
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--bundle", "nowhere"], ["nowhere/manifest.json", "expected a file"]),
        (["--as-of", "soon"], ["--as-of 'soon'", "ISO 8601"]),
        (["--output", "scores.xlsx"], ["--output scores.xlsx", ".csv or .parquet"]),
        (["--output", "folder.csv"], ["--output folder.csv", "folder"]),
        (["--output", "events.csv"], ["--output events.csv", "table"]),
        (["--tables", "nowhere"], ["nowhere: there is no such file or folder", "--tables"]),
        (["--tables", "empty"], ["empty: the table leads is missing", "--tables"]),
    ],
)
def test_score_says_what_is_wrong(
    to_score: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], words: list[str]
) -> None:
    """One message, exit code 1, and no file of scores."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "empty").mkdir()
    code, said = score(*to_score, "--output", "scores.csv", *more)
    assert code == 1
    assert said.startswith("leadscore: ")
    assert len(said.splitlines()) == 1
    for word in words:
        assert word in said
    assert not (tmp_path / "scores.csv").exists()


def test_a_damaged_bundle_is_named(to_score: list[object], bundle_folder: Path, tmp_path: Path) -> None:
    """A file that is not what the manifest says is named before it is parsed; an earlier file of scores stays."""
    damaged = shutil.copytree(bundle_folder, tmp_path / "bundle")
    (damaged / "model.txt").write_bytes((damaged / "model.txt").read_bytes()[:-9])
    (tmp_path / "scores.csv").write_text("earlier")
    code, said = score(*to_score, "--output", tmp_path / "scores.csv", "--bundle", damaged)
    assert code == 1
    assert "model.txt: expected SHA-256" in said
    assert (tmp_path / "scores.csv").read_text() == "earlier"


def test_columns_that_are_missing_are_named(to_score: list[object], tmp_path: Path) -> None:
    """Leads without ids cannot be scored, and the file says which column it lacks."""
    (tmp_path / "leads.csv").write_text("id,created_at\n1,2025-01-01\n")
    code, said = score(*to_score, "--output", tmp_path / "s.csv")
    assert code == 1
    assert "lead_id is missing; there are 'id', 'created_at'" in said
