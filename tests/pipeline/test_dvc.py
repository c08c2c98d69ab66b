"""The pipeline as DVC runs it: what it leaves, and what a change makes run again.

One run in a copy of the tree, by a few hundred leads. The tests are in order: each takes the folder as the one
before left it, because every run costs seconds.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from documented import DOCS, commands, page

ROOT = Path(__file__).parents[2]
STAGES = (
    "configure", "ingest", "validate", "label", "featurize", "screen", "points", "train", "evaluate", "audit",
    "compare", "funnel", "accounts", "publish", "define", "track",
)  # fmt: skip
PARAMS = """
source: {{kind: simulated, simulated: {{leads: 500, seed: {seed}}}}}
definition:
  snapshots: {{ages_days: [0, 14]}}
  criteria:
    buying_stage: {{words: they compare, when: "event pricing_view, demo_request within 30 days"}}
    theme: {{words: what we are good at, when: "event page_view topic in security, integration"}}
train:
  {{least_converting: 2, bags: 2, max_rounds: 20, early_stopping_rounds: 5, min_data_in_leaf: 10, threads: 1,
    num_leaves: {leaves}}}
"""
SCORES = (
    "auc", "log_loss", "brier", "average_precision", "observed_over_expected", "calibration_slope",
    "calibration_intercept", "smooth_ece", "smooth_ece_null_p95",
)  # fmt: skip
TIME = pl.Datetime("us", "UTC")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="DVC stands on git")


def environment(uri: str | None = "http://127.0.0.1:9") -> dict[str, str]:
    """This Python first on the path, no setting of ours, and by default a tracking server that is away."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("DVC_", "GIT_", "PYTHON"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept.pop("MLFLOW_TRACKING_URI", None)
    who = {f"GIT_{role}_{what}": "x@y" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    away = {} if uri is None else {"MLFLOW_TRACKING_URI": uri}
    return {**kept, **who, **away, "PATH": path, "DVC_NO_ANALYTICS": "true"}


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command in the folder, begun."""
    return subprocess.Popen(
        words, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def said(folder: Path, *words: str) -> str:
    """All that a command said; it must end well."""
    process = start(folder, *words)
    out = process.communicate(timeout=120)[0]
    assert process.returncode == 0, out
    return out


def ran(out: str) -> list[str]:
    """The stages that DVC ran."""
    return re.findall(r"Running stage '(\w+)'", out)


def params(folder: Path, seed: int = 3, leaves: int = 8) -> None:
    """Write params.yaml."""
    (folder / "params.yaml").write_text(PARAMS.format(seed=seed, leaves=leaves))


def changed(folder: Path) -> set[str]:
    """The stages that DVC says would run, but for those that always do."""
    status = json.loads(said(folder, "dvc", "status", "--json"))
    return {name for name, why in status.items() if why != ["always changed"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, committed, before any run."""
    folder = tmp_path_factory.mktemp("project")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    params(folder)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "copy"]):
        said(folder, "git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words)
    return folder


@pytest.fixture(scope="module")
def first(project: Path) -> str:
    """What the first `dvc repro` said."""
    return said(project, "dvc", "repro")


def test_a_run_outlives_its_tracking_server(project: Path, first: str) -> None:
    """With MLflow away every stage runs, the results are kept, and the run says so."""
    assert ran(first) == list(STAGES)
    words = " ".join(first.split())
    assert "MLflow at http://127.0.0.1:9 did not take the run" in words
    assert "results of the run are kept" in words
    assert not (project / "mlflow.db").exists()


def test_tables_of_the_contract(project: Path, first: str) -> None:
    """Examples, features and predictions have the contract's columns and types, a row an example."""
    examples = pl.read_parquet(project / "data/examples.parquet")
    assert dict(examples.schema) == {
        "lead_id": pl.String, "as_of": TIME, "age_days": pl.Float64, "label": pl.Float64, "mature": pl.Boolean,
        "fold": pl.String, "days_to_conversion": pl.Float64, "days_to_record": pl.Float64,
    }  # fmt: skip
    assert examples.filter(~pl.col("mature"))["label"].is_null().all()
    assert (examples["as_of"].dt.microsecond() != 0).any()
    features = pl.read_parquet(project / "data/features.parquet")
    assert features.columns[:2] == ["lead_id", "as_of"]
    assert all(re.match("(fit|engagement|intent)_", name) for name in features.columns[2:])
    assert features.select("lead_id", "as_of").equals(examples.select("lead_id", "as_of"))
    predictions = pl.read_parquet(project / "data/predictions.parquet")
    names = ["lead_id", "as_of", "age_days", "fold", "label", "probability"]
    assert predictions.columns[:6] == names
    assert predictions.schema["as_of"] == TIME
    assert predictions.height == examples["mature"].sum()
    assert predictions["probability"].is_between(0, 1).all()


def test_quarantine_and_sums_of_the_contract(project: Path, first: str) -> None:
    """Every table has its refused rows with code and reason, and `read` is the sum of all."""
    report = json.loads((project / "reports/validation.json").read_text())
    assert {"leads", "accounts", "events", "stages", "history"} <= set(report)
    for name, sums in report.items():
        refused = pl.read_parquet(project / "data/quarantine" / f"{name}.parquet")
        assert refused.columns == ["table", "row", "code", "reason"]
        assert refused.height == sum(sums["quarantined"].values())
        assert sums["read"] == sums["accepted"] + refused.height + sum(sums["excluded"].values())
        assert refused["reason"].is_not_null().all()


def test_metrics_and_report_of_the_contract(project: Path, first: str) -> None:
    """All scores for model and baselines, and a page that loads nothing from elsewhere."""
    metrics = json.loads((project / "reports/metrics.json").read_text())
    baselines = metrics["baselines"]
    assert {"base_rate", "logistic", "naive_bayes"} <= set(baselines)
    for scores in (metrics["test"], metrics["test_one_per_lead"], *baselines.values()):
        assert set(SCORES) <= set(scores)
    assert "validation" in metrics
    page = (project / "reports/report.html").read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)


def test_bundle_of_the_contract(project: Path, first: str) -> None:
    """Text alone, each file with its digest."""
    bundle = project / "artifacts/bundle"
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert {path.name for path in bundle.iterdir()} == {*manifest, "manifest.json"}
    assert {"model.txt", "MODEL_CARD.md", "golden.json"} <= set(manifest)
    for name, digest in manifest.items():
        content = (bundle / name).read_bytes()
        content.decode("utf-8")
        assert hashlib.sha256(content).hexdigest() == digest


def test_unchanged_nothing_is_computed(project: Path, first: str) -> None:
    """A second run looks at the parameters, and whether the run has been filed, and does nothing else."""
    assert ran(said(project, "dvc", "repro")) == ["configure", "track"]


def test_metrics_can_be_shown(project: Path, first: str) -> None:
    """`dvc metrics show` prints the few numbers that runs are compared by, `leadscore show` the short table."""
    auc = json.loads((project / "reports/metrics.json").read_text())["test"]["auc"]
    shown = json.loads(said(project, "dvc", "metrics", "show", "--json"))
    assert shown[""]["data"]["reports/summary.json"]["data"]["test"]["auc"] == auc
    assert f"{auc:.3f}" in said(project, sys.executable, "-m", "pipeline", "show")


def typed(folder: Path, command: str) -> str:
    """What a command of the documentation said, typed as it stands in the folder with a tracking store of its own; it
    must end well. Nothing of the environment is on the path, as in a shell where nobody has activated it."""
    there = Path(sys.executable).parent
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry) != there]
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment(None) | {"PATH": os.pathsep.join(path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def filed(folder: Path) -> list[tuple[str, int]]:
    """Name and looks of the runs of the folder's store, the oldest first."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        return store.execute(
            "SELECT name, value FROM runs JOIN metrics USING (run_uuid) WHERE key = 'test/looks' ORDER BY start_time"
        ).fetchall()


@pytest.fixture(scope="module")
def documented(project: Path, first: str) -> dict[str, str]:
    """What each command of the documentation said, typed one after the other. The run before it, whose server was
    away, is filed first, and nothing is computed for it."""
    (project / "mlflow.db").unlink(missing_ok=True)
    (project / ".venv").symlink_to(sys.prefix)
    assert ran(typed(project, ".venv/bin/dvc repro")) == ["configure", "track"]
    return {command: typed(project, command) for name in DOCS for command in commands(page(name))}


def test_every_command_of_the_docs_runs(documented: dict[str, str]) -> None:
    """They end well, those of experiments tell something, and an experiment runs just what it must."""
    told = {command.partition(".venv/bin/")[2]: said for command, said in documented.items()}
    assert ran(told["dvc exp run -S train.num_leaves=3"]) == [
        "configure", "train", "evaluate", "audit", "compare", "accounts", "publish", "define", "track",
    ]  # fmt: skip
    diff = told["dvc metrics diff"]
    assert "test.log_loss " in diff
    assert "test.log_loss_of_logistic" not in diff  # what did not change is left out
    assert "train.num_leaves" in told["dvc params diff"]
    assert ran(told["dvc exp run --run-all"]) == ["configure", "compare", "track"]


def test_experiments_can_be_compared(project: Path, documented: dict[str, str]) -> None:
    """`dvc exp show` has validation before test, no unknown value, and the looks at the test fold; as the guide calls
    it, no digests of files."""
    (told,) = (command for command in documented if "exp show" in command)
    digests = [name for name in next(csv.reader(io.StringIO(typed(project, f"{told} --csv --num 3")))) if "/" in name]
    assert not digests
    shown = typed(project, ".venv/bin/dvc exp show --csv --hide-workspace --num 3")
    head, *rows = csv.reader(io.StringIO(shown))
    at = [head.index(name) for name in ("choose_by_validation.log_loss", "test.log_loss", "test.looks")]
    assert at == sorted(at)
    assert sorted({row[at[2]] for row in rows}) == ["1", "2"]  # the queued one made the same bundle
    assert all(row[i] not in ("", "-", "!") for row in rows for i in at)
    assert (project / "dvc_plots/static").is_dir()


def test_all_experiments_are_in_the_projects_store(project: Path, documented: dict[str, str]) -> None:
    """One that was queued and ran in a copy, too; each is called by what it changed."""
    names = [(name.split(" · ")[0], looks) for name, looks in filed(project)]
    assert names == [("as committed", 1), ("num_leaves 3", 2), ("tolerance_days 2.0", 2)]


def test_a_colleague_has_data_and_results(project: Path, documented: dict[str, str]) -> None:
    """A clone that pulled has the committed run, which is filed in the colleague's store and not computed."""
    theirs = project.parent / "colleague"
    assert pl.read_parquet(theirs / "data/predictions.parquet").height
    (theirs / ".venv").symlink_to(sys.prefix)
    assert ran(typed(theirs, ".venv/bin/dvc repro")) == ["configure", "track"]
    assert [name.split(" · ")[0] for name, _ in filed(theirs)] == ["as committed"]


def test_two_runs_at_once_leave_whole_results(project: Path, first: str) -> None:
    """Another seed of the company reruns all. A second run beside it says that one is running, or ends well too."""
    params(project, seed=4)
    one = start(project, "dvc", "repro", "validate")
    time.sleep(1)
    other = start(project, "dvc", "repro", "validate")
    outs = [process.communicate(timeout=120)[0] for process in (one, other)]
    codes = [one.returncode, other.returncode]
    assert 0 in codes, outs
    for code, out in zip(codes, outs, strict=True):
        assert code == 0 or re.search("(?i)lock|busy", out), out
        assert "Traceback" not in out
    assert {"label", "featurize", "train", "evaluate", "publish"} <= changed(project)
    report = json.loads((project / "reports/validation.json").read_text())
    for name, sums in report.items():
        assert pl.read_parquet(project / "data/tables" / f"{name}.parquet").height == sums["accepted"]
    assert not [path for path in (project / "data").rglob(".*") if ".new-" in path.name]


def test_a_changed_file_outside_is_noticed(project: Path, first: str, tmp_path: Path) -> None:
    """Tables outside of the project are read again when, and only when, one of them changed."""
    (tmp_path / "leads.csv").write_text("lead_id,converted\n1,yes\n2,no\n")
    (project / "params.yaml").write_text(f"source: {{kind: tables, path: {json.dumps(str(tmp_path))}}}\n")
    assert ran(said(project, "dvc", "repro", "ingest")) == ["configure", "ingest"]
    assert ran(said(project, "dvc", "repro", "ingest")) == ["configure"]
    (tmp_path / "leads.csv").write_text("lead_id,converted\n1,yes\n2,yes\n")
    assert ran(said(project, "dvc", "repro", "ingest")) == ["configure", "ingest"]


@pytest.mark.parametrize(("text", "word"), [("source: {kind: tables\ntrain: [", "params.yaml"), (None, "params.yaml")])
def test_parameters_that_dvc_cannot_read_are_named(project: Path, first: str, text: str | None, word: str) -> None:
    """As `make run` calls it: what DVC says of a broken or missing file is on standard error."""
    path = project / "params.yaml"
    kept = path.read_text()
    path.unlink() if text is None else path.write_text(text)
    done = subprocess.run(
        ["dvc", "repro"], cwd=project, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    path.write_text(kept)
    assert done.returncode != 0
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stage_that_stops_leaves_the_last_results(project: Path, first: str, tmp_path: Path) -> None:
    """DVC ends with an error, the message is there, and what an earlier run wrote is unchanged."""
    before = (project / "data/ingested/ingest.json").read_bytes()
    (project / "params.yaml").write_text(f"source: {{kind: tables, path: {json.dumps(str(tmp_path / 'no'))}}}\n")
    process = start(project, "dvc", "repro")
    out = process.communicate(timeout=120)[0]
    assert process.returncode != 0
    assert "no such file or folder; set source.path" in out
    assert "Traceback" not in out
    assert (project / "data/ingested/ingest.json").read_bytes() == before
    assert (project / "artifacts/bundle/manifest.json").is_file()
