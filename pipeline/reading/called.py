"""Whether a column is personal data by what it is called: in English, Finnish, Swedish and a few more."""

import re
from collections.abc import Iterator

from pipeline.reading.naming import tokens, words
from pipeline.reading.tables import TABLES

ADDRESS_WORDS = words("email mail emails mails sahkoposti epost")
PHONE_WORDS = words(
    "phone phones telephone tel mobile cell cellphone fax puhelin puhelinnumero matkapuhelin gsm telefon"
    " mobil"
    " mobilnummer telefonnummer whatsapp handynummer handy rufnummer telefono telefone movil cellulare"
    " puh mob"
)
NAME_WORDS = words(
    "name firstname lastname fullname surname forename nickname etunimi sukunimi nimi fornamn efternamn namn"
    " username contactperson kontaktperson yhteyshenkilo vorname nachname ansprechpartner nom prenom nombre nombres"
    " apellido apellidos cognome"
)
OTHER_WORDS = words(
    "address street katuosoite osoite adress gatuadress linkedin twitter facebook instagram skype ip ssn hetu"
    " henkilotunnus personnummer passport iban birthdate birthday dob owner salesrep salesperson"
    " creator myyja vastuumyyja vastuuhenkilo saljare vendedor verkaufer betreuer"
)
PHRASES = words("""
    date_of_birth national_id social_security_number sales_rep sales_agent sales_manager account_executive
    account_manager direct_line assigned_to created_by modified_by updated_by last_modified_by
""")
QUALIFIERS = words("""
    contact work business personal private primary secondary other home lead person prospect customer
    client user main office company direct alternate alternative number no nr address url profile handle
    id_ first last full given family middle maiden sur line street postal mailing billing shipping e
    e_mail account sales rep owner assigned 1 2 3 id display yomi second sanitized search ext extension formatted
    deal opportunity record hubspot created modified by
""")
COMPANY = words("company account organisation organization employer business")
PERSON = words("contact person user first last given family middle maiden sur kontakt henkilo")
BUYER = words("customer client prospect lead asiakas kund kunde")
"""A person where it is a lead's; a company where it is an account's."""
WHOSE = "(lead|account|contact|sales|deal|opportunity|record|hubspot|assigned)"
"""Words before `owner` and `rep` that make them one of our own people."""
AROUND = words("""
    work business personal private primary secondary other home main office direct alternate alternative
    full 1 2 3
""")
_KNOWN = ADDRESS_WORDS | PHONE_WORDS | NAME_WORDS | OTHER_WORDS | QUALIFIERS
RUN_TOGETHER = re.compile(
    "|".join(sorted((w for w in _KNOWN if w.isalpha() and len(w) > 1), key=lambda w: (-len(w), w)))
)
"""The words above, the longest first."""
CODE_WORDS = words("id code zip postal postcode zipcode sku number key uuid guid")


def personal_name(table: str, column: str) -> str | None:
    """What kind of personal data a column of this name holds, if any."""
    return next(filter(None, (_of_words(table, parts) for parts in _readings(column))), None)


def _readings(column: str) -> Iterator[list[str]]:
    """The words of a name as it is written, in lower case, and parted where words were run together: mobilephone."""
    yield tokens(column)
    yield tokens(column.lower())
    yield [part for word in tokens(column.lower()) for part in _parted(word)]


def _parted(word: str) -> list[str]:
    """Known words that it is made of; itself where it is not made of such."""
    return RUN_TOGETHER.findall(word) if re.fullmatch(f"(?:{RUN_TOGETHER.pattern})+", word) else [word]


def _of_words(table: str, parts: list[str]) -> str | None:
    if "_".join(parts).removesuffix("_name") in PHRASES:
        return "other"
    rest = [word for word in parts if word not in QUALIFIERS]
    if table == "accounts" or COMPANY & set(parts):
        rest = [] if rest == ["name"] else rest
    if not rest:
        return _bare(parts)
    for kind, known in (("mail address", ADDRESS_WORDS), ("phone number", PHONE_WORDS), ("name", NAME_WORDS)):
        if known & set(rest) and set(rest) <= ADDRESS_WORDS | PHONE_WORDS | NAME_WORDS | OTHER_WORDS:
            return kind
    return "other" if set(rest) <= OTHER_WORDS else None


def _bare(parts: list[str]) -> str | None:
    """Columns whose every word is a qualifier: `address`, `owner`, but not `contact` or `account`."""
    joined = "_".join(parts)
    if {"address", "street"} & set(parts):
        return "other"
    if parts[:2] == ["contact", "person"]:
        return "name"
    return "other" if re.fullmatch(rf"({WHOSE}_)*(owner|rep)", joined) else None


def personal_field(text: str) -> bool:
    """True of a `field` of history that is personal data by its name."""
    return any(personal_name(name, text) for name in TABLES[:2])
