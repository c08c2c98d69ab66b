# ruff: noqa: E501 # rows of tables on one line
"""A line of plain text is the tests of a table of points, both ways."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.points.holding import Look, holds
from models.points.parse import parse
from models.points.records import FieldRecords, PointRecords
from models.points.tokens import WORDS, Misread
from models.points.when import All, EventTest, FieldTest, Not, Silence, Some, leaves
from models.points.write import write

names = st.one_of(
    st.sampled_from(["employees", "Prospect ID", "value", "and", '"', "1"]), st.text(min_size=1, max_size=9)
)
numbers = st.one_of(st.integers(-9999, 9999), st.floats(-1e9, 1e9))
days = st.floats(0.001, 36_000)
plain = st.one_of(names, numbers)
several = st.lists(plain, min_size=1, max_size=3)
pairs = st.tuples(numbers, numbers).map(lambda pair: tuple(sorted(pair)))
operators: st.SearchStrategy[dict[str, Any]] = st.one_of(
    plain.map(lambda v: {"eq": v}),
    several.map(lambda v: {"in": v}),
    st.lists(names, min_size=1, max_size=3).map(lambda v: {"contains": v}),
    pairs.map(lambda v: {"between": v}),
    numbers.map(lambda v: {"gt": v}),
    numbers.map(lambda v: {"lt": v}),
    st.booleans().map(lambda v: {"known": v}),
)


@st.composite
def events(draw: st.DrawFn) -> EventTest:
    """Types, and perhaps topic, value, number and days."""
    found: dict[str, Any] = {"event": draw(st.lists(names, min_size=1, max_size=3))}
    for key, of in (
        ("topic", operators),
        ("value", operators),
        ("at_least", st.integers(1, 99)),
        ("within_days", days),
    ):
        if draw(st.booleans()):
            found[key] = draw(of)
    return EventTest.model_validate(found)


fields = st.builds(lambda name, how: FieldTest.model_validate({"field": name, **how}), names, operators)
silences = st.builds(lambda n, of: Silence(no_event_for_days=n, of=tuple(of)), days, st.lists(names, max_size=2))
tests = st.recursive(
    st.one_of(fields, events(), silences),
    lambda part: st.one_of(
        st.lists(part, min_size=2, max_size=3).map(lambda parts: All(all=parts)),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: Some(any=parts)),
        part.map(lambda one: Not.model_validate({"not": one})),
    ),
    max_leaves=6,
)


@given(tests)
def test_what_is_written_is_read_back(test: Any) -> None:
    """Any test comes back from its line, whatever its names and texts are, with a place for each leaf."""
    parsed = parse(write(test))
    assert parsed.test == test
    assert len(parsed.places) == len(list(leaves(test)))


def test_true_is_said_as_in_yaml() -> None:
    """And read back as a text that means it."""
    assert write(_of({"field": "consent", "eq": True})) == "consent = true"


@pytest.mark.parametrize("text", ["employees >= 50", "employees <= 2.5"])
def test_an_end_that_is_in_is_said_as_people_say_it(text: str) -> None:
    """Not as the two tests that it is, more or equal."""
    assert write(parse(text).test) == text


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from([*WORDS, "x", "5", "(", ")", ",", "=", "<", '"']), max_size=12).map(" ".join)
)
def test_any_text_is_a_test_or_misread(text: str) -> None:
    """No text ends otherwise, and the mark lies within the line."""
    try:
        parse(text)
    except Misread as error:
        assert 0 <= error.start <= error.end <= len(text)  # noqa: PT017 (most texts misread, some do not)


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("employees between 50 and 500", {"field": "employees", "between": [50, 500]}),
        ("country in FI, SE and city = New York", {"all": [{"field": "country", "in": ["FI", "SE"]}, {"field": "city", "eq": "New York"}]}),
        ("event pricing_view at least 2 within 30 days", {"event": "pricing_view", "at_least": 2, "within_days": 30}),
        ("a = 1 or b = 2 and c = 3", {"any": [{"field": "a", "eq": 1}, {"all": [{"field": "b", "eq": 2}, {"field": "c", "eq": 3}]}]}),
        ("job title is unknown", {"field": "job title", "known": False}),
        ("value >= 5", {"any": [{"field": "value", "gt": 5}, {"field": "value", "eq": 5}]}),
        ("zip = 00100", {"field": "zip", "eq": "00100"}),
        ("floor in 5, 100", {"field": "floor", "in": [5, 100]}),
        ("Employees BETWEEN 50 And 500", {"field": "Employees", "between": [50, 500]}),
        ("plan = 'the \"and\"'", {"field": "plan", "eq": 'the "and"'}),
        ("plan = 'and'", {"field": "plan", "eq": "and"}),
    ],
)  # fmt: skip
def test_by_hand(text: str, test: dict[str, Any]) -> None:
    """Lines as a marketer writes them, and what points.yaml would say."""
    assert parse(text).test == _of(test)


def _of(test: dict[str, Any]) -> Any:
    from pydantic import TypeAdapter

    from models.points.when import Test

    return TypeAdapter(Test).validate_python(test)


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("", "expected a field", 0),
        ("employees between 50 to 500", "expected and after 50, got to", 21),
        ("employees > 50,000", "thousands separator", 14),
        ("employees in 5, 50,000", "thousands separator", 18),
        ("country != FI", "write not country", 8),
        ("event pricing_view at most 2", "expected least", 22),
        ("a between 9 and 2", "lower end first", 0),
        ('a = "b', "quote is never closed", 4),
        ("(a known", "expected )", 8),
        ("a known b", "expected and, or", 8),
        ("event x within 5", "expected days after 5", 16),
        ("event x at least 1e400", "whole number, got 1e400", 17),
        ("(" * 99 + "a known", "parentheses", 40),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, said: str, place: int) -> None:
    """The message says what was expected, and the place is that of the first wrong word."""
    with pytest.raises(Misread, match="(?s)" + said.replace("(", r"\(").replace(")", r"\)")) as caught:
        parse(text)
    assert caught.value.start == place
    assert f"at character {place + 1}" in caught.value.shown(text)


def test_at_least_of_a_number_takes_its_end_in_and_no_missing_value() -> None:
    """>= is not “not below”: a lead whose value nobody knows does not meet it."""
    none = np.zeros(0, np.int64)
    records = PointRecords(
        np.zeros(4, np.int64), none, none, none, none, none.astype(float), none, np.zeros(5, np.int64), (), (),
        {"n": FieldRecords(None, np.array([4.0, 5.0, 6.0, np.nan]), None)},
    )  # fmt: skip
    look = Look(records, np.arange(4), np.zeros(4, np.int64))
    assert holds(parse("n >= 5").test, look).tolist() == [False, True, True, False]
    assert holds(parse("n <= 5").test, look).tolist() == [True, True, False, False]
