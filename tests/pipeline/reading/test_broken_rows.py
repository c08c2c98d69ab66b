"""Rows that are refused change nothing but the counts: those that cannot be read, whose cells stand in wrong columns,
and those of nobody. But a row of stages may have been an outcome (test_validate.py)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from validating import NOW

from pipeline.handtuned.file import parse_points
from pipeline.handtuned.inputs import Material, widened
from pipeline.params import Definition, Source
from pipeline.reading.attributes import to_json
from pipeline.reading.checked import Checked, check
from pipeline.reading.tables import read_tables
from pipeline.reading.texts import Clock
from pipeline.stage import attributes_of

HEADS = {
    "leads": "lead_id,created_at,account_id,rating,member,place",
    "accounts": "account_id,country,tier",
    "stages": "lead_id,stage,entered_at",
    "history": "entity,id,field,value,changed_at",
}
ROWS: dict[str, Callable[[int], str]] = {
    "leads": lambda i: f"{i},2024-01-{i % 28 + 1:02},A{i % 3},{i % 5},{'yes' if i % 2 else 'no'},FI",
    "accounts": lambda i: f"A{i},FI,{i % 2 + 1}",
    "stages": lambda i: f"{i},{'lost' if i % 4 else 'won'},2024-03-01",
    "history": lambda i: f"lead,{i},budget,{i % 4 + 1}000,2024-02-01",
}
BROKEN = {
    "leads": ["7,2024-01-01,A1", '8,Mustermann, Eva,A1,3,yes,"SE"', '9,2024-01-01,A1,"x"y,z,no,SE'],
    "accounts": ["A1,x", "A2,Turku, Suomi,1"],
    "history": ["lead,1,a field, or two,5,2024-02-01"],
}


def read(folder: Path, first: dict[str, list[str]]) -> tuple[Checked, Material]:
    """The tables with some rows before all others, and what points may look at."""
    source, definition = Source(kind="tables", path=folder), Definition()
    for name, make in ROWS.items():
        rows = [make(i) for i in range(3 if name == "accounts" else 40)]
        (folder / f"{name}.csv").write_text("\n".join([HEADS[name], *first.get(name, []), *rows]) + "\n")
    raw = read_tables(source)
    found = check(raw, source, definition, None, NOW)
    left_out = found.meta["left_out_columns"]
    attributes = attributes_of(to_json(found.attributes))
    return found, Material(found.tables, attributes, raw, left_out, definition, Clock())


@pytest.mark.parametrize("name", list(BROKEN))
def test_broken_rows_change_no_column(tmp_path: Path, name: str) -> None:
    """A shifted cell made a yes or no, or one of few numbers, a category; an empty one made a column of a single value
    an attribute; a shifted field of history became one. Points went by the first row of an account, broken or not."""
    whole, looked = read(tmp_path, {})
    found, there = read(tmp_path, {name: BROKEN[name]})
    assert found.report[name]["quarantined"] == {"ragged_row": len(BROKEN[name])}
    assert found.report[name]["accepted"] == whole.report[name]["accepted"]
    assert found.attributes == whole.attributes
    assert found.meta["left_out_columns"] == whole.meta["left_out_columns"]
    for table, rows in whole.tables.items():
        assert found.tables[table].drop("row", strict=False).equals(rows.drop("row", strict=False))
    rules = (
        "rules: [{id: a, when: {field: country, eq: FI}, points: 1}, {id: b, when: {field: place, eq: FI}, points: 1}]"
    )
    table = parse_points(rules, "p.yaml", "UTC")
    one, other = (widened(table, given).tables for given in (looked, there))
    assert one["accounts"].equals(other["accounts"])
    assert one["leads"].drop("row").equals(other["leads"].drop("row"))


@pytest.mark.parametrize("of", ["lead,nobody", "account,nobody", "team,1"])
@pytest.mark.parametrize("field", ["budget,lots", "tier,gold", "never heard of,5"])
def test_history_of_nobody_changes_no_column(tmp_path: Path, of: str, field: str) -> None:
    """It made an attribute that nobody has of its field, and categories of numbers."""
    tier = [f"account,A{i},tier,{i},2024-02-01" for i in range(3)]
    whole, _ = read(tmp_path, {"history": tier})
    found, _ = read(tmp_path, {"history": [*tier, f"{of},{field},2024-02-01"]})
    assert found.report["history"]["quarantined"] == {"unknown_entity": 1}
    assert found.attributes == whole.attributes
    assert found.meta["left_out_columns"] == whole.meta["left_out_columns"]
    assert found.tables["history"].drop("row").equals(whole.tables["history"].drop("row"))
