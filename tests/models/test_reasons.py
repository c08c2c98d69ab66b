"""Reasons in plain words, for any feature and any value."""

import re
from typing import get_args

import numpy as np
import pytest

from features.catalogue import EventType
from features.columns import Attribute, Column
from features.kernel import Matrix
from features.plan import Plan
from models.explaining.reasons import by_group, reasons, say
from models.explaining.words import LANGUAGES, Language
from pipeline.params import Definition

PLAN = Plan(
    (Attribute("size", "size", "lead", "numeric"), Attribute("title", "job title", "lead", "text"),
     Attribute("x", "x", "account", "categorical"), Attribute("b", "b", "lead", "boolean")),
    (EventType("page_view", "engagement", True), EventType("pricing_view", "intent"),
     EventType("{0} {n} {x}", "intent", True)),
    ("{t}",), ("mql",), ("won",), ("recycled",), "won",
)  # fmt: skip
ALWAYS_KNOWN = ("known_fields", "age")
LEVELS = {**PLAN.levels, "fit_x": ["{a}", "b"]}


@pytest.mark.parametrize("column", PLAN.features, ids=lambda c: c.name)
def test_every_feature_is_put_in_words(column: Column) -> None:
    """Missing, zero, one, many and odd values: some words, never an error nor a brace that we put there."""
    levels = LEVELS.get(column.name, ())
    values = [float("nan"), 0.0, 1.0, 2.0, 0.123456, 99.6, 1e7, -3.25]
    if column.categorical or column.measure in ("seniority", "colleagues_seniority"):
        values = values[:3]
    for value in values:
        if (column.categorical and value >= len(levels)) or (value != value and column.measure in ALWAYS_KNOWN):
            continue
        for language in LANGUAGES:
            text = say(column, value, levels, language)
            assert text.strip() == text != ""
            assert "nan" not in text.split(), text


@pytest.mark.parametrize(
    ("measure", "of", "days", "value", "text"),
    [
        ("count", "pricing_view", 7, 1, "viewed pricing once in the last 7 days"),
        ("count", "pricing_view", 7, 3, "viewed pricing 3 times in the last 7 days"),
        ("count", "pricing_view", 0, 0, "did not view pricing so far"),
        ("count", "{n} {x}", 1, 2, "{n} {x} 2 times in the last day"),
        ("decayed", "page_view", 7, np.nan, "events are not known"),
        ("decayed", "x", 7, 2.57e-05, "x, the latest counting most: 0 (each loses half its weight in 7 days)"),
        ("decayed", "x", 7, 0.25, "x, the latest counting most: 0.25 (each loses half its weight in 7 days)"),
        (
            "decayed",
            "any_intent",
            7,
            6.587,
            "buying signals, the latest counting most: 6.6 (each loses half its weight in 7 days)",
        ),
        ("own_rate", "pricing_view", 7, 2.0, "pricing views more often than usual for this person in the last 7 days"),
        ("seniority", "", 0, 6, "job level: chief"),
        ("numeric", "employees", 0, 12345.0, "employees: 12,345"),
        ("numeric", "founded", 0, 1954.0, "founded: 1954"),
        ("numeric", "employees", 0, np.nan, "employees is not known"),
    ],
)
def test_words_for_a_value(measure: str, of: str, days: int, value: float, text: str) -> None:
    """What a value says."""
    assert say(Column("intent_x", "intent", "events", measure, of, days), value) == text


@pytest.mark.parametrize(
    ("language", "measure", "of", "days", "value", "text"),
    [
        ("fi", "count", "pricing_view", 7, 3, "katsoi hintoja 3 kertaa viimeisten 7 päivän aikana"),
        ("fi", "numeric", "employees", 0, 12345.6, "employees: 12\u00a0346"),
        ("fi", "numeric", "ratio", 0, 0.25, "ratio: 0,25"),
        ("sv", "count", "webinar", 30, 1, "har deltagit i 1 webbinarium de senaste 30 dagarna"),
        ("sv", "last", "demo_request", 0, 2.2, "senaste demoförfrågan för 2 dagar sedan"),
        ("sv", "seniority", "", 0, 6, "nivå enligt titeln: högsta ledningen"),
    ],
)
def test_words_of_other_languages(language: str, measure: str, of: str, days: int, value: float, text: str) -> None:
    """Numbers as the language writes them, too."""
    assert say(Column("intent_x", "intent", "events", measure, of, days), value, (), language) == text


def test_whoever_may_choose_a_language_may_choose_all() -> None:
    """Commands offer what there are words for; so does definition.language."""
    offered = get_args(Definition.model_fields["language"].annotation)
    assert offered == get_args(Language) == tuple(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things(language: str) -> None:
    """The same keys, and the same places for names and numbers in each."""
    words = LANGUAGES[language]
    assert words.keys() == LANGUAGES["en"].keys()
    for key, text in words.items():
        places, english = (set(re.findall(r"{(\w+)}", t)) for t in (text, LANGUAGES["en"][key]))
        assert places | {"n"} == english | {"n"}, key


def test_the_strongest_reasons_come_first_and_none_is_said_twice() -> None:
    """By absolute contribution, either way; nothing that moves nothing."""
    columns = tuple(
        Column(f"fit_{n}", "fit", "lead", "numeric", of) for n, of in zip("abcd", ("a", "b", "b", "d"), strict=True)
    )
    matrix = Matrix(np.array([[1.0, 2, 2, 4]]), columns, {})
    found = reasons(matrix, np.array([[0.1, -0.5, 0.4, 0.0]]), 0, 3)
    assert [(r.feature, r.contribution) for r in found] == [("fit_b", -0.5), ("fit_a", 0.1)]
    assert len(reasons(matrix, np.array([[0.1, -0.5, 0.4, 0.2]]), 0, 1)) == 1


def test_a_fact_is_told_once_whatever_its_windows() -> None:
    """How often the same thing happened, in whatever window, is one reason, its strongest; another measure, another
    thing and the account's field of a lead's name are reasons of their own. What is left out stays in its group's sum.
    """
    columns = (
        Column("intent_a_7d", "intent", "events", "decayed", "any_intent", 7),
        Column("intent_a_30d", "intent", "events", "decayed", "any_intent", 30),
        Column("intent_a_count", "intent", "events", "count", "any_intent", 7),
        Column("intent_b", "intent", "events", "last", "any_intent"),
        Column("intent_c", "intent", "events", "decayed", "webinar", 7),
        Column("fit_lead", "fit", "lead", "numeric", "size"),
        Column("fit_account", "fit", "account", "numeric", "size"),
    )
    matrix = Matrix(np.array([[1.0, 2, 3, 4, 5, 6, 7]]), columns, {})
    shares = np.array([[0.9, -1.0, 0.85, 0.8, 0.7, 0.6, 0.5]])
    found = [reason.feature for reason in reasons(matrix, shares, 0, 9)]
    assert found == ["intent_a_30d", "intent_b", "intent_c", "fit_lead", "fit_account"]
    assert by_group(matrix, shares)["intent"] == pytest.approx([2.25])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("block", ["events", "stages", "account_leads"])
def test_what_nobody_knows_is_not_said_to_be_none(block: str, language: str) -> None:
    """A part that was left out is not known, whatever else of it is missing; one that is empty has its words."""
    mine = [j for j, column in enumerate(PLAN.columns) if column.block == block]
    values, shares = np.zeros((2, len(PLAN.columns))), np.zeros((2, len(PLAN.columns)))
    values[0, mine] = np.nan
    shares[:, mine] = np.arange(1, len(mine) + 1)
    absent = [
        j for j in mine if PLAN.columns[j].measure in ("last", "last_topic", "stage", "stage_days", "colleagues_last")
    ]
    values[1, absent] = np.nan
    matrix = Matrix(values, PLAN.columns, dict(LEVELS))
    left_out = [reason.text for reason in reasons(matrix, shares, 0, 999, language)]
    empty = [reason.text for reason in reasons(matrix, shares, 1, 999, language)]
    unknown = LANGUAGES[language]["colleagues.unknown" if block == "account_leads" else f"{block}.unknown"]
    assert left_out == [unknown]
    assert unknown not in empty
    assert len(empty) > 2
