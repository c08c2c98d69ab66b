"""A run as MLflow gets it: the parameters that matter, metrics with baselines, tags that lead back to code and data."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from models.bundle.folder import Bundle, read_bundle
from models.bundle.golden import golden_requests
from models.bundle.requests import asked, features_of
from pipeline import stage
from pipeline.assembly.matrices import frame_of
from pipeline.experiments.commits import commit_tags
from pipeline.experiments.differences import committed, defaults, differing, in_full, in_short, of_run
from pipeline.experiments.headlines import CHOOSE, headlines
from pipeline.experiments.identity import digest_of_test
from pipeline.experiments.run import Dataset, Run
from pipeline.params import Source
from pipeline.reporting.summary import rivals
from pipeline.reporting.wording import name_of, number, what_is_predicted

EXAMPLE_ROWS = 3
MATTER = (
    "source.kind", "definition.conversion.stage", "definition.conversion.event", "definition.conversion.within_days",
    "split.test_fraction", "train.seed", "train.bags", "train.num_leaves", "train.max_depth", "train.learning_rate",
    "train.max_rounds", "train.min_data_in_leaf", "train.lambda_l2",
)  # fmt: skip
"""Parameters that every run shows; of the others those that differ from the defaults."""
FIGURES = (stage.METRICS, stage.INTERVALS, stage.IMPORTANCE, stage.CALIBRATION, stage.WEEKLY, stage.LEAKS,
           stage.POLICY_FIGURES)  # fmt: skip
"""None of them holds anything of one lead."""


def run_of(digest: str, root: Path) -> Run:
    """Everything that is filed of the run in this folder. The input example is of imagined leads."""
    bundle = read_bundle(stage.BUNDLE)
    facts, params = bundle.training, of_run()
    before = committed(root)
    usual = defaults(params["source.kind"])
    changed = differing(params, usual if before is None else before)
    shown = {n: params[n] for n in MATTER if params.get(n) is not None} | {
        n: now for n, (_, now) in differing(params, usual).items()
    }
    figures = headlines(facts["metrics"])
    return Run(
        name=_name(in_short(changed), before is not None, figures, facts["data_digest"]),
        digest=digest,
        description=_description(bundle, in_full(changed), in_full(differing(params, usual))),
        params=shown,
        settings=params,
        metrics=_slashed(figures) | _truth(facts["metrics"]),
        parts={name_of(name): _slashed({"test": headlines({"test": facts["metrics"]["baselines"][name]})["test"]})
               for name in rivals(facts["metrics"])},
        tags=_tags(bundle, root),
        dataset=_dataset(facts["data_digest"]),
        bundle=stage.BUNDLE,
        example=example_of(bundle),
        curves=stage.read_json(stage.MODEL / "training.json")["curves"],
        artifacts=_files(),
        headline=(f"{CHOOSE}/log_loss", f"{CHOOSE}/auc", "test/log_loss", "test/auc"),
    )  # fmt: skip


def _files() -> list[tuple[Path, str]]:
    """Pages, pictures and figures, each with its folder."""
    return [
        *((path, "report") for path in (stage.REPORT_TO_FILE, stage.DEFINITION_PAGE)),
        *((path, "plots") for path in sorted(stage.PLOTS.glob("*.png"))),
        *((path, "figures") for path in FIGURES),
    ]


def _name(changed: str, compared: bool, figures: Mapping[str, Mapping[str, float]], data: str) -> str:
    """What was changed first: lists cut names off."""
    what = changed or ("as committed" if compared else "defaults")
    loss = figures.get(CHOOSE, {}).get("log_loss")
    return f"{what} · {number(loss, 4)} · data {data[:6]}"


def _slashed(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """`test/auc`: MLflow's pages make a section of what stands before the stroke."""
    return {f"{group}/{name}": value for group, found in figures.items() for name, value in found.items()}


def _truth(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What of the attainable was captured, where the exact truth is known."""
    return {f"truth/{k}": v for k, v in metrics.get("truth", {}).items() if k.startswith("captured")}


def _tags(bundle: Bundle, root: Path) -> dict[str, str | None]:
    git, experiment = commit_tags(root), os.environ.get("DVC_EXP_NAME")
    return {
        **git,
        "dvc_experiment": experiment,
        "get_it_back": f"dvc exp apply {experiment}" if experiment else _checkout(git),
        "data_digest": bundle.training["data_digest"],
        "test_fold": digest_of_test(stage.read_table(stage.EXAMPLES)),
        "conversion": what_is_predicted(bundle.definition["conversion"], bundle.training["shape"]),
        "bundle_digest": bundle.digest,
        "base_rate": f"{bundle.training['metrics']['test']['base_rate']:.4f}",
    }


def _checkout(git: Mapping[str, str]) -> str | None:
    if not git:
        return None
    changed = ", with changes that were not committed" if git["dirty"] == "true" else ""
    return f"git checkout {git['commit'][:12]} && dvc repro{changed}"


def _description(bundle: Bundle, changed: str, unusual: str) -> str:
    """Markdown: what is predicted, what was changed, and how good it is beside the others."""
    facts = bundle.training
    metrics, train = facts["metrics"], facts["folds"]["train"]
    rows = [_row("this model, validation inside train", metrics.get("validation") or {}),
            _row("**this model, test**", metrics["test"]),
            *(_row(f"{name_of(name)}, test", metrics["baselines"][name]) for name in rivals(metrics))]  # fmt: skip
    predicted = what_is_predicted(bundle.definition["conversion"], facts["shape"])
    table = "\n".join(["| | log loss | AUC | observed / expected |", "|---|---|---|---|", *rows])
    return (
        f"{predicted}\n\n**Changed since the commit:** {changed}\n\n"
        f"{table}\n\n"
        f"**Other than the defaults:** {unusual}\n\n"
        f"Data `{facts['data_digest'][:12]}`; {train['converting_leads']:,} converting leads in train. "
        "Choose by validation: each look at the test fold wears it out."
    )


def _row(name: str, scores: Mapping[str, Any]) -> str:
    cells = (
        number(scores.get("log_loss"), 4),
        number(scores.get("auc")),
        number(scores.get("observed_over_expected"), 2),
    )
    return f"| {name} | {' | '.join(cells)} |"


def _dataset(digest: str) -> Dataset:
    source = stage.section(Source)
    path = source.path if source.kind == "tables" else stage.SIMULATED
    leads = pl.read_parquet_schema(stage.TABLES / "leads.parquet")
    counts = {name: sums["accepted"] for name, sums in stage.read_json(stage.VALIDATION).items()}
    shown = path.name if path.is_absolute() else str(path)
    return Dataset(name="lead tables", digest=digest[:12], source=shown, schema=dict(leads), profile=counts)


def example_of(bundle: Bundle) -> pl.DataFrame:
    """Features of a few imagined leads, as in data/features.parquet."""
    made = golden_requests(bundle.plan, bundle.encoding, 0, EXAMPLE_ROWS)
    rows = [features_of(asked(request, bundle.lives), bundle.plan) for request in made]
    return pl.concat([frame_of(row) for row in rows])
