"""The exact probabilities, which an imagined company alone has."""

import numpy as np
import polars as pl

from features.arrays import Floats
from pipeline.params import Definition, Source
from pipeline.simulator import WORLDS
from pipeline.simulator.simulation import blocks_of
from pipeline.simulator.truth import true_probability


def truth_of(rows: pl.DataFrame, source: Source, definition: Definition) -> Floats | None:
    """Of each row `lead_id, as_of`, shape (k,); NaN of a lead that is not the company's own or not open then.

    None for tables of one's own, for rows without instants, and where another definition of a conversion or of an open
    lead is given than the company lives by. Its tables are drawn again, so any instant may be asked for.
    """
    if source.kind != "simulated" or rows["as_of"].null_count() or _differs(definition):
        return None
    size, days = source.simulated, int(definition.conversion.within_days)
    world, at = WORLDS[size.world], rows["as_of"].dt.replace_time_zone(None).to_numpy()
    found = np.full(len(rows), np.nan)
    for tables in blocks_of(world, size.leads, size.seed):
        own = np.flatnonzero(rows["lead_id"].is_in(tables["leads"]["lead_id"].implode()).to_numpy())
        if len(own):
            found[own] = true_probability(tables, world, rows["lead_id"].gather(own), at[own], days)
    return found


def _differs(definition: Definition) -> bool:
    usual = Definition()
    return (
        definition.conversion.stage != usual.conversion.stage
        or set(definition.terminal) != set(usual.terminal)
        or set(definition.reopens) != set(usual.reopens)
    )
