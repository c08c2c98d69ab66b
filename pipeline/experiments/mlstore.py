"""Where MLflow files runs: a server, or a SQLite file with its artifacts beside it.

MLflow is imported late: it takes seconds, and what does not track must not wait for it.
"""

import logging
import os
import re
import sqlite3
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
}


class TrackingAway(Exception):
    """MLflow did not take a run: where, why, and what to do. The run's own results are not touched."""


@dataclass(frozen=True)
class Store:
    """A tracking server, or a SQLite file (`database`)."""

    uri: str
    database: Path | None

    @property
    def shown(self) -> str:
        """The address, without a name and password that may be in it."""
        return str(self.database) if self.database is not None else without_secrets(self.uri)

    @property
    def artifacts(self) -> str | None:
        """Where new experiments keep files. None: the server decides."""
        return None if self.database is None else (self.database.parent / ARTIFACTS).as_uri()


def store_at(uri: str | None, home: Path) -> Store:
    """The store at an MLflow address; without one, `mlflow.db` in `home`. Paths in it are made absolute."""
    uri = uri or f"sqlite:///{home / DATABASE}"
    if not uri.startswith("sqlite:///"):
        return Store(uri.rstrip("/"), None)
    database = Path(uri.removeprefix("sqlite:///")).absolute()
    return Store(f"sqlite:///{database}", database)


def home_of(environment: Mapping[str, str]) -> Path:
    """The project's folder, also for an experiment that DVC runs in a copy: all log to the same store."""
    return Path(environment.get("DVC_ROOT") or ".")


def without_secrets(text: str) -> str:
    """Addresses in a text without `name:password@`."""
    return re.sub(r"//[^/@\s]*@", "//", text)


@contextmanager
def opened(store: Store) -> Iterator[Any]:
    """MLflow, pointed at the store and quiet; what it changes in the process is put back.

    One run at a time where the store is a file: two that make it together break it, and both might become
    champion. Raises TrackingAway where the store cannot be used, here or in the block.
    """
    try:
        with _locked(store.database), environment(QUIET):
            mlflow = _mlflow()
            with _pointed(mlflow, store):
                yield mlflow
    except _failures() as error:
        raise TrackingAway(
            f"MLflow at {store.shown} did not take the run ({_why(error)}). The results of the run are kept."
            f" {_remedy(store)}"
        ) from error


def _why(error: BaseException) -> str:
    """The innermost reason, such as "Connection refused", in one line."""
    inner = error
    while (under := inner.__cause__ or inner.__context__) and isinstance(under, (*_failures(), HTTPError)):
        inner = under
    text = getattr(inner, "strerror", None) or str(inner)
    return " ".join(without_secrets(text).split())[:200] or type(inner).__name__


def _remedy(store: Store) -> str:
    if store.database is not None:
        return "See that the file can be written; move it away to begin a new one, and run again"
    return "Start the server, or unset MLFLOW_TRACKING_URI to use a local file, and run again"


def _failures() -> tuple[type[Exception], ...]:
    """What MLflow raises where its store does not answer; its HTTP errors are OSErrors."""
    found: list[type[Exception]] = [OSError, sqlite3.Error]
    for module, name in (("mlflow.exceptions", "MlflowException"), ("sqlalchemy.exc", "SQLAlchemyError")):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


def _mlflow() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own imports: nobody here can act on them
        mlflow = import_module("mlflow")
        import_module("mlflow.pyfunc")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


@contextmanager
def _pointed(mlflow: Any, store: Store) -> Iterator[None]:
    """MLflow's global address, for a while; and sys.path, which loading a model adds to."""
    before, path = os.environ.get("MLFLOW_TRACKING_URI"), list(sys.path)
    mlflow.set_tracking_uri(store.uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        sys.path[:] = path


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that MLflow reads, for a while; what the user has set stays."""
    added = [key for key in values if key not in os.environ]
    os.environ.update({key: values[key] for key in added})
    try:
        yield
    finally:
        for key in added:
            os.environ.pop(key, None)


@contextmanager
def _locked(database: Path | None) -> Iterator[None]:
    if database is None:
        yield
        return
    import fcntl

    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_name(database.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _check(database)
        yield


def _check(database: Path) -> None:
    """Raise sqlite3.Error for a file that is no database: MLflow would try it again for minutes."""
    if database.exists():
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA schema_version")
