"""Which leads the report shows, and what it calls the features."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.columns import Column
from models.bundle.folder import Bundle
from models.explaining.reasons import _PHRASES as SAID
from pipeline import stage
from pipeline.experiments.filing import run_of
from pipeline.reporting.plainly import about
from pipeline.reporting.portraits import MOST, chosen

FIELDS = {"numeric", "categorical", "boolean", "own"}
"""Measures that go by the field's own name."""


def predictions(leads: int, looks: int = 3) -> pl.DataFrame:
    """Leads that were looked at a few times in the test fold."""
    rng, n = np.random.default_rng(1), leads * looks
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "lead_id": [f"L{i % leads}" for i in range(n)],
            "as_of": [start + timedelta(days=i) for i in range(n)],
            "age_days": np.arange(n, dtype=float),
            "fold": ["test"] * n,
            "label": rng.integers(0, 2, n).astype(float),
            "probability": rng.random(n).round(2),
        }
    )


def test_examples_spread_over_the_scores() -> None:
    """Ten leads once each, at their last look, the highest and the lowest among them, however the outcomes are."""
    rows = predictions(500)
    found = chosen(rows)
    assert found["lead_id"].n_unique() == len(found) == 10
    assert found["rank"].to_list() == sorted(found["rank"])
    last = rows.tail(500)["probability"]
    assert (found["probability"][0], found["probability"][-1]) == (last.max(), last.min())
    assert found["row"].min() >= 1000  # type: ignore[operator]
    assert chosen(rows.with_columns(label=1 - pl.col("label")))["lead_id"].to_list() == found["lead_id"].to_list()
    assert (
        chosen(rows.sample(fraction=1, shuffle=True, seed=2))
        .select("lead_id", "rank")
        .equals(found.select("lead_id", "rank"))
    )


def test_few_leads_are_all_shown() -> None:
    """Three leads are three, and an empty fold shows none."""
    assert chosen(predictions(3))["rank"].to_list() == [1, 2, 3]
    assert chosen(predictions(3).with_columns(fold=pl.lit("train"))).is_empty()


def test_every_feature_has_a_name_of_its_own(bundle: Bundle) -> None:
    """Whatever can be said of a value has a name in plain words, and no two features of a plan share one."""
    for measure in SAID:
        words = about(Column("fit_a_b", "fit", "lead", measure, "page_view", 7))
        assert "{" not in words
        assert measure in FIELDS or words != "page view"
    names = [about(column) for column in bundle.plan.features]
    assert len(names) == len(set(names))
    assert about(Column("x", "engagement", "events", "count", "page_view", 30)) == (
        "number of page views in the last 30 days"
    )


def test_no_single_lead_reaches_the_tracking_store(
    finished_run: Path, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page on disk shows ten leads and some accounts; what is filed, page, figures and all, names none."""
    monkeypatch.chdir(finished_run)
    leads, page = stage.read_table(stage.PREDICTIONS)["lead_id"].unique(), report.read_text(encoding="utf-8")
    accounts = stage.read_tables()["leads"]["account_id"].drop_nulls().unique()
    assert sum(f">{name}<" in page for name in leads) == MOST
    assert any(f">{name}<" in page for name in accounts)
    run = run_of("digest", finished_run)
    pages = {path: path.read_text(encoding="utf-8") for path, _ in run.artifacts if path.suffix == ".html"}
    assert {path.name for path in pages} == {"report.html", "lead-definition.html"}
    figures = [path.read_text(encoding="utf-8") for path, _ in run.artifacts if path.suffix == ".json"]
    said = repr((run.name, run.description, run.params, run.metrics, run.tags, run.example.rows()))
    told = (*pages.values(), *figures, said)
    assert not [name for name in (*leads, *accounts) if any(f">{name}<" in x or f'"{name}"' in x for x in told)]
    assert not [name for name in leads if any(name in x for x in told)]
