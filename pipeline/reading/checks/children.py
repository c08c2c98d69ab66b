"""The rows of events, stages and history: each belongs to a lead or an account that was accepted."""

import polars as pl

from features.columns import column_meant
from pipeline.reading.attributes import AttributeList, Inferred, never_negative
from pipeline.reading.called import personal_field
from pipeline.reading.checks.sift import (
    Context,
    Sifted,
    column,
    impossible,
    marks,
    numbers,
    sift,
    structural,
    text,
    times,
)
from pipeline.reading.csvs import BROKEN
from pipeline.reading.naming import TABLE_OF
from pipeline.reading.texts import folded, read_booleans, read_numbers

OK = "ok"


def standing(leads: Sifted) -> pl.DataFrame:
    """lead_id, `_standing` (ok, objected or test_record) and `_created` of each lead that is not refused."""
    frame = leads.rows.select("lead_id", _standing=leads.code.fill_null(OK), _created="created_at")
    return frame.filter(pl.col("_standing").is_in([OK, "objected", "test_record"])).unique("lead_id", keep="first")


def outcomes(context: Context) -> tuple[list[str], list[str]]:
    """The stages that mean yes (the conversion, and won) and those that close a lead without one."""
    definition = context.definition
    won = {"won"} if "won" in definition.terminal else set()
    positive = sorted(won | ({definition.conversion.stage} if definition.conversion.stage else set()))
    return positive, [stage for stage in definition.terminal if stage not in positive]


def judge_events(raw: pl.DataFrame, leads: pl.DataFrame, context: Context) -> Sifted:
    """Typed events and their codes. `leads` is what `standing` gives."""
    occurred_at, bad_occurred = times(raw, "events", "occurred_at", context)
    available_at, bad_available = times(raw, "events", "available_at", context)
    value, no_value = numbers(raw, "value", context)
    context.count("events.value: values that are no numbers, taken as missing", int(no_value.sum()))
    rows = pl.DataFrame(
        {
            "lead_id": text(raw, "lead_id", strip=False),
            "occurred_at": occurred_at,
            "known_at": pl.select(pl.max_horizontal(occurred_at, available_at)).to_series(),
            "type": text(raw, "type"),
            "topic": text(raw, "topic"),
            "value": value,
            "event_id": text(raw, "event_id", strip=False),
            "_unreadable": bad_occurred | bad_available,
            "_lacking": _lacking(raw, "type", "occurred_at"),
            **marks(raw),
        }
    ).with_columns(pl.when(pl.col("value").is_finite()).then("value"))
    rows = rows.join(leads, on="lead_id", how="left", maintain_order="left")
    conversion = context.definition.conversion
    first = pl.lit(conversion.event is not None and not conversion.repeats)
    flags = {
        **_child_flags("lead_id"),
        "future_time": pl.col("known_at") > context.started_at,
        "before_creation": first
        & (pl.col("type") == pl.lit(conversion.event, pl.String))
        & (pl.col("occurred_at") < pl.col("_created")),
    }
    fine = rows.filter(~pl.any_horizontal(flag.fill_null(False) for flag in flags.values()))
    return sift("events", rows, {**flags, "repeated_event": pl.col("row").is_in(_repeats(fine).implode())})


def _repeats(events: pl.DataFrame) -> pl.Series:
    """Rows whose lead has an event of this event_id known earlier (at once: earlier in the input)."""
    named = events.filter(pl.col("event_id").is_not_null())
    keys = ["lead_id", "event_id"]
    several = named.filter(pl.struct(keys).is_duplicated()).sort("known_at", "row")
    return several.filter(~pl.struct(keys).is_first_distinct())["row"]


def judge_stages(raw: pl.DataFrame, leads: pl.DataFrame, context: Context) -> Sifted:
    """Typed stages and their codes. `leads` is what `standing` gives."""
    entered_at, unreadable = times(raw, "stages", "entered_at", context)
    amount, no_amount = numbers(raw, "amount", context)
    no_amount |= impossible(amount).fill_null(False)
    context.note("stages", "impossible_number", column(raw, "amount"), no_amount & column(raw, BROKEN).is_null())
    rows = pl.DataFrame(
        {
            "lead_id": text(raw, "lead_id", strip=False),
            "stage": text(raw, "stage"),
            "entered_at": entered_at,
            "amount": amount,
            "reason": text(raw, "reason"),
            "_unreadable": unreadable,
            "_lacking": _lacking(raw, "stage", "entered_at"),
            "_no_amount": no_amount,
            **marks(raw),
        }
    ).join(leads, on="lead_id", how="left", maintain_order="left")
    positive, negative = outcomes(context)
    flags = {
        **_child_flags("lead_id"),
        "future_time": pl.col("entered_at") > context.started_at,
        "impossible_number": pl.col("_no_amount"),
    }
    fine = ~pl.any_horizontal(flag.fill_null(False) for flag in flags.values())
    yes, no = (fine & pl.col("stage").is_in(stages) for stages in (positive, negative))
    at = ["lead_id", "entered_at"]
    flags["contradictory_outcome"] = (yes | no) & yes.any().over(at) & no.any().over(at)
    flags["before_creation"] = pl.col("stage").is_in(positive + negative) & (pl.col("entered_at") < pl.col("_created"))
    return sift("stages", rows, flags)


def judge_history(
    raw: pl.DataFrame, leads: pl.DataFrame, accounts: pl.Series, found: Inferred, context: Context
) -> Sifted:
    """Typed history and its codes. `accounts`: the ids of accepted accounts and of those that leads name."""
    changed_at, unreadable = times(raw, "history", "changed_at", context)
    rows = pl.DataFrame(
        {
            "entity": folded(text(raw, "entity")),
            "id": text(raw, "id", strip=False),
            "field": _fields(folded(text(raw, "entity")), text(raw, "field"), found),
            "value": text(raw, "value"),
            "changed_at": changed_at,
            "_unreadable": unreadable,
            "_lacking": _lacking(raw, "entity", "field", "changed_at"),
            **marks(raw),
        }
    )
    rows = rows.join(leads.rename({"lead_id": "id"}), on="id", how="left", maintain_order="left")
    of_lead, of_account = pl.col("entity") == "lead", pl.col("entity") == "account"
    known = (of_lead & (pl.col("_standing") == OK)) | (of_account & pl.col("id").is_in(accounts.implode()))
    rows, bad = _canonical(rows, found.attributes, context)
    flags = {
        **_child_flags("id"),
        "objected": of_lead & (pl.col("_standing") == "objected"),
        "test_record": of_lead & (pl.col("_standing") == "test_record"),
        "personal_data": pl.col("field").is_in([f for f in rows["field"].unique().drop_nulls() if personal_field(f)]),
        "unknown_entity": ~known.fill_null(False),
        "future_time": pl.col("changed_at") > context.started_at,
        "impossible_number": bad,
    }
    return sift("history", rows, flags)


def _fields(entities: pl.Series, fields: pl.Series, found: Inferred) -> pl.Series:
    """The column that each field means, where another spelling of it was written."""
    for entity in TABLE_OF:
        mine = (entities == entity).fill_null(False)
        columns = [a.column for a in found.attributes if a.entity == entity]
        columns += [name for of, name in found.other_fields if of == entity]
        column_of = column_meant(columns)
        there = {field: column_of(field) for field in fields.filter(mine).drop_nulls().unique()}
        meant = {field: column for field, column in there.items() if column is not None}
        fields = fields.replace(meant).zip_with(mine, fields) if meant else fields
    return fields


def _canonical(rows: pl.DataFrame, attributes: AttributeList, context: Context) -> tuple[pl.DataFrame, pl.Expr]:
    """Numbers as `20000.0`, booleans as true or false, and where a number is impossible."""
    number = read_numbers(rows["value"], context.clock.marks)
    answer = read_booleans(rows["value"])
    kinds = {kind: _of_kind(attributes, kind) for kind in ("numeric", "boolean")}
    floor = _is_one_of([a for a in attributes if never_negative(a)])
    numeric, boolean = _is_one_of(kinds["numeric"]), _is_one_of(kinds["boolean"])
    value = (
        pl.when(numeric).then(pl.lit(number).cast(pl.String))
        .when(boolean).then(pl.lit(answer).cast(pl.String))
        .otherwise("value")
    )  # fmt: skip
    lost = pl.col("value").is_not_null() & value.is_null()
    context.count(
        "history.value: values that are not of their field's kind, taken as missing",
        rows.select((lost & boolean).sum()).item(),
    )
    bad = numeric & (lost | pl.lit(number).is_infinite() | (floor & (pl.lit(number) < 0)))
    rows = rows.with_columns(_bad=bad, value=value)
    return rows, pl.col("_bad")


def _of_kind(attributes: AttributeList, kind: str) -> AttributeList:
    return [attribute for attribute in attributes if attribute.kind == kind]


def _is_one_of(attributes: AttributeList) -> pl.Expr:
    """Rows of history about one of these attributes."""
    by_entity = [
        (pl.col("entity") == entity)
        & pl.col("field").is_in([attribute.column for attribute in attributes if attribute.entity == entity])
        for entity in ("lead", "account")
    ]
    return pl.any_horizontal(by_entity)


def _child_flags(id_column: str) -> dict[str, pl.Expr]:
    return {
        **structural(id_column),
        "objected": pl.col("_standing") == "objected",
        "test_record": pl.col("_standing") == "test_record",
        "unknown_lead": pl.col("_standing").is_null(),
        "missing_value": pl.col("_lacking"),
        "unreadable_time": pl.col("_unreadable"),
    }


def _lacking(raw: pl.DataFrame, *columns: str) -> pl.Series:
    """True where a required cell is empty."""
    return raw.select(pl.any_horizontal(pl.col(column).is_null() for column in columns)).to_series()
