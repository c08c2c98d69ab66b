"""What the report says, gathered from what the stages left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure as Picture

from features.arrays import Floats
from features.plan import Plan
from models.folds import FOLDS
from pipeline import stage
from pipeline.leaks.findings import of_json
from pipeline.params import Definition
from pipeline.reporting import charts, plots
from pipeline.reporting.drawing import svg
from pipeline.reporting.plainly import about
from pipeline.reporting.quarter import noun
from pipeline.reporting.report import Feature, Figure, Refused, ReportContent
from pipeline.reporting.wording import what_is_predicted

SHOWN = ("logistic", "naive_bayes")
EXAMPLES_A_CODE = 2
SLICINGS = ("month", "age", "source", "segment")


def gather(
    facts: Mapping[str, Any],
    plan: Plan,
    definition: Definition,
    digest: str,
    pictures: Mapping[str, Picture],
    leads: Sequence[Mapping[str, Any]],
) -> ReportContent:
    """Everything on the page. Reads only what earlier stages wrote; `leads` of portraits.portraits."""
    meta, ingested = (
        stage.read_meta(),
        stage.read_json(stage.INGESTED / "ingest.json"),
    )
    leaks = of_json(stage.read_json(stage.LEAKS))
    return ReportContent(
        links={"the shared definition of a lead": "lead-definition.html"},
        title="Lead conversion",
        subtitle=subtitle(definition),
        metrics=facts["metrics"],
        intervals=stage.read_json(stage.INTERVALS),
        warnings=(*meta["warnings"], *facts["warnings"], *(warning for check in leaks for warning in check.warnings)),
        figures=tuple(
            Figure(*CAPTIONS[name], svg(picture, name, ": ".join(CAPTIONS[name])), name)
            for name, picture in pictures.items()
            if name in CAPTIONS
        ),
        importance=stage.read_json(stage.IMPORTANCE),
        words=_words(plan),
        belief=facts["belief"],
        leads=tuple(leads),
        outcome=noun(definition.conversion.stage),
        features=_features(plan),
        quality=stage.read_json(stage.VALIDATION),
        refused=_refused(),
        personal=ingested["personal"],
        left_out=meta["left_out_columns"],
        leaks=tuple(leaks),
        folds={name: facts["folds"][name] for name in FOLDS if name in facts["folds"]},
        facts=_facts(facts, digest),
        calibration=stage.read_json(stage.MODEL / "calibration.json"),
        candidates=facts["calibration_candidates"],
        weekly=stage.read_json(stage.WEEKLY),
        slices=_slices(),
        points=stage.read_json(stage.POINTS_FIGURES),
        policy=stage.read_json(stage.POLICY_FIGURES),
        funnel=stage.read_json(stage.FUNNEL),
        accounts=stage.read_json(stage.ACCOUNTS),
    )


def _words(plan: Plan) -> dict[str, str]:
    """Of each feature; where an account's field is called like a lead's, which it is."""
    words = {column.name: about(column) for column in plan.features}
    several = {text for text, n in Counter(words.values()).items() if n > 1}
    return {
        c.name: f"{words[c.name]} (of the {c.block})" if words[c.name] in several else words[c.name]
        for c in plan.features
    }


def subtitle(definition: Definition) -> str:
    """What is predicted, in words."""
    return what_is_predicted(definition.conversion.model_dump(), stage.read_meta()["shape"])


PART = (
    "Each dot: actual conversions divided by predicted ones; its line: the 95 % interval, by drawing whole accounts"
    " again. Where the line crosses 1, chance alone may explain the difference; an arrow means that the line goes on"
    " beyond the picture."
)
CAPTIONS = {
    "weeks": (
        "Converted, of the leads picked",
        "Each line: of the open leads picked on each day below, each lead once, the share that then converted."
        " Higher is better; single days swing, so compare the lines over the whole test.",
    ),
    "calibration": (
        "Predicted and actual conversion",
        "Each dot: examples of similar probability; the share predicted to convert (across) and the share that did"
        " (up). On the diagonal the two agree; inside the band a dot is off by no more than chance does to a perfect"
        " model."
        " Below: how many examples have which probability.",
    ),
    "gain": (
        "Gain",
        "Take the best-scored share of examples (across): the share of all conversions that is among them (up). The"
        " steeper at the left, the better; picking by chance would follow the diagonal.",
    ),
    "lift": (
        "Lift",
        "How many times as often the best-scored share of examples (across) converts as examples do on average. 1× is"
        " chance.",
    ),
    "scores": (
        "Who gets which probability",
        "The probabilities of examples that converted, beside those of the others. The less the two overlap, the better"
        " the model tells them apart.",
    ),
    "by_month": ("Observed over expected, by month", PART),
    "by_age": ("Observed over expected, by age of the lead", PART),
    "by_source": ("Observed over expected, by source", PART),
    "by_segment": ("Observed over expected, by segment", PART),
    "funnel_reached": (
        "How far leads get",
        "Each bar: the share of leads that reached a stage, or one beyond it, in time; its short line: the 95 %"
        " interval.",
    ),
    "funnel_ends": (
        "Converted and closed, by day",
        "Each line: the share of leads that had converted, or had been closed without, by each day since they started;"
        " open leads count for as long as they were followed. The bands are 95 % intervals.",
    ),
    **{
        f"funnel_{by}": (
            f"Converted by day, by {by}",
            "Each line: the share of leads that had converted by each day since they started. A line ends where too"
            f" few leads started that long ago. {of}.",
        )
        for by, of in {
            "source": "The most frequent sources",
            "campaign": "The most frequent campaigns",
            "month": "The latest months",
        }.items()
    },
    "accounts": (
        "Accounts: predicted and actual conversion",
        "Each dot: a tenth of the looks at accounts in the test, by probability; the share predicted to convert"
        " (across) and the share that did (up). On the diagonal the two agree; vertical lines are 95 % intervals.",
    ),
}


def pictures_of(
    predictions: pl.DataFrame, baselines: pl.DataFrame, weekly: Mapping[str, Any], slices: Mapping[str, Any], seed: int
) -> dict[str, Picture]:
    """The figures of the test fold by name, for MLflow and, where there is a caption, the report; the weeks first."""
    both = predictions.with_columns(baselines.select(SHOWN))
    test = both.filter(pl.col("fold") == "test")
    y, p = _floats(test, "label"), _floats(test, "probability")
    lead = test["lead_id"].rank("dense").to_numpy().astype(np.int64)
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
        "calibration": plots.reliability(y, {"model": p, "logistic": all_models["logistic"]}, lead, seed),
        "gain": plots.gain(y, all_models),
        "lift": plots.lift(y, all_models),
        "scores": plots.scores_by_label(y, p),
    }
    if test["as_of"].null_count() == 0:
        months = np.array(test["as_of"].dt.strftime("%Y-%m").to_list())
        found["months"] = plots.by_month(months, y, p, lead)
    return found | {f"by_{by}": charts.calibration_by_slice(slicing["slices"]) for by, slicing in slices["by"].items()}


def _floats(frame: pl.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy().astype(np.float64)


def _slices() -> dict[str, Any]:
    """In the order of reading: months, ages, then whatever else there is."""
    found = stage.read_json(stage.CALIBRATION)
    names = sorted(found["by"], key=lambda name: (SLICINGS.index(name) if name in SLICINGS else len(SLICINGS), name))
    return {**found, "by": {name: found["by"][name] for name in names}}


def _features(plan: Plan) -> tuple[Feature, ...]:
    notes = {True: "only from its history", False: ""}
    return tuple(Feature(plan.column_of[a], a.group, a.kind, notes[a.has_history]) for a in plan.attributes)


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
        "data until": facts["until"] or "without dates",
        "data": facts["data_digest"][:12],
    }
