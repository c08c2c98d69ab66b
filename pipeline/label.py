"""Stage label: which leads are looked at when, what became of them, and which fold they are in."""

from datetime import datetime

import polars as pl

from models import folds
from pipeline import stage
from pipeline.assembly.values import Tables
from pipeline.errors import Stop
from pipeline.outcomes.labelled import label
from pipeline.params import Definition, Policy, Split


def check_until(until: datetime | None, started_at: datetime) -> None:
    """Raise Stop where the present is yet to come: what is not over by then would be learned as no conversion."""
    if until is not None and until > started_at:
        raise Stop(
            f"source.until: {until.isoformat()} is later than the start of ingest, {started_at.isoformat()}; "
            "give the instant at which the tables were exported, or leave it out"
        )


def check_stage(tables: Tables, shape: str, definition: Definition) -> None:
    """Raise Stop where no lead ever enters the stage that counts as converted: a misspelling, most likely."""
    name = definition.conversion.stage
    if shape != "dated" or name is None or name in tables["stages"]["stage"]:
        return
    there = ", ".join(sorted(tables["stages"]["stage"].unique().to_list())[:20]) or "none"
    raise Stop(
        f"definition.conversion.stage: no lead enters {name!r}; stages there are: {there}. "
        "Name one of them, or bring leads that converted"
    )


def check_horizons(shape: str, definition: Definition) -> None:
    """Raise Stop where several horizons are asked for, and the tables do not say when a lead converted."""
    if definition.horizons and shape != "dated":
        raise Stop(
            f"definition.horizons: {definition.horizons} need to know when each lead converted, and leads.converted "
            "only says whether it did; bring the stages with entered_at, or leave horizons out"
        )


def check_threshold(shape: str, policy: Policy) -> None:
    """Raise Stop where a threshold keeps a volume of leads a week, and there are no dates; now, not after training."""
    if shape == "flat" and policy.threshold is not None and policy.threshold.net_benefit is None:
        raise Stop(
            "policy.threshold: the tables have no leads.created_at, and without dates there is no weekly volume; "
            "use net_benefit, or leave it out"
        )


def check(examples: pl.DataFrame) -> None:
    """Raise Stop where nothing could be learned or tested, and say what is missing."""
    if examples.is_empty():
        raise Stop(
            "there is no example: no lead is open at any of definition.snapshots before source.until; "
            "bring older leads, or change definition.snapshots or source.until"
        )
    mature = examples.filter(pl.col("mature"))
    if mature.is_empty():
        raise Stop(
            f"none of {len(examples)} examples is mature: the outcome of every lead is still open at source.until; "
            "bring older leads or shorten definition.conversion.within_days"
        )
    for fold in ("train", "test"):
        rows = mature.filter(pl.col("fold") == fold)
        won = int(rows["label"].sum())
        if rows.is_empty() or won in (0, len(rows)):
            raise Stop(
                f"fold {fold}: expected examples that convert and examples that do not, found {won} of {len(rows)} "
                "converting; check definition.conversion, bring a longer history, or change split.test_fraction "
                "or split.test_from"
            )


def folds_in_words(examples: pl.DataFrame) -> list[str]:
    """How many examples each fold has, and what an empty one means."""
    counts = examples.group_by("fold").agg(pl.len(), pl.col("lead_id").filter(pl.col("label") == 1).n_unique())
    found = {fold: (n, won) for fold, n, won in counts.iter_rows()}
    told = [f"{fold} {found[fold][0]:,}" for fold in folds.FOLDS if fold in found]
    lines = [f"examples: {', '.join(told)}; {found.get('train', (0, 0))[1]:,} leads of train convert"]
    if "calibrate" not in found:
        lines.append(
            "calibrate has none: no labels lie between train and test that were known when the test began; "
            "scores, thresholds and weekly volumes go by train"
        )
    return lines


def main() -> None:
    """Read the validated tables, write examples."""
    meta = stage.read_meta()
    definition, split = stage.section(Definition), stage.section(Split)
    tables, until = stage.read_tables(), stage.read_until()
    check_until(until, datetime.fromisoformat(meta["started_at"]))
    check_stage(tables, meta["shape"], definition)
    check_horizons(meta["shape"], definition)
    check_threshold(meta["shape"], stage.section(Policy))
    frame = label(tables, meta["shape"], until, definition, split)
    check(frame)
    stage.write_table(frame, stage.EXAMPLES)
    with stage.speaking("label") as say:
        for line in folds_in_words(frame):
            say(line)
        if split.order == "file" and meta["shape"] != "flat":
            say("split.order: file is for leads without dates; these have dates, so folds follow time")
