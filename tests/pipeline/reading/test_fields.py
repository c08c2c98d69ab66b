"""What is accepted by the rules and is probably not what it is taken for is said, once, with what to do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.columns import Attribute
from features.vocabulary import ENGAGEMENT, INTENT, SELLER, event_group
from pipeline.params import Definition
from pipeline.reading.checks.fields import SHOWN, doubts
from pipeline.reading.kinds import kind_of
from pipeline.reading.texts import Clock

N = 200
START = datetime(2024, 1, 1, tzinfo=UTC)


def said(definition: dict[str, Any] | None = None, events: list[str] | None = None, **columns: list[Any]) -> list[str]:
    """Findings in N leads, created a day after the other, with these columns."""
    leads = pl.DataFrame({"created_at": [START + timedelta(days=i) for i in range(N)], **columns})
    kinds = {pl.String: "categorical", pl.Boolean: "boolean"}
    own = [Attribute(c.lower(), c, "lead", kinds.get(type(leads[c].dtype), "numeric")) for c in columns]  # type: ignore[arg-type]
    tables = {"leads": leads} if events is None else {"leads": leads, "events": pl.DataFrame({"type": events})}
    return doubts(tables, own, Definition.model_validate(definition or {}))


def draws(seed: int = 0) -> np.ndarray:
    """N numbers of 0 to 99."""
    return np.random.default_rng(seed).integers(0, 100, N)


def test_honest_columns_are_not_questioned() -> None:
    """Numbers, categories and well-known types of event, of any case and signs."""
    words = [("red", "green", "blue")[n % 3] for n in draws()]
    events = ["Page View", "pricing_view", "Email Sent", "mail_open", "WEBINAR"]
    assert said(events=events, Colour=words, Employees=draws(1).tolist(), Known=(draws(2) > 50).tolist()) == []


@pytest.mark.parametrize("form", ["{},5", "1,{:03}", "{}+", "€ {}.000.000,00", "{} %"])
def test_numbers_of_another_form(form: str) -> None:
    """They would be taken as names, and nobody would know; one in two is enough to ask."""
    texts = [form.format(n) if i % 2 else "unknown" if i % 4 else str(n) for i, n in enumerate(draws())]
    kind, note = kind_of("Fee", pl.Series("Fee", texts), Clock())
    assert kind == "categorical"
    assert note.startswith(
        "Fee: 150 of 200 values look like numbers, but 150 are none with the decimal mark “.” and no mark"
    )
    assert "source.decimal or source.thousands" in note


def test_codes_and_names_with_digits_are_no_numbers() -> None:
    """Postcodes, tiers, quarters, ranges."""
    for form in ("0{:04}", "Tier {}", "2024-Q{}", "{}-500"):
        assert kind_of("Code", pl.Series("Code", [form.format(n) for n in draws()]), Clock()) == ("categorical", "")


def test_free_text() -> None:
    """Long texts of many values; short ones and few long ones are categories."""
    (found,) = said(Notes=[f"They asked for a call next week about matter number {n}" for n in draws()])
    assert found.startswith("leads.Notes: long texts")
    assert (
        said(Answer=[("I would rather not say what it is that we need", "yes, of course")[n % 2] for n in draws()])
        == []
    )


@pytest.mark.parametrize("slope", [-1.0, 3.7])
def test_a_clock_and_a_running_number(slope: float) -> None:
    """What goes with the creation; a number that merely drifts does not."""
    (found,) = said(Days=[slope * i for i in range(N)])
    assert found.startswith("leads.Days: follows the lead's creation")
    assert said(Days=[i + 3.0 * n for i, n in enumerate(draws())]) == []


def test_columns_that_say_the_same() -> None:
    """A code and its name part the leads alike, missing where the other is; two others do not."""
    code = [None if n < 10 else n % 5 for n in draws().tolist()]
    name = [None if c is None else "abcde"[c] for c in code]
    (found,) = said(Code=[None if c is None else f"c{c}" for c in code], Name=name, Other=draws(5).tolist())
    assert (
        found == "leads.Code, leads.Name: tell the same rows apart; keep one, and put the others in definition.exclude"
    )
    assert said(Code=[f"c{c}" for c in code], Name=[*name[:-1], "z"]) == []
    every, other = (np.random.default_rng(seed).normal(size=N).tolist() for seed in (1, 2))
    assert said(X=every, Y=other) == []  # all differ, and say different things
    assert len(said(X=every, Y=[1 - 2 * x for x in every])) == 1


def test_fields_that_a_crm_overwrites() -> None:
    """By their name, unless somebody said that they do not change or are history."""
    rated = {"OwnerId": ["x", "y"] * 100, "Times contacted": draws(3).tolist(), "Rating": draws().tolist()}
    (found,) = said(None, None, **rated)
    assert found.startswith(
        "leads.OwnerId, leads.Times contacted, leads.Rating: by the name a field that a CRM overwrites in place"
    )
    assert "definition.attributes: {OwnerId: {mutable: false}}" in found
    kept = {"OwnerId": {"mutable": False}, "Times contacted": {"mutable": False}, "Rating": {"mutable": False}}
    assert said({"attributes": kept}, None, **rated) == []


def test_events_that_nobody_named() -> None:
    """Own people's doings apart from the others; the most frequent first, not all of many; named ones not."""
    ours, others = said(events=["Form: X"] * 2 + ["Task: follow up", "Chat bot"])
    assert "your own people did Task: follow up;" in ours
    assert 'definition.events: {"Task: follow up": seller}' in ours
    assert "counted as engagement until you say otherwise: Form: X, Chat bot." in others
    assert said({"events": {"Form: X": "intent", "Chat bot": "ignore"}}, ["Form: X", "Chat bot"]) == []
    (wish,) = said(events=["Page view: /pricing"])
    assert wish.startswith("events: the names suggest that somebody wants to buy: Page view: /pricing;")
    (typo,) = said({"events": {"Fax": "ignore", "Form: X": "intent"}}, ["Fax", "Form X"] * 2)[:1]
    assert typo == 'definition.events: no event is of the type "Form: X"; did you mean "Form X"?'
    (many,) = said(events=[f"Form {i}" for i in range(SHOWN + 5)])
    assert "and 5 more" in many


@given(st.sampled_from(sorted(ENGAGEMENT | INTENT | SELLER)), st.sampled_from([" ", "-", "_", ": "]))
def test_well_known_events_go_by_any_spelling(name: str, sign: str) -> None:
    """`Email Sent` is what our own people did, as email_sent is."""
    assert event_group(sign.join(name.split("_")).title(), {}) == event_group(name, {})


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y", "%m/%d/%Y", "%m/%d/%y %I:%M %p", "%d-%b-%Y", "%B %d, %Y", "%Y/%m/%d", "%d.%m.%Y %H:%M:%S"]
)
def test_dates_as_people_write_them_are_no_categories(form: str) -> None:
    """What would tell the day of the export is left out like an ISO date, with the reason; versions are not dates."""
    days = pl.Series("Seen", [(START + timedelta(days=int(n), hours=int(n) % 24)).strftime(form) for n in draws()])
    assert kind_of("Seen", days, Clock()) == (None, "dates are not read as attributes: make an age or a stage of it")
    assert kind_of("Version", pl.Series(["1.2.30", "10.0.4"] * 9), Clock())[0] == "categorical"
