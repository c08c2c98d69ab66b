"""The document is what the service does: its examples run, and whatever fits it (or not) gets no 5xx."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from conftest import app_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from models.bundle.folder import Bundle
from models.bundle.golden import golden_requests
from serving.answers import Model
from serving.openapi import document
from serving.settings import Settings
from serving.store import served

SMALL: dict[str, Any] = {"max_events": 3, "max_colleagues": 2, "max_batch": 2}
"""Longer lists take minutes to make up and show nothing more."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = ("/v1/score", "/v1/score/batch", "/v1/model", "/v1/model/reload", "/v1/openapi.json", "/livez", "/readyz",
              "/metrics")  # fmt: skip


@pytest.fixture(scope="module")
def client(model: Model, bundle_folder: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The application in this process."""
    chosen = Settings(**SMALL, bundle=bundle_folder, keys=tmp_path_factory.mktemp("keys") / "keys.json")
    with TestClient(app_of(chosen, served(model.bundle, chosen)), raise_server_exceptions=False) as found:
        yield found


def test_the_document_names_every_route(model: Model, client: TestClient) -> None:
    """And the known attributes with their kinds."""
    found = client.get("/v1/openapi.json").json()
    assert set(found["paths"]) == set(OPERATIONS)
    assert found == json.loads(json.dumps(document(model, Settings(**SMALL))))
    lead = found["components"]["schemas"]["Lead"]["properties"]
    assert lead["lead"]["required"] == ["created_at"]
    assert lead["account_leads"]["items"]["properties"]["lead"]["required"] == ["created_at"]
    for a in model.bundle.plan.attributes:
        if not a.has_history:
            assert "type" in lead[a.entity]["properties"][a.column]


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_examples_run_as_they_stand(client: TestClient, path: str) -> None:
    """The request of the document gets the answer of the document."""
    post = client.get("/v1/openapi.json").json()["paths"][path]["post"]
    request = post["requestBody"]["content"]["application/json"]["example"]
    expected = post["responses"]["200"]["content"]["application/json"]["example"]
    reply = client.post(path, json=request).json()
    for one in (*reply.get("results", ()), *expected.get("results", ()), reply, expected):
        one.pop("scored_at", None)
    assert reply == expected


@pytest.mark.parametrize("path", OPERATIONS)
def test_whatever_comes_there_is_no_server_error(model: Model, bundle_folder: Any, tmp_path: Path, path: str) -> None:
    """schemathesis makes requests that fit the document and such that do not. It starts and ends the application by
    itself, so it has one of its own."""
    schema = schemathesis.openapi.from_dict(document(model, Settings(**SMALL)))
    chosen = Settings(bundle=bundle_folder, keys=tmp_path / "keys.json", **SMALL)
    schema.app = app_of(chosen, served(model.bundle, chosen))
    ((_, operation),) = schema[path].items()

    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    @settings(max_examples=10, suppress_health_check=list(HealthCheck))
    def tried(case: schemathesis.Case) -> None:
        reply = case.call()
        case.validate_response(reply, checks=CHECKS)
        if reply.status_code >= 400:
            assert reply.headers["content-type"][0] == "application/problem+json"

    tried()


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["0001-01-01", "9999-12-31T23:59:59Z", "2025-01-01T00:00:00+23:59", "1e308", "😀", "-0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.data())
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_odd_values_anywhere(client: TestClient, bundle: Bundle, data: st.DataObject) -> None:
    """A good request with something odd in some place, or in several: an answer or a problem, never a 5xx."""
    request = json.loads(json.dumps(golden_requests(bundle.plan, bundle.encoding, 0, 3)[1]))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = request
        while isinstance(at, dict | list) and at:
            keys = list(at) if isinstance(at, dict) else range(len(at))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
                at[key] = data.draw(odd)
                break
            at = at[key]
    body = json.dumps(request).encode("utf-8", "surrogatepass")
    reply = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in (200, 400, 422)
    kind = "application/json" if reply.status_code == 200 else "application/problem+json"
    assert reply.headers["content-type"] == kind


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda t: t.encode("utf-8", "surrogatepass")))
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_refused(client: TestClient, body: bytes) -> None:
    """Whatever is no request is a problem."""
    for path in ("/v1/score", "/v1/score/batch"):
        reply = client.post(path, content=body, headers={"content-type": "application/json"})
        assert reply.status_code in (400, 422)
        assert reply.headers["content-type"] == "application/problem+json"
