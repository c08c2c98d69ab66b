"""Names, addresses and phone numbers do not get past ingest."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Stop
from pipeline.reading.called import personal_name
from pipeline.reading.domains import domain_kind, domain_of, normalised
from pipeline.reading.personal import hashed, remove

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
        "contact_person",
        "username",
        "kontaktperson",
        "yhteyshenkilö",
        "account_manager",
        "Account Manager Name",
        "sales_agent",
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


PEOPLE = ["Ann Virtanen", "Bob Korhonen", "Eve Mäkinen", "Liu Wei", None, "O'Neil, Dan"]


@pytest.mark.parametrize(
    "column",
    [
        "Contact",
        "customer",
        "person",
        "Prospect",
        "first",
        "last",
        "primary_contact",
        "contact2",
        "LeadFirst",
        "Kontakt",
    ],
)
def test_a_column_called_after_a_person_holds_names(column: str) -> None:
    """Words under such a name are people's, also where many rows share each of them."""
    for values in (PEOPLE, [f"{a}{b} Korhonen" for a in "ABCD" for b in "aeio"] * 40):
        clean, removed = remove(leads(**{column: values}), None)
        assert removed.columns == {"leads": {column: "name"}}
        assert clean["leads"].columns == ["row", "lead_id", "_test"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("contact", ["telephone", "cellular"] * 10),
        ("customer", ["yes", "no", None]),
        ("customer", ["new", "existing", "former"] * 5),
        ("Prospect ID", ["ann", "bob", "eve"]),
        ("Prospect", ["C-0017", "C-0018", "C-0019"]),
        ("contact", [3, 0, 12]),
        ("last contact", ["12", "7", "999"]),
        ("first_contact", ["2024-01-02", "2024-03-05", "2024-04-01"]),
        ("emails", [3, 0, 12]),
        ("emails", ["3", "0", "12", None]),
        ("lead profile", ["Ann", "Bob", "Eve"]),
    ],
)
def test_what_only_sounds_like_a_person_stays(column: str, values: list[object]) -> None:
    """Categories, answers, ids, codes, days and counts; and counts of e-mails need no key."""
    tables = leads(**{column: values})
    clean, removed = remove(tables, None)
    assert (removed.columns, removed.masked) == ({}, {})
    assert clean["leads"].equals(tables["leads"])


def test_categories_of_training_stay_in_a_single_row() -> None:
    """One lead to score says nothing of how often its value repeats; the bundle does. Names never come back so."""
    tables = leads(contact=["cellular"], customer=["Ann"], owner=["Bob"])
    assert remove(tables, None, kept=["contact", "owner"])[0]["leads"].columns == [
        "row",
        "lead_id",
        "contact",
        "_test",
    ]


def test_a_company_of_an_account_is_no_person() -> None:
    """`customer` names a company among accounts; `contact` names a person there too."""
    accounts = pl.DataFrame(
        {"row": [0, 1], "account_id": ["a", "b"], "customer": ["Acme", "Duo"], "contact": ["A B", "C D"]}
    )
    clean, _ = remove({**leads(a=["x"]), "accounts": accounts}, None)
    assert clean["accounts"].columns == ["row", "account_id", "customer"]


@pytest.mark.parametrize(
    "text",
    [
        "call +358 40 1234567",
        "+358401234567, after noon",
        "call 040-123 4567.",
        "tel:+1 (555) 123-4567",
        "(555) 123-4567",
        "2024-01-02 call 040 1234567",
        "call 00358 40 1234567 or mail",
        "0401234567",
    ],
)
def test_a_phone_number_in_a_text_goes(text: str) -> None:
    """The cell becomes null and is counted; the others stay."""
    clean, removed = remove(leads(note=[text, "hello", "no answer", "x", "y", "z"]), None)
    assert clean["leads"]["note"].to_list() == [None, "hello", "no answer", "x", "y", "z"]
    assert removed.masked == {"leads": {"note": 1}}


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("note", "met 01-02-2024 10:00, again 03.04.2024"),
        ("note", "from 2024-01-02 08:00 to 2024-01-03T17:00:00+02:00"),
        ("note", "01-02-2024"),
        ("note", "7927b2df-8bba-4d29-b9a2-b6e0beafe620"),
        ("note", "order AB-0401-2345678"),
        ("note", "version 3.0012345678"),
        ("note", "order 20240102123456"),
        ("note", "5000000"),
        ("zip code", "00100 12345"),
        ("size", "00123456789"),
    ],
)
def test_dates_and_codes_in_a_text_stay(column: str, text: str) -> None:
    """They have the digits of a phone number, but not its form or its column."""
    others = ["1", "2", "3", "4", "5"] if column == "size" else ["a", "b", "c", "d", "e"]
    tables = leads(**{column: [text, *others]})
    clean, removed = remove(tables, None)
    assert (removed.columns, removed.masked) == ({}, {})
    assert clean["leads"].equals(tables["leads"])


def test_phones_and_names_in_child_tables_go() -> None:
    """In what people wrote, not in times; a code in history stays, and so does a category called contact."""
    rows = [
        ("contact", "Ann Virtanen", None),
        ("note", "call +358 40 1234567", None),
        ("zip code", "00100 12345", "00100 12345"),
        ("note", "2024-01-02 03:04", "2024-01-02 03:04"),
        *[("customer", "new", "new"), ("customer", "old", "old")] * 5,
    ]
    history = pl.DataFrame({"field": [f for f, _, _ in rows], "value": [v for _, v, _ in rows]}).with_columns(
        entity=pl.lit("lead"), id=pl.lit("0"), changed_at=pl.lit("01-02-2024 10:00")
    )
    stages = pl.DataFrame(
        {"lead_id": ["0"], "stage": ["lost"], "entered_at": ["01-02-2024"], "reason": ["call 040-1234567"]}
    )
    clean, removed = remove({**leads(a=["x"]), "history": history, "stages": stages}, None)
    assert clean["history"]["value"].to_list() == [value for _, _, value in rows]
    assert clean["history"]["changed_at"].null_count() == 0
    assert removed.masked == {"stages": {"reason": 1}, "history": {"value": 2}}


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


@pytest.mark.parametrize(
    "name",
    ["mobilephone", "phonenumber", "phone_mobile_search", "phone_sanitized", "businessphone", "WorkPhoneExt",
     "Direct Line", "Handynummer", "Teléfono", "Móvil", "Puh", "yomifullname", "middlename", "owneridname",
     "createdbyname", "address1_primarycontactname", "user_id/name", "display_name",
     "Deal - Owner", "Lead - Creator", "HubSpot Owner",
     "Second Name", "Vorname", "Nachname", "Apellidos", "Cognome", "Ansprechpartner", "Myyjä",
     "Vastuuhenkilö", "Säljare"],
)  # fmt: skip
def test_crms_own_names_of_people_and_phones_are_known(name: str) -> None:
    """Words that are run together, other languages, and numbers without any mark."""
    assert personal_name("leads", name) is not None


@pytest.mark.parametrize(
    "name",
    ["lead_source", "region", "rating", "industry", "company_name", "companyname", "account_name", "employees",
     "deal_size", "product_line", "record_type", "opportunity_stage", "homeowner", "contact_count", "notes", "report",
     "user_count"],
)  # fmt: skip
def test_other_names_stay(name: str) -> None:
    """What only sounds like one."""
    assert personal_name("leads", name) is None


def test_an_address_in_one_cell_takes_no_column_of_training_away() -> None:
    """Four leads to score: a fifth of them is one, and the other three keep their source."""
    tables = leads(source=["web", "fair", "bob@example.com", "web"])
    found = remove(tables, None, kept=["source"])[0]["leads"]
    assert found["source"].to_list() == ["web", "fair", None, "web"]
    assert "person_id" not in found.columns


def test_testi_is_a_surname() -> None:
    """Alone it is a person; with a word or a number after it somebody tried the form."""
    found = remove(leads(last_name=["Testi", "Testi 2", "Test", "Testi User"]), None)[0]["leads"]
    assert found["_test"].to_list() == [False, True, True, True]
