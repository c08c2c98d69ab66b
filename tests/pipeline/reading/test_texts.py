"""Text is read in the declared form and no other."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from math import isinf
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle.values import WrongRequest, micros
from models.bundle.values import number as wide_number
from models.marks import PLAIN, Marks, plain
from pipeline.reading.kinds import read_values
from pipeline.reading.texts import (
    TIME,
    Clock,
    read_and_count,
    read_booleans,
    read_numbers,
    read_positive,
    read_times,
)


def one(text: object, clock: Clock = Clock()) -> datetime | None:  # noqa: B008 (frozen)
    """The instant of one text."""
    return read_times(pl.Series("x", [text]), clock).item()


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-05T10:00:00Z",
        "2024-01-05T12:00:00+02:00",
        "2024-01-05T12:00+0200",
        "2024-01-05t05:00:00.000-05",
        "2024-01-05 10:00:00,000 +00:00",
        " 2024-01-05T10:00:00 ",
    ],
)
def test_iso_spellings_mean_one_instant(text: str) -> None:
    """ISO 8601 in its usual spellings."""
    assert one(text) == datetime(2024, 1, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "5.1.2024",
        "05/01/2024",
        "2024-1-5",
        "2024-13-01",
        "2024-02-30",
        "20240105",
        "1704448800",
        "yesterday",
        "T10:00",
        "2024-01-05T24:00:00Z",
        "2024-01-05T10:00:60Z",
        "0000-01-01",
        "0001-01-01T00:00:00+05:00",
        "2024-01-05T10:00:00 CET",
    ],
)
def test_other_forms_are_never_guessed(text: str) -> None:
    """Whatever is not ISO 8601 is unreadable when nothing else is declared."""
    assert one(text) is None


ODD = [
    *("20240105", "20240105T100000Z", "2024-W01-5", "2024W015T10:00", "2024-01-05T10", "2024-01-05T100000Z"),
    *("2024-01-05-10:00", "2024-01-05+02:00", "2024-01-05x10:00:00", "2024-01-05T10:00:00.Z", "2024-01-05T10:00+02:75"),
    *("2024-01-05 10:00 +0200", "2024-01-05t10:00:00,5z", "2024-01-05T10:00:00.1234567Z", "2024-01-05T10:00:00 Z"),
]


@given(
    st.sampled_from(ODD)
    | st.from_regex(r"(2024-?0[1-9]-?05|2024-?W0[1-9]-?[1-7])[Tt x_+-]?(1[0-9]:?[0-5]0?(:?0[0-9](\.[0-9]{0,10})?)?)?"
                    r" ?([Zz]|[+-]0[0-9]:?[0-9]{0,2}(:?[0-5]0)?)?", fullmatch=True),
    st.sampled_from(["UTC", "Europe/Helsinki"]),
)  # fmt: skip
def test_a_text_is_a_time_in_tables_and_requests_alike(text: str, zone: str) -> None:
    """What Python takes beyond ISO 8601's extended form is a time in neither: it reads the zone of a day,
    2024-01-05+02:00, as the time of day."""
    read = one(text, Clock(zone))
    try:
        asked = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(text, "x", ZoneInfo(zone)))
        assert asked == read
    except WrongRequest:
        assert read is None


def test_a_day_is_midnight_in_the_zone() -> None:
    """A date without a time is the zone's midnight."""
    assert one("2024-06-01", Clock("Europe/Helsinki")) == datetime(2024, 5, 31, 21, tzinfo=UTC)


def test_skipped_and_repeated_hours_are_read_by_rule_and_counted() -> None:
    """03:30 on the night of spring is 04:30; of the two 03:30 of autumn the first is taken."""
    times = pl.Series("x", ["2024-03-31 03:30:00", "2024-10-27 03:30:00", "2024-06-01 03:30:00"])
    clock = Clock("Europe/Helsinki")
    read, odd = read_and_count(times, clock)
    assert read.to_list()[:2] == [
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
    ]
    assert odd == 2


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-14 * 60, 14 * 60))
def test_iso_round_trip(time: datetime, minutes: int) -> None:
    """An instant with any offset comes back to the microsecond."""
    aware = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert one(aware.isoformat()) == aware


def test_declared_pattern() -> None:
    """A pattern reads its own form alone; %Y takes no two-digit year."""
    texts = pl.Series(["01-02-2018", "32-01-2018", "01-02-18", "2018-02-01", "01-02-2018 10:00", None])
    read = read_times(texts, Clock(date_format="%d-%m-%Y"))
    assert read.to_list() == [datetime(2018, 2, 1, tzinfo=UTC), None, None, None, None, None]


def test_excel_serial_days() -> None:
    """Day 1 is 1900-01-01, day 60 never was, day 61 is 1900-03-01; a fraction is a time of day."""
    days = ["1", "59", "60", "61", "43831.5", "0", "-1", "x", "2958466"]
    read = read_times(pl.Series(days), Clock(date_format="excel"))
    expected = [
        datetime(1900, 1, 1),
        datetime(1900, 2, 28),
        None,
        datetime(1900, 3, 1),
        datetime(2020, 1, 1, 12),
    ]
    assert read.to_list() == [time and time.replace(tzinfo=UTC) for time in expected] + [None] * 4


def test_typed_columns_need_no_form() -> None:
    """Datetime and Date columns of Parquet are read as they are; one without an offset is local."""
    naive = pl.Series([datetime(2024, 1, 5, 12)], dtype=pl.Datetime("ns"))
    assert read_times(naive, Clock("Europe/Helsinki")).item() == datetime(2024, 1, 5, 10, tzinfo=UTC)
    assert read_times(naive.dt.date(), Clock()).item() == datetime(2024, 1, 5, tzinfo=UTC)
    assert read_times(pl.Series([1704448800]), Clock()).item() is None


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1.5", ".", 1.5),
        ("1,5", ",", 1.5),
        ("1.234,5", ",", None),
        ("1.5", ",", None),
        ("1,5", ".", None),
        (" 1e3 ", ".", 1000.0),
        ("12 €", ".", None),
        ("nan", ".", None),
        ("inf", ".", None),
        ("-3", ".", -3.0),
    ],
)
def test_numbers_by_their_decimal_mark(text: str, decimal: str, number: float | None) -> None:
    """A thousands separator is not guessed."""
    assert read_numbers(pl.Series([text]), Marks(decimal)).item() == number


@given(
    st.decimals(-(10**12), 10**12, places=3, allow_nan=False),
    st.sampled_from([Marks(".", ","), Marks(".", "'"), Marks(",", "."), Marks(",", " "), Marks(",", "")]),
)
def test_thousands_are_read_where_they_are_declared(number: Decimal, marks: Marks) -> None:
    """Tables and requests read a text alike; a mark that stands elsewhere than between thousands makes no number."""
    text = f"{number:,}".translate(str.maketrans({",": marks.thousands, ".": marks.decimal}))
    assert read_numbers(pl.Series([text]), marks).item() == float(number)
    assert wide_number(text, "x", marks) == float(number)
    if marks.thousands:
        assert read_numbers(pl.Series([f"12{marks.thousands}34"]), marks).item() is None
        with pytest.raises(WrongRequest):
            wide_number(f"12{marks.thousands}34", "x", marks)


@given(
    st.text("0123456789.,eE+-_ \u00a0'x\u0661\uff11", max_size=8)
    | st.sampled_from(["1_000", "nan", "inf", "-Infinity"]),
    st.sampled_from([PLAIN, Marks(".", ","), Marks(",", "."), Marks(",", " "), Marks(",", "")]),
)
def test_a_text_is_a_number_in_tables_and_requests_alike(text: str, marks: Marks) -> None:
    """What float() takes beyond it, such as 1_000, is a number in neither."""
    read = read_numbers(pl.Series([text]), marks).item()
    try:
        assert wide_number(text, "x", marks) == read
    except WrongRequest:
        assert read is None or isinf(read)


def test_booleans_in_three_languages() -> None:
    """Yes and no in English, Finnish and Swedish; anything else is missing."""
    read = read_booleans(pl.Series(["Yes", "kyllä", "JA", "0", "ei", "nej", "maybe", None]))
    assert read.to_list() == [True, True, True, False, False, False, None, None]


def test_converted_is_yes_no_or_unknown() -> None:
    """What is not among the positive texts is no, and what is empty is unknown."""
    assert read_positive(pl.Series(["Yes", "no", "Won", None]), ["yes"]).to_list() == [
        True,
        False,
        False,
        None,
    ]
    assert read_positive(pl.Series([1, 0, None]), ["1"]).to_list() == [True, False, None]
    assert read_positive(pl.Series(["1.0", "0.0"]), ["1"]).to_list() == [True, False]


@pytest.mark.parametrize("dtype", [pl.String, pl.Null, pl.Int64, pl.Boolean])
def test_empty_columns_keep_their_types(dtype: pl.DataType) -> None:
    """A column without rows is read too."""
    empty = pl.Series("x", [], dtype=dtype)
    assert read_times(empty, Clock()).dtype == TIME
    assert read_numbers(empty).dtype == pl.Float64


@pytest.mark.parametrize(
    "numbers", [[1.0, 2.5, None, float("nan")], [1.0, 2.0], [1e12, 1e-7, 1e16, 0.1 + 0.2, -0.0], [float("inf"), 1.0]]
)
def test_numbers_that_are_names_are_written_as_in_requests(numbers: list[float | None]) -> None:
    """A category in a column of fractions, as pandas leaves whole numbers beside an empty cell, is that of the number
    in JSON; a text stays as it is."""
    names = read_values(pl.Series("x", numbers), "categorical", Clock()).to_list()
    assert [name or "" for name in names] == [plain(number) for number in numbers]
    texts = pl.Series("x", ["1.0", "01", " 2 "])
    assert read_values(texts, "categorical", Clock()).to_list() == ["1.0", "01", "2"]
    decimals = pl.Series("x", ["1.00", "2.50"]).cast(pl.Decimal(10, 2))
    assert read_values(decimals, "categorical", Clock()).to_list() == ["1", "2.5"]
