"""Lead tables from a folder or one flat file, as they came, with every row that cannot be read marked."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import polars.selectors as cs

from pipeline.errors import Stop
from pipeline.params import Source
from pipeline.reading.csvs import BROKEN, read_csv

TABLES = ("leads", "accounts", "events", "stages", "history")
FORMS = (".parquet", ".csv", ".csv.gz")
FILES = {name + form for name in TABLES for form in FORMS}
"""Names of the files that are read of a folder."""
REQUIRED = {
    "leads": ("lead_id",),
    "accounts": ("account_id",),
    "events": ("lead_id", "occurred_at", "type"),
    "stages": ("lead_id", "stage", "entered_at"),
    "history": ("entity", "id", "field", "changed_at"),
}
OPTIONAL = {
    "leads": ("created_at", "account_id", "converted", "objected", "value", "person_id"),
    "accounts": (),
    "events": ("topic", "value", "event_id", "available_at"),
    "stages": ("amount", "reason"),
    "history": ("value",),
}
CONTRACT = {name: (*REQUIRED[name], *OPTIONAL[name]) for name in TABLES}
TEXTS = {"lead_id", "account_id", "event_id", "id", "type", "stage", "field", "entity", "topic", "reason"}
"""Columns that are text whatever a Parquet file says of them."""
ROW, TEST = "row", "_test"
"""Our own columns: the place in the input from 0, and whether it is a test."""
OURS = {ROW, BROKEN, TEST}
UNNAMED = "unnamed_1"
"""What the first column is called that has no name."""
RESERVED = (
    ROW, TEST, "outcome_refused", "refused_at",
    "_twin", "_unreadable", "_objected", "_no_value", "_untimed", "_example", "_as_of",
)  # fmt: skip
"""Columns that later stages put beside attributes: an attribute that is called so is `<name>_given`."""


def read_tables(source: Source, lenient: bool = False) -> dict[str, pl.DataFrame]:
    """The tables of `source` as they came, columns by our names; CSV cells are all strings.

    `lenient`: for tables to score, where a column that source.columns names may be absent, as the outcome is.

    Raises Stop where a file or a required column is missing, or a file cannot be read at all.
    """
    files = find(source.path)
    flat = source.path.is_file()
    raw = {name: _present(_read(path, source), source.na_values) for name, path in files.items()}
    renamed = rename(raw, source.columns, files, lenient)
    return {name: _finish(name, table, files[name], flat) for name, table in renamed.items()}


def find(path: Path) -> dict[str, Path]:
    """The file of each table under `path`; a path to one file is the leads."""
    if path.is_file():
        return {"leads": path}
    if not path.is_dir():
        raise Stop(
            f"{path}: there is no such file or folder; set source.path to a folder with"
            " leads.csv, leads.csv.gz or leads.parquet in it, or to one flat file"
        )
    found = {name: [path / (name + form) for form in FORMS if (path / (name + form)).is_file()] for name in TABLES}
    for name, files in found.items():
        if len(files) > 1:
            came = " and ".join(file.name for file in files)
            raise Stop(f"{path}: expected one file for the table {name}, got {came}; remove all but one")
    if not found["leads"]:
        there = ", ".join(sorted(entry.name for entry in path.iterdir())[:20]) or "nothing"
        raise Stop(
            f"{path}: the table leads is missing; expected leads.parquet, leads.csv or leads.csv.gz,"
            f" found {there}. Put it there or set source.path"
        )
    return {name: files[0] for name, files in found.items() if files}


def rename(
    tables: Mapping[str, pl.DataFrame],
    columns: Mapping[str, str],
    files: Mapping[str, Path],
    lenient: bool = False,
) -> dict[str, pl.DataFrame]:
    """The tables with columns by our names: `{ours: theirs}`, or `{table.ours: theirs}` for one table."""
    unused = dict(columns)
    result = {}
    for name, table in tables.items():
        ours = _mapped(name, table, columns, unused)
        theirs = set(ours.values())
        clash = sorted(ours.keys() & (set(table.columns) - theirs))
        if clash:
            raise Stop(
                f"{files[name]}: source.columns names another column for {clash[0]}, but the file has one of"
                " that name already; leave one of them out"
            )
        kept = [pl.col(column) for column in table.columns if column not in theirs]
        result[name] = table.select(*(pl.col(old).alias(new) for new, old in ours.items()), *kept)
    for key, column in unused.items():
        if lenient:  # tables to score need not have the outcome, and may have our names already
            continue
        every = [name for table in tables.values() for name in table.columns]
        hint = "".join(map(parted, tables.values()))
        near = [] if hint else difflib.get_close_matches(column, every, 3)
        there = "; ".join(f"{files[name]}: {_listed(table)}" for name, table in tables.items())
        said = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {there}"
        raise Stop(f"source.columns.{key}: no column is called {column!r}; {said}{hint}")
    return result


def _mapped(name: str, table: pl.DataFrame, columns: Mapping[str, str], unused: dict[str, str]) -> dict[str, str]:
    """Ours to theirs, of the pairs that this table has; one that names the table goes before one of all. Takes them
    out of `unused`."""
    ours = {}
    for key, theirs in sorted(columns.items(), key=lambda pair: pair[0].split(".")[0] == name):
        where, _, column = key.rpartition(".") if key.split(".")[0] in TABLES else ("", "", key)
        if where in ("", name) and _may_have(name, column) and theirs.strip() in table.columns:
            ours[column] = theirs.strip()
            unused.pop(key, None)
    return ours


def _may_have(name: str, column: str) -> bool:
    """Whether a table has a column of ours: an id of leads is none of accounts, though theirs is called alike."""
    return column in CONTRACT[name] or not any(column in columns for columns in CONTRACT.values())


def _read(path: Path, source: Source) -> pl.DataFrame:
    parquet = path.name.lower().endswith(".parquet")
    table = _read_parquet(path) if parquet else read_csv(path, source.separator, source.encoding)
    for name in table.columns:  # Polars takes * and ^…$ for many columns
        if name == "*" or (name.startswith("^") and name.endswith("$")) or (parquet and name == BROKEN):
            raise Stop(f"{path}: a column is called {name!r}, which means something else here; give it another name")
    return table


def _read_parquet(path: Path) -> pl.DataFrame:
    """Times with any offset in UTC; categories, and bytes that are UTF-8 (as Hive and Impala write texts), as text."""
    os.environ.setdefault("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")  # it knows no zone called +02:00, as pandas has it
    try:
        table = pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Stop(
            f"{path}: cannot be read as Parquet ({path.stat().st_size} bytes; cut short or not Parquet?);"
            " write it again or give it as CSV"
        ) from error
    table = table.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC"))
    texts = [name for name, kind in table.schema.items() if isinstance(kind, pl.Categorical | pl.Enum)]
    return table.with_columns(pl.col(texts).cast(pl.String), *map(_decoded, table.select(cs.binary())))


def _decoded(values: pl.Series) -> pl.Series:
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:  # not UTF-8
        return values


def _present(table: pl.DataFrame, na_values: list[str]) -> pl.DataFrame:
    """Null where a cell is empty, white space or one of `na_values`."""
    nothing = ["", *(word.strip() for word in na_values)]
    texts = [name for name, kind in table.schema.items() if kind == pl.String and name != BROKEN]
    empty = pl.col(texts).str.strip_chars().is_in(nothing)
    return table.with_columns(pl.when(~empty).then(pl.col(texts)).name.keep()) if texts else table


def _finish(name: str, table: pl.DataFrame, path: Path, flat: bool) -> pl.DataFrame:
    """With `row`, ids as text and, for a flat file without one, the row number as lead_id. A row in which nothing
    stands, such as Excel leaves below a table, is as little a row as a blank line."""
    taken = {column: f"{column}_given" for column in RESERVED if column in table.columns}
    table = table.rename(taken).with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    table = table.filter(pl.any_horizontal(pl.exclude(ROW).is_not_null()))
    if flat and "lead_id" not in table.columns:
        table = table.with_columns(lead_id=pl.col(ROW).cast(pl.String))
    missing = [column for column in REQUIRED[name] if column not in table.columns]
    if missing:
        place = missing[0] if flat else f"{name}.{missing[0]}"
        raise Stop(
            f"{path}: the required column {missing[0]} is missing; there are {_listed(table)}."
            f' If another one holds it, say so: source.columns: {{{place}: "its name"}}{parted(table)}'
        )
    _check_cells(name, table, path)
    return table.with_columns(_text(column, table.schema[column]) for column in table.columns if column in TEXTS)


def _check_cells(name: str, table: pl.DataFrame, path: Path) -> None:
    """Raise Stop where a column of ours holds lists, bytes or the like: no text, number or time."""
    for column in CONTRACT[name]:
        kind = table.schema.get(column)
        if kind is not None and (kind.is_nested() or kind in (pl.Binary, pl.Duration, pl.Time)):
            raise Stop(
                f"{path}: the column {column} holds cells of the type {kind}; expected text, numbers, booleans or "
                "times. Write it as text (an id of the type UUID, too), or name another column for it in source.columns"
            )


def row_labels(table: pl.DataFrame) -> set[str]:
    """Columns that number the rows, as pandas writes its index: they say nothing, and make twins differ."""
    found = {name for name in table.columns if name.startswith("__index_level_")}
    first = table.get_column(UNNAMED, default=None)
    if first is not None and first.drop_nulls().cast(pl.String).str.contains(r"^\d+$").all():
        found.add(UNNAMED)
    return found


def parted(table: pl.DataFrame) -> str:
    """A hint, to end a message, where the only column's name holds what may be the separator."""
    names = [column for column in table.columns if column not in {*OURS, "lead_id"}]  # a flat file's id is made up
    found = next((mark for mark in ";,\t|" if len(names) == 1 and mark in names[0]), None)
    return "" if found is None else f". Or the columns are separated by another character: source.separator: {found!r}"


def _text(column: str, kind: pl.DataType) -> pl.Expr:
    """A column as text; whole numbers that a null or a database made fractions lose their `.0`."""
    value = pl.col(column)
    if kind.is_float():
        whole = value.is_finite() & (value == value.round())
        text = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        return pl.when(value.is_not_nan()).then(text).alias(column)
    if kind.is_decimal():
        return value.cast(pl.String).str.replace(r"\.0+$", "")
    return value if kind == pl.String else value.cast(pl.String, strict=False)


def _listed(table: pl.DataFrame) -> str:
    names = [repr(name) for name in table.columns if name not in OURS]
    return ", ".join(names[:60]) + (f" and {len(names) - 60} more" if len(names) > 60 else "")
