"""What a change of the shared criteria would do, before anyone decides: `leadscore definition try`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.arrays import Bools
from models.funnel.trying import Measured, Trial, trial
from models.nearest import nearest
from models.points.criteria import Criterion, criteria_of
from models.points.parse import Parsed, parse
from models.points.tokens import Misread
from models.points.when import leaves
from models.points.write import write
from pipeline import stage
from pipeline.agreement.meeting import Population, checkable, fitted, fitting, inputs_of, met, open_now, population
from pipeline.agreement.outcomes import value_of
from pipeline.errors import Stop
from pipeline.handtuned.inputs import Inputs
from pipeline.params import Definition, Train

NEW = "tried"
COLUMNS = ("lead_id", "change", "is", "as_of", "converted", "value")
"""Of the list: change is `in` or `out`; is `past`, with what became of the lead, or `open`, as it is now."""


@dataclass(frozen=True)
class Tried:
    """The figures, and the leads that come in or go out."""

    before: tuple[Criterion, ...]
    after: tuple[Criterion, ...]
    people: Population
    trial: Trial
    leads: pl.DataFrame
    """COLUMNS."""


def changed(
    criteria: tuple[Criterion, ...], text: str | None, replace: str | None, drop: str | None
) -> tuple[tuple[Criterion, ...], Parsed | None]:
    """The criteria with the line added, or in place of one, or without one. Raises Stop."""
    names = tuple(c.name for c in criteria)
    for option, name in (("--replace", replace), ("--drop", drop)):
        if name is not None and name not in names:
            raise Stop(f"{option} {name!r}: no criterion has this name; {nearest(name, names)}")
    if text is None and (drop is None or replace is not None):
        raise Stop('give a criterion such as "employees between 50 and 500", or --drop and the name of one')
    kept = [c for c in criteria if c.name != drop]
    if text is None:
        return tuple(kept), None
    try:
        parsed = parse(text)
    except Misread as error:
        raise Stop(error.shown(text)) from error
    new = Criterion(replace or NEW, text, parsed.test)
    return (tuple(new if c.name == replace else c for c in kept) if replace else (*kept, new)), parsed


def run(text: str | None, replace: str | None = None, drop: str | None = None) -> Tried:
    """On the last run. Raises Stop where the line does not fit its tables."""
    before = fitting(criteria_of(dict(stage.read_json(stage.AGREED)["criteria"])))
    after, parsed = changed(before, text, replace, drop)
    if text is not None and parsed is not None:
        _check(parsed, text)
    tables, definition = stage.read_tables(), stage.section(Definition)
    people = population(stage.read_table(stage.EXAMPLES), tables["leads"])
    now, value = open_now(tables), value_of(people.rows, tables, definition)
    inputs = inputs_of(before), inputs_of(after)
    past, today = _sides(inputs, people.rows), _sides(inputs, now)
    found = trial(past[0], past[1], people.y, value, people.weeks or 1.0, people.group, stage.section(Train).seed)
    known = people.rows.select("lead_id", "as_of", converted="label").with_columns(value=pl.Series(value))
    leads = pl.concat([_moved(now, today, "open"), _moved(known, past, "past")], how="diagonal_relaxed")
    return Tried(before, after, people, found, leads.select(COLUMNS))


def _check(parsed: Parsed, text: str) -> None:
    """Raise Stop where the line asks for what the tables do not have, with the place in it."""
    table = checkable([Criterion(NEW, text, parsed.test)])
    if table is None:
        return
    problems, said = fitted(table)[1], []
    for test, place in zip(leaves(parsed.test), parsed.places, strict=True):
        one = checkable([Criterion(NEW, text, test)])
        own = [] if one is None or not problems else fitted(one)[1]
        said += [Misread(problem.partition(": ")[2], *place).shown(text) for _, problem in own]
    if problems:
        raise Stop("\n".join(dict.fromkeys(said)))


def _sides(inputs: tuple[Inputs | None, Inputs | None], rows: pl.DataFrame) -> tuple[Bools, Bools]:
    """Who meets all the criteria before and after; without any, everyone does."""
    before, after = (np.asarray(met(one, rows).all(axis=1)) for one in inputs)
    return before, after


def _moved(rows: pl.DataFrame, sides: tuple[Bools, Bools], what: str) -> pl.DataFrame:
    """Those of the rows that come in or go out, the latest first."""
    pairs = zip(*(side.tolist() for side in sides), strict=True)
    way = pl.Series([None if b == a else "in" if a else "out" for b, a in pairs], dtype=pl.String)
    moved = rows.with_columns(way.alias("change"), pl.lit(what).alias("is")).filter(pl.col("change").is_not_null())
    return moved.sort("change", "as_of", "lead_id", descending=[False, True, False])


LABELS = {
    "leads_a_week": "leads a week",
    "conversions_a_week": "of them convert, a week",
    "conversion": "conversion",
    "share_of_conversions": "share of all conversions",
    "value_a_week": "value won a week",
    "value_a_lead": "value won a lead",
}


def lines(tried: Tried, most: int) -> Iterator[str]:
    """What was found, for the screen; at most `most` ids each way."""
    people, found = tried.people, tried.trial
    age = "at the first look" if people.age_days is None else f"at {people.age_days:g} days"
    yield f"{len(people.rows):,} leads whose outcome is known, each once, {age}; 95 % intervals by drawing accounts."
    for one in tried.before:
        if one.doubt:
            yield f"{one.name} cannot be checked and counts for nothing here: {one.doubt}"
    yield f"Before: {_said(tried.before)}"
    yield f"After:  {_said(tried.after)}"
    yield ""
    yield from _table(found, people.weeks is not None)
    yield ""
    if tried.leads.is_empty():
        yield "It changes no lead: those that it would keep or refuse are kept or refused already."
        return
    for way, word in (("in", "come in"), ("out", "go out")):
        of = tried.leads.filter(pl.col("change") == way)
        past, now = of.filter(pl.col("is") == "past"), of.filter(pl.col("is") == "open")["lead_id"].to_list()
        measured = found.moved[way]
        rate = "" if measured.value is None else f"; of these {_cell(measured, 'conversion')} converted"
        yield f"Of the leads whose outcome is known {len(past):,} {word}{rate}."
        shown = ", ".join(now[:most]) + (", …" if len(now) > most else "")
        yield f"Of the leads open now {len(now):,} {word}{f': {shown}' if now and most else '.'}"


def _table(found: Trial, weekly: bool) -> Iterator[str]:
    """The figures, in columns as wide as they need."""
    rows = [["", "before", "after", "change"]]
    for key, label in LABELS.items():
        if weekly or not key.endswith("_week"):
            cells = [_cell(side[key], key) for side in (found.before, found.after)]
            rows.append([label, *cells, _cell(found.change[key], key, "points")])
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        yield "  ".join([f"{row[0]:{widths[0]}}", *(f"{row[i]:>{widths[i]}}" for i in range(1, 4))])


def _said(criteria: tuple[Criterion, ...]) -> str:
    said = [write(c.when) for c in criteria if c.when is not None]
    return " and ".join(f"({one})" if len(said) > 1 else one for one in said) or "every lead"


def _cell(measured: Measured, key: str, unit: str = "%") -> str:
    """`unit` of shares: a difference of two is in points of 100."""
    share = key in ("conversion", "share_of_conversions")
    if measured.value is None:
        return "–"
    low, high = measured.interval or (None, None)
    span = "" if low is None or high is None else f" ({_figure(low, share)} to {_figure(high, share)})"
    return f"{_figure(measured.value, share)}{f' {unit}' if share else ''}{span}"


def _figure(x: float, share: bool) -> str:
    if share:
        return f"{round(100 * x, 1) + 0.0:.1f}"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{round(x, 1) + 0.0:.1f}"


def adopted(text: str, name: str) -> list[str]:
    """What to write into params.yaml to keep it."""
    return ["", "To keep it, write under definition.criteria in params.yaml:", f"  {name}:",
            "    words: why you both want it", f"    when: {json.dumps(text, ensure_ascii=False)}"]  # fmt: skip
