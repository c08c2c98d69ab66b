"""The rows of leads and accounts: their own columns, and their attributes by kind."""

from collections.abc import Sequence

import polars as pl

from features.columns import Attribute, Entity
from pipeline.reading.attributes import TEST_FLAGS, AttributeList, never_negative
from pipeline.reading.checks.sift import (
    Context,
    Sifted,
    column,
    impossible,
    lost,
    marks,
    numbers,
    sift,
    structural,
    text,
    times,
)
from pipeline.reading.csvs import BROKEN
from pipeline.reading.kinds import read_values
from pipeline.reading.naming import TABLE_OF
from pipeline.reading.tables import TEST
from pipeline.reading.texts import folded, read_booleans, read_positive

TEST_TEXT = (
    r"^(test|testi|asdf|asdfasdf|qwerty)"
    r"([ _\-]?(lead|account|company|record|user|oy|ab|inc|ltd))?[ _\-]?\d*$"
)
TEST_COLUMNS = {
    "source": TEST_TEXT, "lead_source": TEST_TEXT, "company": TEST_TEXT,
    "company_name": TEST_TEXT, "account_name": TEST_TEXT, "title": TEST_TEXT, "job_title": TEST_TEXT,
}  # fmt: skip
"""Only whole texts, never a part of one: Test Engineer is a title and Test Valley a place."""


def judge_leads(raw: pl.DataFrame, attributes: AttributeList, dated: bool, context: Context) -> Sifted:
    """Typed leads and their codes, the same to train and to score. `dated`: created_at is required."""
    created_at, unreadable = times(raw, "leads", "created_at", context)
    value, no_value = numbers(raw, "value", context)
    no_value |= impossible(value).fill_null(False)
    context.note("leads", "impossible_number", column(raw, "value"), no_value & column(raw, BROKEN).is_null())
    own = pl.DataFrame(
        {
            "lead_id": text(raw, "lead_id", strip=False),
            "created_at": created_at,
            "account_id": text(raw, "account_id", strip=False),
            "converted": _converted(raw, context),
            "value": value,
            "person_id": text(raw, "person_id", strip=False),
            "_unreadable": unreadable,
            "_objected": _objected(raw, context),
            "_test": _tests(raw),
            "_no_value": no_value,
            **marks(raw),
        }
    )
    rows, bad = _with_attributes(own, raw, "lead", attributes, context)
    flags = {
        **structural("lead_id"),
        "conflicting_id": _conflicts("lead_id"),
        "objected": pl.col("_objected"),
        "test_record": pl.col("_test"),
        "missing_value": pl.lit(dated) & pl.col("created_at").is_null() & ~pl.col("_unreadable"),
        "unreadable_time": pl.col("_unreadable"),
        "future_time": pl.col("created_at") > context.started_at,
        "impossible_number": pl.any_horizontal(pl.col("_no_value"), *bad),
    }
    return sift("leads", rows, flags)


def judge_accounts(raw: pl.DataFrame, attributes: AttributeList, context: Context) -> Sifted:
    """Typed accounts and their codes."""
    own = pl.DataFrame({"account_id": text(raw, "account_id", strip=False), **marks(raw)})
    rows, bad = _with_attributes(own, raw, "account", attributes, context)
    flags = {**structural("account_id"), "conflicting_id": _conflicts("account_id")}
    return sift("accounts", rows, {**flags, "impossible_number": pl.any_horizontal(pl.lit(False), *bad)})


def _conflicts(id_column: str) -> pl.Expr:
    """Rows that share an id and disagree: what is left when twins and broken rows are set aside."""
    counts = pl.col(BROKEN).is_null() & pl.col(id_column).is_not_null() & ~pl.col("_twin")
    return counts & (counts.sum().over(id_column) > 1)


def _converted(raw: pl.DataFrame, context: Context) -> pl.Series:
    return read_positive(column(raw, "converted"), context.definition.positive).cast(pl.Boolean)


def _objected(raw: pl.DataFrame, context: Context) -> pl.Series:
    """True unless empty or a clear no: a word that we cannot read must not lose an objection."""
    said = column(raw, "objected")
    read = read_booleans(said)
    context.count("leads.objected: neither yes nor no, taken as objections", read.null_count() - said.null_count())
    return said.is_not_null() & read.fill_null(True)


def _tests(raw: pl.DataFrame) -> pl.Series:
    """True of records that we made to try something: by a flag, by what ingest saw, or by a whole text."""
    hits = [pl.lit(raw[TEST])] if TEST in raw.columns else []
    hits += [pl.lit(read_booleans(raw[name])).fill_null(False) for name in TEST_FLAGS if name in raw.columns]
    for name, pattern in TEST_COLUMNS.items():
        if name in raw.columns and raw[name].dtype == pl.String:
            hits.append(pl.lit(folded(raw[name])).str.contains(pattern).fill_null(False))
    return raw.select(pl.any_horizontal(pl.repeat(False, pl.len(), dtype=pl.Boolean), *hits).alias("_test")).to_series()


def _with_attributes(
    own: pl.DataFrame,
    raw: pl.DataFrame,
    entity: Entity,
    attributes: Sequence[Attribute],
    context: Context,
) -> tuple[pl.DataFrame, list[pl.Expr]]:
    """The rows with a column an attribute, and for each numeric one where it holds an impossible number."""
    columns, bad = [], []
    for attribute in attributes:
        if attribute.entity != entity:
            continue
        values = column(raw, attribute.column)
        read = read_values(values, attribute.kind, context.clock).alias(attribute.column)
        unreadable = lost(values, read)
        if attribute.kind == "numeric":
            wrong = unreadable | impossible(read, never_negative(attribute)).fill_null(False)
            context.note(TABLE_OF[entity], "impossible_number", values, wrong & column(raw, BROKEN).is_null())
            bad.append(pl.lit(wrong))
        else:
            place = f"{TABLE_OF[entity]}.{attribute.column}"
            where = f"{place}: values that are not {attribute.kind}, taken as missing"
            context.count(where, int(unreadable.sum()))
        columns.append(read)
    return own.with_columns(columns), bad
