"""A run, filed and registered in MLflow: one run a pipeline run, one version of the model a run.

MLflow is imported late: it takes seconds, and what does not track must not wait for it.
"""

import json
import math
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from pipeline.files import whole_file
from pipeline.params import Tracking

DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
CODE = Path(__file__).parents[1]
PACKAGES = ("lightgbm", "mlflow", "numpy", "pandas", "scipy")
"""What the logged model needs; `features` and `models` are logged with it."""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
}
KNOCK = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""For the first request: a server that is away is noticed within about 15 s."""
WORK = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
POINTS = 100
"""A curve is thinned to about so many points."""
BATCH = {"metrics": 1000, "params": 100}
"""MLflow's limits on one request."""
LONGEST = {"param": 6000, "tag": 8000, "note": 100_000}


class TrackingAway(Exception):  # noqa: N818 (what happened, not what it is)
    """MLflow did not take a run: where, why, and what to do. The run's own results are not touched."""


@dataclass(frozen=True)
class Dataset:
    """What a run learned from, without a row of it."""

    name: str
    digest: str
    source: str
    """Relative path."""
    schema: Mapping[str, pl.DataType]
    profile: Mapping[str, int]


@dataclass(frozen=True)
class Run:
    """All that is filed of a run."""

    name: str
    description: str
    """Markdown."""
    params: Mapping[str, Any]
    metrics: Mapping[str, Any]
    """Nested; see `flat_metrics`."""
    tags: Mapping[str, str | None]
    dataset: Dataset
    bundle: Path
    example: pl.DataFrame
    """A few rows as in data/features.parquet; columns that are no features are left out."""
    curves: Sequence[Sequence[float]] = ()
    """Left-out log loss by round, a member of the bag each."""
    artifacts: Sequence[tuple[Path, str]] = ()
    """Files, each with its folder among the run's artifacts."""
    headline: Sequence[str] = field(default=("test.auc", "test.log_loss"))
    """Flattened names of the metrics that are tags of the model's version."""


@dataclass(frozen=True)
class Tracked:
    """Where a run was filed."""

    run_id: str
    version: str
    aliases: tuple[str, ...]
    """Given to the version by this run."""
    place: str
    """Address of the run's page, or the local database."""


@dataclass(frozen=True)
class Store:
    """A tracking server, or a SQLite file (`database`) with its artifacts beside it."""

    uri: str
    database: Path | None

    @property
    def shown(self) -> str:
        """The address without what may be a secret in it."""
        if self.database is not None:
            return str(self.database)
        return re.sub(r"//[^/@]*@", "//", self.uri)


def store(uri: str | None, home: Path = Path()) -> Store:
    """The store at an MLflow address; without one, `mlflow.db` in `home`."""
    uri = uri or f"sqlite:///{home / DATABASE}"
    if not uri.startswith("sqlite:///"):
        return Store(uri, None)
    database = Path(uri.removeprefix("sqlite:///")).absolute()
    return Store(f"sqlite:///{database}", database)


def track(run: Run, tracking: Tracking, uri: str | None, home: Path = Path()) -> Tracked:
    """File a run and register its model: `challenger`, and `champion` where there is none.

    `uri` None: `mlflow.db` and `mlartifacts/` in `home`. Raises TrackingAway.
    """
    place = store(uri, home)
    try:
        with _locked(place.database), _environment(QUIET):
            return _track(run, tracking, place)
    except _failures() as error:
        why = " ".join(re.sub(r"//[^/@\s]*@", "//", str(error)).split())[:300]
        raise TrackingAway(
            f"MLflow at {place.shown} did not take the run ({why}); the results of the run are kept."
            " Start the server, or change or unset MLFLOW_TRACKING_URI, and run again"
        ) from error


def _failures() -> tuple[type[Exception], ...]:
    """What MLflow raises where its store does not answer; its HTTP errors are OSErrors."""
    if "mlflow" not in sys.modules:
        return (OSError,)
    return OSError, import_module("mlflow.exceptions").MlflowException, import_module("sqlalchemy.exc").SQLAlchemyError


def _track(run: Run, tracking: Tracking, place: Store) -> Tracked:
    mlflow = _mlflow()
    with _pointed_at(mlflow, place):
        client = mlflow.MlflowClient()
        with _environment(KNOCK):
            experiment = _experiment(client, tracking.experiment, place)
        with _environment(WORK):
            tags = {**_tags(run.tags), "mlflow.note.content": run.description[: LONGEST["tag"]]}
            run_id = client.create_run(experiment, tags=tags, run_name=run.name).info.run_id
            with mlflow.start_run(run_id=run_id):
                version, aliases = _fill(mlflow, client, run_id, run, tracking)
    page = f"{place.shown}/#/experiments/{experiment}/runs/{run_id}"
    return Tracked(run_id, version, aliases, page if urlsplit(place.uri).scheme in ("http", "https") else place.shown)


def _mlflow() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own imports: no user can act on them
        mlflow = import_module("mlflow")
        import_module("mlflow.pyfunc")
    import logging

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


@contextmanager
def _pointed_at(mlflow: Any, place: Store) -> Iterator[None]:
    """MLflow's global address, and sys.path, which loading a model adds to, as they were afterwards."""
    before, path = os.environ.get("MLFLOW_TRACKING_URI"), list(sys.path)
    mlflow.set_tracking_uri(place.uri)
    mlflow.set_registry_uri(place.uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri(None)
        sys.path[:] = path


def _experiment(client: Any, name: str, place: Store) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    files = None if place.database is None else (place.database.parent / ARTIFACTS).as_uri()
    return str(client.create_experiment(name, artifact_location=files))


def _fill(
    mlflow: Any, client: Any, run_id: str, run: Run, tracking: Tracking
) -> tuple[str, tuple[str, ...]]:
    """Parameters before the model, which takes them over; metrics after it, so that they are its own too."""
    _log_params(mlflow, client, run_id, run.params)
    _log_dataset(mlflow, client, run_id, run.dataset)
    for path, folder in run.artifacts:
        client.log_artifact(run_id, str(path), folder)
    model_id = _log_model(mlflow, run)
    metrics = flat_metrics(run.metrics)
    _log_metrics(mlflow, client, run_id, model_id, metrics, run.curves)
    return _register(client, run_id, model_id, run, metrics, tracking.model)


def _log_params(mlflow: Any, client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    items = [mlflow.entities.Param(k, str(v)[: LONGEST["param"]]) for k, v in flat(params).items()]
    for i in range(0, len(items), BATCH["params"]):
        client.log_batch(run_id, params=items[i : i + BATCH["params"]])


def _log_dataset(mlflow: Any, client: Any, run_id: str, dataset: Dataset) -> None:
    entities = mlflow.entities
    columns = [{"name": n, "type": _type(t), "required": True} for n, t in dataset.schema.items()]
    told = entities.Dataset(
        name=dataset.name,
        digest=dataset.digest[:36],
        source_type="local",
        source=json.dumps({"uri": dataset.source}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps(dict(dataset.profile)),
    )
    context = entities.InputTag("mlflow.data.context", "training")
    client.log_inputs(run_id, datasets=[entities.DatasetInput(told, [context])])


def _type(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "long"
    if dtype.is_float():
        return "double"
    return {"Boolean": "boolean", "Datetime": "datetime"}.get(str(dtype.base_type()), "string")


def _log_model(mlflow: Any, run: Run) -> str:
    names = [column.name for column in _signature_columns(run.bundle)]
    info = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(CODE / "pipeline" / "pyfunc.py"),
        artifacts={"bundle": str(run.bundle)},
        code_paths=[str(CODE / "features"), str(CODE / "models")],
        signature=signature(run.bundle),
        input_example=run.example.select(names).to_pandas(),
        pip_requirements=requirements(),
    )
    return str(info.model_id)


def _signature_columns(bundle: Path) -> tuple[Any, ...]:
    from features.plan import plan_of_json

    return plan_of_json(json.loads((bundle / "features.json").read_text(encoding="utf-8"))["plan"]).features


def signature(bundle: Path) -> Any:
    """MLflow's signature: a column a feature, texts or doubles.

    Every column must be there and every cell may be null: MLflow's `required` is about columns. Numbers are
    doubles, for a null in a column of integers is what its server refuses.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [ColSpec("string" if c.categorical else "double", c.name) for c in _signature_columns(bundle)]
    outputs = [ColSpec("double", name) for name in ("probability", "raw_score")]
    return ModelSignature(Schema(inputs), Schema(outputs))


def requirements() -> list[str]:
    """What to install for the logged model, pinned: told, for MLflow takes long to find it out."""
    return [f"{name}=={metadata.version(name)}" for name in PACKAGES]


def _log_metrics(
    mlflow: Any,
    client: Any,
    run_id: str,
    model_id: str,
    metrics: Mapping[str, float],
    curves: Sequence[Sequence[float]],
) -> None:
    now = round(time.time() * 1000)
    points = [(name, value, 0) for name, value in metrics.items()]
    for member, curve in enumerate(curves, start=1):
        steps = range(0, len(curve), max(1, len(curve) // POINTS))
        points += [(f"bag/left_out_log_loss_{member}", curve[i], i + 1) for i in steps]
    items = [mlflow.entities.Metric(_key(k), v, now, step, model_id=model_id, run_id=run_id) for k, v, step in points]
    for i in range(0, len(items), BATCH["metrics"]):
        client.log_batch(run_id, metrics=items[i : i + BATCH["metrics"]])


def _register(
    client: Any, run_id: str, model_id: str, run: Run, metrics: Mapping[str, float], name: str
) -> tuple[str, tuple[str, ...]]:
    """A version of the model with its card, and its aliases."""
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description="Probability that a lead converts, by leadscore.")
    tags = _tags(run.tags) | {key: f"{metrics[key]:.4g}" for key in run.headline if key in metrics}
    card = (run.bundle / "MODEL_CARD.md").read_text(encoding="utf-8")[: LONGEST["note"]]
    made = client.create_model_version(name, f"models:/{model_id}", run_id, tags, description=card, model_id=model_id)
    version = str(made.version)
    client.set_logged_model_tags(model_id, {"mlflow.modelVersions": json.dumps([{"name": name, "version": version}])})
    known = client.get_registered_model(name).aliases
    aliases = ("challenger",) if "champion" in known else ("challenger", "champion")
    for alias in aliases:
        client.set_registered_model_alias(name, alias, version)
    return version, aliases


def flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """`{"test": {"auc": 0.8}}` as `{"test.auc": 0.8}`; None is left out. Names as MLflow allows them."""
    leaves: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{before}{_key(str(key))}"
        if isinstance(value, Mapping):
            leaves |= flat(value, f"{name}.")
        elif value is not None:
            leaves[name] = value
    return leaves


def flat_metrics(nested: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of `flat`; texts and lists are no metrics."""
    numbers = {k: float(v) for k, v in flat(nested).items() if isinstance(v, int | float)}
    return {k: v for k, v in numbers.items() if math.isfinite(v)}


def _key(name: str) -> str:
    return re.sub(r"[^\w\-. /:]", "_", name, flags=re.ASCII)[:250]


def _tags(tags: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value[: LONGEST["tag"]] for key, value in tags.items() if value}


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that MLflow reads; what the user has set stays."""
    added = [key for key in values if key not in os.environ]
    os.environ.update({key: values[key] for key in added})
    try:
        yield
    finally:
        for key in added:
            os.environ.pop(key, None)


@contextmanager
def _locked(database: Path | None) -> Iterator[None]:
    """One run at a time: two that make a SQLite store together break it, and both would be champion."""
    if database is None:
        yield
        return
    import fcntl

    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_name(database.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def commit_tags(root: Path) -> dict[str, str]:
    """`commit` and `dirty` of a git work tree; empty where there is none. DVC's own lock file is not dirt."""
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", ".", ":(exclude)dvc.lock")
    if commit is None or changes is None:
        return {}
    return {"commit": commit, "mlflow.source.git.commit": commit, "dirty": "true" if changes else "false"}


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def write_version(bundle: Path, version: str) -> None:
    """Keep the registry's number beside the bundle: `<bundle>.version`."""
    with whole_file(bundle.with_name(bundle.name + ".version")) as temporary:
        temporary.write_text(version + "\n", encoding="utf-8")
