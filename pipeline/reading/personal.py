"""Names, mail addresses and phone numbers end here. What an address tells without telling whose it is stays.

A column is personal by its name (with or without words like `work` or `1`) unless it holds only yes and no
(or, called `emails`, only numbers), or by its content: over a fifth of its values look like addresses or
phone numbers. What staff are called (`owner`, `sales_rep`) is a name too. A column that is called after a
person (`contact`, `customer`) holds names where its values are words and no few categories. A company's name
is not personal: near-unique columns are left out as attributes anyway. A cell that holds an address or a
phone number among other text becomes null.
"""

import hmac
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.errors import Stop
from pipeline.reading.called import AROUND, BUYER, CODE_WORDS, PERSON, personal_field, personal_name
from pipeline.reading.csvs import BROKEN
from pipeline.reading.domains import domain_kind, domain_of, normalised
from pipeline.reading.naming import tokens
from pipeline.reading.tables import CONTRACT, ROW, TABLES, TEST
from pipeline.reading.texts import folded, read_booleans, read_numbers

ID_KEY = "LEADSCORE_ID_KEY"
"""The variable of the environment that holds the secret text addresses are hashed with."""
SHARE = 0.2
"""A column whose share of address-like or phone-like values is above this is personal."""
EMAIL_LIKE = r"^\s*(mailto:)?[^@\s]+@[^@\s]+\.[^@\s]{2,}\s*$|<[^@\s]+@[^@\s]+\.[^@\s]+>\s*$"
EMAIL_INSIDE = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)+"
PHONE_LIKE = (
    r"^\s*(\+|00)[1-9][\d\s().\-/]{6,20}\s*$|^\s*\(?0\d{1,4}\)?[\s\-/]+\d[\d\s\-]{4,12}\s*$"
    r"|^\s*\(?\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4}\s*$|^0[1-9]\d{7,9}$"
)
INTERNATIONAL = r"(^|[^\w+])\+[1-9]([\s().\-/]*\d){6,14}($|\D)|(^|[^\w+.,\-/#])00[1-9]([\s().\-/]*\d){6,14}($|[^\w\-/])"
NATIONAL = (
    r"(^|[^\w+.,\-/#])(\(?0\d{1,4}\)?[\s\-/]+\d([\s\-]*\d){4,11}|\(?\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4})"
    r"($|[^\w\-/])"
)
DATE_INSIDE = (
    r"\b((19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](19|20)\d\d|\d{1,2}[-./]\d{1,2}[-./]\d\d)\b"
)
DIGITS = r"^\s*\d+\s*$"
WORDS = r"^[^\d@_/]*\p{L}[^\d@_/]*$"
DATE_LIKE = r"^\s*\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}(\D.*)?$"
CATEGORIES, REPEATS = 10, 5
"""At most this many distinct values, each this often on average: categories such as `cellular`, not people."""
_TRIED = "(test|testi|user|person|lead|contact|account)"
TEST_PERSON = (
    rf"^((test|testing|tester|asdf|qwerty)( {_TRIED})?[\s_\-]*\d*"
    rf"|testi( {_TRIED}[\s_\-]*\d*|[\s_\-]*\d+))$"  # alone it is a surname
)
SPOKEN = {("events", "topic"), ("stages", "reason"), ("history", "value")}
"""Columns of the contract where people may have written a phone number."""
TEST_ADDRESS = r"^\s*(test|testi|testing|asdf|qwerty)([+._\-][^@]*|\d*)@"


@dataclass(frozen=True)
class Removed:
    """What was taken out, for the record of ingest. Holds names of columns and counts, no value."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """By table, each dropped column and why."""
    masked: dict[str, dict[str, int]] = field(default_factory=dict)
    """By table and column, how many cells held an address or a phone number among other text."""


def id_key() -> bytes | None:
    """The key that addresses are hashed with, from the environment; None where there is none."""
    return os.environ.get(ID_KEY, "").encode() or None


def remove(
    tables: Mapping[str, pl.DataFrame], id_key: bytes | None, kept: Collection[str] = ()
) -> tuple[dict[str, pl.DataFrame], Removed]:
    """The tables without personal data, and what was removed.

    `kept`: columns whose values training found to be no personal data: a few rows of today decide nothing, and only a
    cell that holds an address or a phone number is lost.
    Leads get `email_domain_kind`, `person_id`, `account_id` (where there is none) from their addresses and
    `_test` from test names. Raises Stop where there are addresses and no key.
    """
    removed = Removed()
    result = {}
    for name, table in tables.items():
        why = personal_columns(name, table, kept)
        addresses = [column for column, reason in why.items() if reason == "mail address"]
        if addresses and not id_key:
            raise Stop(
                f"{name}.{addresses[0]}: holds mail addresses, and there is no key to hash them with; set the"
                f" environment variable {ID_KEY} to a long secret text, the same in every run"
            )
        if name == "leads" and why:
            table = _marked_tests(table, why)
            table = _derived(table, addresses, id_key) if addresses and id_key else table
        result[name] = _masked(name, _known(name, table.drop(why)), kept, removed)
        if why:
            removed.columns[name] = why
    return result, removed


def personal_columns(name: str, table: pl.DataFrame, kept: Collection[str] = ()) -> dict[str, str]:
    """The personal columns of a table: mail address, phone number, name or other."""
    fixed = {*CONTRACT[name], BROKEN}
    found = {}
    for column, kind in table.schema.items():
        why = personal_name(name, column)
        if column in fixed or kind == pl.Boolean:
            continue
        values = table[column].drop_nulls()
        if column in kept and (not len(values) or why is None):
            continue
        if why and not _harmless(why, values):
            found[column] = why
        elif kind == pl.String and (looks := _looks(column, values)):
            found[column] = looks
        elif kind == pl.String and _people(name, column, values):
            found[column] = "name"
    return found


def _harmless(why: str, values: pl.Series) -> bool:
    """Only yes and no; or numbers under the name of an address, which count how many were sent."""
    if not len(values):
        return False
    return read_booleans(values).null_count() == 0 or (why == "mail address" and read_numbers(values).null_count() == 0)


def _people(name: str, column: str, values: pl.Series) -> bool:
    """True of a column called after a person whose values are words, and more than a few categories."""
    person = PERSON if name == "accounts" else PERSON | BUYER
    if not any(
        person & parts and parts <= person | AROUND for parts in (set(tokens(column)), set(tokens(column.lower())))
    ):
        return False
    distinct = values.n_unique()
    if _harmless("name", values) or (distinct <= CATEGORIES and distinct * REPEATS <= len(values)):
        return False
    return _share(values.str.contains(WORDS)) > SHARE


def _looks(column: str, values: pl.Series) -> str | None:
    """What over a fifth of the values look like."""
    if not len(values):
        return None
    if _share(values.str.contains(EMAIL_LIKE)) > SHARE:
        return "mail address"
    if CODE_WORDS & set(tokens(column)):
        return None
    phones = values.str.contains(PHONE_LIKE) & ~values.str.contains(DATE_LIKE)
    digits = values.str.count_matches(r"\d") >= 7
    return "phone number" if _share(phones & digits) > SHARE else None


def _share(hits: pl.Series) -> float:
    """Of true ones; 0 of nothing."""
    return float(hits.mean() or 0)  # type: ignore[arg-type]


def _known(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """Child tables with the contract's columns alone: nobody reads the others, so nobody keeps them."""
    if name in ("leads", "accounts"):
        return table
    wanted = {*CONTRACT[name], ROW, BROKEN}
    return table.select(column for column in table.columns if column in wanted)


def _masked(name: str, table: pl.DataFrame, kept: Collection[str], removed: Removed) -> pl.DataFrame:
    """Null where a text holds a mail address or a phone number, and every value of a personal field of `history`."""
    ids = {"lead_id", "account_id", "id", "event_id", "person_id", BROKEN, "entity", "field"}
    texts = [column for column, kind in table.schema.items() if kind == pl.String and column not in ids]
    holds = {column: pl.col(column).str.contains(EMAIL_INSIDE) for column in texts}
    for column in texts:
        if (name, column) in SPOKEN or column not in CONTRACT[name]:
            holds[column] = holds[column] | _phones(name, column, table)
    if name == "history" and "value" in holds:
        holds["value"] = holds["value"] | pl.col("field").is_in(_personal_fields(table, kept))
    if not holds or not table.height:
        return table
    counts = table.select(hit.sum().alias(column) for column, hit in holds.items()).row(0, named=True)
    hits = {column: int(count) for column, count in counts.items() if count}
    if hits:
        removed.masked[name] = hits
    return table.with_columns(pl.when(~holds[column]).then(pl.col(column)).alias(column) for column in hits)


def _phones(name: str, column: str, table: pl.DataFrame) -> pl.Expr:
    """Where a text is or holds a phone number; not in columns and fields of codes, and not in dates."""
    if CODE_WORDS & set(tokens(column)):
        return pl.lit(False)
    text = pl.col(column)
    digits = text.str.contains(DIGITS)
    whole = text.str.contains(PHONE_LIKE) & ~text.str.contains(DATE_LIKE) & (text.str.count_matches(r"\d") >= 7)
    inside = text.str.contains(INTERNATIONAL) | text.str.replace_all(DATE_INSIDE, "date").str.contains(NATIONAL)
    coded = _share(table[column].drop_nulls().str.contains(DIGITS)) > 0.5
    found = (whole | inside) & ~(digits & pl.lit(coded))
    if name == "history":
        codes = [text for text in table["field"].unique().drop_nulls() if CODE_WORDS & set(tokens(text))]
        found = found & ~pl.col("field").is_in(codes)
    return found


def _personal_fields(history: pl.DataFrame, kept: Collection[str]) -> list[str]:
    """The fields that are personal by their name, or called after a person with names for values."""
    parts = history.select("field", "value").partition_by("field", as_dict=True, include_key=False)
    values = {text: rows["value"].drop_nulls() for (text,), rows in parts.items() if text is not None}
    return [
        text
        for text, given in values.items()
        if personal_field(text) or (text not in kept and any(_people(name, text, given) for name in TABLES[:2]))
    ]


def _marked_tests(leads: pl.DataFrame, why: Mapping[str, str]) -> pl.DataFrame:
    """With `_test`: somebody tried the form, by the name or the address that was given."""
    texts = {column: folded(leads[column].cast(pl.String)).fill_null("") for column in why}
    patterns = {"name": TEST_PERSON, "mail address": TEST_ADDRESS}
    hits = [
        texts[column].str.contains(patterns[reason]).alias(column)
        for column, reason in why.items()
        if reason in patterns
    ]
    return leads.with_columns(pl.any_horizontal(hits).alias(TEST)) if hits else leads


def _derived(leads: pl.DataFrame, addresses: Iterable[str], id_key: bytes) -> pl.DataFrame:
    """What the first address of each lead leaves behind; nothing where there is none."""
    address = leads.select(pl.coalesce(pl.col(list(addresses)).cast(pl.String))).to_series()
    facts = _facts(address.unique().drop_nulls().to_list(), id_key)
    told = pl.DataFrame({"_address": address}).join(facts, on="_address", how="left", maintain_order="left")
    for column in ("email_domain_kind", "person_id", "account_id"):
        new = told[column]
        if column in leads.columns:
            given = leads[column].cast(pl.String)
            new = pl.select(pl.coalesce(given, new)).to_series() if len(given) else given
        leads = leads.with_columns(new.alias(column))
    return leads


def _facts(addresses: list[str], id_key: bytes) -> pl.DataFrame:
    """Domain kind and keyed hashes of each distinct address; no hash of what is no address."""
    rows = []
    for address in addresses:
        plain = normalised(address)
        domain = domain_of(plain)
        kind = domain_kind(domain)
        person = hashed(plain, id_key) if domain else None
        account = hashed(domain, id_key) if domain and kind == "corporate" else None
        rows.append((address, kind, person, account))
    names = ["_address", "email_domain_kind", "person_id", "account_id"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def hashed(text: str, id_key: bytes) -> str:
    """HMAC-SHA-256 in hex."""
    return hmac.digest(id_key, text.encode("utf-8"), "sha256").hex()
