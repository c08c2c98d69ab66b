"""The question to ask next: what the answers would do, and that it pays to ask."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from questioning import measure

from features.kernel import Matrix, compute
from models.bundle.asking import answer, missing, worth
from models.bundle.folder import Bundle, score
from models.bundle.questions import NOTHING_TO_ASK, Questions, learn
from models.policy.decisions import decide
from pipeline.assembly.records import records_of
from pipeline.assembly.values import instant_us
from pipeline.errors import Stop
from pipeline.scoring.ask import ask, questions_of
from pipeline.scoring.score import Asked, score_tables

NOW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def matrix(bundle: Bundle, asked: Asked) -> Matrix:
    """Features of 60 leads, open or not."""
    assert asked.as_of is not None
    records, _ = records_of(asked.checked.tables, bundle.plan)
    lead = np.flatnonzero(records.created <= instant_us(asked.as_of))[:60]
    return compute(records, bundle.plan, lead, np.full(len(lead), instant_us(asked.as_of)))


def test_questions_come_from_train_and_back_from_json(bundle: Bundle) -> None:
    """Every share is above 0, those of a band add up to 1, and the file gives the very questions back."""
    stored = bundle.questions
    assert {"budget", "need", "employees", "job_title"} <= {q.name for q in stored.questions}
    for question in stored.questions:
        shares = np.array(question.shares)
        assert (shares > 0).all()
        np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert Questions.of_json(stored.to_json()) == stored


def test_what_nobody_ever_answered_is_no_question(bundle: Bundle, matrix: Matrix) -> None:
    """Columns that are unknown, or the same for everyone, cannot be asked for."""
    values = np.where(np.arange(len(matrix.columns)) == bundle.plan.place["intent_budget"], np.nan, matrix.values)
    values[:, bundle.plan.place["intent_need"]] = 0
    found = learn(bundle.plan, replace(matrix, values=values), np.linspace(0.1, 0.9, len(values)))
    assert found.questions
    assert not {"budget", "need"} & {q.name for q in found.questions}


def test_a_field_is_worth_what_its_answers_change(bundle: Bundle, matrix: Matrix) -> None:
    """The mean distance to the mean over answers, one lead and one answer at a time; NaN where it is known."""
    found = worth(bundle, matrix, [None] * len(matrix.values))
    p = score(bundle, matrix, False).probability
    for j, question in enumerate(found.questions):
        gone = missing(matrix, question)
        assert np.isnan(found.probability[:, j]).tolist() == (~gone).tolist()
        for i in np.flatnonzero(gone)[:2].tolist():
            one = replace(matrix, values=matrix.values[i : i + 1])
            shares = question.shares[int(bundle.questions.bands(p[i : i + 1])[0])]
            told = [answer(bundle, one, question, a) for a in question.answers]
            after = np.array([score(bundle, m, False).probability[0] for m in told])
            mean = np.dot(shares, after)
            assert found.probability[i, j] == pytest.approx(np.dot(shares, abs(after - mean)), abs=1e-12)
            route = decide(bundle.policy, one, p[i : i + 1], [None])[0].route
            routes = [decide(bundle.policy, m, q[None], [None])[0].route for m, q in zip(told, after, strict=True)]
            assert found.route[i, j] == pytest.approx(np.dot(shares, [r != route for r in routes]))


def test_an_answer_is_the_record_with_the_answer(bundle: Bundle, asked: Asked) -> None:
    """Features after an answer are those of tables with a row of history more, to the last bit."""
    assert asked.as_of is not None
    tables, at = asked.checked.tables, instant_us(asked.as_of)
    known = set(tables["history"].filter(pl.col("field") == "budget")["id"])
    ids = tables["leads"].filter((pl.col("created_at") <= asked.as_of) & ~pl.col("lead_id").is_in(list(known)))
    lead_id = ids["lead_id"][0]
    row = tables["history"].head(1).with_columns(
        entity=pl.lit("lead"), id=pl.lit(lead_id), field=pl.lit("budget"), value=pl.lit("20000"),
        changed_at=pl.lit(asked.as_of, pl.Datetime("us", "UTC")),
    )  # fmt: skip
    question = next(q for q in bundle.questions.questions if q.name == "budget")
    found = []
    for some in (tables, {**tables, "history": pl.concat([tables["history"], row])}):
        records, order = records_of(some, bundle.plan)
        lead = np.flatnonzero((order["lead_id"] == lead_id).to_numpy())
        found.append(compute(records, bundle.plan, lead, np.array([at])))
    np.testing.assert_array_equal(answer(bundle, found[0], question, (20000.0,)).values, found[1].values)


def test_each_open_lead_is_asked_for_what_it_lacks(bundle: Bundle, asked: Asked) -> None:
    """One field a scored lead, never one that is known; `leadscore ask` names the same."""
    found = questions_of(bundle, asked)
    scored = score_tables(bundle, asked, None).filter(pl.col("status") == "scored")
    assert set(found["lead_id"]) == set(scored["lead_id"])
    lead_id, field = found.drop_nulls().row(0)
    lines = ask(bundle, asked, lead_id)
    assert lines[0] == f"lead {lead_id}: ask for {field.replace('_', ' ')}"
    assert lines[1].startswith(f"  {field.replace('_', ' ')}: moves the ")


def test_who_cannot_be_asked_is_said(bundle: Bundle, asked: Asked) -> None:
    """A lead that is not there, and a model of before there were questions."""
    with pytest.raises(Stop, match="not among the leads that are open"):
        ask(bundle, asked, "nobody")
    with pytest.raises(Stop, match="no questions"):
        questions_of(replace(bundle, questions=NOTHING_TO_ASK), asked)


def test_the_suggested_question_pays_more_than_none(finished_run: Path) -> None:
    """Fields hidden from the model and one asked for: against the exact truth the loss is less than without."""
    gain = measure(finished_run)
    assert gain.examples > 200
    assert gain.suggested < gain.none
