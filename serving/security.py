"""API keys: shown once, kept as SHA-256, compared in constant time, revocable while the service runs."""

import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from serving.problems import Problem

Scope = Literal["score", "admin"]
SCOPES: tuple[Scope, ...] = ("score", "admin")
"""An admin key may do all that a score key may."""


class KeysUnreadable(Exception):
    """A file of keys that is not one."""


@dataclass(frozen=True)
class Key:
    """What is kept of a key."""

    name: str
    scope: Scope
    sha256: str
    created_at: str


def read_keys(path: Path) -> tuple[Key, ...]:
    """Keys of a file; none where there is no file. Raises KeysUnreadable."""
    if not path.exists():
        return ()
    if not path.is_file():
        raise KeysUnreadable(f"{path}: expected a file")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        keys = tuple(Key(**key) for key in stored)
    except (ValueError, TypeError, RecursionError) as error:
        raise KeysUnreadable(f"{path}: expected the JSON that `leadscore keys create` writes") from error
    good = (key.scope in SCOPES and re.fullmatch("[0-9a-f]{64}", str(key.sha256)) for key in keys)
    if not isinstance(stored, list) or not all(good):
        raise KeysUnreadable(
            f"{path}: expected a list of digests of 64 hexadecimal digits and scopes among {', '.join(SCOPES)}"
        )
    return keys


def create_key(path: Path, name: str, scope: Scope, now: datetime) -> str:
    """Add a key and return it: the only time that it is seen. Raises ValueError where the name is taken or
    cannot be told in a list."""
    if not name.strip() or not name.isprintable():
        raise ValueError(f"a key named {name!r}: expected a name of printable letters")
    secret = f"ls_{secrets.token_urlsafe(32)}"
    kept = Key(name, scope, sha256(secret.encode()).hexdigest(), now.astimezone(UTC).isoformat(timespec="seconds"))
    with _alone(path):
        keys = read_keys(path)
        if any(key.name == name for key in keys):
            raise ValueError(f"a key named {name!r} exists; revoke it first, or choose another name")
        _write(path, [*keys, kept])
    return secret


def revoke_key(path: Path, name: str) -> bool:
    """Take a key away; False where none has the name."""
    if not path.is_file():
        return False
    with _alone(path):
        keys = read_keys(path)
        rest = [key for key in keys if key.name != name]
        if len(rest) < len(keys):
            _write(path, rest)
    return len(rest) < len(keys)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """While nobody else changes the keys: who read them before a revocation would bring the key back."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, keys: Sequence[Key]) -> None:
    """Whole or not at all, readable by the owner alone. A file without keys stays: the service stays closed."""
    new = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps([asdict(key) for key in keys], indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


class Guard:
    """Who may do what. Reads the file again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()
        self.open = True
        """No file of keys: whoever reaches the service may score, and nobody may administer it over HTTP."""
        self.refresh()

    def refresh(self) -> None:
        """Look at the file. Once there was one, its end opens nothing: the keys stay as they were. Raises
        KeysUnreadable or OSError, and then they stay, too."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return
        seen = stat.st_mtime_ns, stat.st_size, stat.st_ino
        if seen != self._seen:
            self._keys, self._seen, self.open = read_keys(self._path), seen, False

    def check(self, authorization: bytes | None, scope: Scope) -> str:
        """Name of the key, or "" where none is needed. Raises Problem 401 or 403."""
        if self.open:
            if scope == "admin":
                raise Problem(
                    403, "no-admin-key", "no API key is configured; create one with scope admin, or use SIGHUP"
                )
            return ""
        kind, _, secret = (authorization or b"").partition(b" ")
        digest = sha256(secret.strip()).hexdigest()
        found = None
        for key in self._keys:  # every key is compared, so that the time says nothing
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None or kind.lower() != b"bearer":
            raise Problem(401, "no-key", "expected the header Authorization: Bearer KEY with a key that is valid",
                          {"WWW-Authenticate": "Bearer"})  # fmt: skip
        if scope == "admin" and found.scope != "admin":
            raise Problem(403, "wrong-scope", "expected a key with scope admin")
        return found.name
