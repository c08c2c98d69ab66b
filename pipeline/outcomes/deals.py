"""What conversions brought: each one, and deals by the segment that tells them apart."""

import numpy as np
import polars as pl

from features.arrays import Floats
from features.columns import Attribute
from features.plan import Plan
from models.policy.values import Values, segment_values
from pipeline.assembly.values import Tables
from pipeline.outcomes.conversions import amounts
from pipeline.params import Definition


def brought(rows: pl.DataFrame, tables: Tables, definition: Definition) -> Floats:
    """What the first conversion after each row of `lead_id, as_of` brought, shape (n,); NaN where there is none, or its
    amount was not recorded. A stage brings its amount, an event its value."""
    won = amounts(tables, definition.conversion)
    if won is None or rows["as_of"].null_count():
        return np.full(len(rows), np.nan)
    told = pl.col("amount").drop_nulls().first()
    each = won.group_by("lead_id", "at", maintain_order=True).agg(told).sort("at")
    found = rows.select("lead_id", "as_of").with_row_index("n").sort("as_of").join_asof(
        each, left_on="as_of", right_on="at", by="lead_id", strategy="forward", allow_exact_matches=False,
        check_sortedness=False,
    )  # fmt: skip
    return found.sort("n")["amount"].fill_null(np.nan).to_numpy().astype(np.float64)


def deal_values(tables: Tables, plan: Plan, definition: Definition, examples: pl.DataFrame) -> Values:
    """Mean amounts of what leads of train brought while train lasted, by the segment that tells them apart."""
    won = amounts(tables, definition.conversion)
    train = examples.filter(pl.col("fold") == "train")
    if won is None or train["as_of"].null_count() == len(train):
        return Values(None, {}, None)
    known = won.filter(
        pl.col("amount").is_not_null() & (pl.col("known_at") <= train["as_of"].max())
        & pl.col("lead_id").is_in(train["lead_id"].unique().implode())
    )  # fmt: skip
    deals = known.select("lead_id", _brought="amount").join(tables["leads"], on="lead_id", how="inner")
    if "accounts" in tables:
        deals = deals.join(tables["accounts"], on="account_id", how="left", suffix="_of_account", maintain_order="left")
    segments = {
        plan.column_of[a]: deals[column].to_list()
        for a in plan.attributes
        if a.kind == "categorical" and not a.has_history and (column := _column_of(a, tables)) in deals.columns
    }
    return segment_values(deals["_brought"].to_numpy().astype(np.float64), segments)


def _column_of(attribute: Attribute, tables: Tables) -> str:
    """Its name among the joined deals: a column of accounts that leads have too is told apart."""
    both = attribute.entity == "account" and attribute.column in tables["leads"].columns
    return f"{attribute.column}_of_account" if both else attribute.column
