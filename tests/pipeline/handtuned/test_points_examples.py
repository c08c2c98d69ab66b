"""The example tables of points can be copied: each parses, and has a rule for every row of the listing beside it."""

import csv
from pathlib import Path

import pytest

from pipeline.handtuned.file import load_points

FOLDER = Path(__file__).parents[3] / "examples" / "points"
TABLES = sorted(FOLDER.rglob("*.yaml"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_table_is_read(path: Path) -> None:
    """Without a complaint, and its thresholds can be reached."""
    assert load_points(path, "UTC").thresholds


@pytest.mark.parametrize("tool", ["marketo", "pardot", "hubspot", "mautic"])
def test_every_row_has_its_rule(tool: str) -> None:
    """In the same order, with the points that the listing says; what never qualifies is an exclusion."""
    (listing,) = (FOLDER / tool).glob("*.csv")
    rows = list(csv.DictReader(listing.read_text(encoding="utf-8").splitlines()))
    table = load_points(FOLDER / tool / "points.yaml", "UTC")
    assert len(rows) == len(table.rules) + len(table.exclude)
    for row, rule in zip(rows, table.rules, strict=False):
        said = row.get("Change") or row.get("Points") or row.get("delta") or row.get("Value", "")
        if said.lstrip("+-").isdigit():
            assert rule.points == int(said)
        if tool in ("marketo", "pardot", "mautic"):
            assert rule.id == next(iter(row.values()))
