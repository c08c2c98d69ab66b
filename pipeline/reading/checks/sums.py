"""The sums of a table: read is what was accepted, refused and excluded, and refused is not too much."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipeline.errors import Stop
from pipeline.reading.checks.sift import Sifted

HARMLESS = {"repeated_event"}
"""Codes that do not count against the limit: an event_id makes a repeat harmless (contract, section 1)."""
HINTS = {
    "undecodable_text": "is source.encoding right?",
    "ragged_row": "is source.separator right?",
    "unreadable_time": "is source.date_format right?",
    "impossible_number": "is source.decimal right?",
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
    found = one.coded(excludes)["code"].value_counts(sort=True)
    return {code: int(count) for code, count in sorted(found.iter_rows(), key=lambda pair: (-pair[1], pair[0]))}


def check_limit(sifted: Mapping[str, Sifted], report: Mapping[str, Any], limit: float | None) -> None:
    """Raise Stop where a table has more refused rows than the limit allows."""
    for name, sums in report.items():
        counts = {code: count for code, count in sums["quarantined"].items() if code not in HARMLESS}
        refused = sum(counts.values())
        if limit is None or not refused or refused / sums["read"] <= limit:  # 0.29 * 100 is less than 29
            continue
        rows = sifted[name].coded(False)
        said = [
            f"{count} {code} (rows {', '.join(map(str, rows.filter(pl.col('code') == code)['row'].head(3)))};"
            f" {HINTS.get(code, rows.filter(pl.col('code') == code)['reason'][0])})"
            for code, count in list(counts.items())[:3]
        ]
        raise Stop(
            f"{name}: {refused} of {sums['read']} rows were refused ({refused / sums['read']:.1%});"
            " expected at most"
            f" {limit:.1%}: {'; '.join(said)}. Mend them, or raise validate.max_quarantined_fraction"
        )
