"""The funnel's figures: blind to what came later, counted again by hand, and silent where nothing is known."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.columns import Attribute
from features.vocabulary import DECIDES
from pipeline import stage
from pipeline.journey.episodes import known_by, read
from pipeline.journey.figures import funnel
from pipeline.params import Conversion, Definition

Tables = dict[str, pl.DataFrame]
SEED, DRAWS = 3, 2
UTC_US = pl.Datetime("us", "UTC")


@pytest.fixture(scope="module")
def attributes(finished_run: Path) -> tuple[Attribute, ...]:
    """Of the finished run."""
    return stage.read_attributes(finished_run / "data/tables")


@pytest.fixture(scope="module")
def early(checked_tables: Tables) -> datetime:
    """Two thirds of the way through the leads."""
    at = checked_tables["leads"]["created_at"].quantile(0.66)
    assert isinstance(at, datetime)
    return at


def told(tables: Tables, attributes: tuple[Attribute, ...], until: datetime) -> dict[str, Any]:
    """The figures by the default definition."""
    return funnel(tables, attributes, Definition(), until, {}, SEED, DRAWS)


def test_what_came_later_changes_nothing(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """Tables cut at the instant, whole, and with another future all give the same."""
    cut = dict(known_by(checked_tables, early))
    later = {name: table.clone() for name, table in checked_tables.items()}
    won = pl.when(pl.col("entered_at") > early).then(pl.lit("won")).otherwise("stage").alias("stage")
    later["stages"] = later["stages"].with_columns(won)
    found = told(cut, attributes, early)
    assert told(checked_tables, attributes, early) == found
    assert told(later, attributes, early) == found
    assert found["conversion"]["ended"] > 0


def test_a_row_that_is_there_changes_it(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """The same fault a moment before the instant is seen."""
    row = checked_tables["stages"].filter((pl.col("entered_at") < early) & (pl.col("stage") == "mql")).head(1)
    one = pl.col("row") == row["row"][0]
    planted = checked_tables["stages"].with_columns(
        pl.when(one).then(pl.lit("won")).otherwise("stage").alias("stage")
    )  # fmt: skip
    before = told(checked_tables, attributes, early)["episodes"]["converted"]
    assert told({**checked_tables, "stages": planted}, attributes, early)["episodes"]["converted"] == before + 1


def test_shares_of_what_is_over_are_ratios(checked_tables: Tables, attributes: tuple[Attribute, ...]) -> None:
    """Ten years on every lead that is open was open for longer than the horizon: what converted in it over all."""
    until = datetime(2035, 1, 1, tzinfo=UTC)
    found, e = told(checked_tables, attributes, until), read(checked_tables, attributes, Definition(), until).episodes
    inside = (e.end == 1) & (e.over - e.begin <= 90 * 86_400_000_000)
    assert found["conversion"]["share"] == pytest.approx(inside.mean())
    assert sum(found["episodes"][end] for end in ("converted", "closed", "open")) == found["episodes"]["episodes"]
    for by in found["cohorts"].values():
        assert sum(row["whole"]["n"] for row in by["cohorts"]) == found["episodes"]["episodes"]


def test_episodes_are_leads_and_those_opened_again(
    checked_tables: Tables, attributes: tuple[Attribute, ...], finished_run: Path
) -> None:
    """Counted from the rows of stages: a recycled lead that was closed begins anew."""
    again = 0
    kept = checked_tables["leads"].filter(~pl.col("outcome_refused"))
    rows = checked_tables["stages"].join(kept, on="lead_id", how="semi").sort("lead_id", "entered_at", "row")
    for _, mine in rows.group_by("lead_id"):
        closed = False
        for name in mine["stage"].to_list():
            again += closed and name == "recycled"
            closed = name in ("won", "lost", "disqualified") or (closed and name != "recycled")
    said = json.loads((finished_run / "reports/funnel.json").read_text())["episodes"]
    assert said["opened_again"] == again
    assert said["episodes"] == len(kept) + again


def test_a_lead_whose_outcome_was_refused_is_not_open(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """Nobody knows what became of it, so it is in no figure: it was closed, and would count as open for ever."""
    before = told(checked_tables, attributes, early)
    entered = checked_tables["stages"].filter(pl.col("entered_at") <= early).sort("entered_at", "row")
    last = entered.group_by("lead_id", maintain_order=True).last()
    there = last.filter(pl.col("stage") == "mql").join(checked_tables["leads"], on="lead_id", how="semi")
    refused = pl.col("lead_id").is_in(there["lead_id"].head(5).implode())
    leads = checked_tables["leads"].with_columns(outcome_refused=pl.col("outcome_refused") | refused)
    after = told({**checked_tables, "leads": leads}, attributes, early)
    gone = int(leads["outcome_refused"].sum() - checked_tables["leads"]["outcome_refused"].sum())
    assert gone > 0
    assert after["episodes"]["leads"] == before["episodes"]["leads"] - gone
    assert after["episodes"]["open"] == before["episodes"]["open"] - gone
    assert sum(row["open"] for row in after["standing_still"]) == after["episodes"]["open"]


def test_young_months_have_no_share_yet(finished_run: Path) -> None:
    """The last month's leads cannot have been followed for 90 days, so it says nothing, and not a small ratio."""
    months = json.loads((finished_run / "reports/funnel.json").read_text())["cohorts"]["month"]["cohorts"]
    assert months[0]["whole"]["share"] is not None
    assert months[-1]["whole"]["share"] is None
    assert months[-1]["whole"]["open"] > 0


def by_hand(stages: list[tuple[str, str, int]], events: list[tuple[str, str, int]] = []) -> dict[str, Any]:  # noqa: B006
    """Leads a and b of one account, created on day 0, by (lead, stage or type, day); the present is day 200."""
    zero = datetime(2024, 1, 1, tzinfo=UTC)
    times = {"entered_at": [zero + timedelta(days=day) for _, _, day in stages]}
    tables = {
        "leads": pl.DataFrame(
            {"lead_id": ["a", "b"], "created_at": [zero, zero], "account_id": ["A", "A"], "value": [10.0, None],
             "job_title": ["CEO", "Assistant"], "outcome_refused": [False, False]},
            schema_overrides={"created_at": UTC_US},
        ),
        "stages": pl.DataFrame(
            {"lead_id": [s[0] for s in stages], "stage": [s[1] for s in stages], **times,
             "amount": [None] * len(stages), "reason": ["price"] * len(stages), "row": range(len(stages))},
            schema_overrides={"entered_at": UTC_US, "amount": pl.Float64},
        ),
        "events": pl.DataFrame(
            [{"lead_id": lead, "type": kind, "occurred_at": zero + timedelta(days=day), "topic": None, "value": None,
              "known_at": zero + timedelta(days=day), "event_id": None} for lead, kind, day in events],
            schema={"lead_id": pl.String, "type": pl.String, "occurred_at": UTC_US, "topic": pl.String,
                    "value": pl.Float64, "known_at": UTC_US, "event_id": pl.String},
        ),
    }  # fmt: skip
    title = Attribute("job_title", "job_title", "lead", "text")
    definition = Definition(conversion=Conversion(stage="won", within_days=90))
    return funnel(tables, (title,), definition, zero + timedelta(days=200), {}, SEED, DRAWS)


def test_two_leads_by_hand() -> None:
    """One is handed over unqualified and lost, and comes again; of the other nothing is heard."""
    found = by_hand(
        [("a", "sql", 5), ("a", "lost", 20), ("a", "recycled", 50), ("a", "mql", 60)],
        [("a", "email_opened", 3), ("a", "email_opened", 30), ("b", "fax", 1), ("a", "sales_call", 2)],
    )
    assert found["episodes"] == {"leads": 2, "episodes": 3, "opened_again": 1, "converted_after_opened_again": 0,
                                 "converted": 0, "closed": 1, "open": 2}  # fmt: skip
    assert [row["stage"] for row in found["stages"]] == ["mql", "sql", "won"]
    handed = found["handover"]
    assert (handed["received"], handed["without"], handed["unqualified"]["share"]) == (1, 1, 1.0)
    gone = {row["stage"]: (row["closed"], row["reasons"]) for row in found["drop_off"]}
    assert gone == {None: (0, []), "mql": (0, []), "sql": (1, [])}, "what was written of one lead is not shown"
    names = {row["name"]: row["events"] for row in found["contacts"]["kinds"] + found["contacts"]["types"]}
    assert names == {"mail opens": 1, "fax": 1, "sales_call": 1}, "what happens while a lead is closed is none"
    assert found["contacts"]["absent"] == ["mail clicks", "visits", "meetings"]
    every = found["accounts"]["groups"]["all"]
    assert {part: every[part]["share"] for part in ("active", "decider_known", "decider_active")} == {
        "active": 1.0, "decider_known": 1.0, "decider_active": 1.0,
    }  # fmt: skip
    assert found["value"]["open"][1] == {"stage": "mql", "leads": 1, "sum": 10.0}
    assert DECIDES > 0


def test_stages_are_known_by_any_spelling() -> None:
    """What a CRM shows to people is what the short names mean; a name of one's own is no hand-over."""
    rows = [("a", "{mql}", 3), ("a", "{sql}", 5), ("a", "lost", 20), ("b", "{sql}", 9)]
    names = {"mql": "Marketing Qualified Lead", "sql": "salesqualifiedlead"}
    short = by_hand([(lead, stage.format(mql="mql", sql="sql"), day) for lead, stage, day in rows])["handover"]
    long = by_hand([(lead, stage.format(**names), day) for lead, stage, day in rows])["handover"]
    assert (long.pop("stage"), long.pop("qualified_stage")) == (names["sql"], names["mql"])
    assert (short.pop("stage"), short.pop("qualified_stage")) == ("sql", "mql")
    assert long == short
    assert by_hand([("a", "Ours", 3), ("a", "lost", 20)])["handover"] is None


def test_events_are_known_by_any_spelling() -> None:
    """A visit may name its page; what only begins like one is none."""
    events = [
        ("a", "Page view: /pricing", 1),
        ("a", "Page View", 2),
        ("b", "Email: Opened", 3),
        ("b", "Visitor badge", 4),
    ]
    found = by_hand([("a", "mql", 5)], events)["contacts"]
    assert {row["name"]: row["events"] for row in found["kinds"]} == {"visits": 2, "mail opens": 1}
    assert [row["name"] for row in found["types"]] == ["Visitor badge"]


def test_without_stages_events_and_titles_there_are_fewer_parts(checked_tables: Tables) -> None:
    """Conversion by an event and nothing else: no hand-over, no decision-makers, and no error."""
    tables = {"leads": checked_tables["leads"], "events": checked_tables["events"]}
    definition = Definition(conversion=Conversion(event="trial_start", within_days=30))
    until = checked_tables["leads"]["created_at"].max()
    assert isinstance(until, datetime)
    found = funnel(tables, (), definition, until, {}, SEED, DRAWS)
    assert found["handover"] is None
    assert not found["accounts"]["deciders_known"]
    assert [row["stage"] for row in found["stages"]] == ["trial_start"]
    assert found["episodes"]["converted"] > 0
    again = replace_repeats(definition)
    assert funnel(tables, (), again, until, {}, SEED, DRAWS)["episodes"]["converted"] > 0


def replace_repeats(definition: Definition) -> Definition:
    """The same where a conversion closes no lead."""
    return definition.model_copy(update={"conversion": definition.conversion.model_copy(update={"repeats": True})})


def test_a_target_group_is_a_part_of_all(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """By a criterion's facts, a lead each; an account is of the group where any of its leads is."""
    leads = checked_tables["leads"]
    mine = np.arange(len(leads)) % 7 == 0
    found = funnel(checked_tables, attributes, Definition(), early, {"target": mine, "decider": mine}, SEED, DRAWS)
    there = leads.filter(pl.Series(mine) & (pl.col("created_at") <= early))
    group = found["accounts"]["groups"]["target"]
    assert group["accounts"] == there["account_id"].drop_nulls().n_unique()
    assert found["accounts"]["decider_by"] == "definition.criteria"
    assert group["decider_known"]["ended"] == group["accounts"], "each of its accounts has the lead that decides"


def test_reasons_are_shown_that_many_leads_share(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """A sentence about one person stays out, however often that lead was closed; one given for five leads is in."""
    stages = checked_tables["stages"].sort("entered_at")
    lost = stages.filter((pl.col("stage") == "lost") & (pl.col("entered_at") <= early))["lead_id"].unique(
        maintain_order=True
    )
    few, many = lost[:4].implode(), lost[4:9].implode()
    said = (
        pl.when(pl.col("lead_id").is_in(few)).then(pl.lit("spoke with Jane Doe"))
        .when(pl.col("lead_id").is_in(many)).then(pl.lit("no money"))
    )  # fmt: skip
    told = {**checked_tables, "stages": checked_tables["stages"].with_columns(reason=said)}
    found = funnel(told, attributes, Definition(), early, {}, SEED, DRAWS)
    shown = [one for row in found["drop_off"] for one in row["reasons"]]
    assert {one["reason"] for one in shown} <= {"no money"}
    assert all(one["leads"] >= 5 for one in shown)


def test_leads_without_accounts_are_no_accounts(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """Where nobody has an account nothing is said of accounts."""
    leads = checked_tables["leads"].with_columns(account_id=pl.lit(None, pl.String))
    found = funnel({**checked_tables, "leads": leads}, attributes, Definition(), early, {}, SEED, DRAWS)
    assert found["accounts"] is None


def test_a_short_horizon_is_not_outrun(
    checked_tables: Tables, attributes: tuple[Attribute, ...], early: datetime
) -> None:
    """Within seven days no curve goes beyond the seventh."""
    week = Definition(conversion=Conversion(stage="won", within_days=7))
    found = funnel(checked_tables, attributes, week, early, {}, SEED, DRAWS)
    assert max(found["conversion"]["curve"]["day"]) == 7
