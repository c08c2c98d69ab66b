"""Kinds of columns are inferred, and what is left out has a reason."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.columns import Attribute, columns_of_fields
from pipeline.errors import Stop
from pipeline.params import Definition
from pipeline.reading.attributes import Inferred, infer, never_negative
from pipeline.reading.kinds import read_values
from pipeline.reading.texts import Clock


def inferred(
    definition: dict[str, object] | None = None, history: pl.DataFrame | None = None, **columns: list
) -> Inferred:
    """What is inferred from a table of leads with these columns."""
    height = len(next(iter(columns.values())))
    ids = {"lead_id": [str(n) for n in range(height)], "account_id": ["0"] * height}
    tables = {"leads": pl.DataFrame({"row": range(height), **ids, **columns})}
    if history is not None:
        tables["history"] = history
    return infer(tables, Definition.model_validate(definition or {}), Clock(), ())


def history(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    """History of lead or account 0."""
    frame = pl.DataFrame(rows, schema=dict.fromkeys(["entity", "field", "value"], pl.String), orient="row")
    return frame.with_columns(id=pl.lit("0"), changed_at=pl.lit("2024-01-01"))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", None], "numeric"),
        ([1, 2, 3], "numeric"),
        (["yes", "No", None], "boolean"),
        (["0", "1", "1"], "boolean"),
        (["00120", "02150", "1"], "categorical"),
        (["a", "b", None], "categorical"),
        ([str(n) for n in range(199)] + ["x"], "numeric"),
    ],
)
def test_kind_by_content(values: list, kind: str) -> None:
    """Numbers, yes and no, codes with leading zeros, and the rest; few mistakes do not unmake a number."""
    assert [a.kind for a in inferred(some=values).attributes] == [kind]


def test_titles_and_groups_by_name() -> None:
    """A job title is text; budget, authority, need and timeline are intent."""
    found = inferred(**{"Job Title": ["CEO", "x"], "budget": [1, 2], "size": ["a", "b"]})
    assert [(a.name, a.kind, a.group) for a in found.attributes] == [
        ("job_title", "text", "fit"),
        ("budget", "numeric", "intent"),
        ("size", "categorical", "fit"),
    ]


@given(st.permutations(["Job Title", "job title", "Budget", "size", "constant", "noted", "region"]))
def test_the_order_of_columns_decides_nothing(names: list[str]) -> None:
    """Neither what attributes there are and how they are called, nor their order, by which trees sample them."""
    values: dict[str, list] = {
        "Job Title": ["CEO", "x", "y"], "job title": ["VP", "z", "y"], "Budget": [1, 2, 5], "size": ["a", "b", "a"],
        "constant": [1, 1, 1], "noted": ["2024-01-01", "2024-01-02", "2024-01-03"], "region": ["n", "s", "s"],
    }  # fmt: skip
    one, other = inferred(**values), inferred(**{name: values[name] for name in names})
    assert len(one.attributes) == 5
    assert (one.attributes, one.left_out, one.warnings) == (other.attributes, other.left_out, other.warnings)


def test_left_out_with_a_reason() -> None:
    """Constants, empty columns, dates and ids are no attributes, and are listed."""
    n = 60
    found = inferred(
        constant=["a"] * n,
        empty=[None] * n,
        day=["2024-01-01", "2024-02-03"] * (n // 2),
        reference=[f"ref {k}" for k in range(n)],
        number=list(range(n)),
    )
    assert found.attributes == []
    assert set(found.left_out) == {"constant", "empty", "day", "reference", "number"}


def test_names_are_unique_and_safe() -> None:
    """Colliding names get numbers; an account's get the prefix."""
    two = {name: ["x", "y"] for name in ("A b", "a-b", "size")}
    tables = {
        "leads": pl.DataFrame({"row": [0, 1], "lead_id": ["a", "b"], "account_id": ["a", "b"], **two}),
        "accounts": pl.DataFrame({"row": [0, 1], "account_id": ["a", "b"], "size": ["x", "y"], "value": ["p", "q"]}),
    }
    found = infer(tables, Definition(), Clock(), ())
    assert [a.name for a in found.attributes] == ["a_b", "a_b_2", "size", "account_size", "account_value"]


def test_what_the_definition_says_wins() -> None:
    """A declared kind and group are taken; the other columns are inferred."""
    said = {"attributes": {"code": {"kind": "categorical", "group": "engagement"}}, "exclude": ["late"]}
    found = inferred(said, code=[1, 2], other=[1, 2], late=["a", "b"])
    assert [(a.name, a.kind, a.group) for a in found.attributes] == [
        ("code", "categorical", "engagement"),
        ("other", "numeric", "fit"),
    ]
    assert list(found.left_out) == ["late"]


@pytest.mark.parametrize("said", [{"exclude": ["Tgas"]}, {"attributes": {"Tgas": {"kind": "numeric"}}}])
def test_a_name_that_is_not_there_is_named_with_close_ones(said: dict[str, object]) -> None:
    """A typo in the definition stops the run."""
    with pytest.raises(Stop, match=r"Tgas.*'Tags'"):
        inferred(said, Tags=["a", "b"])


def test_excluding_a_personal_column_is_no_mistake() -> None:
    """Ingest dropped it already."""
    inferred({"exclude": ["Phone"]}, a=["x", "y"])


def test_mutable_needs_history() -> None:
    """A mutable attribute without history would tell the future."""
    said = {"attributes": {"status": {"mutable": True}}}
    with pytest.raises(Stop, match=r"status: is mutable"):
        inferred(said, status=["a", "b"])
    found = inferred(said, history(("lead", "status", "a"), ("lead", "status", "b")), status=["a", "b"])
    assert [a.has_history for a in found.attributes] == [True]


def test_fields_of_history_are_attributes() -> None:
    """A field that is no column is an attribute of its entity, its kind from its values."""
    found = inferred(
        None,
        history(
            ("lead", "budget", "5"),
            ("lead", "budget", "7"),
            ("account", "plan", "a"),
            ("account", "plan", "b"),
        ),
        a=["x", "y"],
    )
    assert [(a.name, a.entity, a.kind, a.has_history) for a in found.attributes] == [
        ("a", "lead", "categorical", False),
        ("budget", "lead", "numeric", True),
        ("plan", "account", "categorical", True),
    ]


def test_values_by_kind() -> None:
    """Numbers, booleans and stripped texts; what cannot be read is missing."""
    assert read_values(pl.Series(["1", "x"]), "numeric", Clock()).to_list() == [1.0, None]
    assert read_values(pl.Series(["yes", "x"]), "boolean", Clock()).to_list() == [True, None]
    assert read_values(pl.Series([" a ", " "]), "categorical", Clock()).to_list() == ["a", None]
    assert read_values(pl.Series([1.0, None]), "categorical", Clock()).to_list() == ["1", None]


@pytest.mark.parametrize(
    ("fields", "columns", "expected"),
    [
        (["Industry__c"], ["Industry", "Industry__c"], {"Industry__c": "Industry__c"}),
        (["Industry__c"], ["Industry"], {"Industry__c": "Industry"}),
        (["Industry", "Industry__c"], ["Industry"], {"Industry": "Industry"}),
        (["budget"], ["Budget (€)", "Budget ($)"], {}),
        (["Budget (€)"], ["Budget (€)", "Budget ($)"], {"Budget (€)": "Budget (€)"}),
        (["бюджет"], ["регион"], {}),
        (["Бюджет"], ["бюджет", "регион"], {"Бюджет": "бюджет"}),
        (["budget", "BUDGET"], ["Budget"], {"budget": "Budget", "BUDGET": "Budget"}),
    ],
)
def test_a_field_of_history_means_one_column(fields: list[str], columns: list[str], expected: dict[str, str]) -> None:
    """The column of its name, else the only one in another spelling: never one of two, nor one that has its own."""
    assert columns_of_fields(fields, columns) == expected


def test_a_change_of_revenue_may_be_negative() -> None:
    """By the words of its name."""
    known = {name: never_negative(Attribute(name, name, "account", "numeric"))
             for name in ("revenue", "Annual Revenue", "revenue_growth_pct", "employee_change_12m")}  # fmt: skip
    assert known == {"revenue": True, "Annual Revenue": True, "revenue_growth_pct": False, "employee_change_12m": False}


@pytest.mark.parametrize("account_id", [None, [None] * 3, ["A", "B", None]])
def test_accounts_that_no_lead_names_have_no_attributes(account_id: list[str | None] | None) -> None:
    """Without an account_id, as where definition.exclude names it, they were attributes that no row of training had but
    requests, which were scored with fields that the tables of the same lead have not."""
    ids = {} if account_id is None else {"account_id": pl.Series(account_id, dtype=pl.String)}
    tables = {
        "leads": pl.DataFrame({"row": range(3), "lead_id": ["1", "2", "3"], "source": ["a", "b", None], **ids}),
        "accounts": pl.DataFrame({"row": range(2), "account_id": ["A", "B"], "size": ["1", "2"]}),
        "history": history(("account", "tier", "1"), ("account", "tier", "2")),
    }
    found = infer(tables, Definition(), Clock(), ())
    named = account_id is not None and "A" in account_id
    assert [a.column for a in found.attributes] == ["source", *(["size", "tier"] if named else [])]
    assert set(found.left_out) == (set() if named else {"size", "tier"})
    assert found.other_fields == (set() if named else {("account", "tier")})
