"""The tables as arrays: all that the exact filter may look at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.simulator.arrays import DAY_US, SPAN_US, Floats, Ints, column_us, epoch_us
from pipeline.simulator.fit import (
    COUNTRIES,
    DOMAINS,
    INDUSTRIES,
    SOURCES,
    buyer_chance,
    pace_chances,
    project_chance,
)
from pipeline.simulator.law import ADVANCES, CLOSINGS, TOPICS, TRIAL_START, TYPES, WEBINAR, Law, law
from pipeline.simulator.marks import Marks, marks
from pipeline.simulator.titles import meanings
from pipeline.simulator.traces import scanned
from pipeline.simulator.world import World

Tables = Mapping[str, pl.DataFrame]
NEVER = SPAN_US - 1


@dataclass(frozen=True)
class Episodes:
    """Sorted by lead and beginning: when it came (again), when (NEVER if not) and how it closed."""

    keys: Ints
    begin: Ints
    close: Ints
    how: Ints  # 0 open, 1 won, 2 lost, 3 disqualified
    first: Ints  # (leads + 1,) place of each lead's first episode

    def at(self, lead: Ints, us: Ints) -> Ints:
        """Place of the latest episode of each lead that began at or before an instant."""
        return np.searchsorted(self.keys, lead * SPAN_US + us, "right") - 1


@dataclass(frozen=True)
class Observed:
    """Leads by account and creation; times in µs from the start of the world."""

    lead_ids: pl.Series
    account: Ints  # (leads,) index, ascending
    members: Ints  # (accounts + 1,) place of each account's first lead
    created: Ints
    first_day: Ints  # (accounts,) of its first lead
    project: Floats  # (accounts,) prior chance of a project
    buyer: Floats  # (leads,) prior chance
    pace: Floats  # (leads, paces) prior chances
    episodes: Episodes
    events: Marks  # known at once
    reported: Marks  # known from the next midnight on
    trials: Marks
    facts: Marks
    advances: Marks


def codes(column: pl.Series, levels: tuple[str, ...]) -> Ints:
    """Places of words among `levels`; -1 for others and null."""
    found = column.replace_strict({name: place for place, name in enumerate(levels)}, default=-1, return_dtype=pl.Int64)
    return found.fill_null(-1).to_numpy()


def column(table: pl.DataFrame, name: str, kind: type[pl.DataType] = pl.String) -> pl.Series:
    """A column, or nulls where the table has none."""
    return table[name] if name in table.columns else pl.Series(name, [None] * len(table), dtype=kind)


def observe(tables: Tables, world: World) -> Observed:
    """Everything the tables show, for the law of that world. Rows must be accepted ones: no broken rows."""
    leads = _leads(tables["leads"])
    lead_ids = leads["lead_id"]
    account = leads["group"].rle_id().cast(pl.Int64).to_numpy()
    members = np.concatenate([np.searchsorted(account, np.arange(account[-1] + 1)), [len(account)]])
    created = column_us(leads["created_at"]) - epoch_us(world.start)
    numbers = law(world)
    first_day = created[members[:-1]] // DAY_US
    title = [meanings().get(text.casefold(), (-1, -1)) if text else (-1, -1) for text in column(leads, "job_title")]
    seniority, function = np.array(title, dtype=np.int64).reshape(-1, 2).T
    source, domain = (
        codes(column(leads, "source"), SOURCES),
        codes(column(leads, "email_domain_kind"), DOMAINS),
    )
    events = _rows(tables.get("events"), "lead_id", "occurred_at", lead_ids, world)
    stages = _rows(tables.get("stages"), "lead_id", "entered_at", lead_ids, world)
    notes = _rows(tables.get("history"), "id", "changed_at", lead_ids, world)
    at_once, reported, trials = _events(events, numbers)
    return Observed(
        lead_ids=lead_ids,
        account=account,
        members=members,
        created=created,
        first_day=first_day,
        project=_projects(tables, leads["account_id"].gather(members[:-1]), first_day, world, numbers),
        buyer=buyer_chance(world, seniority, function, source, domain),
        pace=pace_chances(seniority),
        episodes=_episodes(created, stages),
        events=at_once,
        reported=reported,
        trials=trials,
        facts=_facts(notes, numbers),
        advances=marks(*_placed(stages.filter(pl.col("stage").is_in(ADVANCES)))),
    )


def _leads(leads: pl.DataFrame) -> pl.DataFrame:
    """Leads by account and creation; a lead without an account is one by itself."""
    own = pl.concat_str(pl.lit("lead "), "lead_id")
    account_id = column(leads, "account_id")
    table = leads.with_columns(account_id.alias("account_id"))
    return table.with_columns(group=pl.coalesce(pl.concat_str(pl.lit("account "), "account_id"), own)).sort(
        "group", "created_at", "lead_id"
    )


def _rows(table: pl.DataFrame | None, key: str, time: str, lead_ids: pl.Series, world: World) -> pl.DataFrame:
    """Rows of known leads with `lead`, their place, and `us` from the start, sorted by both, stably."""
    if table is None:
        return pl.DataFrame(schema={"lead": pl.Int64, "us": pl.Int64, "type": pl.String, "stage": pl.String})
    if "entity" in table.columns:
        table = table.filter(pl.col("entity") == "lead")
    places = pl.DataFrame({key: lead_ids, "lead": np.arange(len(lead_ids))})
    us = pl.col(time).cast(pl.Datetime("us", "UTC")).to_physical() - epoch_us(world.start)
    return table.with_columns(us=us).join(places, on=key, how="inner").sort("lead", "us", maintain_order=True)


def _placed(rows: pl.DataFrame) -> tuple[Ints, Ints]:
    return rows["lead"].to_numpy(), rows["us"].to_numpy()


def _events(rows: pl.DataFrame, numbers: Law) -> tuple[Marks, Marks, Marks]:
    """Events known at once, reported by night, and trial starts; without those of scanners and sellers."""
    lead, us = _placed(rows)
    kind, topic = codes(rows["type"], TYPES), codes(column(rows, "topic"), TOPICS)
    sent = (rows["type"] == "mail_sent").fill_null(value=False).to_numpy()
    mail = (rows["type"].is_in(["mail_open", "mail_click"])).fill_null(value=False).to_numpy()
    own = (kind >= 0) & ~(mail & scanned(lead, us, sent))
    late = numbers.regime[np.clip(us // DAY_US, 0, len(numbers.regime) - 1)]
    weights = np.log(numbers.rates)[late, kind] + np.where(topic[:, None] < 0, 0.0, np.log(numbers.topics)[topic])
    nightly = kind == WEBINAR
    return (
        marks(lead, us, weights, own & ~nightly),
        marks(lead, us, weights, own & nightly),
        marks(lead, us, None, kind == TRIAL_START),
    )


def _facts(rows: pl.DataFrame, numbers: Law) -> Marks:
    pairs = zip(column(rows, "field").to_list(), column(rows, "value").to_list(), strict=True)
    chances = [numbers.facts.get(pair, np.ones(4)) for pair in pairs]
    return marks(*_placed(rows), np.log(np.array(chances).reshape(-1, 4)))


def _projects(tables: Tables, account_id: pl.Series, first_day: Ints, world: World, numbers: Law) -> Floats:
    """Prior chance of a project for each account, by what was known when its first lead came."""
    none = pl.DataFrame(schema={"account_id": pl.String})
    listed = tables.get("accounts", none).unique("account_id", keep="first")
    rows = pl.DataFrame({"account_id": account_id}).join(listed, on="account_id", how="left", maintain_order="left")
    employees = column(rows, "employees", pl.Float64).cast(pl.Float64)
    if "history" in tables:
        sized = tables["history"].filter((pl.col("entity") == "account") & (pl.col("field") == "employees"))
        first = sized.sort("changed_at").unique("id", keep="first").select("id", pl.col("value").cast(pl.Float64))
        before = rows.select("account_id").join(
            first, left_on="account_id", right_on="id", how="left", maintain_order="left"
        )
        employees = before["value"].fill_null(employees)
    return project_chance(
        world,
        codes(column(rows, "industry"), INDUSTRIES),
        codes(column(rows, "country"), COUNTRIES),
        employees.fill_null(np.nan).to_numpy().astype(np.float64),
        numbers.regime[first_day],
    )


def _episodes(created: Ints, rows: pl.DataFrame) -> Episodes:
    """Each closing belongs to the latest beginning before it; a second closing of one episode is ignored."""
    again = rows.filter(pl.col("stage") == "recycled")
    lead = np.concatenate([np.arange(len(created)), again["lead"].to_numpy()])
    begin = np.concatenate([created, again["us"].to_numpy()])
    order = np.lexsort((begin, lead))
    lead, begin = lead[order], begin[order]
    keys = lead * SPAN_US + begin
    closings = rows.filter(pl.col("stage").is_in(CLOSINGS))
    at_lead, at = _placed(closings)
    place = np.searchsorted(keys, at_lead * SPAN_US + at, "right") - 1
    close, how = np.full(len(keys), NEVER), np.zeros(len(keys), dtype=np.int64)
    np.minimum.at(close, place, at)
    how[place[::-1]] = 1 + codes(closings["stage"], CLOSINGS)[::-1]  # the earliest is assigned last, and stays
    return Episodes(keys, begin, close, how, np.searchsorted(lead, np.arange(len(created) + 1)))
