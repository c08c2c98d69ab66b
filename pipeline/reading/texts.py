"""Times, numbers and booleans out of text, by the form that was declared and no other: never guessed."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from features.vocabulary import NO, YES
from models.marks import CLOCK, DAY, NUMBER, OFFSET, PLAIN, Marks, plain
from pipeline.errors import Stop
from pipeline.params import Source

TIME = pl.Datetime("us", "UTC")
LOCAL = pl.Datetime("us")

ISO_DAY = rf"^{DAY}$"
ISO_LOCAL = rf"^{DAY}[Tt ]{CLOCK}$"
ISO_FIXED = rf"^{DAY}[Tt ]{CLOCK}{OFFSET}$"
ISO_FIXED_PLAIN = rf"^{DAY}T\d{{2}}:\d{{2}}:[0-5]\d(\.\d{{1,9}})?(Z|[+-]\d{{2}}(:?\d{{2}})?)$"
ISO_LOCAL_PLAIN = rf"^{DAY} \d{{2}}:\d{{2}}:[0-5]\d$"
DAYS = (
    r"^(\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}-\d{1,2}-\d{4}|\d{1,2}/\d{1,2}/(\d{2}|\d{4})|\d{4}/\d{1,2}/\d{1,2}"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})"
    r"([, T]+\d{1,2}[:.]\d{2}([:.]\d{2})?( ?[AaPp][Mm])?)?$"
)
"""Days as people write them: which is the month is not guessed, but that it is a day."""

EXCEL_FIRST, EXCEL_LEAP, EXCEL_LAST = 1, 60, 2_958_466


@dataclass(frozen=True)
class Clock:
    """How this source writes its times and numbers."""

    timezone: str = "UTC"
    date_format: str | None = None
    marks: Marks = PLAIN

    @classmethod
    def of(cls, source: Source) -> "Clock":
        """The Clock that the parameters declare."""
        return cls(source.timezone, source.date_format, Marks(source.decimal, source.thousands))

    @cached_property
    def form(self) -> str:
        """The declared form, in words for a message."""
        if self.date_format is None:
            return "ISO 8601 such as 2025-10-01T08:00:00Z"
        return "Excel serial dates" if self.date_format == "excel" else f"the pattern {self.date_format}"


def read_times(values: pl.Series, clock: Clock) -> pl.Series:
    """Instants in UTC (microseconds); null where empty or not in the declared form."""
    return read_and_count(values, clock)[0]


def read_and_count(values: pl.Series, clock: Clock) -> tuple[pl.Series, int]:
    """The instants of read_times, and how many local times the zone's clock skipped or showed twice.

    A skipped time moves on by an hour; of one that came twice the first is taken.
    """
    fixed, local = _fixed_and_local(values, clock)
    if local is None:
        times, odd = fixed, 0
    else:
        placed = _localised(local, clock)
        times, odd = placed if fixed is None else _first(fixed, placed), _skipped_or_repeated(local, clock)
    if times is None:
        times = pl.Series(values.name, [None], TIME).new_from_index(0, len(values))
    return _within_years(times).alias(values.name), odd


def read_numbers(values: pl.Series, marks: Marks = PLAIN) -> pl.Series:
    """Float64; null where empty, NaN, or not a number with these marks and no others. Thousands are parted everywhere
    or nowhere in a number."""
    kind = values.dtype
    if kind == pl.Boolean or kind.is_numeric():
        return values.cast(pl.Float64).fill_nan(None)
    if kind != pl.String:
        return pl.Series(values.name, [None] * len(values), pl.Float64)
    text = values.str.strip_chars()
    if marks.thousands:
        text = _where(text.str.contains(marks.grouped), text.str.replace_all(marks.between, ""), text)
    if marks.decimal == ",":
        swapped = text.str.replace(",", ".", literal=True)
        text = _where(text.str.contains(".", literal=True), None, swapped)
    return _where(text.str.contains(NUMBER), text, None).cast(pl.Float64, strict=False)


def read_booleans(values: pl.Series) -> pl.Series:
    """Boolean; null where empty or not one of YES and NO (case folded; 1 and 0 of a number)."""
    kind = values.dtype
    if kind == pl.Boolean:
        return values
    if kind.is_numeric():
        number = values.cast(pl.Float64)
        return _where(number.is_in([0.0, 1.0]), number == 1.0, None)
    if kind != pl.String:
        return pl.Series(values.name, [None] * len(values), pl.Boolean)
    text = folded(values)
    return _where(text.is_in([*YES, *NO]), text.is_in([*YES]), None)


def read_positive(values: pl.Series, positive: list[str]) -> pl.Series:
    """`converted`: True where a text is among `positive` (case folded), null where empty, else False."""
    if values.dtype == pl.Boolean:
        return values
    if values.dtype.is_numeric():
        number = values.cast(pl.Float64).fill_nan(None)
        words = _where(number == number.round(), number.cast(pl.Int64, strict=False).cast(pl.String), "")
        words = _where(number.is_null(), None, words)
    else:
        words = folded(values.cast(pl.String)).str.replace(r"^(\d+)\.0+$", "${1}")
    known = _where(words == "", None, words)
    return known.is_in([word.strip().lower() for word in positive]).alias(values.name)


def written(values: pl.Series) -> pl.Series:
    """The values as text: a number as `plain` writes one of a request, so 2.0 beside 2.5 is 2."""
    if not (values.dtype.is_float() or values.dtype.is_decimal()):
        return values.cast(pl.String, strict=False)
    numbers = values.cast(pl.Float64).fill_nan(None)
    every = numbers.drop_nulls().unique()
    texts = pl.Series([plain(number) for number in every], dtype=pl.String)
    return numbers.replace_strict(every, texts, default=None, return_dtype=pl.String)


def folded(values: pl.Series) -> pl.Series:
    """Lower case without the white space around."""
    return values.str.strip_chars().str.to_lowercase()


def _fixed_and_local(values: pl.Series, clock: Clock) -> tuple[pl.Series | None, pl.Series | None]:
    """The times that carry an offset, in UTC, and those of the wall clock; None where there are none."""
    kind = values.dtype
    if isinstance(kind, pl.Datetime):
        zoned = kind.time_zone is not None
        return (values.dt.convert_time_zone("UTC").cast(TIME), None) if zoned else (None, values.cast(LOCAL))
    if kind == pl.Date:
        return None, values.cast(LOCAL)
    if clock.date_format == "excel" and (kind.is_numeric() or kind == pl.String):
        return None, _excel(values, clock)
    if kind != pl.String:
        return None, None
    text = values.str.strip_chars()
    return _iso(text) if clock.date_format in (None, "excel") else _pattern(text, clock)


def _skipped_or_repeated(local: pl.Series, clock: Clock) -> int:
    """Counted by quarters of an hour, which no clock change of our time divides."""
    if clock.timezone == "UTC" or not len(local):
        return 0
    quarters = pl.DataFrame({"at": local.dt.truncate("15m")}).drop_nulls().group_by("at").len()
    first, last = (
        pl.col("at").dt.replace_time_zone(clock.timezone, ambiguous=which, non_existent="null")
        for which in ("earliest", "latest")
    )
    return int(quarters.filter(first.is_null() | (first != last))["len"].sum())


def _iso(text: pl.Series) -> tuple[pl.Series | None, pl.Series | None]:
    """ISO 8601: with an offset, or without one: a wall clock time or a day (its midnight)."""
    plain = _fixed(_where(text.str.contains(ISO_FIXED_PLAIN), text, None))
    if plain.null_count() == text.null_count():
        return plain, None
    local = _iso_local(text)
    if local.null_count() == text.null_count():
        return None, local
    return _fixed(_unified(_where(text.str.contains(ISO_FIXED), text, None))), local


def _iso_local(text: pl.Series) -> pl.Series:
    plain = _where(text.str.contains(ISO_LOCAL_PLAIN), text, None)
    times = plain.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    if times.null_count() == text.null_count():
        return times
    clock = _unified(_where(text.str.contains(ISO_LOCAL), text, None))
    day = _where(text.str.contains(ISO_DAY), text + "T00:00:00", None)
    return _first(clock, day).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)


def _unified(text: pl.Series) -> pl.Series:
    """One spelling of ISO 8601: upper case T and Z, seconds, a point, no space before the offset."""
    return (
        text.str.to_uppercase()
        .str.replace(r"^(.{10})[T ]", "${1}T")
        .str.replace(",", ".", literal=True)
        .str.replace(" ", "", literal=True)
        .str.replace(r"^(.{10}T\d\d:\d\d)($|[Z+-])", "${1}:00${2}")
    )


def _fixed(text: pl.Series) -> pl.Series:
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", strict=False).cast(TIME)


def _pattern(text: pl.Series, clock: Clock) -> tuple[pl.Series | None, pl.Series | None]:
    times = _strptime(text, clock)
    times = _where(times.dt.year() >= 1000, times, None)  # %Y takes 18 for the year 18
    zoned = isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None
    return (times.cast(TIME), None) if zoned else (None, times.cast(LOCAL))


def _strptime(text: pl.Series, clock: Clock) -> pl.Series:
    """Times by the declared strptime pattern. Raises Stop where Polars does not know the pattern."""
    pattern = (clock.date_format or "").replace(".%f", "%.f")
    try:
        if not any(mark in pattern for mark in ("%H", "%I", "%T", "%R", "%s", "%X", "%c", "%+")):
            return text.str.to_date(pattern, strict=False).cast(pl.Datetime("us"))
        return text.str.to_datetime(pattern, time_unit="us", strict=False)
    except pl.exceptions.PolarsError as error:
        raise Stop(
            f"source.date_format: {clock.date_format!r} is not a pattern that can be read"
            " (expected one like %d-%m-%Y or %d.%m.%Y %H:%M, or excel)"
        ) from error


def _excel(values: pl.Series, clock: Clock) -> pl.Series:
    """Serial days of the 1900 system, to the millisecond. Day 60, 29 February 1900, never was: null."""
    days = read_numbers(values, clock.marks)
    usable = (days >= EXCEL_FIRST) & (days < EXCEL_LAST) & (days.floor() != EXCEL_LEAP)
    shift = (days < EXCEL_LEAP).cast(pl.Float64)
    ms = _where(usable, ((days + shift) * 86_400_000).round(), None).cast(pl.Int64)
    zero = pl.select(pl.datetime(1899, 12, 30, time_unit="us")).item()
    return pl.select(pl.lit(zero) + pl.duration(milliseconds=pl.lit(ms), time_unit="us")).to_series()


def _localised(local: pl.Series, clock: Clock) -> pl.Series:
    """Wall clock times of the zone as instants."""
    if clock.timezone == "UTC":
        return local.dt.replace_time_zone("UTC").cast(TIME)
    first = local.dt.replace_time_zone(clock.timezone, ambiguous="earliest", non_existent="null")
    if first.null_count() > local.null_count():
        later = local.dt.offset_by("1h")
        moved = later.dt.replace_time_zone(clock.timezone, ambiguous="earliest", non_existent="null")
        first = _first(first, moved)
    return first.dt.convert_time_zone("UTC").cast(TIME)


def _within_years(times: pl.Series) -> pl.Series:
    year = times.dt.year()
    return _where((year >= 1) & (year <= 9999), times, None)


def _where(mask: pl.Series, yes: pl.Series | None, no: pl.Series | str | None) -> pl.Series:
    name = mask.name
    frame = pl.select(
        pl.when(pl.lit(mask)).then(pl.lit(yes)).otherwise(pl.lit(no) if no is not None else None).alias(name)
    )
    return frame.to_series() if len(mask) else _empty(yes, no)


def _empty(yes: pl.Series | None, no: pl.Series | str | None) -> pl.Series:
    some = yes if yes is not None else no
    return some.clear() if isinstance(some, pl.Series) else pl.Series([], dtype=pl.String)


def _first(one: pl.Series, other: pl.Series) -> pl.Series:
    return _where(one.is_not_null(), one, other)
