"""What the criteria are judged by besides conversion: topics, people, stages, money."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from features.arrays import DAY_US, NEVER, Array, Bools, Floats
from features.plan import Plan
from features.records import attribute_at
from features.vocabulary import SENIORITIES, stages_called
from models.funnel.deciders import deciders
from pipeline.agreement.meeting import Population
from pipeline.assembly.records import records_of, with_known_outcomes
from pipeline.assembly.values import Tables, instant_us, places
from pipeline.outcomes.deals import brought
from pipeline.params import Definition

MOST_TOPICS = 8


def topics(tables: Tables, people: Population) -> tuple[list[str], Bools]:
    """The commonest topics, and which leads had an event about each by when they are looked at, shape (n, c)."""
    rows = people.rows.select("lead_id", "as_of").with_row_index("n")
    if "events" not in tables or rows["as_of"].null_count():
        return [], np.zeros((len(rows), 0), bool)
    events = tables["events"].filter(pl.col("topic").is_not_null()).select("lead_id", "topic", "known_at")
    known = events.join(rows, on="lead_id").filter(pl.col("known_at") <= pl.col("as_of")).unique(["n", "topic"])
    names = known.group_by("topic").len().sort("len", "topic", descending=[True, False])["topic"].to_list()
    names = sorted(names[:MOST_TOPICS])
    found = np.zeros((len(rows), len(names)), bool)
    for j, name in enumerate(names):
        found[known.filter(pl.col("topic") == name)["n"].to_numpy(), j] = True
    return names, found


def value_of(rows: pl.DataFrame, tables: Tables, definition: Definition) -> Floats:
    """What each converted lead brought: its amount, else the value expected of it, else 0; shape (n,)."""
    own = rows.join(tables["leads"].select("lead_id", "value"), on="lead_id", how="left", maintain_order="left")
    expected = own["value"].cast(pl.Float64).fill_null(0.0).to_numpy()
    amount = brought(rows, tables, definition)
    return np.asarray(rows["label"].to_numpy() * np.where(np.isnan(amount), expected, amount), dtype=np.float64)


def who_decides(
    tables: Tables, plan: Plan, definition: Definition, until: datetime | None, age_days: float | None
) -> dict[str, Any]:
    """models.funnel.deciders of the accounts; `left_out` says why there are none. Leads whose outcome row was refused
    are left out."""
    tables = with_known_outcomes(tables)
    leads, won = tables["leads"], definition.conversion.stage
    if won is None:
        return {"left_out": "by_event"}
    if "stages" not in tables or until is None or leads["account_id"].null_count() == len(leads):
        return {"left_out": "no_accounts"}
    known = leads.filter(pl.col("account_id").is_not_null()).sort("account_id", "created_at", "lead_id")
    known = known.with_columns(code=pl.col("account_id").rank("dense").cast(pl.Int64) - 1)
    entered = tables["stages"].filter(pl.col("stage") == won).join(known.select("lead_id", "code"), on="lead_id")
    firsts = known.group_by("code").agg(pl.col("created_at").min()).sort("code")
    wins = firsts.join(entered.group_by("code").agg(pl.col("entered_at").min()), on="code", how="left").sort("code")
    won_at = wins["entered_at"].to_physical().fill_null(NEVER).to_numpy().astype(np.int64)
    within = round(definition.conversion.within_days * DAY_US)
    looked = wins["created_at"].to_physical().to_numpy().astype(np.int64) + round((age_days or 0) * DAY_US)
    created = known["created_at"].to_physical().to_numpy().astype(np.int64)
    end = instant_us(until)
    role = _roles({**tables, "leads": known}, plan, known["lead_id"], end)
    return asdict(deciders(known["code"].to_numpy(), created, role, won_at, looked, within, end))


def _roles(tables: Tables, plan: Plan, lead_ids: pl.Series, until: int) -> Array:
    """Seniority of each lead by its title as it is known at `until` (µs), shape (n,); "" where there is none or it says
    nothing."""
    column = plan.measuring("seniority")
    if column is None:
        return np.full(len(lead_ids), "", dtype="U16")
    of_people = {name: tables[name] for name in ("leads", "accounts", "history") if name in tables}
    records, order = records_of(of_people, plan)
    lead = places(lead_ids, order["lead_id"])
    codes = attribute_at(records, plan, column, lead, np.full(len(lead), until))
    return np.array(["" if c != c else SENIORITIES[int(c)] for c in codes], dtype="U16")


def stage_counts(tables: Tables, people: Population) -> dict[str, Any]:
    """Of the leads, how many entered each stage at any time."""
    if "stages" not in tables:
        return {}
    mine = tables["stages"].join(people.rows.select("lead_id"), on="lead_id", how="semi")
    return dict(mine.group_by("stage").agg(pl.col("lead_id").n_unique()).sort("stage").iter_rows())


def called(stages: Iterable[str]) -> dict[str, list[str]]:
    """Which of the stages mean an mql and which an sql, in any spelling."""
    return {what: stages_called(what, stages) for what in ("mql", "sql")}
