"""A field of history means one column, in training, in files of scores and in requests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from validating import NOW, SOURCE, raw

from features.plan import Plan, plan_of_json, plan_to_json
from models.bundle.lives import Reading
from models.bundle.requests import asked, features_of
from pipeline.assembly.featuring import features
from pipeline.assembly.planning import learn_plan
from pipeline.params import Definition
from pipeline.reading.attributes import Inferred
from pipeline.reading.checked import check

SPELLINGS = ("Budget", "budget", "BUDGET ", "Budget__c", "Büdget")
WON = {"lead_id": "0", "stage": "won", "entered_at": "2024-03-01"}
AS_OF = datetime(2024, 4, 1, tzinfo=UTC)
LEADS = 40


def company(fields: list[str], columns: list[str], shift: int) -> dict[str, pl.DataFrame]:
    """Raw tables of leads that have all columns, and each one field of history with a value of its own."""
    leads = [
        {"lead_id": str(n), "created_at": "2024-01-01", **{c: str(n % 7 + i) for i, c in enumerate(columns)}}
        for n in range(LEADS)
    ]
    return raw(leads=leads, stages=[WON], history=[change(n, fields, shift) for n in range(LEADS)])


def change(n: int, fields: list[str], shift: int) -> dict[str, Any]:
    """The history of a lead."""
    field, at = fields[(n + shift) % len(fields)], AS_OF - timedelta(days=9)
    return {"entity": "lead", "id": str(n), "field": field, "value": str(100 + n), "changed_at": at.isoformat()}


def in_file(tables: dict[str, pl.DataFrame], plan: Plan, definition: Definition) -> np.ndarray:
    """Features of all leads, the tables read to score."""
    read = check(tables, SOURCE, definition, None, NOW, Inferred(list(plan.attributes), {*plan.other_fields})).tables
    examples = pl.DataFrame({"lead_id": [str(n) for n in range(LEADS)]}).with_columns(as_of=pl.lit(AS_OF))
    return features(read, plan, examples).values


def in_requests(tables: dict[str, pl.DataFrame], plan: Plan) -> np.ndarray:
    """The same, a request a lead."""
    found = []
    for n, lead in enumerate(tables["leads"].iter_rows(named=True)):
        rows = tables["history"].filter(pl.col("id") == str(n)).to_dicts()
        stages = [WON] if n == 0 else []
        body = {"lead": lead, "history": rows, "stages": stages, "events": [], "as_of": AS_OF.isoformat()}
        found.append(features_of(asked(body, Reading(plan)), plan).values[0])
    return np.array(found)


names = st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=4, unique=True)


@settings(max_examples=30)
@given(trained=names, scored=names, columns=names, exclude=st.booleans())
def test_files_and_requests_read_a_field_alike(
    trained: list[str], scored: list[str], columns: list[str], exclude: bool
) -> None:
    """Whatever training saw, and whatever else is in the tables now: what was left out is no other's spelling."""
    columns = [column.strip() for column in columns]
    out = [trained[0].strip()] if exclude and trained[0].strip() in columns else []
    definition = Definition(exclude=out)
    training = check(company(trained, columns, 0), SOURCE, definition, None, NOW)
    plan = learn_plan(training.tables, training.attributes, definition, AS_OF)
    assert plan_of_json(plan_to_json(plan)) == plan
    tables = company(scored, columns, 1)
    np.testing.assert_array_equal(in_file(tables, plan, definition), in_requests(tables, plan))
    again = company(trained, columns, 0)
    examples = pl.DataFrame({"lead_id": [str(n) for n in range(LEADS)]}).with_columns(as_of=pl.lit(AS_OF))
    np.testing.assert_array_equal(features(training.tables, plan, examples).values, in_requests(again, plan))


def test_a_field_that_was_left_out_is_not_read_as_another() -> None:
    """Industry__c is excluded: its rows are none of Industry, in requests as in training."""
    definition = Definition(exclude=["Budget__c"])
    given = company(["Budget", "Budget__c"], ["Budget", "Budget__c"], 0)
    training = check(given, SOURCE, definition, None, NOW)
    plan = learn_plan(training.tables, training.attributes, definition, AS_OF)
    (place,) = plan.past_places
    assert plan.other_fields == (("lead", "Budget__c"),)
    for found in (in_file(given, plan, definition), in_requests(given, plan)):
        assert np.isnan(found[1::2, place]).all()
        assert found[::2, place].tolist() == [100 + n for n in range(0, LEADS, 2)]
