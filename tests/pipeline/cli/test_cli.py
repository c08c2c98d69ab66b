"""The command: help with an example, tables on demand, the result on the screen."""

import hashlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli.console import told

ROOT = Path(__file__).parents[3]
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def invoke(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error. Anything but an exit is a traceback."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, result.stdout, result.stderr


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_help_lists_the_commands() -> None:
    """All but `stage`, which DVC calls."""
    code, out, _ = invoke("--help")
    assert code == 0
    for name in COMMANDS:
        assert (f"  {name} " in out) == (name != "stage")
    assert "..." not in out.partition("Commands:")[2], "no line is cut"


def test_version_is_the_packages() -> None:
    """`--version` prints it and does nothing else."""
    assert invoke("--version") == (0, f"leadscore {version('leadscore')}\n", "")


@pytest.mark.parametrize(
    "words", [("queue",), ("scorecard",), ("points", "explain", "L1", "--at", "2025-03-01")], ids=lambda w: w[0]
)
def test_without_a_run_commands_say_what_to_do(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty folder they name the run that is missing, not a file inside it."""
    monkeypatch.chdir(tmp_path)
    code, _, said = invoke(*words)
    assert code == 1
    assert "there is no finished run in this folder: run `make run` first" in said


def test_a_reader_that_has_had_enough_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """`leadscore show | head -1` blames neither a path nor the disk; the command line ends such commands quietly."""
    with pytest.raises(BrokenPipeError), told():
        raise BrokenPipeError
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    """`--help` ends well and shows how the command is called."""
    code, out, _ = invoke(name, "--help")
    assert code == 0
    assert f"Example: leadscore {name}" in " ".join(out.split())


def test_simulate_writes_the_same_tables_again(tmp_path: Path) -> None:
    """The tables and the truth beside them; the same seed gives the same bytes, another seed others."""
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        code, out, _ = invoke("simulate", tmp_path / name, "--leads", 60, "--seed", seed)
        assert code == 0
        assert "tables of 60 leads" in out
    one = digests(tmp_path / "one")
    tables = {f"{name}.parquet" for name in ("leads", "accounts", "events", "stages", "history")}
    assert tables | {"truth/truth.parquet"} <= set(one)
    assert digests(tmp_path / "again") == one
    assert digests(tmp_path / "other") != one


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--leads", "0"], 2, "--leads"),
        (["--seed", "-1"], 2, "--seed"),
        (["--world", "mars"], 1, "--world 'mars': expected one of company"),
    ],
)
def test_simulate_names_the_wrong_option(tmp_path: Path, more: list[str], code: int, words: str) -> None:
    """The message says which option; nothing is written."""
    found, _, said = invoke("simulate", tmp_path / "out", *more)
    assert found == code
    assert words in said
    assert not (tmp_path / "out").exists()


def test_simulate_onto_a_file_says_so(tmp_path: Path) -> None:
    """A file where the folder should go stays, and is named."""
    (tmp_path / "out").write_text("mine")
    code, _, said = invoke("simulate", tmp_path / "out" / "deeper", "--leads", 20)
    assert code == 1
    assert said.startswith("leadscore: ")
    assert str(tmp_path / "out") in said
    assert (tmp_path / "out").read_text() == "mine"


def test_simulate_replaces_nothing_of_others(tmp_path: Path) -> None:
    """A folder with something else in it is named, and what to do."""
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, said = invoke("simulate", tmp_path, "--leads", 20)
    assert code == 1
    assert said.startswith(f"leadscore: {tmp_path}: expected nothing or an earlier simulation")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_show_prints_the_result(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of reports/metrics.json, the path of the report, and three commands to try."""
    monkeypatch.chdir(finished_run)
    code, out, _ = invoke("show")
    assert code == 0
    metrics = json.loads(Path("reports/metrics.json").read_text())
    assert f"{metrics['test']['auc']:.3f}" in out
    assert f"{metrics['baselines']['logistic']['log_loss']:.4f}" in out
    assert "reports/report.html" in out
    after = out.splitlines()[out.splitlines().index("Next:") + 1 :]
    assert [line.split()[0] for line in after] == [".venv/bin/leadscore", ".venv/bin/dvc", "make"]


def test_show_without_a_run_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no result yet the file is named, and how to make it."""
    monkeypatch.chdir(tmp_path)
    code, _, said = invoke("show")
    assert code == 1
    assert said == "leadscore: reports/metrics.json: is missing; run the stages before it: make run\n"


def test_an_unknown_stage_is_named() -> None:
    """The message lists the stages that there are."""
    code, _, said = invoke("stage", "trian")
    assert code == 1
    assert "stage 'trian': expected one of configure, ingest" in said


def test_an_unknown_command_or_option_is_named() -> None:
    """Exit code 2 and the word that is not understood."""
    for words in (["scroe"], ["score", "--table", "x"]):
        code, _, said = invoke(*words)
        assert code == 2
        assert words[-2 if len(words) > 2 else -1].lstrip("-")[:5] in said


def test_score_counts_what_it_wrote(
    bundle_folder: Path, lead_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line on the screen has the numbers of the file, and the rows that were refused are counted."""
    monkeypatch.setattr("models.bundle.folder.prove", lambda folder: None)
    out_file = tmp_path / "scores.parquet"
    code, out, said = invoke("score", "--tables", lead_tables, "--output", out_file, "--bundle", bundle_folder)
    assert code == 0
    for status, n in pl.read_parquet(out_file)["status"].value_counts().iter_rows():
        assert f"{n} {status}" in out
    assert "leads: refused" in said
    assert "missing here" not in said


def test_the_command_scores_in_a_process_of_its_own(finished_run: Path, tmp_path: Path) -> None:
    """`leadscore score` as users start it, with its lean imports and the bundle's proof, writes the file of scores."""
    (tmp_path / "leads.csv").write_text("lead_id,created_at\n007,2025-01-01T00:00:00Z\n")
    words = [
        "score",
        "--tables",
        tmp_path,
        "--output",
        tmp_path / "out.csv",
        "--bundle",
        finished_run / "artifacts/bundle",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["lead_id", "007"]
    assert rows[1].split(",")[2] == "scored"
