"""Stage label: which leads are looked at when, what became of them, and which fold they are in."""

from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import Array, Floats, Ints
from features.records import Records
from models import folds
from models.learning import labels
from models.learning.labels import Examples
from pipeline import stage
from pipeline.assembly.planning import bare_plan
from pipeline.assembly.records import records_of, with_known_outcomes
from pipeline.assembly.values import Tables, instant_us
from pipeline.errors import Stop
from pipeline.outcomes.conversions import closing_when_it_happened, conversions
from pipeline.params import Definition, Split


def label(tables: Tables, shape: str, until: datetime | None, definition: Definition, split: Split) -> pl.DataFrame:
    """Every example, as contract section 4 has it: `lead_id, as_of, age_days, label, mature, fold`; and
    `days_to_conversion` and `days_to_record`, null where no conversion within the horizon has come by `until`.

    `shape` is dated, outcome or flat. Leads whose outcome row was refused are left out.
    """
    kept = with_known_outcomes(tables)
    leads = kept["leads"]
    if shape == "flat":
        return _flat(leads, split)
    if until is None:
        raise Stop("no table has a time that could be read, so there is no present; give source.until")
    records, order = records_of(closing_when_it_happened(kept, definition, until), bare_plan(definition))
    end = instant_us(until)
    outcome = shape == "outcome"
    examples = _outcome(records, leads, order, end) if outcome else _dated(records, kept, order, definition, end)
    test_from = None if split.test_from is None else instant_us(split.test_from)
    fold = folds.by_time(
        examples.as_of, examples.label, examples.mature, examples.lead, definition.conversion.within_days,
        split.test_fraction, split.calibration_fraction, test_from,
    )  # fmt: skip
    return _frame(examples, fold, order)


def _dated(records: Records, tables: Tables, order: pl.DataFrame, definition: Definition, until: int) -> Examples:
    snapshots = definition.snapshots
    if snapshots.at:
        lead, as_of = labels.at_instants(records, [instant_us(at) for at in snapshots.at], until)
    else:
        lead, as_of = labels.at_ages(records, snapshots.ages_days, until)
    found = conversions(records, tables, order, definition.conversion, until)
    return labels.labelled(records, found, lead, as_of, definition.conversion.within_days, until)


def _outcome(records: Records, leads: pl.DataFrame, order: pl.DataFrame, until: int) -> Examples:
    """One example a lead, at its creation, where that is not after `until`; mature where its outcome is known."""
    known = order.join(leads.select("lead_id", "converted"), on="lead_id", how="left", maintain_order="left")
    lead = np.flatnonzero(records.created <= until)
    y, never = _label(known)[lead], np.full(len(lead), np.nan)
    return Examples(lead, records.created[lead], np.zeros(len(lead)), y, ~np.isnan(y), never, never)


def _label(leads: pl.DataFrame) -> Floats:
    return leads["converted"].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)


def _flat(leads: pl.DataFrame, split: Split) -> pl.DataFrame:
    """One example a lead without an instant; folds by a hash of the id, or in file order."""
    leads = leads.sort("row")
    y = _label(leads)
    seed = None if split.order == "file" else 0
    fold = folds.by_position(leads["lead_id"].to_list(), y, split.test_fraction, split.calibration_fraction, seed)
    return leads.select(
        "lead_id",
        pl.lit(None, pl.Datetime("us", "UTC")).alias("as_of"),
        pl.lit(None, pl.Float64).alias("age_days"),
        pl.Series("label", y).fill_nan(None),
        pl.Series("mature", ~np.isnan(y)),
        pl.Series("fold", fold),
        pl.lit(None, pl.Float64).alias("days_to_conversion"),
        pl.lit(None, pl.Float64).alias("days_to_record"),
    )


def _frame(examples: Examples, fold: Array, order: pl.DataFrame) -> pl.DataFrame:
    lead: Ints = examples.lead
    return pl.DataFrame(
        {
            "lead_id": order["lead_id"].gather(lead),
            "as_of": pl.Series(examples.as_of).cast(pl.Datetime("us", "UTC")),
            "age_days": examples.age_days,
            "label": pl.Series(examples.label).fill_nan(None),
            "mature": examples.mature,
            "fold": fold,
            "days_to_conversion": pl.Series(examples.days_to_conversion).fill_nan(None),
            "days_to_record": pl.Series(examples.days_to_record).fill_nan(None),
        }
    )


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
            "probabilities are calibrated on what each part of the model did not learn from"
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
    frame = label(tables, meta["shape"], until, definition, split)
    check(frame)
    stage.write_table(frame, stage.EXAMPLES)
    with stage.speaking("label") as say:
        for line in folds_in_words(frame):
            say(line)
        if split.order == "file" and meta["shape"] != "flat":
            say("split.order: file is for leads without dates; these have dates, so folds follow time")
