"""The accepted tables as Pandera models, and the rules that make a row acceptable as Pandera checks.

Pandera takes seconds to import: import this module inside the function that needs it.
"""

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors
from pandera.typing.polars import Series

from pipeline.reading.rules import RULES


class Leads(pa.DataFrameModel):
    """One row a lead. Further columns are its attributes: Float64, Boolean or String."""

    lead_id: str = pa.Field(unique=True)
    created_at: Series[pl.Datetime] = pa.Field(nullable=True, dtype_kwargs={"time_unit": "us", "time_zone": "UTC"})
    account_id: str = pa.Field(nullable=True)
    converted: bool = pa.Field(nullable=True)
    outcome_refused: bool
    refused_at: Series[pl.Datetime] = pa.Field(nullable=True, dtype_kwargs={"time_unit": "us", "time_zone": "UTC"})
    value: float = pa.Field(nullable=True, ge=0)
    person_id: str = pa.Field(nullable=True)
    row: int = pa.Field(unique=True, ge=0)


class Accounts(pa.DataFrameModel):
    """One row a company. Further columns are attributes of its leads."""

    account_id: str = pa.Field(unique=True)


class Events(pa.DataFrameModel):
    """What a lead did. `known_at` is the later of `occurred_at` and `available_at`."""

    lead_id: str
    occurred_at: Series[pl.Datetime] = pa.Field(dtype_kwargs={"time_unit": "us", "time_zone": "UTC"})
    known_at: Series[pl.Datetime] = pa.Field(dtype_kwargs={"time_unit": "us", "time_zone": "UTC"})
    type: str
    topic: str = pa.Field(nullable=True)
    value: float = pa.Field(nullable=True)
    event_id: str = pa.Field(nullable=True)
    row: int = pa.Field(unique=True, ge=0)


class Stages(pa.DataFrameModel):
    """The funnel: a stage and when it was entered."""

    lead_id: str
    stage: str
    entered_at: Series[pl.Datetime] = pa.Field(dtype_kwargs={"time_unit": "us", "time_zone": "UTC"})
    amount: float = pa.Field(nullable=True, ge=0)
    reason: str = pa.Field(nullable=True)
    row: int = pa.Field(unique=True, ge=0)


class History(pa.DataFrameModel):
    """The value of an attribute from `changed_at` on. `field` is the attribute's column."""

    entity: str = pa.Field(isin=["lead", "account"])
    id: str
    field: str
    value: str = pa.Field(nullable=True)
    changed_at: Series[pl.Datetime] = pa.Field(dtype_kwargs={"time_unit": "us", "time_zone": "UTC"})
    row: int = pa.Field(unique=True, ge=0)


MODELS = {"leads": Leads, "accounts": Accounts, "events": Events, "stages": Stages, "history": History}


def first_faults(table: str, faults: pl.DataFrame) -> pl.DataFrame:
    """`place` (in `faults`, from 0) and `order` (of the rule) of each row that breaks a rule: its first one.

    `faults` has a Boolean column a code of RULES[table], true where the row breaks it.
    """
    order = {rule.code: number for number, rule in enumerate(RULES[table])}
    schema = pa.DataFrameSchema(
        {rule.code: pa.Column(pl.Boolean, pa.Check.eq(False, error=rule.reason)) for rule in RULES[table]}
    )
    try:
        schema.validate(faults, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        rule = pl.col("column").replace_strict(order, return_dtype=pl.Int64)
        return cases.group_by(place="index").agg(order=rule.min())
    return pl.DataFrame(schema={"place": pl.Int32, "order": pl.Int64})


def check_accepted(table: str, accepted: pl.DataFrame) -> None:
    """Raise SchemaErrors where an accepted table is not what its model says: a bug of ours."""
    MODELS[table].validate(accepted, lazy=True)
