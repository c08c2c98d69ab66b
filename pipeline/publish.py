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
from models.bundle import Bundle, read_bundle
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
from pipeline.portraits import portraits
from pipeline.records import Tables
from pipeline.report import ReportContent, render_report, without_leads
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
        bundle = read_bundle(stage.BUNDLE, digest)
        content, pictures = write_report(bundle, facts, definition, tables, seed, say)
        say("logging the run")
        _track(bundle, facts, definition, content, pictures, say)


def write_report(
    bundle: Bundle,
    facts: dict[str, Any],
    definition: Definition,
    tables: Tables,
    seed: int,
    say: Callable[[str], None],
) -> tuple[ReportContent, dict[str, Picture]]:
    """reports/policy.json and the report, by what the earlier stages wrote; returns what it says and the pictures."""
    say("counting what the policy brings")
    predictions, examples = stage.read_table(stage.PREDICTIONS), stage.read_table(stage.EXAMPLES)
    matrix = matrix_of(stage.read_table(stage.FEATURES).filter(examples["mature"]), bundle.plan.features)
    honest = unseen(predictions, stage.read_table(stage.LEFT_OUT))
    stage.write_json(forecast(bundle.policy, honest, matrix, tables, definition, seed), stage.POLICY_FIGURES)
    say("writing the report")
    weekly, slices = stage.read_json(stage.WEEKLY), stage.read_json(stage.CALIBRATION)
    pictures = pictures_of(predictions, stage.read_table(stage.BASELINES), weekly, slices, seed)
    own = dict(tables["leads"].select("lead_id", "value").iter_rows())
    leads = portraits(bundle, predictions, matrix, own)
    content = gather(facts, bundle.plan, definition, bundle.digest, pictures, leads)
    with whole_file(stage.REPORT) as temporary:
        temporary.write_text(render_report(content), encoding="utf-8")
    return content, pictures


def _track(
    bundle: Bundle,
    facts: dict[str, Any],
    definition: Definition,
    content: ReportContent,
    pictures: Mapping[str, Picture],
    say: Callable[[str], None],
) -> None:
    """File the run in MLflow. Where the server is away, say so and keep the results, unless tracking is required."""
    settings, root = stage.section("tracking"), home_of(os.environ)
    with TemporaryDirectory() as folder:
        page = Path(folder) / stage.REPORT.name
        page.write_text(render_report(without_leads(content)), encoding="utf-8")
        run = run_of(bundle, facts, definition, [(page, "report"), *_saved(pictures, Path(folder))], root)
        try:
            tracked = track(run, settings, os.environ.get("MLFLOW_TRACKING_URI"), root)
        except TrackingAway as error:
            if settings.required:
                raise Stop(str(error)) from error
            say(str(error))
            return
    write_version(stage.BUNDLE, tracked.version, bundle.digest)
    say(f"run {tracked.run_id} is version {tracked.version} of {settings.model}, at {tracked.place}")


def _saved(pictures: Mapping[str, Picture], folder: Path) -> list[tuple[Path, str]]:
    paths = []
    for name, picture in pictures.items():
        path = folder / f"{name}.png"
        path.write_bytes(png(picture))
        paths.append((path, "plots"))
    return paths
