"""Which leads meet the criteria: one example a lead of the last run, at an age that is the same for all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from features.arrays import DAY_US, Bools, Floats, Ints
from features.episodes import opening
from models.points.criteria import Criterion
from models.points.holding import holds
from models.points.table import PointsTable, Rule
from pipeline import stage
from pipeline.assembly.groups import groups_of
from pipeline.assembly.planning import bare_plan
from pipeline.assembly.records import records_of
from pipeline.assembly.values import Tables, instant_us, instants
from pipeline.handtuned.check import problems_of, tests_of
from pipeline.handtuned.inputs import Inputs, last_run, widened
from pipeline.handtuned.records import looking
from pipeline.outcomes.conversions import closing_when_it_happened
from pipeline.outcomes.ended import ended
from pipeline.params import Definition

WEEK_US = 7 * DAY_US
AGE_D = 14
"""Leads are evaluated at the age nearest to this: by then they have shown what they do, and most are still open."""


@dataclass(frozen=True)
class Population:
    """The leads by which criteria are judged, one row each: `lead_id, as_of, age_days, label`; labels are known."""

    rows: pl.DataFrame
    group: Ints
    """Shape (n,): codes of the accounts."""
    age_days: float | None
    """None where the leads have no dates, or are evaluated at fixed instants."""

    @property
    def y(self) -> Floats:
        """Shape (n,), in {0, 1}."""
        return self.rows["label"].to_numpy().astype(np.float64)

    @property
    def weeks(self) -> float | None:
        """How long the leads came, in weeks, at least one; None without dates. By the middle 98 of 100 leads: a few
        dates of long ago, which a CRM fills in by default, are no time in which leads came."""
        at = self.rows["as_of"].drop_nulls().to_physical().to_numpy()
        if not len(at):
            return None
        first, last = np.quantile(at, [0.01, 0.99])
        return float(max(1.0, (last - first) / 0.98 / WEEK_US))


def population(examples: pl.DataFrame, leads: pl.DataFrame) -> Population:
    """Mature examples, each lead once: at the age nearest to AGE_D, or the first where all are of one age or none.

    `examples`: data/examples.parquet. A lead that was closed before that age is not among them.
    """
    mature = examples.filter("mature")
    ages, age = mature["age_days"].drop_nulls(), None
    if len(ages):
        age = min(sorted(set(ages.to_list())), key=lambda one: abs(one - AGE_D))
        common = mature.filter(pl.col("age_days") == age)
        if len(common) * 4 >= mature["lead_id"].n_unique():
            mature = common
        else:
            age = None  # fixed instants: hardly two leads are of one age
    rows = mature.sort("as_of", "lead_id").unique("lead_id", keep="first", maintain_order=True)
    group = groups_of(rows, leads).rank("dense").to_numpy().astype(np.int64)
    return Population(rows, group, age)


def checkable(criteria: Sequence[Criterion]) -> PointsTable | None:
    """The criteria that a machine can check as rules of a table of points; None where there is none."""
    rules = [Rule(id=c.name, group="criteria", when=c.when, points=1) for c in criteria if c.when is not None]
    return PointsTable(rules=rules) if rules else None


def fitting(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """The criteria as the tables of the last run allow: one that asks for what is not there cannot be checked, and has
    its reason as `doubt`. It stops no run: the page says so, and the others are held against results."""
    table = checkable(criteria)
    wrong: dict[str, str] = {}
    for where, text in () if table is None else fitted(table)[1]:
        wrong.setdefault(where.removeprefix("rule ").partition(": ")[0], text.partition(": ")[2] or text)
    return tuple(replace(c, when=None, doubt=wrong[c.name]) if c.name in wrong else c for c in criteria)


def inputs_of(criteria: Sequence[Criterion]) -> Inputs | None:
    """Of criteria that fit, with the tables of the last run; None where none can be checked."""
    table = checkable(criteria)
    return None if table is None else fitted(table)[0]


def fitted(table: PointsTable) -> tuple[Inputs, list[tuple[str, str]]]:
    """The inputs of a table, and what does not fit the tables of the last run: where, and how."""
    given = last_run()
    found = widened(table, given)
    events = given.definition.events
    return found, problems_of(tests_of(table), found.tables, found.attributes, events, given.left_out)


def met(inputs: Inputs | None, rows: pl.DataFrame) -> Bools:
    """Which criteria (rules of the table, in order) hold of each row `lead_id, as_of`, shape (k, c)."""
    if inputs is None:
        return np.zeros((len(rows), 0), bool)
    look = looking(inputs)(rows["lead_id"], instants(rows))
    return np.column_stack([holds(rule.when, look) for rule in inputs.table.rules])


def open_now(tables: Tables) -> pl.DataFrame:
    """`lead_id, as_of` of the leads that are open at the end of the data; empty without dates."""
    until, definition = stage.read_until(), stage.section(Definition)
    if until is None or stage.read_meta()["shape"] == "flat":
        return pl.DataFrame(schema={"lead_id": pl.String, "as_of": pl.Datetime("us", "UTC")})
    tables = closing_when_it_happened(tables, definition, until)
    records, order = records_of(tables, bare_plan(definition))
    lead, end = np.arange(len(order)), instant_us(until)
    state = opening(records, lead, np.full(len(lead), end))
    there = state.open & ~ended(tables, order, definition.reopens, end)
    ids = order.filter(pl.Series(there)).select("lead_id")
    return ids.with_columns(as_of=pl.lit(until).cast(pl.Datetime("us", "UTC")))
