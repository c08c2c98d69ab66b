"""reports/funnel.json: how leads go from stage to stage, how fast, what is lost on the way, and who was reached."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from features.arrays import NEVER, Bools
from features.columns import Attribute
from models.funnel import ways as way
from models.funnel.ways import CLOSED, CONVERTED, ON, OPEN, OUT, Episodes
from pipeline.assembly.records import with_known_outcomes
from pipeline.assembly.values import Tables
from pipeline.journey.cohorts import cohorts
from pipeline.journey.episodes import Funnel, read
from pipeline.journey.reach import accounts_reached, contacts
from pipeline.journey.spells import Telling, told
from pipeline.journey.standing import standing_still
from pipeline.params import Definition

RETURNED_D = 14.0
"""Closed within this many days of the hand-over, before it went on: sales received it unqualified."""
MOST_REASONS = 5
LEAST_REASON = 5
"""Leads that a reason was given for before it is shown: what was written of one is of that person."""


def funnel(
    tables: Tables, attributes: Sequence[Attribute], definition: Definition, until: datetime,
    criteria: Mapping[str, Bools], seed: int, draws: int,
) -> dict[str, Any]:  # fmt: skip
    """reports/funnel.json of dated leads, by what was known at `until`.

    `criteria`: by name, whether each row of `tables["leads"]` meets it, `target` and `decider`; those that nobody
    can check are left out.
    """
    found = read(tables, attributes, definition, until)
    e, within = found.episodes, definition.conversion.within_days
    days = np.unique([*np.linspace(0, within, 46), RETURNED_D, 30.0, within])
    telling = Telling(days[days <= within], within, seed, draws)
    meets = {name: _in_order(holds, tables["leads"], found.order) for name, holds in criteria.items()}
    return {
        "until": until.isoformat(),
        "within_days": within,
        "episodes": _counts(e),
        "conversion": told(way.whole_way(e), ON, telling, drawn=True),
        "closing": told(way.whole_way(e), OUT, telling, drawn=True),
        "stages": _stages(e, telling),
        "steps": [_step(e, k, telling) for k in range(-1, len(e.stages) - 1)],
        "value": _value(tables, found, definition),
        "drop_off": _drop_off(tables, found, definition),
        "handover": _handover(e, telling),
        "handovers": list(way.HANDOVERS),
        "contacts": contacts(found.records, found.plan, e, dict(definition.events), telling),
        "accounts": accounts_reached(
            found.records, found.plan, e, dict(definition.events),
            {"named": found.order["account_id"].is_not_null().to_numpy(), **meets}, telling,
        ),
        "standing_still": standing_still(with_known_outcomes(tables), definition, until),
        "cohorts": cohorts(found.records, found.plan, e, definition, telling),
    }  # fmt: skip


def _in_order(holds: Bools, leads: pl.DataFrame, order: pl.DataFrame) -> Bools:
    both = order.join(
        leads.select("lead_id").with_columns(_holds=holds), on="lead_id", how="left", maintain_order="left"
    )
    return both["_holds"].to_numpy().astype(np.bool_)


def _counts(e: Episodes) -> dict[str, int]:
    ends = {"converted": CONVERTED, "closed": CLOSED, "open": OPEN}
    return {
        "leads": len(np.unique(e.lead)),
        "episodes": len(e),
        "opened_again": int(e.again.sum()),
        "converted_after_opened_again": int((e.again & (e.end == CONVERTED)).sum()),
        **{name: int((e.end == end).sum()) for name, end in ends.items()},
    }


def _stages(e: Episodes, telling: Telling) -> list[dict[str, Any]]:
    stands = way.standing(e)
    return [
        {
            "stage": name,
            "entered": int((e.entered[:, k] != NEVER).sum()),
            "skipped": int(((e.entered[:, k] == NEVER) & (e.end == CONVERTED)).sum()),
            "standing": int(((stands == k) & (e.end == OPEN)).sum()),
            "reached": told(way.reaching(e, k), ON, telling),
        }
        for k, name in enumerate(e.stages)
    ]


def _step(e: Episodes, k: int, telling: Telling) -> dict[str, Any]:
    spells, there = way.step(e, k)
    entered = len(e) if k < 0 else int((e.entered[:, k] != NEVER).sum())
    return {
        "from": None if k < 0 else e.stages[k],
        "to": e.stages[k + 1],
        "came_back": entered - int(there.sum()),
        "went_on": told(spells, ON, telling, drawn=True),
        "closed": told(spells, OUT, telling),
    }


def _value(tables: Tables, found: Funnel, definition: Definition) -> dict[str, Any]:
    """Money: expected of the open leads by where they stand, and won."""
    e = found.episodes
    own = found.order.join(tables["leads"].select("lead_id", "value"), on="lead_id", how="left", maintain_order="left")
    expected = own["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()[e.lead]
    stands, is_open = way.standing(e), e.end == OPEN
    rows = [(stands == k) & is_open & ~np.isnan(expected) for k in range(-1, len(e.stages) - 1)]
    return {
        "open": [
            {"stage": None if k == 0 else e.stages[k - 1], "leads": int(mine.sum()), "sum": float(expected[mine].sum())}
            for k, mine in enumerate(rows)
        ],
        "won": _won(tables, found, definition),
    }


def _won(tables: Tables, found: Funnel, definition: Definition) -> dict[str, Any]:
    name = definition.conversion.stage
    if name is None or "stages" not in tables:
        return {"deals": 0, "sum": None, "median": None}
    deals = tables["stages"].filter((pl.col("stage") == name) & pl.col("amount").is_not_null()).filter(
        pl.col("entered_at").to_physical() <= found.episodes.until
    )["amount"]  # fmt: skip
    median = deals.median()
    return {
        "deals": len(deals), "sum": float(deals.sum()) if len(deals) else None,
        "median": None if median is None else float(median),  # type: ignore[arg-type]
    }  # fmt: skip


def _drop_off(tables: Tables, found: Funnel, definition: Definition) -> list[dict[str, Any]]:
    """Episodes that were closed, by the furthest stage that they had come to, and the commonest reasons given, with how
    many leads each."""
    e = found.episodes
    gone = e.end == CLOSED
    frame = pl.DataFrame({"index": e.lead[gone], "at": e.over[gone], "place": way.standing(e)[gone]})
    reasons = _reasons(tables, found, definition)
    frame = frame.join(reasons, on=["index", "at"], how="left", maintain_order="left")
    return [
        {
            "stage": None if k < 0 else e.stages[k],
            "closed": len(mine),
            "reasons": (
                mine.drop_nulls("reason").group_by("reason").agg(pl.col("index").n_unique().alias("leads"))
                .filter(pl.col("leads") >= LEAST_REASON).sort("leads", "reason", descending=[True, False])
                .head(MOST_REASONS).to_dicts()
            ),
        }
        for k in range(-1, len(e.stages) - 1)
        for mine in [frame.filter(pl.col("place") == k)]
    ]  # fmt: skip


def _reasons(tables: Tables, found: Funnel, definition: Definition) -> pl.DataFrame:
    """`index, at, reason` of the rows that closed leads, once each."""
    if "stages" not in tables:
        return pl.DataFrame(schema={"index": pl.Int64, "at": pl.Int64, "reason": pl.String})
    rows = tables["stages"].filter(pl.col("stage").is_in(definition.terminal)).join(found.order, on="lead_id")
    named = rows.select(pl.col("index").cast(pl.Int64), pl.col("entered_at").to_physical().alias("at"), "reason")
    return named.unique(["index", "at"], keep="first", maintain_order=True)


def _handover(e: Episodes, telling: Telling) -> dict[str, Any] | None:
    found = way.handover(e)
    if found is None:
        return None
    without = None if found.without is None else int(found.without.sum())
    return {
        "stage": found.stage,
        "qualified_stage": found.qualified or way.QUALIFIED,
        "within_days": min(RETURNED_D, telling.within),
        "received": len(found.spells),
        "without": without,
        "unqualified": told(found.spells, ON, telling.up_to(RETURNED_D)),
    }
