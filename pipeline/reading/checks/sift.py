"""What all tables share: reading a column by its role, and setting rows apart by their first broken rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import polars as pl

from pipeline.errors import Stop
from pipeline.params import Definition
from pipeline.reading.csvs import BROKEN
from pipeline.reading.rules import RULES
from pipeline.reading.tables import ROW, row_labels
from pipeline.reading.texts import Clock, read_and_count, read_numbers, written

SOME = 3
"""A time column with empty cells must have at least this many values before the whole of it is called unreadable."""
Flags = Mapping[str, pl.Expr]
"""By code, which rows break the rule; a null counts as false."""


@dataclass
class Context:
    """What every check needs to know, and where it writes what is no reason to refuse a row."""

    clock: Clock
    definition: Definition
    started_at: datetime
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seen: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """By table and code, which columns break the rule, and what stands in the first such cell, by its shape."""

    def count(self, what: str, number: int) -> None:
        """Add to a count of meta.json; zeros are not kept."""
        if number:
            self.counts[what] = self.counts.get(what, 0) + int(number)

    def note(self, table: str, code: str, values: pl.Series, bad: pl.Series) -> None:
        """Remember that cells of a column break a rule, and the shape of the first."""
        if bad.any():
            cell = values.filter(bad.fill_null(False)).item(0)
            self.seen.setdefault((table, code), {})[values.name] = "" if cell is None else _shape(str(cell))


@dataclass(frozen=True)
class Sifted:
    """A typed table with every row, and `code` beside it: null where the row is accepted."""

    table: str
    rows: pl.DataFrame
    code: pl.Series

    @property
    def accepted(self) -> pl.DataFrame:
        """The rows without a code."""
        return self.rows.filter(self.code.is_null())

    def coded(self, excludes: bool) -> pl.DataFrame:
        """The rows with a code that excludes (or that refuses), with `table`, `code` and `reason`."""
        rules = [rule for rule in RULES[self.table] if rule.excludes == excludes]
        frame = self.rows.with_columns(code=self.code, table=pl.lit(self.table))
        frame = frame.filter(pl.col("code").is_in([rule.code for rule in rules]))
        reasons = {rule.code: rule.reason for rule in rules}
        said = pl.col("code").replace_strict(reasons, default=None, return_dtype=pl.String)
        return frame.with_columns(reason=said) if rules else frame.with_columns(reason=pl.lit(None, pl.String))


def sift(table: str, rows: pl.DataFrame, flags: Flags) -> Sifted:
    """Give each row the code of the first rule of RULES[table] that it breaks."""
    from pipeline.reading.schemas import first_faults

    none = pl.repeat(False, pl.len(), dtype=pl.Boolean)
    faults = rows.select(flags.get(rule.code, none).fill_null(False).alias(rule.code) for rule in RULES[table])
    found = first_faults(table, faults)
    codes = pl.Series([rule.code for rule in RULES[table]])
    place, order = found["place"].cast(pl.Int64), found["order"]
    code = pl.Series("code", [None], dtype=pl.String).new_from_index(0, rows.height)
    return Sifted(table, rows, code.scatter(place, codes.gather(order)) if len(place) else code)


def column(raw: pl.DataFrame, name: str) -> pl.Series:
    """A column as it came; null where it is not there."""
    return raw[name] if name in raw.columns else pl.Series(name, [None], pl.String).new_from_index(0, raw.height)


def readable(raw: pl.DataFrame) -> pl.DataFrame:
    """Without the rows that could not be read: their cells may stand in wrong columns."""
    return raw.filter(column(raw, BROKEN).is_null())


def structural(id_column: str) -> dict[str, pl.Expr]:
    """The rules about a row as a row; needs the columns of `marks`."""
    return {
        "undecodable_text": pl.col(BROKEN) == "undecodable_text",
        "ragged_row": pl.col(BROKEN) == "ragged_row",
        "missing_id": pl.col(id_column).is_null(),
        "duplicate_row": pl.col("_twin"),
    }


def marks(raw: pl.DataFrame) -> dict[str, pl.Series]:
    """`row`, why the row is broken, and whether an earlier row is identical."""
    return {ROW: raw[ROW], BROKEN: column(raw, BROKEN), "_twin": twins(raw)}


def twins(raw: pl.DataFrame) -> pl.Series:
    """True where an earlier row is identical in everything but its place and its number."""
    passed = {ROW, *row_labels(raw)}
    columns = [name for name, kind in raw.schema.items() if name not in passed and not kind.is_nested()]
    return raw.select(~pl.struct(columns).is_first_distinct()).to_series()


def text(raw: pl.DataFrame, name: str, strip: bool = True) -> pl.Series:
    """A column as text. Ids are not stripped: they stay as they came."""
    values = written(column(raw, name))
    return values.str.strip_chars() if strip else values


def times(raw: pl.DataFrame, table: str, name: str, context: Context) -> tuple[pl.Series, pl.Series]:
    """The instants of a column, and which cells hold something else. Raises Stop where all do."""
    values = column(raw, name)
    read, odd = read_and_count(values, context.clock)
    unreadable = values.is_not_null() & read.is_null()
    readable = column(raw, BROKEN).is_null()
    context.note(table, "unreadable_time", values, unreadable & readable)
    usable = values.is_not_null() & readable
    if (usable.all() or usable.sum() >= SOME) and usable.any() and not (usable & ~unreadable).any():
        first = _shape(str(values.filter(usable).item(0)))
        raise Stop(
            f"{table}.{name}: none of its {usable.sum()} values is a time; expected {context.clock.form},"
            f" got {values.dtype} of the shape {first!r}."
            f" Set source.date_format, or map another column to {name}"
        )
    context.count(f"{table}.{name}: local times that the clock skipped or showed twice", odd)
    return read, unreadable


def _shape(text: str) -> str:
    """A value with its letters as a and its digits as 9: enough to see the form, and nobody's data."""
    return "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text[:40])


def numbers(raw: pl.DataFrame, name: str, context: Context) -> tuple[pl.Series, pl.Series]:
    """The numbers of a column, and which cells hold something else."""
    values = column(raw, name)
    read = read_numbers(values, context.clock.marks)
    return read, lost(values, read)


def lost(values: pl.Series, read: pl.Series) -> pl.Series:
    """Which cells hold something that could not be read; NaN is nothing."""
    given = values.fill_nan(None) if values.dtype.is_float() else values
    return given.is_not_null() & read.is_null()


N = TypeVar("N", pl.Expr, pl.Series)


def impossible(number: N, never_negative: bool = True) -> N:
    """Infinite, or below zero."""
    return number.is_infinite() | (number < 0) if never_negative else number.is_infinite()
