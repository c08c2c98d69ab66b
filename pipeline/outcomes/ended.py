"""Leads whose outcome row was refused: what became of them is not known, but they are no longer open."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from features.arrays import Bools
from features.records import SINCE_CREATION
from pipeline.assembly.values import Tables


def ended(tables: Tables, order: pl.DataFrame, reopens: Sequence[str], at: int) -> Bools:
    """Whether a refused row had closed each lead of `order` by the instant (µs), and none has opened it again since."""
    lead = order.select("lead_id").join(
        tables["leads"].select("lead_id", when="refused_at"), on="lead_id", how="left", maintain_order="left"
    )
    if "stages" in tables:
        opened = tables["stages"].filter(
            pl.col("stage").is_in(list(reopens)) & (pl.col("entered_at").to_physical() <= at)
        )
        latest = opened.group_by("lead_id").agg(again=pl.col("entered_at").max())
        lead = lead.join(latest, on="lead_id", how="left", maintain_order="left")
    else:
        lead = lead.with_columns(again=pl.lit(None, lead.schema["when"]))
    when, again = (lead[name].to_physical().fill_null(SINCE_CREATION).to_numpy() for name in ("when", "again"))
    return np.asarray(lead["when"].is_not_null().to_numpy() & (when <= at) & (when >= again))
