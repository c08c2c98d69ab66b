"""Seniority and function of titles in English, Finnish, Swedish and German."""

from typing import Literal
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.titles import read_title
from features.vocabulary import FUNCTIONS, SENIORITIES

TITLES = [
    ("CEO", "chief", "general"), ("Chief Technology Officer", "chief", "it"), ("President", "chief", "general"),
    ("VP Sales", "vp", "sales"), ("SVP Marketing", "vp", "marketing"), ("Vice President, Sales", "vp", "sales"),
    ("Vice-President Finance", "vp", "finance"), ("vice president of operations", "vp", "operations"),
    ("Managing Director", "chief", "general"), ("Head of IT", "director", "it"),
    ("Director of Marketing", "director", "marketing"), ("Sales Manager", "manager", "sales"),
    ("Software Engineer", "specialist", "engineering"), ("Marketing Assistant", "junior", "marketing"),
    ("HR Intern", "intern", "hr"), ("Founder", "owner", "general"),
    ("Procurement Specialist", "specialist", "procurement"),
    ("Student", "intern", "education"), ("Nurse", None, "health"),
    ("Toimitusjohtaja", "chief", "general"), ("Varatoimitusjohtaja", "vp", None),
    ("Myyntijohtaja", "director", "sales"),
    ("Markkinointipäällikkö", "manager", "marketing"), ("IT-päällikkö", "manager", "it"),
    ("Talousjohtaja", "director", "finance"), ("Yrittäjä", "owner", "general"), ("Harjoittelija", "intern", None),
    ("Hankintapäällikkö", "manager", "procurement"), ("Ohjelmistokehittäjä", "specialist", "engineering"),
    ("Myyntiassistentti", "junior", "sales"),
    ("Verkställande direktör", "chief", "general"), ("VD", "chief", "general"), ("Vice VD", "vp", None),
    ("Försäljningschef", "manager", "sales"), ("Ägare", "owner", "general"),
    ("Utvecklare", "specialist", "engineering"),
    ("Ekonomichef", "manager", "finance"), ("Marknadsdirektör", "director", "marketing"),
    ("Inköpare", "specialist", "procurement"),
    ("Projektledare", "manager", None), ("Praktikant", "intern", None),
    ("Vice  President\tSales", "vp", "sales"), ("Product Owner", "specialist", "product"),
    ("Process Owner", "specialist", None), ("HR Business Partner", "specialist", "hr"),
    ("Partner Manager", "manager", None), ("Channel Partner Manager", "manager", None),
    ("Partner", "owner", None), ("Managing Partner", "owner", None), ("Partner, Tax", "owner", None),
    ("CEO & Owner", "owner", "general"), ("Restaurant Owner", "owner", "general"),
    ("Founder/Partner", "owner", "general"),
    ("Executive Assistant to CEO", "junior", "general"), ("Assistant to the VP Sales", "junior", "sales"),
    ("Assistant Vice President", "vp", None), ("Toimitusjohtajan assistentti", "junior", None),
    ("Personal Assistant", "junior", None), ("Personal Trainer", None, None), ("Personalchef", "manager", "hr"),
    ("Lead Generation Specialist", "specialist", "marketing"), ("Principal Engineer", "specialist", "engineering"),
    ("Geschäftsführer", "chief", "general"), ("Inhaberin", "owner", "general"),
    ("Vertriebsleiter", "director", "sales"), ("Leiter IT", "director", "it"),
    ("Leitung Einkauf", "director", "procurement"), ("Teamleiterin Vertrieb", "manager", "sales"),
    ("Softwareentwickler", "specialist", "engineering"), ("Sachbearbeiterin Buchhaltung", "specialist", "finance"),
    ("Assistenz der Geschäftsführung", "junior", "general"), ("Werkstudentin Marketing", "intern", "marketing"),
    ("Vorstandsassistentin", "junior", None), ("VD-sekreterare", "junior", "general"),
    ("Product-Owner", "specialist", "product"), ("Account Owner", "specialist", "sales"),
    ("Bereichsleitung", "director", None), ("Teamleitung", "manager", None),
    ("Personalleiter", "director", "hr"), ("Vorstandsvorsitzender", "chief", None),
    ("", None, None), ("   ", None, None), ("xyzzy", None, None), ("Gitarist", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("title", "seniority", "function"), TITLES)
@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_titles_are_read_whatever_their_case(
    title: str, seniority: str | None, function: str | None, change: object
) -> None:
    """Each title has its seniority and function in four languages."""
    level, kind = read_title(change(title))  # type: ignore[operator]
    assert (None if np.isnan(level) else SENIORITIES[int(level)]) == seniority
    assert (None if np.isnan(kind) else FUNCTIONS[int(kind)]) == function


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text raises, and the codes are of the lists or missing."""
    level, kind = read_title(text)
    assert np.isnan(level) or 0 <= level < len(SENIORITIES)
    assert np.isnan(kind) or 0 <= kind < len(FUNCTIONS)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(
    "title", ["Geschäftsführer", "Verkställande direktör", "Markkinointipäällikkö", "ＶＰ Ｓａｌｅｓ"]
)
def test_titles_are_read_in_any_encoding_of_their_letters(
    title: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]
) -> None:
    """As macOS writes them, too, and in full width."""
    assert read_title(normalize(form, title)) == read_title(normalize("NFKC", title))
    assert not np.isnan(read_title(normalize(form, title))).any()


def test_long_titles_cost_little() -> None:
    """Only the first 200 letters are looked at."""
    assert np.isnan(read_title("x" * 1_000_000 + " CEO")[0])
