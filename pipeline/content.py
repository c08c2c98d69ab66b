"""What the report says, gathered from what the stages left."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure as Picture

from features.arrays import Floats
from features.plan import Plan
from pipeline import charts, plots, stage
from pipeline.drawing import svg
from pipeline.findings import of_json
from pipeline.params import Definition
from pipeline.report import Feature, Figure, Refused, ReportContent
from pipeline.wording import what_is_predicted

SHOWN = ("logistic", "naive_bayes")
EXAMPLES_A_CODE = 2


def gather(
    facts: Mapping[str, Any], plan: Plan, definition: Definition, digest: str, pictures: Mapping[str, Picture]
) -> ReportContent:
    """Everything on the page. Reads only what earlier stages wrote."""
    meta, ingested = (
        stage.read_json(stage.TABLES / "meta.json"),
        stage.read_json(stage.INGESTED / "ingest.json"),
    )
    leaks = of_json(stage.read_json(stage.LEAKS))
    return ReportContent(
        title="Lead conversion",
        subtitle=subtitle(definition),
        metrics=facts["metrics"],
        intervals=stage.read_json(stage.INTERVALS),
        warnings=(*meta["warnings"], *facts["warnings"], *(warning for check in leaks for warning in check.warnings)),
        figures=tuple(
            Figure(*CAPTIONS[name], svg(picture, name, CAPTIONS[name][1])) for name, picture in pictures.items()
        ),
        importance=stage.read_json(stage.IMPORTANCE),
        features=_features(plan),
        quality=stage.read_json(stage.VALIDATION),
        refused=_refused(),
        personal=ingested["personal"],
        left_out=meta["left_out_columns"],
        leaks=tuple(leaks),
        folds=facts["folds"],
        facts=_facts(facts, digest),
        calibration=stage.read_json(stage.MODEL / "calibration.json"),
        candidates=facts["calibration_candidates"],
        weekly=stage.read_json(stage.WEEKLY),
        slices=stage.read_json(stage.CALIBRATION),
        points=stage.read_json(stage.POINTS_FIGURES),
        policy=stage.read_json(stage.POLICY_FIGURES),
    )


def subtitle(definition: Definition) -> str:
    """What is predicted, in words."""
    return what_is_predicted(definition.conversion.model_dump())


CAPTIONS = {
    "weeks": (
        "Week by week",
        "Of the open leads that each would have taken in a week of the test, each lead once, how many converted.",
    ),
    "slices": (
        "Calibration by slice",
        "Conversions that came over those promised, with 95 % intervals; where 1 lies inside, nothing is shown wrong.",
    ),
    "calibration": (
        "Calibration",
        "What was promised against what came; in the band chance alone could be at work.",
    ),
    "gain": ("Gain", "Share of all conversions found among the best-scored leads."),
    "lift": ("Lift", "How many times the base rate the best-scored leads convert."),
    "months": ("By month", "Observed and expected conversion rate of the test fold."),
    "scores": ("Scores", "How the scores of those that converted differ from the others'."),
}


def pictures_of(
    predictions: pl.DataFrame, baselines: pl.DataFrame, weekly: Mapping[str, Any], slices: Mapping[str, Any], seed: int
) -> dict[str, Picture]:
    """The figures of the test fold by name, for the report and for MLflow; the weeks come first."""
    both = predictions.with_columns(baselines.select(SHOWN))
    test = both.filter(pl.col("fold") == "test")
    y, p = _floats(test, "label"), _floats(test, "probability")
    all_models: dict[str, Floats] = {"model": p, **{name: _floats(test, name) for name in SHOWN}}
    if "points" in test.columns:
        all_models["points"] = _floats(test, "points")
    found = {}
    if weekly["weeks"]:
        there = weekly["weeks"][0]["taken"]
        found["weeks"] = charts.precision_by_week(
            weekly["weeks"], [n for n in ("model", "points", *SHOWN) if n in there]
        )
    found |= {
        "calibration": plots.reliability(y, {"model": p, "logistic": all_models["logistic"]}, seed),
        "gain": plots.gain(y, all_models),
        "lift": plots.lift(y, all_models),
        "scores": plots.scores_by_label(y, p),
    }
    if test["as_of"].null_count() == 0:
        months = np.array(test["as_of"].dt.strftime("%Y-%m").to_list())
        found["months"] = plots.by_month(months, y, p)
    if slices["by"]:
        found["slices"] = charts.calibration_by_slice(slices["by"])
    return found


def _floats(frame: pl.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy().astype(np.float64)


def _features(plan: Plan) -> tuple[Feature, ...]:
    notes = {True: "only from its history", False: ""}
    return tuple(Feature(f"{a.group}_{a.name}", a.group, a.kind, notes[a.has_history]) for a in plan.attributes)


def _refused() -> tuple[Refused, ...]:
    tables = [stage.read_table(path) for path in sorted(stage.QUARANTINE.glob("*.parquet"))]
    if not tables:
        return ()
    rows = pl.concat(tables).group_by("table", "code", maintain_order=True).head(EXAMPLES_A_CODE)
    return tuple(Refused(r["table"], r["row"], r["code"], r["reason"]) for r in rows.iter_rows(named=True))


def _facts(facts: Mapping[str, Any], digest: str) -> dict[str, str]:
    return {
        "bundle": digest[:12],
        "trees": f"{facts['trees']:,} in {len(facts['rounds'])} members",
        "calibrated on": facts["calibrated_on"],
        "present": facts["until"] or "without dates",
        "data": facts["data_digest"][:12],
    }
