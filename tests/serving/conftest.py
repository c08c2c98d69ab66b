"""A service in this process, and one in a process of its own."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from asking import request_of
from servers import Running, serving
from starlette.testclient import TestClient

from models.bundle.folder import Bundle
from serving.app import create_app
from serving.gate import Gate
from serving.settings import Settings
from serving.store import Served, served


@pytest.fixture(scope="session")
def model(bundle: Bundle) -> Served:
    """The finished run's, without the proof in another process."""
    return served(bundle, Settings())


@pytest.fixture
def settings(bundle_folder: Path, tmp_path: Path) -> Settings:
    """No keys, small limits."""
    return Settings(bundle=bundle_folder, keys=tmp_path / "keys.json", max_body=100_000, max_batch_body=2_000_000)


def app_of(settings: Settings, model: Served) -> Gate:
    """An application that has its model already."""
    app = create_app(settings)
    app.service.store.current = model
    return app


@pytest.fixture
def client(settings: Settings, model: Served) -> Iterator[TestClient]:
    """Of the application in this process."""
    with TestClient(app_of(settings, model), raise_server_exceptions=False) as found:
        yield found


@pytest.fixture(scope="session")
def running(bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One worker that serves the finished run's bundle."""
    with serving(bundle_folder, tmp_path_factory.mktemp("home")) as found:
        yield found.ready()


@pytest.fixture(scope="session")
def requests(checked_tables: dict[str, pl.DataFrame], day: datetime) -> list[dict[str, Any]]:
    """What a CRM would send of a hundred leads that exist on that day."""
    ids = checked_tables["leads"].filter(pl.col("created_at") <= day).sample(100, seed=3)["lead_id"].to_list()
    return [request_of(checked_tables, lead_id, day) for lead_id in ids]
