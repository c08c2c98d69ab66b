"""Stage configure: params.yaml with its defaults filled in, a file a section, and what the outside data are.

The only stage that always runs. The others depend on the sections that they read, so a change of one reruns
just those; and a section that params.yaml leaves out is still there for DVC to depend on.
"""

import hashlib
from pathlib import Path
from typing import Any

from models.points.table import PointsTable
from pipeline import stage
from pipeline.errors import Stop
from pipeline.handtuned.file import load_points
from pipeline.params import SECTIONS, Params, Policy, load_params
from pipeline.policy.thresholds import mark_of, old_mark
from pipeline.reading.tables import FILES

AGREED = ("criteria", "language")
"""Of the definition, what only people go by: a file of its own, so that a change of words trains nothing again."""


def main() -> None:
    """Write what has changed of data/settings; a file that would be the same is left as it is."""
    params = load_params()
    table = points_table(params)
    _check_scale(params.policy, table)
    dumped = params.model_dump(mode="json", by_alias=True)
    agreed = {key: dumped["definition"].pop(key) for key in AGREED}
    _write({**agreed, "criteria": list(agreed["criteria"].items())}, stage.AGREED)  # in the order of the people
    for name in SECTIONS:
        _write(dumped[name], stage.SETTINGS / f"{name}.json")
    _write(None if table is None else table.model_dump(mode="json", by_alias=True), stage.POINTS_TABLE)
    _write(fingerprint(params), stage.SETTINGS / "fingerprint.json")


def points_table(params: Params) -> PointsTable | None:
    """The table of points that this run replays. Raises Stop where it is wrong."""
    if params.points is None:
        return None
    table, kind = load_points(params.points, params.source.timezone), params.source.kind
    if not table.sources or kind in table.sources:
        return table
    with stage.speaking("configure") as say:
        say(
            f"{params.points}: its sources are {', '.join(table.sources)}, and yours is {kind}: no points are replayed;"
            " bring a table of your own, or mend its sources"
        )
    return None


def _check_scale(policy: Policy, table: PointsTable | None) -> None:
    """Raise Stop where a scale of continuity has nothing to continue: known at the start rather than after training."""
    if policy.scale == "percentile":
        return
    mark_of(policy, old_mark(table))
    if table is None and policy.threshold is None:
        raise Stop("policy.scale: continuity needs a threshold; give policy.threshold, or a table of points")


def fingerprint(params: Params) -> dict[str, Any]:
    """SHA-256 by name of every file of the tables. The table of points is settings: its change reads no data again."""
    if params.source.kind != "tables":
        return {}
    path = params.source.path
    files = sorted(p for p in path.iterdir() if p.name in FILES) if path.is_dir() else [path]
    return {file.name: _digest(file) for file in files}


def _digest(path: Path) -> str | None:
    """None for a file that is not there: reading it later says so better."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(content: Any, path: Path) -> None:
    if not path.is_file() or stage.read_json(path) != content:
        stage.write_json(content, path)
