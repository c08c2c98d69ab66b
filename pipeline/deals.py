"""What won deals were worth, by the segment that tells them apart."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from features.plan import Attribute, Plan
from models.policy import Values, segment_values
from pipeline.params import Definition


def deal_values(
    tables: Mapping[str, pl.DataFrame], plan: Plan, definition: Definition, examples: pl.DataFrame
) -> Values:
    """Mean amounts of the deals won by leads of train while train lasted, by the segment that tells them apart."""
    stages, won = tables.get("stages"), definition.conversion.stage
    train = examples.filter(pl.col("fold") == "train")
    if stages is None or won is None or train["as_of"].null_count() == len(train):
        return Values(None, {}, None)
    last = train["as_of"].max()
    deals = stages.filter(
        (pl.col("stage") == won) & pl.col("amount").is_not_null() & (pl.col("entered_at") <= last)
        & pl.col("lead_id").is_in(train["lead_id"].unique().implode())
    ).join(tables["leads"], on="lead_id", how="inner")  # fmt: skip
    if "accounts" in tables:
        deals = deals.join(tables["accounts"], on="account_id", how="left", suffix="_of_account", maintain_order="left")
    segments = {
        plan.column_of[a]: deals[column].to_list()
        for a in plan.attributes
        if a.kind == "categorical" and not a.has_history and (column := _column_of(a, tables)) in deals.columns
    }
    return segment_values(deals["amount"].to_numpy().astype(np.float64), segments)


def _column_of(attribute: Attribute, tables: Mapping[str, pl.DataFrame]) -> str:
    """Its name among the joined deals: a column of accounts that leads have too is told apart."""
    both = attribute.entity == "account" and attribute.column in tables["leads"].columns
    return f"{attribute.column}_of_account" if both else attribute.column
