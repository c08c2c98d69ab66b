"""Yes and no are the same words for tables, requests and tables of points."""

import polars as pl
import pytest

from features.columns import Attribute
from features.vocabulary import NO, YES
from models.bundle.values import coded, objects
from models.points.holding import number_of
from models.points.when import Values
from pipeline.assembly.values import numbers
from pipeline.handtuned.check import _misfits
from pipeline.params import Definition
from pipeline.reading.texts import read_booleans, read_positive

WORDS = [(word, word in YES) for word in sorted(YES | NO)]
BUDGET = Attribute("budget", "budget", "lead", "boolean")


@pytest.mark.parametrize(("word", "yes"), WORDS)
def test_every_reader_knows_every_word(word: str, yes: bool) -> None:
    """In any case, and with white space around it where people type it."""
    for text in (word, word.upper(), f" {word.title()} "):
        assert read_booleans(pl.Series([text])).item() is yes
        assert read_positive(pl.Series([text]), Definition().positive).item() is yes
        assert numbers(pl.Series([text]), "boolean")[1].item() == yes
        assert coded(BUDGET, text, {}, "budget") == (yes,)
        assert objects({"objected": text}) is yes
    assert number_of(word.upper()) == yes


@pytest.mark.parametrize("word", [word for word, _ in WORDS])
def test_a_table_of_points_may_ask_by_every_word(word: str) -> None:
    """A boolean field that is to be yes or no needs no number."""
    assert list(_misfits(Values(eq=word), "boolean", "budget")) == []


def test_no_word_is_both() -> None:
    """And they are case folded, as they are looked for."""
    assert not YES & NO
    assert {word.casefold() for word in YES | NO} == YES | NO
