"""A run as MLflow gets it: few flat parameters, metrics with baselines, tags that lead back to the code and data."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from features.plan import Plan
from models.bundle import Bundle
from models.golden import golden_requests
from models.requests import asked, features_of
from pipeline import stage
from pipeline.content import subtitle
from pipeline.matrices import frame_of
from pipeline.params import Definition
from pipeline.tracking import Dataset, Run, commit_tags

EXAMPLE_ROWS = 3


def run_of(
    bundle: Bundle,
    facts: Mapping[str, Any],
    definition: Definition,
    files: list[tuple[Path, str]],
    root: Path,
) -> Run:
    """Everything that is filed of a run. The input example is of imagined leads."""
    digest = facts["data_digest"]
    test, source = facts["metrics"]["test"], stage.section("source")
    name = os.environ.get("DVC_EXP_NAME")
    return Run(
        name=name or f"{source.kind} {bundle.digest[:8]}",
        description=_description(facts, definition),
        params=_params(),
        metrics={k: facts["metrics"][k] for k in ("test", "test_one_per_lead", "validation", "truth", "baselines")
                 if facts["metrics"].get(k)} | {"weekly": _weekly(facts["metrics"].get("weekly", {}))},
        tags={
            **commit_tags(root),
            "dvc_experiment": name,
            "data_digest": digest,
            "conversion": subtitle(definition),
            "bundle_digest": bundle.digest,
            "base_rate": f"{test['base_rate']:.4f}",
        },
        dataset=_dataset(digest, source.path if source.kind == "tables" else stage.SIMULATED),
        bundle=stage.BUNDLE,
        example=example_of(bundle.plan, bundle),
        curves=stage.read_json(stage.MODEL / "training.json")["curves"],
        artifacts=files,
    )  # fmt: skip


WEEKLY = ("precision", "lift", "value", "auc_within_week")


def _weekly(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of the weekly replay what is compared between runs."""
    return {
        name: {key: value[key] for key in WEEKLY} if isinstance(value, Mapping) else value
        for name, value in found.items()
    }


def _params() -> dict[str, Any]:
    """Every parameter by its section, but for where the files lie on this machine."""
    sections = ("source", "definition", "split", "validate", "train", "policy")
    found = {name: stage.section(name).model_dump(mode="json") for name in sections}
    del found["source"]["path"]
    return found


def _description(facts: Mapping[str, Any], definition: Definition) -> str:
    test, base = facts["metrics"]["test"], facts["metrics"]["baselines"]["logistic"]
    return (
        f"{subtitle(definition)}\n\nTest fold: AUC {_said(test['auc'])} (logistic {_said(base['auc'])}), log loss "
        f"{_said(test['log_loss'])} ({_said(base['log_loss'])}), observed over expected "
        f"{_said(test['observed_over_expected'])}; {facts['folds']['train']['converting_leads']:,} converting leads "
        "in train."
    )


def _said(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _dataset(digest: str, path: Path) -> Dataset:
    leads = pl.read_parquet_schema(stage.TABLES / "leads.parquet")
    counts = {name: sums["accepted"] for name, sums in stage.read_json(stage.VALIDATION).items()}
    shown = path.name if path.is_absolute() else str(path)
    return Dataset(name="lead tables", digest=digest[:32], source=shown, schema=dict(leads), profile=counts)


def example_of(plan: Plan, bundle: Bundle) -> pl.DataFrame:
    """Features of a few imagined leads, as in data/features.parquet."""
    rows = [features_of(asked(r, plan), plan) for r in golden_requests(plan, bundle.encoding, 0, EXAMPLE_ROWS)]
    return pl.concat([frame_of(row) for row in rows])
