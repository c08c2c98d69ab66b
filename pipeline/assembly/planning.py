"""The kernel's plan: which attributes, event types, topics and stages there are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from features.catalogue import EventType
from features.columns import Attribute, Block, Entity, slug
from features.plan import Plan
from features.vocabulary import SELLER, event_group
from pipeline.assembly.values import BLOCK_TABLES, Tables
from pipeline.params import Definition

MOST_TYPES, MOST_TOPICS, MOST_STAGES = 60, 12, 20
"""The most frequent ones get columns of their own; the other types are counted together."""


def bare_plan(definition: Definition) -> Plan:
    """A plan that knows when leads are open and convert, and nothing else: enough for labels."""
    conversion = definition.conversion
    closing = conversion.event if conversion.event and not conversion.repeats else None
    closes = dict.fromkeys([*definition.terminal, *filter(None, [conversion.stage or closing])])
    return Plan(
        attributes=(),
        types=(),
        topics=(),
        stages=(),
        closes=tuple(closes),
        reopens=tuple(definition.reopens),
        won=str(conversion.stage or conversion.event),
        closing_event=closing,
    )


def end_of_train(examples: pl.DataFrame) -> datetime | None:
    """The last instant of train: names first seen later are left out. None without dates."""
    last = examples.filter(pl.col("fold") == "train")["as_of"].max()
    return last if isinstance(last, datetime) else None


def learn_plan(
    tables: Tables, attributes: Sequence[Attribute], definition: Definition, known_by: datetime | None
) -> Plan:
    """The plan of a training run: names that had been seen by `known_by`, the end of train.

    Without dates (None) a table has no time, and only attributes can be features.
    """
    bare = bare_plan(definition)
    if known_by is None:
        blocks: tuple[Block, ...] = ("lead", "account") if "accounts" in tables else ("lead",)
        return replace(bare, attributes=tuple(attributes), blocks=blocks)
    events = _until(tables, "events", "known_at", known_by)
    stages = _until(tables, "stages", "entered_at", known_by)
    types, ignored = _types(events, definition)
    topics = _most(events, "topic", MOST_TOPICS) if events is not None else ()
    names = _most(stages, "stage", MOST_STAGES) if stages is not None else ()
    return replace(
        bare, attributes=tuple(attributes), types=types, topics=topics, stages=names, ignored=ignored,
        blocks=_blocks(tables), other_fields=_other_fields(tables, attributes),
    )  # fmt: skip


def _until(tables: Tables, name: str, time: str, known_by: datetime) -> pl.DataFrame | None:
    return tables[name].filter(pl.col(time) <= known_by) if name in tables else None


def _most(rows: pl.DataFrame, column: str, most: int) -> tuple[str, ...]:
    """The most frequent texts, in alphabetical order; of those that make the same name of a feature the most frequent
    comes first, and has it, for others are numbered: one misspelt row must not take it."""
    counts = rows[column].drop_nulls().value_counts().sort("count", column, descending=[True, False])
    kept = dict(counts.head(most).iter_rows())
    return tuple(sorted(kept, key=lambda text: (slug(text), -kept[text], text)))


def _types(events: pl.DataFrame | None, definition: Definition) -> tuple[tuple[EventType, ...], tuple[str, ...]]:
    """Counted event types, and those never counted: the sellers' own and those to ignore."""
    said: dict[str, str] = dict(definition.events)
    if events is None:
        return (), ()
    seen = events["type"].unique().sort().to_list()
    ignored = [t for t in {*seen, *said, *SELLER} if event_group(t, said) in ("seller", "ignore")]
    kept = _most(events.filter(~pl.col("type").is_in(ignored)), "type", MOST_TYPES)
    valued = set(events.filter(pl.col("value").is_not_null())["type"].unique().to_list())
    types = [EventType(t, "intent" if event_group(t, said) == "intent" else "engagement", t in valued) for t in kept]
    return tuple(types), tuple(sorted(ignored))


def _other_fields(tables: Tables, attributes: Sequence[Attribute]) -> tuple[tuple[Entity, str], ...]:
    if "history" not in tables:
        return ()
    every = tables["history"].select("entity", "field").unique().rows()
    return tuple(sorted({*every} - {(a.entity, a.column) for a in attributes}))


def _blocks(tables: Tables) -> tuple[Block, ...]:
    blocks: list[Block] = ["lead", *(block for block, table in BLOCK_TABLES.items() if table in tables)]
    if tables["leads"]["account_id"].null_count() < len(tables["leads"]):
        blocks.append("account_leads")
    return tuple(blocks)
