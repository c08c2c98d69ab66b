"""The leads that are followed from stage to stage, and what was known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from features.catalogue import EventType
from features.columns import Attribute
from features.plan import Plan
from features.records import Records
from features.vocabulary import event_group
from models.funnel import ways as way
from models.funnel.ways import Episodes
from pipeline.assembly.planning import MOST_STAGES, MOST_TYPES, bare_plan
from pipeline.assembly.records import records_of, with_known_outcomes
from pipeline.assembly.values import Tables, instant_us
from pipeline.outcomes.conversions import closing_when_it_happened, conversions
from pipeline.params import Definition


@dataclass(frozen=True)
class Funnel:
    """What the parts of the page are made from."""

    records: Records
    order: pl.DataFrame
    plan: Plan
    episodes: Episodes


def read(tables: Tables, attributes: Sequence[Attribute], definition: Definition, until: datetime) -> Funnel:
    """The leads that existed at `until`, and what was known of them then. Those whose outcome row was refused are left
    out: they were closed, nobody knows how, and would count as open for ever."""
    cut = known_by(closing_when_it_happened(with_known_outcomes(tables), definition, until), until)
    plan = plan_of(cut, attributes, definition)
    records, order = records_of(cut, plan)
    end, conversion = instant_us(until), definition.conversion
    repeating = None
    if conversion.event is not None and conversion.repeats:
        repeating = conversions(records, cut, order, conversion, end)
    return Funnel(records, order, plan, way.episodes(records, plan.stages, end, plan.won, repeating))


def known_by(tables: Tables, until: datetime) -> Tables:
    """Only rows that were there at `until`; leads without a creation are left out."""
    column = {"leads": "created_at", "events": "known_at", "stages": "entered_at", "history": "changed_at"}
    return {
        name: table.filter(pl.col(column[name]) <= until) if name in column else table for name, table in tables.items()
    }


def plan_of(tables: Tables, attributes: Sequence[Attribute], definition: Definition) -> Plan:
    """Every stage on the way, and every type of event but those to ignore: what sellers did counts here too."""
    bare = bare_plan(definition)
    off = {*bare.closes, *bare.reopens}
    stages: list[str] = []
    if "stages" in tables:
        entries = tables["stages"].filter(~pl.col("stage").is_in([*off]))["stage"].value_counts()
        often = entries.sort("count", "stage", descending=[True, False])["stage"].to_list()
        stages = sorted({*often[:MOST_STAGES], *(s for s in often if s == bare.won)})
    types: list[str] = []
    ignored: list[str] = []
    if "events" in tables:
        counts = tables["events"]["type"].value_counts().sort("count", "type", descending=[True, False])["type"]
        ignored = [t for t in counts.to_list() if event_group(t, dict(definition.events)) == "ignore"]
        types = sorted([t for t in counts.to_list() if t not in ignored][:MOST_TYPES])
    return replace(
        bare, attributes=tuple(attributes), types=tuple(EventType(t, "engagement") for t in types),
        stages=tuple(stages), ignored=tuple(ignored),
    )  # fmt: skip
