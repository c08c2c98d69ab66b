"""What people should know of tables that were scored: what they lack, and what they hold that is not used."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from features.arrays import DAY_US
from features.episodes import opening
from models.bundle.folder import Bundle
from pipeline.assembly.records import records_of
from pipeline.assembly.values import BLOCK_TABLES
from pipeline.outcomes.ended import ended
from pipeline.scoring.score import Asked

LATE = timedelta(days=7)
"""An instant later than the tables' latest row by more than this earns a remark."""
MOST_NEW = 10
"""Names in a line."""


def remarks(bundle: Bundle, asked: Asked) -> list[str]:
    """What the tables lack, and what they hold that is not used, in a line each."""
    there = asked.checked.tables
    lost = [table for block, table in BLOCK_TABLES.items() if block in bundle.plan.blocks and table not in there]
    lines = _ahead(asked) + _older(bundle, asked) + _new_names(bundle, asked)
    lines += [
        f"{name}: the model was trained with this table, but it is missing here; scores will be less reliable"
        for name in lost
    ]
    known = bundle.training.get("left_out_columns", {})  # training saw them, and had a reason
    ignored = [name for name in asked.checked.meta["ignored_columns"] if name.partition(".")[2] not in known]
    return lines + ([f"columns that the model does not know: {', '.join(ignored)}"] if ignored else [])


def _new_names(bundle: Bundle, asked: Asked) -> list[str]:
    """Stages and event types that the model does not know, such as those that the CRM has renamed since."""
    if asked.as_of is None:
        return []
    plan, found = bundle.plan, []
    for name, key, known, so in (
        ("stages", "stage", plan.known_stages, "close no lead"),
        ("events", "type", plan.known_types, "count as other activity"),
    ):
        if name in plan.blocks and name in asked.checked.tables:
            rows = asked.checked.tables[name].filter(~pl.col(key).is_in(list(known)))
            counts = rows.group_by(key).len().sort("len", key, descending=[True, False]).head(MOST_NEW)
            if said := ", ".join(f"{text!r} ({n} rows)" for text, n in counts.iter_rows()):
                found.append(f"{name}: rare or not there in training, so they {so}: {said}")
    return found


def _ahead(asked: Asked) -> list[str]:
    """That nothing is known of the time before the instant."""
    until = asked.checked.meta["until"]
    if asked.as_of is None or until is None or asked.as_of - (last := datetime.fromisoformat(until)) < LATE:
        return []
    return [
        f"as of {asked.as_of.isoformat()}, but the latest row of the tables is of {last.isoformat()}: what happened "
        "since then is missing, so every lead seems to have been silent"
    ]


def _older(bundle: Bundle, asked: Asked) -> list[str]:
    """How many open leads are older than any that training saw."""
    ages, plan = bundle.training.get("ages_days"), replace(bundle.plan, attributes=(), types=(), topics=())
    if asked.as_of is None or not ages:
        return []
    needed = ("leads", "stages", *(("events",) if plan.closing_event else ()))
    tables = {name: table for name, table in asked.checked.tables.items() if name in needed}
    records, order = records_of(tables, plan)
    every, at = np.arange(len(records)), asked.at
    state = opening(records, every, np.full(len(every), at))
    there = state.open & ~ended(tables, order, plan.reopens, at)
    old = int((there & ((at - state.since) / DAY_US > ages[1])).sum())
    return [
        f"{old} of {int(there.sum())} open leads are older than any that the model learned from ({ages[1]:g} days): "
        "nobody knows how good their probabilities are"
    ] * bool(old)
