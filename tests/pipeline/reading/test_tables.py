"""Tables are read as they came, and what cannot be read is named."""

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import Stop
from pipeline.params import Source
from pipeline.reading.tables import read_tables


def source(path: Path, **more: object) -> Source:
    """A source of tables at `path`."""
    return Source.model_validate({"kind": "tables", "path": path, **more})


def flat(tmp_path: Path, data: bytes, name: str = "export.csv", **more: object) -> pl.DataFrame:
    """The leads of a flat file that holds `data`."""
    (tmp_path / name).write_bytes(data)
    return read_tables(source(tmp_path / name, **more))["leads"]


def test_flat_file_with_foreign_names(tmp_path: Path) -> None:
    """Columns are mapped by parameters; without an id a row goes by its number."""
    leads = flat(
        tmp_path,
        b"y;Value\nyes;1,5\nno;Select\n",
        separator=";",
        columns={"converted": "y"},
        na_values=["Select"],
    )
    assert leads.select("row", "lead_id", "converted", "Value").rows() == [
        (0, "0", "yes", "1,5"),
        (1, "1", "no", None),
    ]


def test_ids_stay_as_they_came(tmp_path: Path) -> None:
    """Leading zeros stay, and whole numbers of a Parquet file become their digits."""
    assert flat(tmp_path, b"lead_id,converted\n007,1\n")["lead_id"].to_list() == ["007"]
    pl.DataFrame({"lead_id": [1.0, 2.0, None], "a": 1}).write_parquet(tmp_path / "leads.parquet")
    assert read_tables(source(tmp_path / "leads.parquet"))["leads"]["lead_id"].to_list() == ["1", "2", None]


def test_quotes_newlines_mark_and_gzip(tmp_path: Path) -> None:
    """Quoted separators, quotes and newlines, a BOM, CRLF and gzip are all plain CSV."""
    data = b'\xef\xbb\xbflead_id,note\r\n1,"a, ""b""\nc"\r\n2,\r\n'
    assert flat(tmp_path, gzip.compress(data), "x.csv.gz")["note"].to_list() == ['a, "b"\nc', None]


def test_broken_bytes_mark_their_row_alone(tmp_path: Path) -> None:
    """A byte that is no UTF-8 harms its row; a real U+FFFD harms none."""
    leads = flat(tmp_path, "lead_id,note\n1,ä\n2,�\n".encode() + b"3,\xff\n4,b\n")
    assert leads["_broken"].to_list() == [None, None, "undecodable_text", None]
    assert leads["note"].to_list()[:2] == ["ä", "�"]


def test_ragged_rows_are_marked(tmp_path: Path) -> None:
    """Rows with too few or too many fields are marked, blank lines are no rows."""
    leads = flat(tmp_path, b"lead_id,a,b\n1,2,3\n2,2\n\n3,2,3,4\n4,,\n")
    assert leads["_broken"].to_list() == [None, "ragged_row", "ragged_row", None]
    assert leads["row"].to_list() == [0, 1, 2, 3]


def test_rows_in_which_nothing_stands_are_no_rows(tmp_path: Path) -> None:
    """Excel leaves lines of separators below a table, and pandas takes them into Parquet. They are not read, and the
    others keep their places; a row that lacks its id alone is one, and so is one that cannot be read."""
    leads = flat(tmp_path, b"lead_id,a,b\n1,2,3\n,,\n,5,\n, ,\t\n,-,\n4,2\n,,\n,,\n", na_values=["-"])
    assert leads["row"].to_list() == [0, 2, 5]
    assert leads["lead_id"].to_list() == ["1", None, "4"]
    assert leads["_broken"].to_list() == [None, None, "ragged_row"]
    holes = pl.DataFrame({"lead_id": ["1", None, "3", None], "a": [1.0, None, None, None]})
    holes.write_parquet(tmp_path / "x.parquet")
    assert read_tables(source(tmp_path / "x.parquet"))["leads"]["row"].to_list() == [0, 2]


def test_another_separator_is_guessed_at_in_the_message(tmp_path: Path) -> None:
    """Decimal commas, which such files have, make rows of another length and hide nothing."""
    with pytest.raises(Stop, match=r"source\.separator: ';'"):
        flat(tmp_path, b"id;size;rate\n1;10;0,5\n2;20;1\n", columns={"lead_id": "id"})
    (tmp_path / "leads.csv").write_bytes(b"lead_id;size;rate\n1;10;0,5\n2;20;1\n")
    with pytest.raises(Stop, match=r"source\.separator: ';'"):
        read_tables(source(tmp_path))


def test_an_open_quote_does_not_swallow_the_rest(tmp_path: Path) -> None:
    """A quote that is never closed costs its own line."""
    leads = flat(tmp_path, b'lead_id,a\n1,"x\n2,y\n3,z\n')
    assert leads.height == 3
    assert leads["_broken"].to_list() == ["ragged_row", None, None]


def test_cp1252_where_declared(tmp_path: Path) -> None:
    """Another encoding is read when it is declared."""
    assert flat(tmp_path, "lead_id,Käyttö\n1,å\n".encode("cp1252"), encoding="cp1252")["Käyttö"].to_list() == ["å"]


def test_a_column_for_one_table(tmp_path: Path) -> None:
    """`{events.occurred_at: when}` maps the column of one table alone."""
    (tmp_path / "leads.csv").write_text("lead_id,when\n1,x\n")
    (tmp_path / "events.csv").write_text("lead_id,when,type\n1,2024-01-01,a\n")
    tables = read_tables(source(tmp_path, columns={"events.occurred_at": "when"}))
    assert "when" in tables["leads"].columns
    assert "occurred_at" in tables["events"].columns


def test_an_id_that_two_tables_call_alike(tmp_path: Path) -> None:
    """`Record ID` is the lead's in one file and the account's in the other; what is missing is named with its table."""
    (tmp_path / "leads.csv").write_text("Record ID,Company\n1,7\n")
    (tmp_path / "accounts.csv").write_text("Record ID,size\n7,3\n")
    ours = {"lead_id": "Record ID", "account_id": "Company"}
    with pytest.raises(Stop, match=r"account_id is missing; there are 'Record ID'.*\{accounts\.account_id: "):
        read_tables(source(tmp_path, columns=ours))
    tables = read_tables(source(tmp_path, columns={**ours, "accounts.account_id": "Record ID"}))
    assert tables["leads"].select("lead_id", "account_id").row(0) == ("1", "7")
    assert tables["accounts"]["account_id"].to_list() == ["7"]
    with pytest.raises(Stop, match="no column is called 'Compny'; did you mean 'Company'"):
        read_tables(source(tmp_path, columns={"account_id": "Compny"}))


def _cut(path: Path) -> None:
    pl.DataFrame({"lead_id": ["1"] * 99}).write_parquet(path / "leads.parquet")
    (path / "leads.parquet").write_bytes((path / "leads.parquet").read_bytes()[:-40])


def _both(path: Path) -> None:
    (path / "leads.csv").write_text("lead_id\n1\n")
    (path / "leads.parquet").write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "table leads is missing"),
        (lambda path: (path / "leads.csv").write_text(""), "leads.csv: the file is empty"),
        (
            lambda path: (path / "leads.csv").write_text("id,a\n1,2\n"),
            "lead_id is missing; there are 'id', 'a'",
        ),
        (lambda path: (path / "leads.csv").write_text("lead_id,a,a\n"), "two columns are called 'a'"),
        (
            lambda path: (path / "leads.csv").write_bytes("lead_id,ä\n1,2\n".encode("cp1252")),
            "source.encoding",
        ),
        (
            lambda path: (path / "leads.csv").write_bytes("lead_id,a\n1,2\n".encode("utf-16")),
            "source.encoding",
        ),
        (lambda path: (path / "leads.csv.gz").write_bytes(gzip.compress(b"lead_id\n1\n")[:-6]), "cut short"),
        (_cut, "leads.parquet: cannot be read as Parquet"),
        (_both, "expected one file for the table leads"),
    ],
)
def test_one_message_names_file_and_remedy(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    """Each unreadable input stops with a message that names it."""
    make(tmp_path)
    with pytest.raises(Stop) as error:
        read_tables(source(tmp_path))
    assert said in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_missing_folder_and_mapped_column(tmp_path: Path) -> None:
    """A path that is not there and a mapped column that is not there are named."""
    with pytest.raises(Stop, match=r"source\.path"):
        read_tables(source(tmp_path / "nowhere"))
    with pytest.raises(Stop, match=r"source\.columns\.converted.*'z'"):
        flat(tmp_path, b"lead_id,y\n1,1\n", columns={"converted": "z"})


def test_child_table_without_its_column(tmp_path: Path) -> None:
    """A required column of a child table is required."""
    (tmp_path / "leads.csv").write_text("lead_id\n1\n")
    (tmp_path / "stages.csv").write_text("lead_id,stage\n1,won\n")
    with pytest.raises(Stop, match=r"stages\.csv.*entered_at"):
        read_tables(source(tmp_path))


def test_a_pair_that_names_the_table_goes_before_one_of_all(tmp_path: Path) -> None:
    """Whatever their order: `value` is Amount everywhere but in events."""
    (tmp_path / "leads.csv").write_text("Id,Amount\n1,10\n")
    (tmp_path / "events.csv").write_text("Id,LeadId,occurred_at,type,Amount,Score\n77,1,2024-01-01,a,99,5\n")
    pairs = {"lead_id": "Id", "events.lead_id": "LeadId", "value": "Amount", "events.value": "Score"}
    for columns in (pairs, dict(reversed(pairs.items()))):
        found = read_tables(source(tmp_path, columns=columns))
        assert found["events"].select("lead_id", "value").row(0) == ("1", "5")
        assert found["leads"].select("lead_id", "value").row(0) == ("1", "10")


def test_a_long_cell_among_quotes_and_blank_lines(tmp_path: Path) -> None:
    """A mail's body is longer than what Python's reader takes by itself, and spoils no other row."""
    body = "x" * 200_000
    found = flat(tmp_path, f'lead_id,note\n1,"a\nb"\n2,{body}\n\n'.encode())
    assert found["note"].to_list() == ["a\nb", body]


def test_the_first_line_that_excel_writes_for_itself(tmp_path: Path) -> None:
    """`sep=;` names no column."""
    assert flat(tmp_path, b"sep=;\r\nlead_id;a\r\n1;2\r\n", separator=";").select("lead_id", "a").row(0) == ("1", "2")


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
def test_letters_that_lie_across_the_pieces_are_read(
    tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a file is UTF-8 is looked at in pieces, and a letter of two to four bytes is none the worse for it."""
    monkeypatch.setattr("pipeline.reading.csvs.PIECE", piece)
    found = flat(tmp_path, "lead_id,nöte\n1,å€𝄞\n2,ä\n".encode())
    assert found["nöte"].to_list() == ["å€𝄞", "ä"]
    assert flat(tmp_path, b"lead_id,note\n1,\xc3\n2,a\n").select("lead_id", "_broken").rows() == [
        ("1", "undecodable_text"), ("2", None)
    ]  # fmt: skip


def test_a_file_of_utf_8_goes_to_the_fast_reader_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No copy of a large export is made, neither as text nor as bytes."""
    data = "lead_id,a\n1,ä\n".encode()
    given: list[bytes] = []
    monkeypatch.setattr("pipeline.reading.csvs._bytes", lambda path: data)
    monkeypatch.setattr("pipeline.reading.csvs._fast", lambda data, *_: given.append(data))
    flat(tmp_path, data)
    assert given[0] is data
