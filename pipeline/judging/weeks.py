"""Which leads a team has before it, week by week, and what became of them. Nothing here looks at a score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from features.arrays import DAY_US, Floats, Ints
from features.episodes import opening
from features.records import Records, known_until
from models.learning import labels
from models.learning.labels import Conversions
from pipeline.assembly.planning import bare_plan
from pipeline.assembly.records import records_of, with_known_outcomes
from pipeline.assembly.values import Tables, instant_us
from pipeline.outcomes.conversions import closing_when_it_happened, conversions
from pipeline.outcomes.deals import brought
from pipeline.params import Definition

INFLOW_SHARE = 10
"""Unless policy.weekly_capacity says otherwise, a team can take one in this many of the leads that come in."""
INFLOW_WEEKS = 13
"""The inflow is that of this many weeks before the first one."""


@dataclass(frozen=True)
class Pool:
    """The leads that are open, a row a lead and week."""

    kind: str
    """weeks: all that are open on Mondays; created: those created in the week; instants: at definition.snapshots.at."""
    instants: tuple[datetime, ...]
    capacity: tuple[int, ...]
    rows: pl.DataFrame
    """`week, lead_id, as_of, turn, label, amount`, sorted by week and lead; amount is null where nothing is known."""


def pool(
    tables: Tables, shape: str, until: datetime, begin: datetime, definition: Definition, zone: str, most: int | None
) -> Pool:
    """Weeks from `begin` (the first instant of the test) whose horizon is over by `until`.

    `shape` is dated or outcome; `most` is policy.weekly_capacity. Leads whose outcome row was refused are left out.
    """
    kept = with_known_outcomes(tables)
    records, order = records_of(closing_when_it_happened(kept, definition, until), bare_plan(definition))
    last = until - timedelta(days=definition.conversion.within_days)
    if shape == "outcome":
        return _created(records, kept["leads"], order, begin, zone, most)
    at = definition.snapshots.at
    instants = [i for i in sorted(set(at)) if begin <= i <= last] if at else mondays(begin, last, zone)
    won = conversions(records, kept, order, definition.conversion, instant_us(until))
    rows = _open(records, won, instants, definition, instant_us(until))
    rows = _named(rows, order, kept, definition)
    kind = "instants" if at else "weeks"
    return Pool(kind, tuple(instants), _capacity(rows, records, instants, most, by_inflow=not at), rows)


def mondays(first: datetime, last: datetime, zone: str) -> list[datetime]:
    """Every Monday 00:00 of a time zone from `first` to `last`, both inclusive."""
    local = first.astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=local.weekday())
    found = []
    while midnight <= last:
        if midnight >= first:
            found.append(midnight)
        midnight += timedelta(days=7)  # by the wall clock: a week with a change of the clocks has an hour more or less
    return found


def _open(
    records: Records, won: Conversions, instants: Sequence[datetime], definition: Definition, until: int
) -> pl.DataFrame:
    at: Ints = np.array([instant_us(i) for i in instants], dtype=np.int64)
    lead, as_of = labels.at_instants(records, at.tolist(), until)
    found = labels.labelled(records, won, lead, as_of, definition.conversion.within_days, until)
    return pl.DataFrame(
        {
            "week": np.searchsorted(at, as_of),
            "index": lead.astype(np.uint32),
            "as_of": as_of,
            "turn": _turns(records, won, lead, as_of),
            "label": found.label,
        }
    )


def _turns(records: Records, won: Conversions, lead: Ints, as_of: Ints) -> Ints:
    """A number for each lead's episode; where a conversion repeats, each conversion begins another turn."""
    episode = opening(records, lead, as_of).episode.astype(np.int64)
    earlier = known_until(won.at, won.start, lead, as_of) - won.start[lead]
    _, turn = np.unique(np.stack([lead, episode, earlier]), axis=1, return_inverse=True)
    return turn.reshape(-1).astype(np.int64)


def _named(rows: pl.DataFrame, order: pl.DataFrame, tables: Tables, definition: Definition) -> pl.DataFrame:
    """With the leads' ids, and what those that convert bring."""
    named = rows.join(order.select("index", "lead_id"), on="index", how="left", maintain_order="left")
    named = named.with_columns(pl.col("as_of").cast(pl.Datetime("us", "UTC"))).sort("week", "lead_id")
    amount = pl.Series(brought(named, tables, definition)).fill_nan(None)
    return named.select(
        "week", "lead_id", "as_of", "turn", "label", amount=pl.when(pl.col("label") == 1).then(amount)
    )  # fmt: skip


def _created(
    records: Records, leads: pl.DataFrame, order: pl.DataFrame, begin: datetime, zone: str, most: int | None
) -> Pool:
    """Nothing but outcomes: on each Monday, the leads created in the week before it whose outcome is known.

    Whole weeks alone, from the test's first Monday to the last before nothing is known any more: days of a week, or
    weeks of leads that are all still undecided, are nothing that a team could choose its usual number from.
    """
    created = order.with_columns(as_of=pl.Series(records.created)).join(
        leads.select("lead_id", "converted"), on="lead_id", how="left"
    )
    created = created.with_columns(as_of=pl.col("as_of").cast(pl.Datetime("us", "UTC")))
    known = created.filter(pl.col("converted").is_not_null())
    last = known["as_of"].max()
    edges = mondays(begin, last, zone) if isinstance(last, datetime) else []
    at = np.array([instant_us(i) for i in edges], dtype=np.int64)
    week = np.searchsorted(at, known["as_of"].to_physical().to_numpy(), side="right") - 1
    inside = (week >= 0) & (week < len(edges) - 1)
    rows = known.with_columns(
        week=pl.Series(week), turn=pl.col("index").cast(pl.Int64), amount=pl.lit(None, pl.Float64),
        label=pl.col("converted").cast(pl.Float64),
    ).filter(pl.Series(inside))  # fmt: skip
    instants = edges[1:]
    rows = rows.sort("week", "lead_id").select("week", "lead_id", "as_of", "turn", "label", "amount")
    return Pool("created", tuple(instants), _capacity(rows, records, instants, most, by_inflow=True), rows)


def _capacity(
    rows: pl.DataFrame, records: Records, instants: Sequence[datetime], most: int | None, *, by_inflow: bool
) -> tuple[int, ...]:
    """How many are taken each week: as told, else a tenth of the weekly inflow before the first week, or at
    instants far apart a tenth of the open leads; at least one."""
    weeks = len(instants)
    if most is not None or weeks == 0:
        return (most or 0,) * weeks
    if by_inflow:
        first = instant_us(instants[0])
        since = max(first - INFLOW_WEEKS * 7 * DAY_US, int(records.created.min()))
        came = int(((records.created > since) & (records.created <= first)).sum())
        inflow = came * 7 * DAY_US / max(first - since, 1)
        return (max(1, round(inflow / INFLOW_SHARE)),) * weeks
    there: Floats = np.bincount(rows["week"].to_numpy(), minlength=weeks) / INFLOW_SHARE
    return tuple(max(1, round(n)) for n in there.tolist())
