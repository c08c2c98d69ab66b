"""Tables as other tools write them: types of Parquet that Polars has not, and columns that are called as ours are."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.columns import Attribute
from features.plan import Plan
from pipeline.assembly.featuring import features
from pipeline.assembly.values import Tables
from pipeline.errors import Stop
from pipeline.leaks.cutting import cut
from pipeline.params import Definition, Source
from pipeline.reading.checked import check
from pipeline.reading.tables import RESERVED, read_tables

START = datetime(2024, 1, 1, 8, tzinfo=UTC)
OURS = ("account", "index", "place", "own", "key", "as_of", "id", "entity", "code", "lead", "label", "_value")
"""Names of columns that the pipeline makes, once in a frame with attributes, or now."""


def read(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables of a folder."""
    return read_tables(Source(kind="tables", path=folder))


def test_times_of_a_fixed_offset(tmp_path: Path) -> None:
    """Pandas calls the zone of 08:00+05:45 +05:45, which Polars does not know; the instant is what it was."""
    nepal = timezone(timedelta(hours=5, minutes=45))
    times = pd.to_datetime(pd.Series([datetime(2024, 1, 1, 8, tzinfo=nepal)] * 2))
    pd.DataFrame({"lead_id": ["1", "2"], "created_at": times}).to_parquet(tmp_path / "leads.parquet")
    leads = read(tmp_path)["leads"]
    assert leads["created_at"].to_list() == [datetime(2024, 1, 1, 2, 15, tzinfo=UTC)] * 2
    leads.write_parquet(tmp_path / "again.parquet")
    assert pl.read_parquet(tmp_path / "again.parquet")["created_at"].equals(leads["created_at"])


def test_texts_written_as_bytes_and_ids_as_decimals(tmp_path: Path) -> None:
    """As Hive and Oracle have them: the same ids as elsewhere; bytes that are no text stay, and are no attribute."""
    pl.DataFrame(
        {
            "lead_id": [Decimal("7.00"), Decimal("1200.00")],
            "Plan": [b"gold", "hopea ä".encode()],
            "raw": [b"\xff", b""],
        },
        schema={"lead_id": pl.Decimal(18, 2), "Plan": pl.Binary, "raw": pl.Binary},
    ).write_parquet(tmp_path / "leads.parquet")
    leads = read(tmp_path)["leads"]
    assert leads.select("lead_id", "Plan").rows() == [("7", "gold"), ("1200", "hopea ä")]
    assert leads["raw"].dtype == pl.Binary


@pytest.mark.parametrize("column", ["lead_id", "created_at", "objected", "value"])
@pytest.mark.parametrize("cell", [["a"], {"a": 1}, b"\xff\xfe", timedelta(1)])
def test_cells_that_are_no_text_number_or_time_are_named(tmp_path: Path, column: str, cell: object) -> None:
    """One message with file, column and type, and no other error."""
    rows = {"lead_id": ["1", "2"], "created_at": [START, START], column: [cell, cell]}
    pl.DataFrame(rows).write_parquet(tmp_path / "leads.parquet")
    with pytest.raises(Stop, match=rf"leads\.parquet: the column {column} holds cells of the type \w+.*expected text"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["*", "^all$", "_broken"])
def test_names_that_mean_something_else_are_refused(tmp_path: Path, name: str) -> None:
    """Polars takes some names for many columns, and one marks rows that cannot be read."""
    pl.DataFrame({"lead_id": ["1"], name: ["x"]}).write_parquet(tmp_path / "leads.parquet")
    with pytest.raises(Stop, match="means something else here; give it another name"):
        read(tmp_path)


def test_blank_lines_before_the_column_names(tmp_path: Path) -> None:
    """They are no rows, and no names."""
    (tmp_path / "leads.csv").write_bytes(b"\n\r\nlead_id,Plan\n\n1,gold\n")
    assert read(tmp_path)["leads"].select("lead_id", "Plan").rows() == [("1", "gold")]


def company(folder: Path, name: str) -> tuple[Tables, list[Attribute], dict[str, str]]:
    """Validated tables of leads with a categorical attribute of that name, the attributes, and its true values."""
    rows = [
        {"lead_id": str(n), "created_at": START + timedelta(days=n % 7), "account_id": f"{n % 5}", name: "abc"[n % 3]}
        for n in range(30)
    ]
    pl.DataFrame(rows).write_parquet(folder / "leads.parquet")
    won = [{"lead_id": str(n), "stage": "won", "entered_at": START + timedelta(days=30)} for n in range(9)]
    pl.DataFrame(won).write_parquet(folder / "stages.parquet")
    raw = read(folder)
    checked = check(raw, Source(kind="tables"), Definition(), None, START + timedelta(days=99))
    return checked.tables, checked.attributes, {str(row["lead_id"]): str(row[name]) for row in rows}


@pytest.mark.parametrize("name", [*OURS, *RESERVED])
def test_an_attribute_may_be_called_as_our_columns_are(tmp_path: Path, name: str) -> None:
    """Its feature has its values, also where the future is cut off; `account` was replaced by a number of ours."""
    tables, attributes, true = company(tmp_path, name)
    (attribute,) = attributes
    assert attribute.column == (f"{name}_given" if name in RESERVED else name)
    plan = Plan((attribute,), (), (), (), ("won",), (), "won", blocks=("lead", "stages", "account_leads"))
    examples = pl.DataFrame({"lead_id": list(true)}).with_columns(as_of=pl.lit(START + timedelta(days=8)))
    copies, named = cut(tables, examples, "deleted")
    for given, asked in ((tables, examples), (copies, named)):
        found = features(given, plan, asked)
        place = plan.place[plan.column_of[attribute]]
        texts = [found.levels[plan.columns[place].name][int(code)] for code in found.values[:, place]]
        assert texts == list(true.values())
    whole, again = features(tables, plan, examples).values, features(copies, plan, named).values
    np.testing.assert_array_equal(np.delete(whole, place, axis=1), np.delete(again, place, axis=1))
