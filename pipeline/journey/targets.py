"""Which leads are of the target group and decide, as definition.criteria has it where a machine can check it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from features.arrays import Bools
from models.points.criteria import criteria_of
from pipeline import stage
from pipeline.agreement.meeting import fitting, inputs_of, met

NAMES = {
    "target": ("target_group", "target", "ideal_customer", "fit"),
    "decider": ("decision_maker", "decider", "buyer"),
}
"""What a criterion is called that says so."""


def targets(given: Mapping[str, Any], until: datetime) -> dict[str, Bools]:
    """By role, whether each lead of the validated tables, in their order, meets its criterion at `until`; a criterion
    that only people can tell, or that asks for what is not there, has none."""
    checked = {c.name: c for c in fitting(criteria_of(given)) if c.when is not None}
    asked = {role: checked[name] for role, names in NAMES.items() for name in names[::-1] if name in checked}
    if not asked:
        return {}
    leads = stage.read_table(stage.TABLES / "leads.parquet").select("lead_id")
    rows = leads.with_columns(as_of=pl.lit(until).cast(pl.Datetime("us", "UTC")))
    facts = met(inputs_of(list(asked.values())), rows)
    return {role: facts[:, k] for k, role in enumerate(asked)}
