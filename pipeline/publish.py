"""Stage publish: the bundle, the tracked run, the report."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from matplotlib.figure import Figure as Picture

from features.plan import plan_of_json
from models.bundle import read_bundle
from pipeline import stage
from pipeline.bundling import assemble, policy_of
from pipeline.content import gather, pictures_of
from pipeline.deals import deal_values
from pipeline.drawing import png
from pipeline.errors import Stop
from pipeline.files import whole_file
from pipeline.filing import run_of
from pipeline.forecast import forecast
from pipeline.matrices import matrix_of
from pipeline.mlstore import home_of
from pipeline.params import Definition
from pipeline.points_inputs import read_table
from pipeline.report import render_report
from pipeline.thresholds import standing_of
from pipeline.tracking import TrackingAway, track, write_version
from pipeline.unseen import unseen


def facts_of() -> dict[str, Any]:
    """What the bundle says of its making. No field holds anything of a lead."""
    training = stage.read_json(stage.MODEL / "training.json")
    meta = stage.read_json(stage.TABLES / "meta.json")
    return {
        "folds": training["folds"],
        "rounds": training["rounds"],
        "trees": training["trees"],
        "calibrated_on": training["calibrated_on"],
        "warnings": training["warnings"],
        "refresh": training["refresh"],
        "calibration_candidates": training["calibration_candidates"],
        "metrics": stage.read_json(stage.METRICS),
        "shape": meta["shape"],
        "until": meta["until"],
        "data_digest": data_digest(),
        "ages_days": _ages(),
        "ranges": training["ranges"],
    }


def data_digest() -> str:
    """One digest of the validated tables: the same rows give the same."""
    whole = hashlib.sha256()
    for path in sorted(stage.TABLES.glob("*.parquet")):
        with path.open("rb") as file:
            whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _ages() -> list[float] | None:
    """Least and greatest age in days of a training example: beyond it the service warns."""
    train = stage.read_table(stage.EXAMPLES).filter(pl.col("fold") == "train")["age_days"].drop_nulls()
    return [float(train.min()), float(train.max())] if len(train) else None  # type: ignore[arg-type]


def main() -> None:
    """Write the bundle and the report; log and register the run."""
    definition = stage.section("definition")
    plan = plan_of_json(stage.read_json(stage.PLAN))
    predictions, facts = stage.read_table(stage.PREDICTIONS), facts_of()
    with stage.speaking("publish") as say:
        say("assembling the bundle")
        tables, examples = stage.read_tables(), stage.read_table(stage.EXAMPLES)
        values, seed = deal_values(tables, plan, definition, examples), stage.section("train").seed
        standing = standing_of(tables, stage.read_table(stage.POINTS), read_table())
        honest = unseen(predictions, stage.read_table(stage.LEFT_OUT))
        policy = policy_of(stage.section("policy"), predictions, honest, values, standing)
        digest = assemble(stage.BUNDLE, facts, policy, definition, stage.section("source"))
        say("counting what the policy brings")
        matrix = matrix_of(stage.read_table(stage.FEATURES).filter(examples["mature"]), plan.features)
        stage.write_json(forecast(policy, honest, matrix, tables, definition, seed), stage.POLICY_FIGURES)
        say("writing the report")
        weekly, slices = stage.read_json(stage.WEEKLY), stage.read_json(stage.CALIBRATION)
        pictures = pictures_of(predictions, stage.read_table(stage.BASELINES), weekly, slices, seed)
        content = gather(facts, plan, definition, digest, pictures)
        _write_report(render_report(content))
        say("logging the run")
        _track(facts, definition, pictures, digest, say)


def _write_report(page: str) -> None:
    with whole_file(stage.REPORT) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _track(
    facts: dict[str, Any],
    definition: Definition,
    pictures: Mapping[str, Picture],
    digest: str,
    say: Callable[[str], None],
) -> None:
    """File the run in MLflow. Where the server is away, say so and keep the results, unless tracking is required."""
    settings, root = stage.section("tracking"), home_of(os.environ)
    with TemporaryDirectory() as folder:
        files = [(stage.REPORT, "report"), *_saved(pictures, Path(folder))]
        run = run_of(read_bundle(stage.BUNDLE, digest), facts, definition, files, root)
        try:
            tracked = track(run, settings, os.environ.get("MLFLOW_TRACKING_URI"), root)
        except TrackingAway as error:
            if settings.required:
                raise Stop(str(error)) from error
            say(str(error))
            return
    write_version(stage.BUNDLE, tracked.version, digest)
    say(f"run {tracked.run_id} is version {tracked.version} of {settings.model}, at {tracked.place}")


def _saved(pictures: Mapping[str, Picture], folder: Path) -> list[tuple[Path, str]]:
    paths = []
    for name, picture in pictures.items():
        path = folder / f"{name}.png"
        path.write_bytes(png(picture))
        paths.append((path, "plots"))
    return paths
