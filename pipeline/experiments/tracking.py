"""A run, filed and registered in MLflow: one run a pipeline run, one version of the model a run."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.experiments.differences import differing, in_full
from pipeline.experiments.mlmodel import log_model
from pipeline.experiments.mlstore import Store, environment, opened, store_at
from pipeline.experiments.run import Dataset, Run, flat_metrics, named
from pipeline.files import whole_file
from pipeline.params import Tracking

KNOCK = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""For the first request: that a server is away is noticed within about 15 s."""
WORK = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
WHOLE = "tags.role = 'run'"
"""Runs, not their parts."""
ABOUT = (
    "A run of the pipeline a row; what it is held against lies under its +. Choose by `choose_by_validation/…`: each "
    "look at the test fold wears it out (`test/looks`). The tag `get_it_back` is the command that brings a run back."
)
"""What an experiment's page says. Its kind makes MLflow show pages for models, not for language models."""
MOST_RUNS = 10_000
SOURCE = {"mlflow.source.name": "dvc.yaml", "mlflow.source.type": "PROJECT"}
LOOKS = "test/looks"
POINTS = 100
"""A curve is thinned to about this many points."""
METRICS_A_REQUEST, PARAMS_A_REQUEST = 1000, 100
LONGEST = {"param": 6000, "tag": 8000, "description": 100_000}


@dataclass(frozen=True)
class Tracked:
    """Where a run was filed."""

    run_id: str
    version: str
    aliases: tuple[str, ...]
    """Given to the version by this run."""
    place: str
    """Address of the run's page, or the local database."""
    looks: int
    """How many runs, this one included, had seen its test fold when it was filed."""
    new: bool = True
    """Not filed before."""


def track(run: Run, tracking: Tracking, uri: str | None, home: Path = Path()) -> Tracked:
    """File a run and register its model: `challenger`, and `champion` where there is none.

    `uri`: MLflow's address; None is `mlflow.db` and `mlartifacts/` in `home`. Raises TrackingAway.
    """
    store = store_at(uri, home)
    with opened(store) as mlflow:
        client = mlflow.MlflowClient()
        with environment(KNOCK):
            experiment = _experiment(client, tracking.experiment, store)
        with environment(WORK):
            before = find(client, experiment, run.digest)
            if before is None:
                run_id, version, looks = _new(mlflow, client, experiment, run, tracking.model)
            else:
                run_id, version, looks = _again(client, before, run)
            aliases = _point_aliases(client, tracking.model, version)
    page = f"{store.shown}/#/experiments/{experiment}/runs/{run_id}"
    place = page if store.uri.startswith("http") else store.shown
    return Tracked(run_id, version, aliases, place, looks, before is None)


def find(client: Any, experiment: str, digest: str) -> Any:
    """The finished run of a digest; None where it was not filed, or not to its end."""
    found = client.search_runs(
        [experiment], f"attributes.status = 'FINISHED' and tags.run_digest = '{digest}'", max_results=1
    )
    return found[0] if found else None


def _new(mlflow: Any, client: Any, experiment: str, run: Run, name: str) -> tuple[str, str, int]:
    """File it. Returns id, version and looks."""
    mine = run.tags.get("bundle_digest") or run.digest
    looks = 1 + len(seen(client, run.tags.get("test_fold")) - {mine})
    last = client.search_runs([experiment], f"attributes.status = 'FINISHED' and {WHOLE}", max_results=1)
    since = _since(run, last[0]) if last else "The first run here."
    note = f"{run.description}\n\n{since} Looks at this test fold: {looks}."[: LONGEST["tag"]]
    tags = {**_tags(run.tags), "run_digest": run.digest, "role": "run", "mlflow.note.content": note, **SOURCE}
    run_id = client.create_run(experiment, tags=tags, run_name=run.name).info.run_id
    with mlflow.start_run(run_id=run_id):
        version = _fill(mlflow, client, run_id, run, name, looks)
        for part, metrics in run.parts.items():
            _file_part(mlflow, client, experiment, run_id, part, metrics)
    return run_id, version, looks


def seen(client: Any, test_fold: str | None) -> set[str]:
    """What was evaluated on a test fold by runs of any experiment, those cut off included: digests of bundles. A
    setting that made the very same bundle was no other look."""
    if test_fold is None:
        return set()
    everywhere = [e.experiment_id for e in client.search_experiments()]
    found = client.search_runs(everywhere, f"tags.test_fold = '{test_fold}'", max_results=MOST_RUNS)
    names = ("bundle_digest", "run_digest")
    return {next((tags[n] for n in names if n in tags), run.info.run_id) for run in found for tags in [run.data.tags]}


def _since(run: Run, last: Any) -> str:
    """What is not as it was in the last run, of what is filed."""
    now = {k: str(v)[: LONGEST["param"]] for k, v in named(run.params).items()}
    told = in_full(differing(now, last.data.params))
    data = "the same data" if last.data.tags.get("data_digest") == run.tags.get("data_digest") else "**other data**"
    return f"**Changed since the run before** ({last.info.run_name}): {told}; {data}."


def _file_part(mlflow: Any, client: Any, experiment: str, parent: str, name: str, metrics: Mapping[str, float]) -> None:
    tags = {"mlflow.parentRunId": parent, "role": "part"}
    part = client.create_run(experiment, tags=tags, run_name=name).info.run_id
    now = round(time.time() * 1000)
    client.log_batch(part, metrics=[mlflow.entities.Metric(k, v, now, 0) for k, v in flat_metrics(metrics).items()])
    client.set_terminated(part)


def _again(client: Any, before: Any, run: Run) -> tuple[str, str, int]:
    """A run that is there: the names of all experiments that came to it are kept."""
    run_id, name = before.info.run_id, run.tags.get("dvc_experiment")
    known = [n for n in before.data.tags.get("dvc_experiment", "").split(", ") if n]
    if name and name not in known:
        client.set_tag(run_id, "dvc_experiment", ", ".join([*known, name]))
        client.set_tag(run_id, "get_it_back", f"dvc exp apply {name}")
    return run_id, before.data.tags["model_version"], round(before.data.metrics[LOOKS])


def _experiment(client: Any, name: str, store: Store) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    tags = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": ABOUT}
    return str(client.create_experiment(name, artifact_location=store.artifacts, tags=tags))


def _fill(mlflow: Any, client: Any, run_id: str, run: Run, name: str, looks: int) -> str:
    """Parameters before the model, which takes them over; metrics after it, to be the model's too."""
    params = [mlflow.entities.Param(k, str(v)[: LONGEST["param"]]) for k, v in named(run.params).items()]
    for i in range(0, len(params), PARAMS_A_REQUEST):
        client.log_batch(run_id, params=params[i : i + PARAMS_A_REQUEST])
    client.log_inputs(run_id, datasets=[_input(mlflow.entities, run.dataset)])
    for path, folder in run.artifacts:
        client.log_artifact(run_id, str(path), folder)
    if run.settings:
        client.log_dict(run_id, dict(run.settings), "params.json")
    model_id = log_model(mlflow, run.bundle, run.example)
    metrics = [mlflow.entities.Metric(*point, model_id=model_id, run_id=run_id) for point in _points(run, looks)]
    for i in range(0, len(metrics), METRICS_A_REQUEST):
        client.log_batch(run_id, metrics=metrics[i : i + METRICS_A_REQUEST])
    version = _register(mlflow, client, run_id, model_id, run, name)
    client.set_tag(run_id, "model_version", version)
    return version


def _input(entities: Any, dataset: Dataset) -> Any:
    columns = [{"name": n, "type": _type(t), "required": True} for n, t in dataset.schema.items()]
    told = entities.Dataset(
        name=dataset.name,
        digest=dataset.digest[:36],
        source_type="local",
        source=json.dumps({"uri": dataset.source}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps(dict(dataset.profile)),
    )
    return entities.DatasetInput(told, [entities.InputTag("mlflow.data.context", "training")])


def _type(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "long"
    if dtype.is_float():
        return "double"
    return {"Boolean": "boolean", "Datetime": "datetime"}.get(str(dtype.base_type()), "string")


def _points(run: Run, looks: int) -> list[tuple[str, float, int, int]]:
    """Name, value, time in ms and step of every metric and of the thinned curves: by member of the bag, and their
    mean as far as all of them go, which is one line a run where runs are compared."""
    now = round(time.time() * 1000)
    points = [(name, value, now, 0) for name, value in (flat_metrics(run.metrics) | {LOOKS: looks}).items()]
    mean = [sum(losses) / len(losses) for losses in zip(*run.curves, strict=False)]
    curves = {f"rounds/left_out_log_loss_{member}": curve for member, curve in enumerate(run.curves, start=1)}
    for name, curve in {"rounds/left_out_log_loss": mean, **curves}.items():
        steps = range(0, len(curve), max(1, len(curve) // POINTS))
        points += [(name, curve[i], now, i + 1) for i in steps]
    return points


def _register(mlflow: Any, client: Any, run_id: str, model_id: str, run: Run, name: str) -> str:
    """A version of the model, with its card. Returns its number."""
    try:
        client.create_registered_model(name, description="Probability that a lead converts.")
    except mlflow.exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    metrics = flat_metrics(run.metrics)
    tags = _tags(run.tags) | {k.replace("/", "."): f"{metrics[k]:.4g}" for k in run.headline if k in metrics}
    card = (run.bundle / "MODEL_CARD.md").read_text(encoding="utf-8")[: LONGEST["description"]]
    source = f"models:/{model_id}"
    made = client.create_model_version(name, source, run_id, tags, description=card, model_id=model_id)
    link = json.dumps([{"name": name, "version": str(made.version)}])  # as mlflow.register_model does
    client.set_logged_model_tags(model_id, {"mlflow.modelVersions": link})
    return str(made.version)


def _point_aliases(client: Any, name: str, version: str) -> tuple[str, ...]:
    known = client.get_registered_model(name).aliases
    aliases = ("challenger",) if "champion" in known else ("challenger", "champion")
    for alias in aliases:
        client.set_registered_model_alias(name, alias, version)
    return aliases


def _tags(tags: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value[: LONGEST["tag"]] for key, value in tags.items() if value}


def write_version(bundle: Path, version: str, digest: str) -> None:
    """Keep the registry's number beside the bundle, with the digest of the one it is of: `<bundle>.version`."""
    with whole_file(bundle.with_name(bundle.name + ".version")) as temporary:
        temporary.write_text(f"{version} {digest}\n", encoding="utf-8")
