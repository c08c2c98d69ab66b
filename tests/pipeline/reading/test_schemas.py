"""The rules and the models of the tables."""

import polars as pl
import pytest
from pandera.errors import SchemaErrors

from pipeline.reading.rules import RULES
from pipeline.reading.schemas import check_accepted, first_faults


def codes(table: str) -> list[str]:
    """In the order in which they are tried."""
    return [rule.code for rule in RULES[table]]


def test_a_row_gets_its_first_broken_rule() -> None:
    """Two broken rules give one code: that of the earlier rule."""
    names = codes("accounts")
    faults = pl.DataFrame({name: [False, name in names[2:4], True] for name in names})
    found = first_faults("accounts", faults).sort("place")
    assert found.rows() == [(1, 2), (2, 0)]


def test_no_fault_is_an_empty_table() -> None:
    """Good rows give no row."""
    faults = pl.DataFrame({name: [False] for name in codes("leads")})
    assert first_faults("leads", faults).height == 0


def test_codes_are_unique_in_a_table() -> None:
    """One code has one place in the order."""
    assert all(len(set(codes(table))) == len(rules) for table, rules in RULES.items())


def test_the_model_of_accepted_rows_is_checked() -> None:
    """An accepted account without an id would be our bug, and is caught."""
    with pytest.raises(SchemaErrors):
        check_accepted("accounts", pl.DataFrame({"account_id": ["a", None]}))
