"""Plants a known number of broken rows of each kind beside the good ones, whose truth stays as it is.

A lead made up to carry a broken outcome is itself a good row, of no account; it has no truth. Times that
cannot be read have no place in Parquet, so there are none.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from pipeline.simulator.arrays import ids
from pipeline.simulator.world import World

Tables = dict[str, pl.DataFrame]
Counts = dict[str, dict[str, int]]
_SHARE, _ENOUGH = 0.0003, 400  # rows of each kind to a lead; with fewer leads than enough, none
_FUTURE = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass
class _Planter:
    """Tables that grow, and how many broken rows of each code each table got."""

    tables: Tables
    start: datetime
    number: int  # of the next made-up lead
    counts: Counts = field(default_factory=dict)

    def add(self, table: str, rows: pl.DataFrame, code: str | None) -> None:
        """Append rows; columns they lack are null. Without a code they are good rows."""
        if code is not None:
            counts = self.counts.setdefault(table, {})
            counts[code] = counts.get(code, 0) + len(rows)
        whole = self.tables[table]
        lacking = [pl.lit(None, whole.schema[name]).alias(name) for name in whole.columns if name not in rows.columns]
        rows = rows.with_columns(lacking).select(whole.columns).cast(whole.schema)
        self.tables[table] = pl.concat([whole, rows])

    def leads(self, count: int) -> pl.DataFrame:
        """Made-up leads of no account, ten days apart."""
        numbers = np.arange(self.number, self.number + count)
        self.number += count
        created = [self.start + timedelta(days=20 + 10 * (place % 40), hours=9) for place in range(count)]
        return pl.DataFrame(
            {
                "lead_id": ids("L", numbers),
                "created_at": created,
                "source": ["organic"] * count,
                "objected": [False] * count,
            }
        )

    def outcome(self, leads: pl.DataFrame, stage: str, days: int, amount: float | None = None) -> pl.DataFrame:
        """One stage row a lead, so many days after its creation."""
        return leads.select(
            "lead_id",
            pl.lit(stage).alias("stage"),
            (pl.col("created_at") + pl.duration(days=days)).alias("entered_at"),
            pl.lit(amount, pl.Float64).alias("amount"),
        )


def plant(tables: Tables, world: World, leads: int, seed: int) -> tuple[Tables, Counts]:
    """The tables with broken rows at their ends, and by table and code how many rows have to be refused."""
    count = max(1, round(leads * _SHARE)) if leads >= _ENOUGH else 0
    planter = _Planter(dict(tables), world.start, leads)
    if count:
        _plant_leads(planter, count, seed)
        _plant_outcomes(planter, count)
        _plant_events(planter, 4 * count, seed, world)
        _plant_accounts(planter, count)
    return planter.tables, planter.counts


def _plant_leads(planter: _Planter, count: int, seed: int) -> None:
    good = planter.tables["leads"]
    planter.add("leads", good.sample(min(count, len(good)), seed=seed), "duplicate_row")
    twins = planter.leads(count)
    planter.add("leads", twins, "conflicting_id")
    planter.add("leads", twins.with_columns(source=pl.lit("referral")), "conflicting_id")
    planter.add("leads", planter.leads(count).with_columns(value=pl.lit(-5000.0)), "impossible_number")
    tests = planter.leads(count).with_columns(source=pl.lit("test"), job_title=pl.lit("Test Test"))
    planter.add("leads", tests, "test_record")


def _plant_outcomes(planter: _Planter, count: int) -> None:
    early, torn, negative = (planter.leads(count) for _ in range(3))
    for leads in (early, torn, negative):
        planter.add("leads", leads, None)
    planter.add("stages", planter.outcome(early, "won", -3, 9000.0), "before_creation")
    planter.add("stages", planter.outcome(torn, "won", 30, 9000.0), "contradictory_outcome")
    planter.add("stages", planter.outcome(torn, "lost", 30), "contradictory_outcome")
    planter.add("stages", planter.outcome(negative, "won", 30, -9000.0), "impossible_number")
    planter.add("stages", planter.outcome(planter.leads(count), "won", 30, 9000.0), "unknown_lead")


def _plant_events(planter: _Planter, count: int, seed: int, world: World) -> None:
    before = world.start + timedelta(days=world.days - 1)
    good = planter.tables["events"].filter(pl.col("occurred_at") < before)
    some = good.sample(min(count, len(good)), seed=seed)
    later = (pl.col("occurred_at", "available_at") + pl.duration(hours=1)).name.keep()
    planter.add("events", some.with_columns(later), "repeated_event")
    numbers = pl.int_range(pl.len()).cast(pl.String)
    future = some.with_columns(
        event_id="EF" + numbers,
        occurred_at=pl.lit(_FUTURE),
        available_at=pl.lit(None, pl.Datetime("us", "UTC")),
    )
    planter.add("events", future, "future_time")
    strangers = planter.leads(len(some))["lead_id"]
    planter.add("events", some.with_columns(lead_id=strangers, event_id="EU" + numbers), "unknown_lead")


def _plant_accounts(planter: _Planter, count: int) -> None:
    rows = pl.DataFrame(
        {"account_id": ids("B", np.arange(count)), "employees": [-10] * count, "country": ["FI"] * count}
    )
    planter.add("accounts", rows, "impossible_number")
