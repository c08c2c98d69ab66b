"""Runs are filed and registered in MLflow; where it is away, that is said."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from models.bundle.folder import registered_version
from pipeline.experiments.commits import commit_tags
from pipeline.experiments.mlstore import TrackingAway, _locked, home_of, store_at, without_secrets
from pipeline.experiments.run import Dataset, Run, flat_metrics, named
from pipeline.experiments.tracking import Tracked, track, write_version
from pipeline.params import Tracking

ROOT = Path(__file__).parents[3]
SETTINGS = Tracking(experiment="trial", model="a-model")

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed database in <sqlite3:ResourceWarning",  # MLflow never disposes of its engines
    "ignore:The ``noload`` loader strategy:DeprecationWarning",  # MLflow 3.17 with SQLAlchemy 2.1
    "ignore:Operation with range is deprecated:DeprecationWarning",  # MLflow 3.17 with pandas 3
)


@pytest.fixture(scope="module")
def run(finished_run: Path) -> Run:
    """A run with the finished bundle."""
    rows = pl.read_parquet(finished_run / "data" / "features.parquet").head(3)
    bundle = finished_run / "artifacts" / "bundle"
    return Run(
        name="first try",
        digest="d1",
        description="**What** was tried",
        params={"train": {"seed": 7, "num_leaves": 16}, "kind": "simulated", "none": None},
        metrics={"test/auc": 0.75, "test/log_loss": 0.2, "test/auc_of_logistic": 0.7},
        settings={"train.bags": 2},
        parts={"logistic regression": {"test/auc": 0.7}},
        tags={"commit": "abc", "dvc_experiment": None, "test_fold": "t1"},
        dataset=Dataset("lead tables", "0123abcd", "data/source", rows.schema, {"num_rows": 600}),
        bundle=bundle,
        example=rows,
        curves=[[0.6, 0.5, 0.4], [0.7] * 250],
        artifacts=[(bundle / "MODEL_CARD.md", "report")],
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with a store of its own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def said() -> StringIO:
    """What two runs printed."""
    return StringIO()


def another(run: Run) -> Run:
    """The next one, with other leaves."""
    params = {**run.params, "train": {"seed": 7, "num_leaves": 7}}
    tags = {**run.tags, "dvc_experiment": "later"}
    return replace(run, name="second try", digest="d2", params=params, tags=tags)


@pytest.fixture(scope="module")
def tracked(run: Run, home: Path, said: StringIO) -> tuple[Tracked, Tracked]:
    """Two runs, one after the other, in a new local store."""
    with redirect_stdout(said), redirect_stderr(said):
        return track(run, SETTINGS, None, home), track(another(run), SETTINGS, None, home)


@pytest.fixture
def client(home: Path) -> Any:
    """MLflow's own view of the store."""
    from mlflow import MlflowClient

    return MlflowClient(store_at(None, home).uri)


def test_first_is_champion_and_later_ones_challenge(tracked: tuple[Tracked, Tracked], client: Any) -> None:
    """The first version gets both aliases; the second takes only `challenger`."""
    assert [t.version for t in tracked] == ["1", "2"]
    assert [t.aliases for t in tracked] == [("challenger", "champion"), ("challenger",)]
    for alias, version in (("champion", "1"), ("challenger", "2")):
        assert str(client.get_model_version_by_alias("a-model", alias).version) == version


def test_run_holds_everything(tracked: tuple[Tracked, Tracked], client: Any, run: Run) -> None:
    """Parameters, metrics with baselines, tags, description and files are in MLflow; the run is finished."""
    filed = client.get_run(tracked[0].run_id)
    assert (filed.info.run_name, filed.info.status) == ("first try", "FINISHED")
    assert filed.data.params == {"train.seed": "7", "train.num_leaves": "16", "kind": "simulated"}
    assert filed.data.metrics.items() >= flat_metrics(run.metrics).items()
    assert filed.data.tags["commit"] == "abc"
    assert filed.data.tags["mlflow.note.content"].startswith("**What** was tried\n\nThe first run here.")
    assert "dvc_experiment" not in filed.data.tags
    assert [f.path for f in client.list_artifacts(tracked[0].run_id, "report")] == ["report/MODEL_CARD.md"]


def test_curves_have_a_step_a_round(tracked: tuple[Tracked, Tracked], client: Any) -> None:
    """A short curve is whole, a long one thinned; steps are rounds, from 1."""
    short = client.get_metric_history(tracked[0].run_id, "rounds/left_out_log_loss_1")
    assert sorted((m.step, m.value) for m in short) == [(1, 0.6), (2, 0.5), (3, 0.4)]
    assert len(client.get_metric_history(tracked[0].run_id, "rounds/left_out_log_loss_2")) == 125
    mean = client.get_metric_history(tracked[0].run_id, "rounds/left_out_log_loss")
    assert sorted((m.step, round(m.value, 9)) for m in mean) == [(1, 0.65), (2, 0.6), (3, 0.55)]


def test_runs_tell_what_sets_them_apart(tracked: tuple[Tracked, Tracked], client: Any) -> None:
    """A description says what changed since the run before, and how often its test fold was looked at."""
    note = client.get_run(tracked[1].run_id).data.tags["mlflow.note.content"]
    assert "since the run before** (first try): `train.num_leaves` 16 → **7**" in note
    assert [t.looks for t in tracked] == [1, 2]
    assert client.get_run(tracked[1].run_id).data.metrics["test/looks"] == 2


def test_what_it_is_held_against_is_nested(tracked: tuple[Tracked, Tracked], client: Any) -> None:
    """Each baseline is a run under the run, by the same metric names; all settings are a file."""
    (run_id, _) = (t.run_id for t in tracked)
    experiment = client.get_run(run_id).info.experiment_id
    (part,) = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run_id}'")
    assert (part.info.run_name, part.info.status) == ("logistic regression", "FINISHED")
    assert part.data.metrics == {"test/auc": 0.7}
    assert "params.json" in [f.path for f in client.list_artifacts(run_id)]


def test_data_set_is_an_input_without_rows(tracked: tuple[Tracked, Tracked], client: Any) -> None:
    """The run names its data by digest, source and columns; no row and no path of this machine is filed."""
    (given,) = client.get_run(tracked[0].run_id).inputs.dataset_inputs
    told = given.dataset
    assert (told.name, told.digest, json.loads(told.source)) == (
        "lead tables",
        "0123abcd",
        {"uri": "data/source"},
    )
    types = {c["name"]: c["type"] for c in json.loads(told.schema)["mlflow_colspec"]}
    assert (types["lead_id"], types["as_of"]) == ("string", "datetime")
    assert json.loads(told.profile) == {"num_rows": 600}


def test_version_has_card_and_headline(tracked: tuple[Tracked, Tracked], client: Any, run: Run) -> None:
    """A version's page shows the card, the run, the commit and the metrics that matter."""
    version = client.get_model_version("a-model", "1")
    assert version.description == (run.bundle / "MODEL_CARD.md").read_text()
    assert version.run_id == tracked[0].run_id
    assert version.tags == {"commit": "abc", "test_fold": "t1", "test.auc": "0.75", "test.log_loss": "0.2"}
    (made,) = client.get_run(version.run_id).outputs.model_outputs
    model = client.get_logged_model(made.model_id)
    assert {m.key: m.value for m in model.metrics}["test/auc_of_logistic"] == 0.7
    assert model.params["train.seed"] == "7"


@pytest.mark.usefixtures("tracked")
def test_nothing_logged_is_pickled(home: Path) -> None:
    """No file of the store is a pickle; the example holds no id of a lead."""
    files = [path for path in (home / "mlartifacts").rglob("*") if path.is_file()]
    assert any(path.name == "model.txt" for path in files)
    assert {path.suffix for path in files} == {".py", ".json", ".txt", ".md", ".yaml", ""}
    assert [path.name for path in files if not path.suffix] == ["MLmodel"] * 2
    example = next(path for path in files if path.name == "input_example.json")
    assert "lead_id" not in json.loads(example.read_text())["columns"]


@pytest.mark.usefixtures("tracked")
def test_registered_model_gives_the_pipelines_probabilities(
    home: Path, finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The champion, loaded with pickle forbidden, gives data/predictions.parquet to the last bit."""
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setattr(sys, "path", list(sys.path))
    import mlflow

    mlflow.set_tracking_uri(store_at(None, home).uri)
    try:
        model = mlflow.pyfunc.load_model("models:/a-model@champion")
    finally:
        mlflow.set_tracking_uri(None)
    features = pl.read_parquet(finished_run / "data" / "features.parquet")
    expected = pl.read_parquet(finished_run / "data" / "predictions.parquet")
    rows = features.join(expected.select("lead_id", "as_of"), on=["lead_id", "as_of"], maintain_order="right")
    found = model.predict(rows.drop("lead_id", "as_of").to_pandas())
    assert found["probability"].tolist() == expected["probability"].to_list()


@pytest.mark.usefixtures("tracked")
def test_a_run_is_quiet(said: StringIO) -> None:
    """MLflow prints nothing, not even at the store's first use."""
    assert said.getvalue() == ""


@pytest.mark.usefixtures("tracked")
def test_process_is_left_as_it_was() -> None:
    """Tracking leaves no variable of MLflow and no place of imports behind."""
    ours = set(re.findall(r"^export (MLFLOW\w+)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {name for name in os.environ if name.startswith("MLFLOW")} <= ours
    assert not [path for path in sys.path if "code" in Path(path).parts]


def test_a_run_is_filed_once(tracked: tuple[Tracked, Tracked], client: Any, run: Run, home: Path) -> None:
    """The same run again, out of a cache say, is the run that is there, whose new name is added; it is no new look."""
    tags = {**run.tags, "dvc_experiment": "again"}
    found = track(replace(another(run), name="third", tags=tags), SETTINGS, None, home)
    assert (found.run_id, found.version, found.looks, found.new) == (tracked[1].run_id, "2", 2, False)
    assert client.get_run(found.run_id).data.tags["dvc_experiment"] == "later, again"
    assert len(client.search_model_versions("name = 'a-model'")) == 2


def test_absent_server_is_said_soon(run: Run) -> None:
    """A refused connection is one message: where (without the password), why, what to do."""
    begun = time.monotonic()
    with pytest.raises(TrackingAway) as caught:
        track(run, SETTINGS, "http://user:secret@127.0.0.1:9")
    assert time.monotonic() - begun < 15
    for part in ("http://127.0.0.1:9", "refused", "results of the run are kept", "MLFLOW_TRACKING_URI"):
        assert part in str(caught.value)
    assert "secret" not in str(caught.value)


class Failing(http.server.BaseHTTPRequestHandler):
    """Answers 500 to everything."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Count and fail."""
        self.asked.append(self.path)
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def failing_server() -> Iterator[str]:
    """Address of a server that always fails."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_failing_server_is_away_too(run: Run, failing_server: str) -> None:
    """A server that answers 500 is named; it is asked again, but not for minutes."""
    with pytest.raises(TrackingAway, match=failing_server):
        track(run, SETTINGS, failing_server)
    assert 1 <= len(Failing.asked) <= 3


def test_broken_database_is_said_at_once(run: Run, tmp_path: Path) -> None:
    """A file that is no database is named, and stays as it is."""
    (tmp_path / "mlflow.db").write_text("no database, but text " * 100)
    with pytest.raises(TrackingAway, match=r"mlflow\.db .*not a database.*move it away"):
        track(run, SETTINGS, None, tmp_path)
    assert (tmp_path / "mlflow.db").read_text().startswith("no database")


def test_second_run_waits_for_the_first(tmp_path: Path) -> None:
    """Two runs never use one SQLite store at once."""
    order, entered = [], threading.Event()

    def second() -> None:
        entered.set()
        with _locked(tmp_path / "mlflow.db"):
            order.append("second")

    with _locked(tmp_path / "mlflow.db"):
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        time.sleep(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_store_is_absolute_only_when_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite addresses are taken from the working directory, and its artifacts lie beside the file."""
    monkeypatch.chdir(tmp_path)
    for store in (store_at(None, Path()), store_at("sqlite:///mlflow.db", Path("elsewhere"))):
        assert store.database == tmp_path / "mlflow.db"
        assert store.artifacts == (tmp_path / "mlartifacts").as_uri()
    assert store_at("http://there:5000/", Path()).uri == "http://there:5000"
    assert store_at("http://there:5000/", Path()).artifacts is None


def test_experiments_of_dvc_share_the_projects_store() -> None:
    """DVC runs queued experiments in a copy and says where the project is."""
    assert home_of({"DVC_ROOT": "/project"}) == Path("/project")
    assert home_of({}) == Path()


def test_passwords_are_not_said() -> None:
    """A name and password in an address are left out, wherever it stands."""
    assert without_secrets("at https://a:b@host/x and //c@d") == "at https://host/x and //d"


def test_nested_names_are_flat() -> None:
    """Names are joined by dots, None is left out, what MLflow forbids becomes `_`."""
    assert named({"a": {"b": 1, "c": {"d": "x"}}, "e": None, "precision@10%": [1]}) == {
        "a.b": 1,
        "a.c.d": "x",
        "precision_10_": [1],
    }


def test_metrics_are_finite_numbers() -> None:
    """Texts, lists, NaN and infinities are no metrics."""
    given = {"auc": 0.5, "n": 3, "text": "x", "interval": [0, 1], "nan": float("nan"), "inf": float("inf")}
    assert flat_metrics({"test": given}) == {"test.auc": 0.5, "test.n": 3.0}


def test_commit_is_told_with_its_changes(tmp_path: Path) -> None:
    """A work tree is clean, or dirty by any file but DVC's own lock; no work tree has no tags."""
    assert commit_tags(tmp_path / "nowhere") == {}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "dvc.lock").touch()
    clean = commit_tags(tmp_path)
    assert (len(clean["commit"]), clean["dirty"]) == (40, "false")
    (tmp_path / "new.py").touch()
    assert commit_tags(tmp_path) == {**clean, "dirty": "true"}


def test_version_is_kept_beside_the_bundle(tmp_path: Path) -> None:
    """The registry's number is read back from beside the bundle."""
    assert registered_version(tmp_path / "bundle", "d1") is None
    write_version(tmp_path / "bundle", "12", "d1")
    assert registered_version(tmp_path / "bundle", "d1") == "12"
