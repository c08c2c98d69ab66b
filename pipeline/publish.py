"""Stage publish: the bundle, the report and its pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.figure import Figure as Picture

from models.bundle.folder import Bundle, read_bundle
from pipeline import stage
from pipeline.assembly.matrices import matrix_of
from pipeline.assembly.values import Tables
from pipeline.bundle.bundling import assemble
from pipeline.bundle.facts import facts_of
from pipeline.files import whole_file, whole_folder
from pipeline.handtuned.inputs import read_table
from pipeline.outcomes.deals import deal_values
from pipeline.params import Definition, Policy, Source, Train
from pipeline.policy.chosen import Scores, policy_of
from pipeline.policy.forecast import forecast
from pipeline.policy.thresholds import Standing, how_set, standing_of
from pipeline.policy.unseen import unseen
from pipeline.reporting import funnel_charts
from pipeline.reporting.content import gather, pictures_of
from pipeline.reporting.drawing import png
from pipeline.reporting.portraits import portraits
from pipeline.reporting.report import ReportContent, render_report, without_leads


@dataclass(frozen=True)
class Run:
    """What the earlier stages left, for the bundle and for the report."""

    definition: Definition
    tables: Tables
    examples: pl.DataFrame
    predictions: pl.DataFrame
    unseen: pl.DataFrame
    """The predictions, by what never saw the lead (policy/unseen.py)."""
    standing: Standing
    facts: dict[str, Any]


def read_run() -> Run:
    """Of the folder's run."""
    tables, predictions = stage.read_tables(), stage.read_table(stage.PREDICTIONS)
    return Run(
        definition=stage.section(Definition),
        tables=tables,
        examples=stage.read_table(stage.EXAMPLES),
        predictions=predictions,
        unseen=unseen(predictions, stage.read_table(stage.LEFT_OUT)),
        standing=standing_of(tables, stage.read_table(stage.POINTS), read_table()),
        facts=facts_of(),
    )


def main() -> None:
    """Write the bundle, the report and its pictures."""
    with stage.speaking("publish") as say:
        run = read_run()
        say("assembling the bundle")
        write_report(write_bundle(run), run, say)


def write_bundle(run: Run) -> Bundle:
    """artifacts/bundle, with the policy that the run's own volumes and values make; read back."""
    plan = stage.read_plan()
    values = deal_values(run.tables, plan, run.definition, run.examples)
    base_rate = stage.read_json(stage.MODEL / "baselines.json")["base_rate"]
    scores = Scores(run.predictions, run.unseen, base_rate)
    policy = policy_of(stage.section(Policy), scores, values, run.standing)
    assemble(stage.BUNDLE, run.facts, policy, run.definition, stage.section(Source))
    return read_bundle(stage.BUNDLE)


def write_report(bundle: Bundle, run: Run, say: Callable[[str], None]) -> None:
    """reports/policy.json, the report and its pictures."""
    say("counting what the policy brings")
    seed = stage.section(Train).seed
    matrix = matrix_of(stage.read_table(stage.FEATURES).filter(run.examples["mature"]), bundle.plan.features)
    figures = forecast(bundle.policy, run.unseen, matrix, run.tables, run.definition, seed)
    stage.write_json({**figures, "set": how_set(stage.section(Policy), run.standing)}, stage.POLICY_FIGURES)
    say("writing the report")
    weekly, slices = stage.read_json(stage.WEEKLY), stage.read_json(stage.CALIBRATION)
    pictures = pictures_of(run.predictions, stage.read_table(stage.BASELINES), weekly, slices, seed)
    pictures |= funnel_charts.pictures(stage.read_json(stage.FUNNEL), stage.read_json(stage.ACCOUNTS))
    own = dict(run.tables["leads"].select("lead_id", "value").iter_rows())
    leads = portraits(bundle, run.predictions, matrix, own)
    content = gather(run.facts, bundle.plan, run.definition, bundle.digest, pictures, leads)
    _write_page(content, stage.REPORT)
    _write_page(without_leads(content), stage.REPORT_TO_FILE)
    _write_pictures(pictures)


def _write_page(content: ReportContent, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(render_report(content), encoding="utf-8")


def _write_pictures(pictures: Mapping[str, Picture]) -> None:
    with whole_folder(stage.PLOTS) as folder:
        for name, picture in pictures.items():
            (folder / f"{name}.png").write_bytes(png(picture))
