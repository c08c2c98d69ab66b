"""Leads at instants with what became of them, and their folds."""

from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import Array, Floats, Ints
from features.records import Records
from models import folds
from models.folds import Cuts
from models.learning import labels
from models.learning.labels import Examples
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
    cuts = Cuts(split.test_fraction, split.calibration_fraction, test_from)
    fold = folds.by_time(examples.as_of, examples.label, examples.lead, definition.conversion.within_days, cuts)
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
    """One example a lead without an instant; folds by a hash of the id, or in file order. In that order models learn
    from the rows, too: a file whose order means nothing gives the same model however it is sorted."""
    by_file = split.order == "file"
    leads = leads.sort("row" if by_file else "lead_id")
    y = _label(leads)
    seed = None if by_file else 0
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
