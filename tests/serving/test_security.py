"""Keys: shown once, kept as digests, compared whole, revoked at once."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import app_of
from starlette.testclient import TestClient

from serving.problems import Problem
from serving.security import Guard, KeysUnreadable, create_key, read_keys, revoke_key
from serving.settings import Settings
from serving.store import Served

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def bearer(secret: str) -> bytes:
    """The header's value."""
    return f"Bearer {secret}".encode()


def test_a_key_is_kept_as_its_digest(tmp_path: Path) -> None:
    """The file has no key in it and is its owner's alone."""
    path = tmp_path / "deeper" / "keys.json"
    secret = create_key(path, "crm", "score", NOW)
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [(k.name, k.scope, k.created_at) for k in read_keys(path)] == [("crm", "score", "2025-01-01T00:00:00+00:00")]
    with pytest.raises(ValueError, match="revoke it first"):
        create_key(path, "crm", "admin", NOW)


def test_scopes_and_revocation(tmp_path: Path) -> None:
    """Several keys at once; an admin key may score; a revoked one is of no use when the file was looked at."""
    path = tmp_path / "keys.json"
    score, admin = create_key(path, "crm", "score", NOW), create_key(path, "ops", "admin", NOW)
    guard = Guard(path)
    assert guard.check(bearer(score), "score") == "crm"
    assert guard.check(bearer(admin), "score") == guard.check(bearer(admin), "admin") == "ops"
    with pytest.raises(Problem) as caught:
        guard.check(bearer(score), "admin")
    assert caught.value.status == 403
    assert revoke_key(path, "crm")
    guard.refresh()
    with pytest.raises(Problem) as caught:
        guard.check(bearer(score), "score")
    assert caught.value.status == 401


def test_who_has_no_key_loses_none(tmp_path: Path) -> None:
    """A file of keys is neither made nor written for that."""
    path = tmp_path / "deeper" / "keys.json"
    assert not revoke_key(path, "crm")
    assert not path.parent.exists()
    create_key(path, "ops", "admin", NOW)
    inode = path.stat().st_ino
    assert not revoke_key(path, "crm")
    assert path.stat().st_ino == inode


@pytest.mark.parametrize("header", [None, b"", b"Bearer", b"Bearer x", b"Basic abc", b"\xff", b"Bearer " + b"a" * 9999])
def test_without_a_valid_key_nothing_is_served(tmp_path: Path, header: bytes | None) -> None:
    """401, whatever the header."""
    create_key(tmp_path / "keys.json", "crm", "score", NOW)
    with pytest.raises(Problem) as caught:
        Guard(tmp_path / "keys.json").check(header, "score")
    assert caught.value.status == 401
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


def test_a_file_without_keys_or_gone_opens_nothing(tmp_path: Path) -> None:
    """The last key revoked, or the file lost, while the service runs: it stays closed."""
    path = tmp_path / "keys.json"
    create_key(path, "crm", "score", NOW)
    guard = Guard(path)
    revoke_key(path, "crm")
    guard.refresh()
    os.unlink(path)  # noqa: PTH108
    guard.refresh()
    with pytest.raises(Problem):
        guard.check(None, "score")
    assert not guard.open


@pytest.mark.parametrize(
    "text", ["{", "{}", "[1]", '[{"name": "x"}]', "7", '[{"name":"a","scope":"god","sha256":"","created_at":""}]']
)
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    """Rather than taken for no keys."""
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(KeysUnreadable, match=r"keys\.json"):
        read_keys(tmp_path / "keys.json")


def test_a_folder_is_no_file_of_keys(tmp_path: Path) -> None:
    """Container engines make one where a file to mount is missing: without a word nobody would be let in."""
    with pytest.raises(KeysUnreadable, match="expected a file"):
        Guard(tmp_path)


def test_changes_at_once_lose_nothing(tmp_path: Path) -> None:
    """Keys created and revoked by several at once: all that were created are there, but for those revoked."""
    path = tmp_path / "keys.json"
    for number in range(10):
        create_key(path, f"old {number}", "score", NOW)
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(create_key, path, f"new {number}", "score", NOW) for number in range(10)]
        gone = [pool.submit(revoke_key, path, f"old {number}") for number in range(10)]
        assert all(one.result() for one in [*made, *gone])
    assert {key.name for key in read_keys(path)} == {f"new {number}" for number in range(10)}


def test_routes_ask_for_keys(settings: Settings, model: Served) -> None:
    """Scores and the model need a key, reloading an admin's, the probes none."""
    secret = create_key(settings.keys, "crm", "score", NOW)
    with TestClient(app_of(settings, model)) as client:
        for method, path in (("POST", "/v1/score"), ("POST", "/v1/score/batch"), ("GET", "/v1/model"),
                             ("GET", "/v1/openapi.json"), ("POST", "/v1/model/reload")):  # fmt: skip
            reply = client.request(method, path, json={})
            assert reply.status_code == 401, path
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.headers["www-authenticate"] == "Bearer"
        own = {"Authorization": f"Bearer {secret}"}
        assert client.get("/v1/model", headers=own).status_code == 200
        assert client.post("/v1/model/reload", headers=own).status_code == 403
        for path in ("/livez", "/readyz", "/metrics"):
            assert client.get(path).status_code == 200


def test_keys_are_json(tmp_path: Path) -> None:
    """Text that people may look at."""
    create_key(tmp_path / "keys.json", "crm", "score", NOW)
    assert json.loads((tmp_path / "keys.json").read_text())[0]["name"] == "crm"
