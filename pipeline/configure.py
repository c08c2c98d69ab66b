"""Stage configure: params.yaml with its defaults filled in, a file a section, and what the outside data are.

The only stage that always runs. The others depend on the sections that they read, so a change of one reruns
just those; and a section that params.yaml leaves out is still there for DVC to depend on.
"""

import hashlib
from pathlib import Path
from typing import Any

from pipeline import stage
from pipeline.params import SECTIONS, Params, load_params


def main() -> None:
    """Write what has changed of data/settings; a file that would be the same is left as it is."""
    params = load_params()
    if params.points is not None:
        with stage.speaking("configure") as say:
            say(f"{params.points}: points are not replayed yet; the run goes on without them")
    dumped = params.model_dump(mode="json", by_alias=True)
    for name in SECTIONS:
        _write(dumped[name], stage.SETTINGS / f"{name}.json")
    _write(fingerprint(params), stage.SETTINGS / "fingerprint.json")


def fingerprint(params: Params) -> dict[str, Any]:
    """SHA-256 by name of every file that lies outside: the tables, and the points table."""
    files = []
    if params.source.kind == "tables":
        path = params.source.path
        files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    if params.points is not None:
        files.append(params.points)
    return {path.name: _digest(path) for path in files}


def _digest(path: Path) -> str | None:
    """None for a file that is not there: reading it later says so better."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(content: Any, path: Path) -> None:
    if not path.is_file() or stage.read_json(path) != content:
        stage.write_json(content, path)
