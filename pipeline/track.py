"""Stage track: the run in MLflow, and the few figures that DVC compares. Always runs, from what a run left, so that one
restored from DVC's cache is filed too; a run that has been filed is not filed again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import stage
from pipeline.errors import Stop
from pipeline.experiments.headlines import headlines
from pipeline.experiments.identity import run_digest
from pipeline.experiments.mlstore import Store, TrackingAway, home_of, store_at
from pipeline.params import Tracking

FILED = Path("artifacts/tracked.json")
"""Where the run of this folder was filed, beside its bundle: importing MLflow to ask takes seconds."""


def main() -> None:
    """File the run where it has not been, and write reports/summary.json."""
    root, uri = home_of(os.environ), os.environ.get("MLFLOW_TRACKING_URI")
    digest, store = run_digest(), store_at(uri, root)
    with stage.speaking("track") as say:
        filed = _filed(digest, store) or _file(digest, uri, root, say)
    looks = None if filed is None else filed["looks"]
    stage.write_json(headlines(stage.read_json(stage.METRICS), looks), stage.SUMMARY)


def _filed(digest: str, store: Store) -> dict[str, Any] | None:
    """What is known of this run in this store; None where it is not there yet."""
    if not FILED.is_file() or (store.database is not None and not store.database.is_file()):
        return None
    found: dict[str, Any] = stage.read_json(FILED)
    return found if (found["run"], found["store"]) == (digest, store.shown) else None


def _file(digest: str, uri: str | None, root: Path, say: Callable[[str], None]) -> dict[str, Any] | None:
    """File the run. Where MLflow is away, say so and keep the results, unless tracking is required."""
    from pipeline.experiments.filing import run_of
    from pipeline.experiments.tracking import track, write_version

    settings, run = stage.section(Tracking), run_of(digest, root)
    say("filing the run")
    try:
        tracked = track(run, settings, uri, root)
    except TrackingAway as error:
        if settings.required:
            raise Stop(str(error)) from error
        say(str(error))
        return None
    write_version(stage.BUNDLE, tracked.version, run.tags["bundle_digest"] or "")
    filed = {"run": digest, "store": store_at(uri, root).shown, "looks": tracked.looks}
    stage.write_json(filed, FILED)
    again = "" if tracked.new else ", filed before"
    say(f"run {tracked.run_id} is version {tracked.version} of {settings.model}, at {tracked.place}{again}")
    return filed
