"""What kind of values a column holds, by its content and for titles by its name."""

from collections.abc import Callable

import polars as pl

from features.columns import Kind
from pipeline.reading.naming import tokens, words
from pipeline.reading.texts import (
    DAYS,
    ISO_DAY,
    ISO_FIXED,
    ISO_LOCAL,
    Clock,
    read_booleans,
    read_numbers,
    read_times,
    written,
)

TITLE_WORDS = words("title titles jobtitle position role designation titteli tehtavanimike yrkestitel")
MOST = 0.98
"""With at least this share of numbers, more than FEW distinct, a column is numeric: the rest are mistakes."""
FEW = 20
HALF = 0.5
LIKE_NUMBER = r"^[€$£~<>≈ ]{0,3}[+-]?\d[\d.,' \u00a0\u202f]*[+%kKmM€$£ ]{0,3}$"
"""A number with any marks, a currency or a unit."""


def kind_of(column: str, values: pl.Series, clock: Clock) -> tuple[Kind | None, str]:
    """The kind of a column, and what there is to say of it; None where it is no attribute, and why."""
    known = values.drop_nulls()
    if not len(known):
        return None, "every value is missing"
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        return None, f"cells of the type {values.dtype} are not read"
    if len(known) == len(values) and known.n_unique() == 1:
        return None, "it has a single value"
    if values.dtype.is_temporal() or _dates(known, clock):
        return None, "dates are not read as attributes: make an age or a stage of it"
    if known.dtype == pl.Boolean or read_booleans(known).null_count() == 0:
        return "boolean", ""
    if known.dtype.is_numeric():
        return "numeric", ""
    return _of_texts(column, known, clock)


def _dates(known: pl.Series, clock: Clock) -> bool:
    if known.dtype != pl.String:
        return False
    text = known.str.strip_chars()
    if text.str.contains(f"{ISO_DAY}|{ISO_LOCAL}|{ISO_FIXED}").all() or text.str.contains(DAYS).all():
        return True
    return clock.date_format not in (None, "excel") and read_times(known, clock).null_count() == 0


def _of_texts(column: str, known: pl.Series, clock: Clock) -> tuple[Kind, str]:
    """Numbers, unless they are codes such as 00120; then titles by their name; else categories."""
    marks = clock.marks
    numbers = read_numbers(known, marks)
    bad = numbers.null_count()
    codes = known.str.contains(r"^\s*0\d+\s*$").any()
    if not bad and not codes:
        return "numeric", ""
    if bad <= (1 - MOST) * len(known) and numbers.n_unique() > FEW and not codes:
        return "numeric", f"{column}: read as numeric, {bad} of {len(known)} values are no numbers"
    if TITLE_WORDS & set(tokens(column)):
        return "text", ""
    like = int((known.str.contains(LIKE_NUMBER)).sum())
    if like < HALF * len(known) or known.n_unique() <= FEW or codes:
        return "categorical", ""
    return "categorical", (
        f"{column}: {like} of {len(known)} values look like numbers, but {bad} are none with the decimal mark “"
        f"{marks.decimal}” and {f'“{marks.thousands}”' if marks.thousands else 'no mark'} for thousands, so each value "
        "is taken as a name; set source.decimal or source.thousands, name what stands for nothing in "
        "source.na_values, or mend the column"
    )


READERS: dict[Kind, Callable[[pl.Series, Clock], pl.Series]] = {
    "numeric": lambda values, clock: read_numbers(values, clock.marks),
    "boolean": lambda values, _: read_booleans(values),
    "categorical": lambda values, _: _stripped(values),
    "text": lambda values, _: _stripped(values),
}


def read_values(values: pl.Series, kind: Kind, clock: Clock) -> pl.Series:
    """The values of an attribute by its kind: Float64, Boolean or String; null where empty or unreadable."""
    return READERS[kind](values, clock).alias(values.name)


def _stripped(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        return pl.Series(values.name, [None] * len(values), pl.String)
    text = written(values).str.strip_chars()
    return text.set(text == "", None) if len(text) else text
