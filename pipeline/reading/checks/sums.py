"""The sums of a table: read is what was accepted, refused and excluded, and refused is not too much."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import Stop
from pipeline.reading.checks.sift import Sifted

SAID = 3
"""Codes, rows and columns in a message."""
HINTS = {
    "undecodable_text": "is source.encoding right?",
    "ragged_row": "is source.separator right?",
    "unreadable_time": "expected a time; is source.date_format right?",
    "impossible_number": "expected a number, not below 0 where it counts; is source.decimal right?",
    "unknown_lead": "do the ids have the same spelling in both tables?",
}


def sums_of(one: Sifted) -> dict[str, Any]:
    """The report of a table. Raises Stop where its sums do not balance."""
    counts = {excludes: _counts(one, excludes) for excludes in (False, True)}
    accepted = one.accepted.height
    if accepted + sum(counts[False].values()) + sum(counts[True].values()) != one.rows.height:
        raise Stop(
            f"{one.table}: {one.rows.height} rows read do not balance with those sorted; this is a bug, report it"
        )
    return {
        "read": one.rows.height,
        "accepted": accepted,
        "quarantined": counts[False],
        "excluded": counts[True],
    }


def _counts(one: Sifted, excludes: bool) -> dict[str, int]:
    return _by_code(one.coded(excludes))


def _by_code(rows: pl.DataFrame) -> dict[str, int]:
    """How many rows each code has, the commonest first."""
    found = rows["code"].value_counts()
    return {code: int(count) for code, count in sorted(found.iter_rows(), key=lambda pair: (-pair[1], pair[0]))}


def check_limit(
    sifted: Mapping[str, Sifted],
    report: Mapping[str, Any],
    limit: float | None,
    seen: Mapping[tuple[str, str], Mapping[str, str]],
    path: Path,
) -> None:
    """Raise Stop where a table of `path` has more refused rows than the limit allows. `seen`: as in Context."""
    for name, sums in report.items():
        rows = _counting(sifted[name])
        refused = len(rows)
        if limit is None or not refused or refused / sums["read"] <= limit:  # 0.29 * 100 is less than 29
            continue
        said = [
            f"{count} {code} ({_said(rows.filter(pl.col('code') == code), seen.get((name, code), {}))})"
            for code, count in list(_by_code(rows).items())[:SAID]
        ]
        raise Stop(
            f"{path}: {name}: {refused} of {sums['read']} rows were refused ({refused / sums['read']:.1%});"
            " expected at most"
            f" {limit:.1%}: {'; '.join(said)}. Mend them, or raise validate.max_quarantined_fraction"
        )


def _counting(one: Sifted) -> pl.DataFrame:
    """The refused rows that count against the limit: an event_id makes a repeat harmless (contract, section 1)."""
    rows, repeat = one.coded(False), pl.col("code") == "repeated_event"
    if "event_id" in rows.columns:
        repeat |= (pl.col("code") == "duplicate_row") & pl.col("event_id").is_not_null()
    return rows.filter(~repeat)


def _said(rows: pl.DataFrame, seen: Mapping[str, str]) -> str:
    """Which rows have a code, which columns are wrong and what stands there, and what to look at."""
    held = [f"{column} holds {shape!r}" for column, shape in list(seen.items())[:SAID]]
    places = ", ".join(map(str, rows["row"].head(SAID)))
    return "; ".join([f"rows {places}", *held, HINTS.get(rows["code"][0], rows["reason"][0])])
