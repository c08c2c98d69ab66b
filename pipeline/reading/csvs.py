"""CSV as text columns: fast where a file is well formed, row by row where it is not."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipeline.errors import Stop

BOM = b"\xef\xbb\xbf"
BROKEN = "_broken"
"""Our column that says why a row could not be read."""
PIECE = 1 << 20
"""Bytes."""
MARKS = [chr(code) for code in range(0xFDD0, 0xFDF0)]
"""Code points that are no characters: one that a file does not hold stands for its unreadable bytes."""

Row = tuple[list[str], str | None]
"""The cells of a row, and the code of what is wrong with it."""


def read_csv(path: Path, separator: str, encoding: str) -> pl.DataFrame:
    """Every column of a CSV or gzipped CSV file as strings, empty cells as "".

    Rows with bytes that the encoding does not know, or with too few or too many fields, are kept and marked
    in the column `_broken`, which is there only when some row is. Raises Stop where the file makes no table.
    """
    data, mark = _recoded(_bytes(path), encoding, path)
    first = data[: data.find(b"\n") + 1]
    if re.fullmatch(r"sep=.\r?\n", first.decode()):  # Excel's own first line
        data = data[len(first) :]
    data = data.lstrip(b"\r\n")  # blank lines are no rows, and no header
    header = _header(data, separator, mark, path, encoding)
    table = None if mark else _fast(data, separator, header)
    return table if table is not None else _slow(data.decode(), separator, mark, header)


def _bytes(path: Path) -> bytes:
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path) as file:
                data = file.read()
        else:
            data = path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Stop(f"{path}: the gzip file is cut short or damaged ({error}); pack it again") from error
    except OSError as error:
        raise Stop(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from error
    if not data.strip():
        raise Stop(f"{path}: the file is empty; expected a line of column names, then one line a row")
    return data


def _recoded(data: bytes, encoding: str, path: Path) -> tuple[bytes, str]:
    """As UTF-8, and the mark that stands for unreadable bytes in it ("" when there are none).

    What is UTF-8 already is checked in pieces and not copied: exports of events are large.
    """
    utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
    if data.startswith(BOM):
        if not utf8:
            raise Stop(
                f"{path}: starts with the mark of UTF-8, but source.encoding is {encoding}; set source.encoding: utf-8"
            )
        data = data[len(BOM) :]
    mark = ""
    if not (utf8 and _is_utf8(data)):
        text, mark = _marked(data, "utf-8" if utf8 else encoding)
        data = text.encode()
    return data, mark or ("\x00" if b"\x00" in data else "")


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for begin in range(0, len(data), PIECE):
            decoder.decode(data[begin : begin + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _marked(data: bytes, encoding: str) -> tuple[str, str]:
    """The text with a mark, that it does not hold otherwise, for each unreadable piece; "" where all is readable."""
    try:
        return data.decode(encoding), ""
    except UnicodeDecodeError:
        replaced = data.decode(encoding, errors="replace")
    mark = next(mark for mark in MARKS if mark not in replaced)
    codecs.register_error("leadscore.mark", lambda error: (mark, error.end))  # type: ignore[attr-defined]
    return data.decode(encoding, errors="leadscore.mark"), mark


def _header(data: bytes, separator: str, mark: str, path: Path, encoding: str) -> list[str]:
    """Column names without white space around. An unnamed one goes by its place, from 1."""
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    first = next(csv.reader(text, delimiter=separator), [])
    if mark and any(mark in name for name in first):
        raise Stop(
            f"{path}: the line of column names is not {encoding} text; set source.encoding to what it is (cp1252?)"
        )
    names = [name.strip() or f"unnamed_{place}" for place, name in enumerate(first, 1)]
    twice = sorted({name for name in names if names.count(name) > 1} | ({BROKEN} & set(names)))
    if twice:
        raise Stop(f"{path}: two columns are called {twice[0]!r}; give every column a name of its own")
    return names


def _fast(data: bytes, separator: str, header: list[str]) -> pl.DataFrame | None:
    """By Polars; None where it fails or where separators and rows do not add up (short rows, blank lines)."""
    if data.count(b'"') % 2:
        return None
    try:
        table = pl.read_csv(data, separator=separator, infer_schema=False, empty_string_is_null=False)
    except (pl.exceptions.PolarsError, TypeError):
        return None
    if table.width != len(header):
        return None
    table.columns = header
    inside = sum(name.count(separator) for name in header)
    if b'"' in data:
        counts = table.select(pl.all().str.count_matches(separator, literal=True).sum())
        inside += sum(count or 0 for count in counts.row(0))
    expected = (table.height + 1) * (table.width - 1) + inside
    return table if data.count(separator.encode()) == expected else None


def _slow(text: str, separator: str, mark: str, header: list[str]) -> pl.DataFrame:
    """By the csv module, one row after the other; blank lines are no rows."""
    width = len(header)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a mail's body may be long
    try:
        rows = list(_rows(text, separator, width))
    except csv.Error:
        rows = list(_lines(text, separator, width))
    columns = list(zip(*(cells for cells, _ in rows), strict=True)) or [()] * width
    table = pl.DataFrame(dict(zip(header, columns, strict=True)), schema=dict.fromkeys(header, pl.String))
    ragged = pl.Series(BROKEN, [code for _, code in rows], dtype=pl.String)
    unread = pl.any_horizontal(pl.all().str.contains(mark, literal=True)) if mark else pl.lit(False)
    table = table.with_columns(unread.alias("_unread"), ragged)
    code = pl.when("_unread").then(pl.lit("undecodable_text")).otherwise(BROKEN).alias(BROKEN)
    table = table.with_columns(code).drop("_unread")
    return table if table[BROKEN].null_count() < table.height else table.drop(BROKEN)


def _rows(text: str, separator: str, width: int) -> Iterator[Row]:
    """Each row after the header. Raises csv.Error where a quote is never closed or closes too early."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    next(reader)
    for cells in reader:
        if cells:
            yield _fitted(cells, width)


def _lines(text: str, separator: str, width: int) -> Iterator[Row]:
    """Each line after the header as a row of its own; one whose quotes do not match is ragged."""
    for line in text.split("\n")[1:]:
        if line.strip("\r"):
            try:
                yield _fitted(next(csv.reader([line.rstrip("\r")], delimiter=separator, strict=True)), width)
            except csv.Error:
                yield [""] * width, "ragged_row"


def _fitted(cells: list[str], width: int) -> Row:
    if len(cells) == width:
        return cells, None
    return (cells + [""] * width)[:width], "ragged_row"
