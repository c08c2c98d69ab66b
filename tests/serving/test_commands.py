"""`leadscore keys`: created and shown once, listed without secrets, revoked by name."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from serving.security import Guard, read_keys


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the keys are kept."""
    monkeypatch.setenv("LEADSCORE_KEYS", str(tmp_path / "keys.json"))
    return tmp_path / "keys.json"


def invoke(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_key_is_shown_once_and_works_until_it_is_revoked(keys: Path) -> None:
    """The list has names and scopes alone."""
    code, secret, _ = invoke("keys", "create", "--name", "crm")
    assert code == 0
    assert invoke("keys", "create", "--name", "ops", "--scope", "admin")[0] == 0
    assert Guard(keys).check(f"Bearer {secret.strip()}".encode(), "score") == "crm"
    code, listed, _ = invoke("keys", "list")
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [["crm", "score"], ["ops", "admin"]]
    assert secret.strip() not in listed
    assert invoke("keys", "revoke", "--name", "crm")[0] == 0
    assert [line.split("\t")[0] for line in invoke("keys", "list")[1].splitlines()] == ["ops"]


def test_what_is_wrong_is_said(keys: Path) -> None:
    """A name that is taken or unknown, a file that cannot be read: exit code 1; a scope that is none: 2, as ever for an
    option that is wrong."""
    invoke("keys", "create", "--name", "crm")
    for words, said in (
        (("create", "--name", "crm"), "revoke it first"),
        (("revoke", "--name", "y"), "no key is named 'y'"),
    ):
        code, _, error = invoke("keys", *words)
        assert code == 1
        assert error.startswith("leadscore: ")
        assert said in error
    code, _, error = invoke("keys", "create", "--name", "x", "--scope", "god")
    assert code == 2
    assert all(word in error for word in ("--scope", "score", "admin"))
    assert "x" not in [key.name for key in read_keys(keys)]
    keys.write_text("{")
    code, _, error = invoke("keys", "list")
    assert (code, "keys.json: expected" in error) == (1, True)
