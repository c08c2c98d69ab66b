"""What is remembered of a text is what is made of it anew."""

from hypothesis import given
from hypothesis import strategies as st

from models.bundle.lives import Reading
from models.bundle.remembered import MOST, Remembered
from models.marks import Marks
from tests.models.test_requests import PLAN

texts = st.sampled_from([" page_view ", "sales_call", "purchase", "x", "Select"]) | st.text("x Äß", max_size=3)


@given(st.lists(texts, max_size=6))
def test_what_is_remembered_is_what_is_made(asked: list[str]) -> None:
    """Of any texts in any order, the types and topics of events among them."""
    reading, plain = Reading(PLAN, marks=Marks(nothing=frozenset({"Select"}))), Remembered(str.strip)
    for text in asked * 2:
        assert plain[text] == text.strip()
        kind, topic = reading.kinds[text], reading.topics[text]
        word = reading.marks.text(text)
        assert kind[0] == word
        if word in {*PLAN.slot_of, *PLAN.ignored}:
            assert kind[1] == PLAN.event_code(word)
        assert topic == (word, PLAN.topic_code(word) if word else -1)


def test_no_caller_fills_the_memory() -> None:
    """Only so many texts are remembered, and no long ones; the others are made all the same."""
    found = Remembered(len)
    assert found["x" * 10 * MOST] == 10 * MOST
    assert not found
    for i in range(2 * MOST):
        assert found[str(i)] == len(str(i))
    assert len(found) == MOST
