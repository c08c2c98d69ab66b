"""The bundle as an MLflow model, loaded and served by MLflow itself."""

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.kernel import Matrix
from models.bundle.folder import Bundle, score
from pipeline import experiments
from pipeline.assembly.matrices import frame_of, matrix_of
from pipeline.experiments.mlmodel import model_parts

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Any type hint is inferred as AnyType:UserWarning",  # of MLflow's own classes, at its import
    "ignore:Operation with range is deprecated:DeprecationWarning",  # MLflow 3.17 with pandas 3
)
START_S = 120


@pytest.fixture(scope="module")
def rows(finished_run: Path) -> pl.DataFrame:
    """Some rows of data/features.parquet. Many cells are null."""
    return pl.read_parquet(finished_run / "data" / "features.parquet").gather_every(40)


@pytest.fixture(scope="module")
def expected(rows: pl.DataFrame, bundle: Bundle) -> list[float]:
    """What the bundle itself says of them."""
    return list(score(bundle, matrix_of(rows, bundle.plan.features), reasons=False).probability.tolist())


@pytest.fixture(scope="module")
def saved(bundle_folder: Path, rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as MLflow saves it."""
    from mlflow.pyfunc import save_model

    folder = tmp_path_factory.mktemp("saved") / "model"
    save_model(folder, **model_parts(bundle_folder, rows.head(2)))
    return folder


@pytest.fixture(scope="module")
def model(saved: Path) -> Iterator[Any]:
    """The model as MLflow loads it, with pickle forbidden."""
    from mlflow.pyfunc import load_model

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        patch.setattr(sys, "path", list(sys.path))
        yield load_model(str(saved))


def test_probabilities_are_the_bundles(model: Any, rows: pl.DataFrame, expected: list[float]) -> None:
    """To the last bit, with columns that are no features left alone."""
    found = model.predict(rows.to_pandas())
    assert list(found.columns) == ["probability", "raw_score"]
    assert found["probability"].tolist() == expected


def test_rows_keep_their_index(model: Any, rows: pl.DataFrame, expected: list[float]) -> None:
    """A caller can join the answers by index; a row alone has the probability that it has among others."""
    frame = rows.to_pandas()
    frame.index = [f"row {i}" for i in range(len(frame))]
    found = model.predict(frame.iloc[[3]])
    assert found["probability"].to_dict() == {"row 3": expected[3]}


def test_nulls_are_missing(model: Any, bundle: Bundle) -> None:
    """A row of nothing but nulls is the row of which nothing is known."""
    columns = bundle.plan.features
    nothing = Matrix(np.full((1, len(columns)), np.nan), columns, {c.name: [] for c in columns})
    found = model.predict(frame_of(nothing).to_pandas())
    assert found["probability"].tolist() == score(bundle, nothing, reasons=False).probability.tolist()


def test_missing_columns_are_named(model: Any, rows: pl.DataFrame) -> None:
    """A column left out is an error with its name, by MLflow's check and without it."""
    frame = rows.drop("fit_known_fields").to_pandas()
    for predict in (model.predict, lambda given: model.unwrap_python_model().predict(None, given)):
        with pytest.raises(Exception, match="fit_known_fields"):
            predict(frame)


@pytest.mark.parametrize("value", ["many", 5])
def test_other_types_are_named(model: Any, rows: pl.DataFrame, bundle: Bundle, value: object) -> None:
    """A text among numbers or a number among texts is an error with the column's name, never a guess."""
    wanted = isinstance(value, int)
    name = next(c.name for c in bundle.plan.features if c.categorical == wanted)
    frame = rows.to_pandas()
    frame[name] = value
    with pytest.raises(ValueError, match=name):
        model.unwrap_python_model().predict(None, frame)


def test_saved_model_is_text_and_says_what_it_needs(saved: Path) -> None:
    """Nothing is pickled; the code and pinned requirements are there; columns are texts or doubles."""
    names = {path.name for path in saved.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert {"pyfunc.py", "folder.py", "kernel.py", "model.txt", "manifest.json"} <= names
    assert all("==" in line for line in (saved / "requirements.txt").read_text().split())
    from mlflow.models import Model

    types = {str(column.type) for column in Model.load(saved).signature.inputs}
    assert types == {"DataType.string", "DataType.double"}


def test_logged_code_needs_no_pipeline() -> None:
    """The file imports only what is logged with it or required by it."""
    tree = ast.parse(Path(experiments.__path__[0], "pyfunc.py").read_text())
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    packages = {str(name).partition(".")[0] for name in found}
    assert packages <= {"features", "models", "mlflow", "numpy", "pandas", "pathlib", "typing"}


@pytest.fixture(scope="module")
def served(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of `mlflow models serve` on loopback, from a folder that knows nothing of this project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = tmp_path_factory.mktemp("served")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"  # MLflow calls uvicorn by name
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(saved), "--env-manager", "local"]
    with (place / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port)],
            cwd=place, env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait(server, port, place / "log")
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server answers; fail where it ends or takes too long."""
    end = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < end:
        try:
            _ask(port, "/ping")
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(log.read_text()[-2000:])


def _ask(port: int, path: str = "/invocations", body: object = None) -> tuple[int, Any]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        headers = {"Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read().strip() or b"null")


def test_server_gives_the_bundles_probabilities(served: int, rows: pl.DataFrame, expected: list[float]) -> None:
    """Both forms of a frame, nulls and all, to the last bit; also a row alone, whose columns may be null."""
    records = rows.drop("lead_id", "as_of").to_dicts()
    split = {"columns": list(records[0]), "data": [list(record.values()) for record in records]}
    assert None in split["data"][0]
    for body, wanted in (
        ({"dataframe_records": records}, expected),
        ({"dataframe_split": split}, expected),
        ({"dataframe_records": records[5:6]}, expected[5:6]),
    ):
        status, answer = _ask(served, body=body)
        assert (status, [row["probability"] for row in answer["predictions"]]) == (200, wanted)


def test_server_names_what_is_missing(served: int, rows: pl.DataFrame) -> None:
    """A request without a feature is a 400 that names it."""
    records = rows.drop("as_of", "fit_known_fields").head(1).to_dicts()
    status, answer = _ask(served, body={"dataframe_records": records})
    assert status == 400
    assert "fit_known_fields" in answer["message"]
