"""Every row of the tables is accepted, refused with a code and a reason, or excluded with a code."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pipeline.errors import Stop
from pipeline.params import Definition, Source
from pipeline.reading.attributes import AttributeList, Inferred, infer
from pipeline.reading.checks.children import judge_events, judge_history, judge_stages, outcomes, standing
from pipeline.reading.checks.fields import doubts
from pipeline.reading.checks.leads import judge_accounts, judge_leads
from pipeline.reading.checks.leaving import selective
from pipeline.reading.checks.meta import meta_of
from pipeline.reading.checks.sift import Context, Sifted, readable, text
from pipeline.reading.checks.sums import check_limit, sums_of
from pipeline.reading.csvs import BROKEN
from pipeline.reading.tables import OPTIONAL, TABLES, parted
from pipeline.reading.texts import TIME, Clock, folded


@dataclass(frozen=True)
class Checked:
    """What `check` found; `tables` are typed and hold accepted rows alone."""

    tables: dict[str, pl.DataFrame]
    refused: dict[str, pl.DataFrame]
    excluded: dict[str, pl.DataFrame]
    report: dict[str, dict[str, Any]]
    attributes: AttributeList
    meta: dict[str, Any]


def check(
    raw: Mapping[str, pl.DataFrame],
    source: Source,
    definition: Definition,
    limit: float | None,
    started_at: datetime,
    trained: Inferred | None = None,
    dropped: Collection[str] = (),
) -> Checked:
    """Type the raw tables and set their bad rows apart.

    `limit`: the largest share of refused rows a table may have; None for any. `trained`: the attributes as training
    found them, for tables to score; None to infer them. `dropped`: columns that ingest took out as personal.
    """
    context = Context(Clock.of(source), definition, started_at)
    shape = _shape(raw, definition, scoring=trained is not None)
    raw = {**raw, "leads": _without(raw["leads"], definition)}
    found = infer(_telling(raw), definition, context.clock, dropped) if trained is None else trained
    context.warnings += found.warnings
    sifted = _sift_all(raw, found, shape, context)
    report = {name: sums_of(one) for name, one in sifted.items()}
    check_limit(sifted, report, limit, context.seen, source.path)
    used = {name: one for name, one in sifted.items() if (shape, name) != ("flat", "stages")}
    tables = _typed(used, found.attributes, context)
    if trained is None:  # to score, no lead left is an answer: everybody may have objected
        _check_left(sifted, tables["leads"])
        context.warnings += doubts(tables, found.attributes, definition)
        context.warnings += selective(sifted, shape, definition)
    meta = meta_of(tables, source, shape, found, context, {} if trained is None else raw, sifted)
    return Checked(
        tables,
        {name: one.coded(False).select("table", "row", "code", "reason") for name, one in sifted.items()},
        {name: _excluded(one) for name, one in sifted.items()},
        report,
        found.attributes,
        meta,
    )


def _shape(raw: Mapping[str, pl.DataFrame], definition: Definition, scoring: bool) -> str:
    """dated, outcome or flat. Raises Stop where the tables have none of the shapes."""
    leads = raw["leads"]
    if not leads.height and not scoring:
        raise Stop("leads: the table has no rows; expected one row a lead. Fill it or set source.path")
    dated, converted = "created_at" in leads.columns, "converted" in leads.columns
    event = definition.conversion.event
    if scoring:
        return "dated" if dated else "flat"
    if dated and event is not None and "events" not in raw:
        raise Stop(f"events: the table is missing, but definition.conversion.event is {event!r}; add the table")
    if dated and (event is not None or "stages" in raw):
        return "dated"
    if converted and event is None:
        return "outcome" if dated else "flat"
    came = ", ".join(
        sorted({*raw} | {f"leads.{name}" for name in ("created_at", "converted") if name in leads.columns})
    )
    raise Stop(
        "leads: there is nothing to learn an outcome from. Expected leads.created_at and the table stages, or"
        f" leads.created_at and leads.converted, or leads.converted alone; got {came}. Add one, or say which"
        f' column holds it: source.columns: {{converted: "its name"}}{parted(leads)}'
    )


def _without(leads: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    """Without the columns of the contract that definition.exclude names; `infer` leaves out attributes."""
    return leads.drop([column for column in OPTIONAL["leads"] if column in definition.exclude], strict=False)


def _telling(raw: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The rows that say what columns are: not those that could not be read, nor history of a lead or an account that is
    not there."""
    told = {name: readable(table) for name, table in raw.items()}
    if "history" in told:
        accounts = [text(told[name], "account_id", strip=False) for name in ("leads", "accounts") if name in told]
        there = {"lead": told["leads"]["lead_id"], "account": pl.concat(accounts)}
        of, whose = folded(text(told["history"], "entity")), text(told["history"], "id", strip=False)
        known = [(of == entity) & whose.is_in(ids.implode()) for entity, ids in there.items()]
        told["history"] = told["history"].filter(known[0] | known[1])
    return told


def _sift_all(raw: Mapping[str, pl.DataFrame], found: Inferred, shape: str, context: Context) -> dict[str, Sifted]:
    """Every table that there is, parents first."""
    attributes = found.attributes
    sifted = {"leads": judge_leads(raw["leads"], attributes, shape != "flat", context)}
    leads = standing(sifted["leads"])
    if "accounts" in raw:
        sifted["accounts"] = judge_accounts(raw["accounts"], attributes, context)
    if "events" in raw:
        sifted["events"] = judge_events(raw["events"], leads, context)
    if "stages" in raw:
        sifted["stages"] = judge_stages(raw["stages"], leads, context)
    if "history" in raw:
        ids = [one.accepted["account_id"] for name, one in sifted.items() if name in ("leads", "accounts")]
        accounts = pl.concat(ids).drop_nulls().unique()
        sifted["history"] = judge_history(raw["history"], leads, accounts, found, context)
    return {name: sifted[name] for name in TABLES if name in sifted}


def _check_left(sifted: Mapping[str, Sifted], leads: pl.DataFrame) -> None:
    if not leads.height:
        sums = sums_of(sifted["leads"])
        raise Stop(
            f"leads: no row is left of {sums['read']}: refused {sums['quarantined']}, excluded"
            f" {sums['excluded']};"
            " mend the table"
        )


def _typed(sifted: Mapping[str, Sifted], attributes: AttributeList, context: Context) -> dict[str, pl.DataFrame]:
    """The accepted rows with the columns that the next stages know, checked against their models."""
    from pipeline.reading.schemas import MODELS, check_accepted

    names = {entity: [a.column for a in attributes if a.entity == entity] for entity in ("lead", "account")}
    more = {"leads": names["lead"], "accounts": names["account"]}
    tables = {}
    for name, one in sifted.items():
        accepted = one.accepted
        if name == "leads":
            accepted = accepted.join(
                _outcomes_refused(sifted, context), on="lead_id", how="left", maintain_order="left"
            )
            untimed = pl.col("_untimed").fill_null(False)
            accepted = accepted.with_columns(
                pl.col("outcome_refused").fill_null(False),
                refused_at=pl.when(untimed).then("created_at").otherwise("refused_at"),
            )
            context.count("leads: outcome refused, left out", int(accepted["outcome_refused"].sum()))
        columns = [*MODELS[name].to_schema().columns, *more.get(name, [])]
        tables[name] = accepted.select(columns)
        check_accepted(name, tables[name])
    return tables


def _outcomes_refused(sifted: Mapping[str, Sifted], context: Context) -> pl.DataFrame:
    """Leads whose outcome row, or a row that may have been one, was refused; a twin of it stays. `refused_at`: the
    first time of those that may have closed the lead; `_untimed`: whether such a row has none that can be read."""
    conversion = context.definition.conversion
    found = [pl.DataFrame(schema={"lead_id": pl.String, "at": TIME, "closes": pl.Boolean})]
    stages = [name for kind in outcomes(context) for name in kind]
    for name, column, time, values in (
        ("stages", "stage", "entered_at", stages),
        ("events", "type", "known_at", [conversion.event]),
    ):
        if name in sifted and (name == "stages" or values != [None]):
            rows = sifted[name].coded(False).filter(~pl.col("code").is_in(["duplicate_row", "repeated_event"]))
            may = pl.col(column).is_in(values) | pl.col(column).is_null() | pl.col(BROKEN).is_not_null()
            closes = pl.lit(name == "stages" or not conversion.repeats)
            found.append(rows.filter(may).select("lead_id", pl.col(time).alias("at"), closes=closes))
    closing = pl.col("at").filter("closes")
    return (
        pl.concat(found).drop_nulls("lead_id").group_by("lead_id")
        .agg(outcome_refused=pl.lit(True), refused_at=closing.min(), _untimed=closing.is_null().any())
    )  # fmt: skip


def _excluded(one: Sifted) -> pl.DataFrame:
    """The excluded rows, whose they are, and since when a lead is there; an account is nobody's."""
    lead = pl.lit(None, pl.String)
    if one.table == "history":
        lead = pl.when(pl.col("entity") == "lead").then("id")
    elif one.table != "accounts":
        lead = pl.col("lead_id")
    created = pl.lit(None, TIME) if one.table != "leads" else pl.col("created_at")
    return one.coded(True).select("table", "row", "code", lead.alias("lead_id"), created.alias("created_at"))
