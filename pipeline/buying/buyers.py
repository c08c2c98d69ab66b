"""Accounts by the probability that they convert, who of the buying group is there, and who is missing."""

from collections.abc import Callable

import numpy as np
import polars as pl

from models.bundle.accounts import AccountModel
from models.bundle.folder import Bundle
from models.bundle.roles import missing, said
from models.explaining.words import Language
from models.judging.metrics import logit
from pipeline.assembly.values import instant_us
from pipeline.buying.looks import Book, Look, account_names, book, gathered, people
from pipeline.errors import Stop
from pipeline.params import Definition
from pipeline.scoring.score import Asked, Schema, score_tables

SCHEMA: Schema = {
    "account_id": pl.String, "as_of": pl.Datetime("us", "UTC"), "probability": pl.Float64,
    "expected_value": pl.Float64, "open_leads": pl.Int64, "people_known": pl.String, "people_active": pl.String,
    "missing_role": pl.String, "best_lead": pl.String, "best_lead_probability": pl.Float64, "reason": pl.String,
    "model_version": pl.String,
}  # fmt: skip


def accounts(
    bundle: Bundle,
    asked: Asked,
    language: Language = "en",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> pl.DataFrame:
    """Accounts with an open lead by SCHEMA, the most valuable first.

    The expected value is the account's probability times the deal value of the lead whose own expected value is the
    highest: one account makes one deal. `language` is that of the reasons. Raises Stop where the model knows no
    accounts.
    """
    if bundle.accounts is None:
        raise Stop(
            f"model {bundle.version} knows no accounts: no lead that it was tested on had an account_id and a dated"
            " outcome; bring leads.account_id and stages, and run again: make run"
        )
    if asked.as_of is None or asked.checked.tables["leads"]["account_id"].null_count() == len(
        asked.checked.tables["leads"]
    ):
        raise Stop("--tables: no lead has an account_id and a created_at, so there is no account to look at")
    leads = score_tables(bundle, asked, language, progress).filter(pl.col("status") == "scored")
    found = book(asked.checked.tables, bundle.plan, Definition.model_validate(bundle.definition), asked.as_of)
    rows = leads.join(found.order, on="lead_id").filter(pl.col("account_id").is_not_null())
    if rows.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    lead = rows["index"].to_numpy().astype(np.int64)
    look = gathered(lead, np.full(len(lead), instant_us(asked.as_of)), found.records.account[lead])
    return _table(bundle, bundle.accounts, asked, found, look, rows)


def _table(
    bundle: Bundle, model: AccountModel, asked: Asked, found: Book, look: Look, rows: pl.DataFrame
) -> pl.DataFrame:
    p = model.probability(look.looks(logit(rows["probability"].to_numpy().astype(np.float64))))
    known, active = people(found, look)
    names = account_names(found)
    whole = pl.DataFrame(
        {
            "look": np.arange(len(p)),
            "account_id": [names[a] for a in look.account.tolist()],
            "account_probability": p,
            "people_known": [said(counts) for counts in known],
            "people_active": [said(counts) for counts in active],
            "missing_role": pl.Series(missing(bundle.roles, known), dtype=pl.String),
        }
    )
    best = (
        rows.with_columns(look=pl.Series(look.look))
        .sort(
            "look", "expected_value", "probability", "lead_id", descending=[False, True, True, False], nulls_last=True
        )
        .group_by("look", maintain_order=True)
        .agg(pl.len().alias("open_leads"), pl.all().first())
    )
    both = best.drop("account_id").join(whole, on="look").with_columns(
        as_of=pl.lit(asked.as_of, pl.Datetime("us", "UTC")),
        expected_value=pl.col("account_probability") * pl.col("expected_value") / pl.col("probability"),
        best_lead_probability=pl.col("probability"), best_lead=pl.col("lead_id"), reason=pl.col("reason_1"),
        probability=pl.col("account_probability"), model_version=pl.lit(bundle.version),
    )  # fmt: skip
    order = both.sort("expected_value", "probability", "account_id", descending=[True, True, False], nulls_last=True)
    return order.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
