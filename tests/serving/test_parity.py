"""One lead, one probability: in files of scores, alone, among others, in a batch, by several threads at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import polars as pl
import pytest
from asking import request_of
from servers import Running

from features.kernel import compute
from models.bundle.folder import Bundle, score
from models.explaining.words import Language
from pipeline.assembly.records import records_of
from pipeline.scoring.score import read, score_tables
from serving.answers import Model, answer, wanted
from serving.settings import Settings

NOW = datetime(2100, 1, 1, tzinfo=UTC)
LEADS = int(os.environ.get("PARITY_LEADS", "100"))
MANY = 200
"""Leads of a batch: with all that their colleagues did, more are over the limit of a body."""
"""`make proof-serving` takes a thousand."""
LANGUAGE: Language = "fi"
"""One that nobody gets by default."""
SHARED = ("status", "probability", "score", "grade", "route", "base", "model_version")


@pytest.fixture(scope="module")
def scored(bundle: Bundle, lead_tables: Path, day: datetime) -> dict[str, dict[str, Any]]:
    """`leadscore score` of the run's own tables, by lead."""
    frame = score_tables(bundle, read(bundle, lead_tables, day, None, NOW), LANGUAGE)
    return {row["lead_id"]: row for row in frame.to_dicts()}


def same(one: dict[str, Any], row: dict[str, Any]) -> None:
    """An answer is what the file of scores has, to the last bit."""
    for name in SHARED:
        assert one[name] == row[name], name
    if one["status"] == "scored":
        assert one["groups"] == {g: row[g] for g in ("fit", "engagement", "intent")}
        texts = [r["text"] for r in one["reasons"]][:3]
        assert texts == [row[f"reason_{n + 1}"] for n in range(len(texts))]
        assert one["raw_score"] == pytest.approx(one["base"] + sum(one["groups"].values()), abs=1e-9)


def test_a_lead_has_one_probability(
    running: Running, scored: dict[str, dict[str, Any]], checked_tables: dict[str, pl.DataFrame], day: datetime
) -> None:
    """Over HTTP alone and in a batch as in the file, for leads open and closed; without reasons the same."""
    ids = sorted(scored, key=lambda lead_id: hash((lead_id, 1)))[:LEADS]
    refused = checked_tables["leads"].filter("outcome_refused")["lead_id"]  # a row that a request here does not have
    ids = [i for i in ids if scored[i]["status"] != "objected" and i not in refused]
    asked = [{**request_of(checked_tables, lead_id, day), "language": LANGUAGE} for lead_id in ids]
    with httpx.Client(base_url=running.url, timeout=60) as client:
        alone = [client.post("/v1/score", json=one).json() for one in asked]
        batch = [
            one
            for at in range(0, len(asked), MANY)
            for one in client.post("/v1/score/batch", json={"leads": asked[at : at + MANY]}).json()["results"]
        ]
        plain = client.post("/v1/score/batch", json={"leads": asked[:MANY], "explain": False}).json()["results"]
    for lead_id, one, other in zip(ids, alone, batch, strict=True):
        same(one, scored[lead_id])
        assert {**other, "scored_at": None} == {**one, "scored_at": None}
    assert [one["probability"] for one in plain] == [scored[i]["probability"] for i in ids[:MANY]]
    assert {one["status"] for one in alone} == {"scored", "closed"}


def test_an_examples_probability_is_the_runs_own(
    model: Model, checked_tables: dict[str, pl.DataFrame], predictions: pl.DataFrame, settings: Settings
) -> None:
    """At the instants of predictions.parquet."""
    some = predictions.filter(pl.col("fold") == "test").sample(40, seed=2)
    for lead_id, as_of, p in some.select("lead_id", "as_of", "probability").rows():
        one = answer(model, [wanted(request_of(checked_tables, lead_id, as_of), settings)], NOW)[0]
        assert isinstance(one, dict)
        assert one["probability"] == p


@pytest.mark.parametrize("table", ["events", "stages", "history"])
def test_a_list_left_out_is_a_table_left_out(
    model: Model, checked_tables: dict[str, pl.DataFrame], day: datetime, settings: Settings, table: str
) -> None:
    """Where a lead and its colleagues come without it: the features, so the probability, of tables without it. Of a
    lead that has no colleagues yet, both know that there are none."""
    plan, tables = model.bundle.plan, {name: t for name, t in checked_tables.items() if name != table}
    records, order = records_of(tables, plan)
    among = tables["leads"].filter(pl.col("created_at") <= day)
    some = order.join(among, on="lead_id", how="semi").sample(150, seed=5)
    alone = among.filter(pl.col("account_id").is_null() | (pl.len().over("account_id") == 1))["lead_id"].to_list()
    lead = some["index"].to_numpy().astype(np.int64)
    as_of = np.full(len(lead), int(day.timestamp() * 1e6))
    expected = score(model.bundle, compute(records, plan, lead, as_of), reasons=False).probability
    scored = 0
    for lead_id, p in zip(some["lead_id"], expected, strict=True):
        whole = request_of(checked_tables, lead_id, day)
        parts = {k: v for k, v in whole.items() if k != table}
        parts["account_leads"] = [{k: v for k, v in other.items() if k != table} for other in whole["account_leads"]]
        one = answer(model, [wanted(parts, settings)], NOW)[0]
        assert isinstance(one, dict)
        assert one["probability"] in (None, p)
        scored += one["probability"] is not None
        if one["status"] == "scored":
            missing = {w["place"] for w in one["warnings"] if w["code"] == "missing"}
            assert table in missing
            assert ("account_leads" in missing) == (table != "history" and lead_id not in alone)
    assert scored > 10


@pytest.mark.parametrize("together", [2, 7, 100])
def test_company_changes_no_bit(
    model: Model, requests: list[dict[str, Any]], settings: Settings, together: int
) -> None:
    """Whoever is scored beside a lead, whatever parts they leave out."""
    parts = [(), ("events",), ("stages", "history"), ("account",), ("account_leads", "events")]
    asked = [
        wanted({k: v for k, v in one.items() if k not in parts[i % len(parts)]}, settings)
        for i, one in enumerate(requests)
    ]
    alone = [answer(model, [one], NOW)[0] for one in asked]
    for at in range(0, len(asked), together):
        assert answer(model, asked[at : at + together], NOW) == alone[at : at + together]


def test_eight_threads_get_the_answers_of_one(model: Model, requests: list[dict[str, Any]], settings: Settings) -> None:
    """Each thread scores every lead in an order of its own, all at once: not a bit differs."""
    asked = [wanted(one, settings) for one in requests]
    alone = [answer(model, [one], NOW)[0] for one in asked]

    def every(start: int) -> bool:
        order = [(start * 13 + 7 * i) % len(asked) for i in range(len(asked))]
        return all(answer(model, [asked[i]], NOW)[0] == alone[i] for i in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(every, range(8)))


def test_eight_clients_get_their_own_answers(running: Running, requests: list[dict[str, Any]]) -> None:
    """Requests that are scored together are not mixed up."""
    asked = requests[:40]

    def every(start: int) -> list[dict[str, Any]]:
        with httpx.Client(base_url=running.url, timeout=60) as client:
            order = asked[start * 5 :] + asked[: start * 5]
            found = [client.post("/v1/score", json=one).json() for one in order]
        return found[len(asked) - start * 5 :] + found[: len(asked) - start * 5]

    with ThreadPoolExecutor(8) as pool:
        all_ = [[{**one, "scored_at": None} for one in found] for found in pool.map(every, range(8))]
    for found in all_:
        for one, other in zip(found, all_[0], strict=True):
            assert one == other
    assert [one["lead_id"] for one in all_[0]] == [one["lead"]["lead_id"] for one in asked]
