"""Names, addresses and phone numbers do not get past ingest."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domains import domain_kind, domain_of, normalised
from pipeline.errors import Stop
from pipeline.personal import hashed, personal_name, remove

KEY = b"a key of the tests"


def leads(**columns: list[object]) -> dict[str, pl.DataFrame]:
    """A table of leads with these columns."""
    height = len(next(iter(columns.values())))
    ids = {"row": range(height), "lead_id": [str(n) for n in range(height)]}
    return {"leads": pl.DataFrame({**ids, **columns})}


@pytest.mark.parametrize(
    "column",
    [
        "email",
        "E-mail",
        "Email Address",
        "EmailAddress",
        "work_email_2",
        "Sähköposti",
        "first_name",
        "LastName",
        "name",
        "Contact Name",
        "phone",
        "Phone Number",
        "MobilePhone",
        "fax",
        "street address",
        "ip_address",
        "LinkedIn URL",
        "lead owner",
        "date_of_birth",
        "etunimi",
    ],
)
def test_personal_by_name(column: str) -> None:
    """Well-known names of personal columns, in any spelling."""
    assert personal_name("leads", column)


@pytest.mark.parametrize(
    "column",
    [
        "do_not_email",
        "Do Not Call",
        "email_opt_in",
        "email_domain_kind",
        "company",
        "company_name",
        "product name",
        "campaign_name",
        "contact",
        "city",
        "country",
        "job_title",
        "source",
        "owner_id",
        "website",
        "state",
    ],
)
def test_not_personal_by_name(column: str) -> None:
    """Columns that only sound like them."""
    assert personal_name("leads", column) is None


def test_no_address_is_left_anywhere() -> None:
    """Not under a harmless column name, not inside a text, not in a child table."""
    tables = leads(
        extra=["ann@acme.com", "bob@gmail.com", None],
        note=["call ann@acme.com", "hello", None],
        tel=["+358 40 123 4567", "040-1234567", "x"],
    )
    tables["events"] = pl.DataFrame(
        {
            "row": [0],
            "lead_id": ["0"],
            "occurred_at": ["2024-01-01"],
            "type": ["mail"],
            "topic": ["to ann@acme.com"],
            "subject": ["Hello Ann"],
        }
    )
    tables["history"] = pl.DataFrame(
        {
            "row": [0],
            "entity": ["lead"],
            "id": ["0"],
            "field": ["phone"],
            "value": ["0401234567"],
            "changed_at": ["x"],
        }
    )
    clean, removed = remove(tables, KEY)
    text = "".join(table.write_csv() for table in clean.values())
    assert "@" not in text
    assert "123" not in text.replace(hashed("acme.com", KEY), "").replace(hashed("ann@acme.com", KEY), "").replace(
        hashed("bob@gmail.com", KEY), ""
    )
    assert "Ann" not in text
    assert set(removed.columns["leads"]) == {"extra", "tel"}
    assert removed.masked == {"leads": {"note": 1}, "events": {"topic": 1}, "history": {"value": 1}}


def test_what_an_address_leaves_behind() -> None:
    """The kind of its domain, a person, and a company where the domain is one and no account is known."""
    mails = ["Ann@Acme.com", " ann@acme.com ", "bob@gmail.com", "eve@cs.helsinki.fi", "n/a", None]
    clean, _ = remove(leads(email=mails, account_id=[None, "A1", None, None, None, None]), KEY)
    table = clean["leads"]
    assert table["email_domain_kind"].to_list() == [
        "corporate",
        "corporate",
        "free",
        "education",
        "unknown",
        None,
    ]
    assert table["account_id"].to_list() == [hashed("acme.com", KEY), "A1", None, None, None, None]
    assert table["person_id"][0] == table["person_id"][1] == hashed("ann@acme.com", KEY)
    assert table["person_id"].to_list()[4:] == [None, None]


def test_addresses_need_a_key() -> None:
    """Without LEADSCORE_ID_KEY an address column stops the run, and the message holds no address."""
    with pytest.raises(Stop, match="LEADSCORE_ID_KEY") as error:
        remove(leads(email=["ann@acme.com"]), None)
    assert "ann" not in str(error.value)


def test_tests_are_marked_before_their_names_go() -> None:
    """A test person's name or address leaves a mark; a Testa does not."""
    clean, _ = remove(
        leads(email=["test+1@acme.com", "testa@acme.com", "a@acme.com"], name=["A", "B", "Test User"]), KEY
    )
    assert clean["leads"]["_test"].to_list() == [True, False, True]


def test_yes_and_no_are_not_personal() -> None:
    """A column called phone that only says whether there is one stays; so do dates and codes."""
    tables = leads(phone=["yes", "no"], day=["01-02-2020", "02-02-2020"], zip=["0012345678", "0212345678"])
    assert remove(tables, None)[0]["leads"].columns == tables["leads"].columns


@given(st.emails())
def test_hash_is_of_the_normalised_address(address: str) -> None:
    """White space and case around an address do not make another person."""
    assert normalised(f"  {address.upper()} ") == normalised(address.upper().lower())
    assert len(hashed(normalised(address), KEY)) == 64


def test_domain_kinds() -> None:
    """Free mailboxes under many countries, schools by their names, the rest corporate."""
    kinds = {
        "yahoo.co.uk": "free",
        "gmail.com": "free",
        "mit.edu": "education",
        "ox.ac.uk": "education",
        "student.lu.se": "education",
        "acme.fi": "corporate",
        "gmail.acme.com": "corporate",
    }
    assert {domain: domain_kind(domain) for domain in kinds} == kinds
    assert domain_kind(domain_of("no address")) == "unknown"
