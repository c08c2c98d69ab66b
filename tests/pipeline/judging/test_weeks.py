"""The pool of each week: the leads that are open then, by no more than was known."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.judging.weeks import Pool, mondays, pool
from pipeline.params import Definition

Tables = dict[str, pl.DataFrame]
CLOSES = ("won", "lost", "disqualified")
TIME = pl.Datetime("us", "UTC")


@pytest.fixture(scope="module")
def span(finished_run: Path) -> tuple[datetime, datetime]:
    """When the test began, and the present."""
    test = pl.read_parquet(finished_run / "data/examples.parquet").filter(pl.col("fold") == "test")
    return test["as_of"].min(), datetime(2025, 7, 1, tzinfo=UTC)  # type: ignore[return-value]


def of_lead(tables: Tables) -> Iterator[tuple[str, datetime, list[tuple[datetime, str]]]]:
    """Id, creation, and stages in the order of their times, of each lead."""
    rows: dict[str, list[Any]] = {}
    for row in tables["stages"].sort("entered_at", "row").iter_rows(named=True):
        rows.setdefault(row["lead_id"], []).append((row["entered_at"], row["stage"]))
    for lead in tables["leads"].filter(~pl.col("outcome_refused")).iter_rows(named=True):
        yield lead["lead_id"], lead["created_at"], rows.get(lead["lead_id"], [])


def slowly(tables: Tables, instants: tuple[datetime, ...]) -> dict[tuple[int, str], tuple[int, float]]:
    """(week, lead) → (times it had been opened again, label), lead by lead in plain Python."""
    found = {}
    for lead, created, rows in of_lead(tables):
        for week, at in enumerate(instants):
            closed, again = False, 0
            for _, name in (row for row in rows if row[0] <= at):
                again += closed and name == "recycled"
                closed = name in CLOSES or (closed and name != "recycled")
            if created <= at and not closed:
                won = [t for t, name in rows if name == "won" and at < t <= at + timedelta(days=90)]
                found[week, lead] = (again, float(bool(won)))
    return found


def test_the_pool_is_the_obvious_one(checked_tables: Tables, span: tuple[datetime, datetime]) -> None:
    """Every open lead of every mature Monday, its label, and one turn an episode."""
    found = pool(checked_tables, "dated", span[1], span[0], Definition(), "UTC", 4)
    assert set(found.capacity) == {4}
    assert all(at.weekday() == 0 and span[0] <= at <= span[1] - timedelta(days=90) for at in found.instants)
    expected = slowly(checked_tables, found.instants)
    rows = {(r["week"], r["lead_id"]): r for r in found.rows.iter_rows(named=True)}
    assert {key: row["label"] for key, row in rows.items()} == {key: label for key, (_, label) in expected.items()}
    turns = {(row["lead_id"], expected[key][0], row["turn"]) for key, row in rows.items()}
    assert len(turns) == len({t[:2] for t in turns}) == len({t[2] for t in turns})
    assert found.rows.filter(pl.col("amount").is_not_null())["label"].unique().to_list() == [1]
    assert found.rows["week"].is_sorted()


def test_the_capacity_is_a_tenth_of_what_came_in(checked_tables: Tables, span: tuple[datetime, datetime]) -> None:
    """By the thirteen weeks before the first Monday: later leads do not change it."""
    found = pool(checked_tables, "dated", span[1], span[0], Definition(), "UTC", None)
    first = found.instants[0]
    came = checked_tables["leads"].filter(pl.col("created_at").is_between(first - timedelta(weeks=13), first))
    assert found.capacity[0] == max(1, round(len(came) / 130))
    cut = {**checked_tables, "leads": checked_tables["leads"].filter(pl.col("created_at") <= first)}
    assert pool(cut, "dated", span[1], span[0], Definition(), "UTC", None).capacity == found.capacity


def test_mondays_begin_at_the_companys_midnight() -> None:
    """In Helsinki that is 22:00 UTC, 21:00 in summer; a first instant that is one counts."""
    first = datetime(2025, 3, 23, 22, tzinfo=UTC)
    found = [at.astimezone(UTC) for at in mondays(first, first + timedelta(days=14), "Europe/Helsinki")]
    assert found == [first, first + timedelta(days=7, hours=-1), first + timedelta(days=14, hours=-1)]
    assert mondays(first + timedelta(seconds=1), first + timedelta(days=6), "Europe/Helsinki") == []


def leads(n: int, **columns: Any) -> pl.DataFrame:
    """Leads of a day each from 2025 on."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    created = pl.Series([start + timedelta(days=i) for i in range(n)], dtype=TIME)
    base = {"lead_id": [f"l{i:03}" for i in range(n)], "account_id": [None] * n, "created_at": created,
            "outcome_refused": [False] * n}  # fmt: skip
    return pl.DataFrame({**base, **columns}, schema_overrides={"account_id": pl.String})


def test_outcomes_alone_rank_the_leads_of_each_week() -> None:
    """Without stages a lead is in the pool of the Monday after its creation, as of its creation, if its outcome is
    known."""
    known = [None if i == 15 else i % 3 == 0 for i in range(40)]
    tables = {"leads": leads(40, converted=known)}
    begin, until = datetime(2025, 1, 8, tzinfo=UTC), datetime(2025, 2, 9, tzinfo=UTC)
    found = pool(tables, "outcome", until, begin, Definition(), "UTC", None)
    assert found.kind == "created"
    for row in found.rows.iter_rows(named=True):
        monday = found.instants[row["week"]]
        assert monday - timedelta(days=7) <= row["as_of"] < monday
    assert found.rows["lead_id"].sort().to_list() == [f"l{i:03}" for i in range(12, 33) if i != 15]
    assert found.rows["turn"].n_unique() == len(found.rows)


@pytest.mark.parametrize(("begin", "first"), [(6, 6), (8, 13)])
@pytest.mark.parametrize("known", [40, 30])
def test_weeks_of_outcomes_are_whole(begin: int, first: int, known: int) -> None:
    """Where a lead comes a day every week has seven, from the first Monday of the test to where outcomes end: neither
    the days before that Monday nor weeks of leads that are all undecided are weeks of a team."""
    tables = {"leads": leads(40, converted=[True if i < known else None for i in range(40)])}
    start, until = datetime(2025, 1, begin, tzinfo=UTC), datetime(2025, 2, 9, tzinfo=UTC)
    found = pool(tables, "outcome", until, start, Definition(), "UTC", None)
    assert found.rows["as_of"].min() == datetime(2025, 1, first, tzinfo=UTC)
    assert found.rows["week"].value_counts()["count"].to_list() == [7] * len(found.instants)
    assert found.instants[-1] == datetime(2025, 2, 3, tzinfo=UTC) - timedelta(weeks=known == 30)


def test_days_of_outcomes_are_no_week() -> None:
    """A test shorter than a whole week has no weeks to replay."""
    found = pool({"leads": leads(9, converted=[True] * 9)}, "outcome", datetime(2025, 1, 9, tzinfo=UTC),
                 datetime(2025, 1, 2, tzinfo=UTC), Definition(), "UTC", None)  # fmt: skip
    assert found.instants == ()
    assert found.rows.is_empty()


def purchases() -> Pool:
    """Twenty customers, looked at thrice; the first buys before each look but the first."""
    at = [datetime(2025, month, 1, tzinfo=UTC) for month in (3, 5, 7)]
    days = pl.Series([at[0] + timedelta(days=9), at[1] + timedelta(days=9)], dtype=TIME)
    bought = pl.DataFrame(
        {"lead_id": ["l000"] * 2, "type": ["purchase"] * 2, "topic": [None] * 2, "value": [20.0, 30.0],
         "occurred_at": days, "known_at": days, "event_id": None, "row": [0, 1]},
        schema_overrides={"topic": pl.String, "event_id": pl.String},
    )  # fmt: skip
    definition = Definition.model_validate(
        {"conversion": {"event": "purchase", "within_days": 30, "repeats": True}, "snapshots": {"at": at}}
    )
    tables = {"leads": leads(20), "events": bought}
    return pool(tables, "dated", datetime(2025, 9, 1, tzinfo=UTC), at[0], definition, "UTC", None)


def test_fixed_instants_are_the_weeks() -> None:
    """Where people are looked at twice a year, they are chosen then; who bought again may be taken again."""
    found = purchases()
    assert found.kind == "instants"
    assert [at.month for at in found.instants] == [3, 5, 7]
    assert found.capacity == (2, 2, 2)
    first = found.rows.filter(pl.col("lead_id") == "l000").sort("week")
    assert first["label"].to_list() == [1, 1, 0]
    assert first["amount"].to_list() == [20, 30, None]
    assert first["turn"].n_unique() == 3
    assert found.rows.filter(pl.col("lead_id") == "l001")["turn"].n_unique() == 1
    assert np.isfinite(found.rows["label"].to_numpy()).all()
