"""On the simulated company, the leads that the exact probabilities bring in convert better than those they send out."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline import stage
from pipeline.evaluate import exactly
from pipeline.handtuned.swapping import MOST_SOURCES, fresh, swap_set
from pipeline.params import Definition
from pipeline.stages import STAGES

COMPANY = Path(__file__).parents[3] / "examples/points/company.yaml"
PARAMS = f"""
source: {{kind: simulated, simulated: {{leads: 2000, seed: 5}}}}
definition: {{snapshots: {{ages_days: [0, 7, 30, 60]}}}}
points: {COMPANY}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company of some size, as far as its examples and points."""
    root = tmp_path_factory.mktemp("swap")
    (root / "params.yaml").write_text(PARAMS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for name in ("configure", "ingest", "validate", "label", "points"):
            STAGES[name]()
    return root


def test_swapped_in_leads_convert_better(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval of the difference lies above 0, in conversion and in value."""
    monkeypatch.chdir(folder)
    examples = stage.read_table(stage.EXAMPLES).filter(pl.col("mature")).drop("mature")
    predictions = examples.with_columns(probability=pl.Series(exactly(examples))).filter(pl.col("probability") >= 0)
    points = stage.read_table(stage.POINTS)
    found = swap_set(predictions, points, stage.read_tables(), Definition(), 1, None, "source")
    assert found is not None
    figures = found.summary
    assert figures["fresh_leads"] == fresh(predictions)["lead_id"].n_unique()
    assert figures["groups"]["in"]["leads"] == figures["groups"]["out"]["leads"] > 20
    assert figures["difference"]["rate"]["interval"][0] > 0
    assert figures["difference"]["value"]["interval"][0] > 0
    by_source = [part[g]["leads"] for part in figures["by_source"].values() for g in ("stay", "in", "out")]
    by_month = [part[g]["leads"] for part in figures["by_month"].values() for g in ("stay", "in", "out")]
    assert sum(by_source) == sum(by_month) == len(found.leads)


def test_of_equal_sources_those_first_by_name_are_shown() -> None:
    """Every run shows the same ones."""
    names = [f"s{i:02}" for i in range(40)]
    ids = [f"lead {i:02}" for i in range(40)]  # the last source by name comes first
    at = pl.Series([datetime(2025, 1, 1, tzinfo=UTC)] * len(ids)).cast(pl.Datetime("us", "UTC"))
    predictions = pl.DataFrame({"lead_id": ids, "as_of": at, "fold": "test", "label": 1.0, "probability": 0.5})
    points = pl.DataFrame({"lead_id": ids, "as_of": at, "points": 9.0, "qualified": True, "eligible": True})
    leads = pl.DataFrame({"lead_id": ids, "account_id": ids, "source": [*reversed(names)]})
    found = swap_set(predictions, points, {"leads": leads}, Definition(), 1, None, "source")
    assert found is not None
    assert list(found.summary["by_source"]) == ["(others)", *names[:MOST_SOURCES]]


def test_leads_of_one_person_stand_or_fall_together() -> None:
    """As those of one account do: intervals draw both again as one. A lead with neither stands alone."""
    ids, twin = [f"{i:03}" for i in range(200)], [f"{i // 2:03}" for i in range(200)]
    at = pl.Series([datetime(2025, 1, 1, tzinfo=UTC)] * 200).cast(pl.Datetime("us", "UTC"))
    bits = np.random.default_rng(0).random((2, 100)).repeat(2, axis=1)
    p = pl.Series(bits[0] + np.arange(200) / 1e6)
    predictions = pl.DataFrame({"lead_id": ids, "as_of": at, "fold": "test", "label": bits[1] < 0.3, "probability": p})
    predictions = predictions.with_columns(pl.col("label").cast(pl.Float64))
    points = pl.DataFrame({"lead_id": ids, "as_of": at, "points": 9.0, "qualified": bits[1] < 0.5, "eligible": True})
    none = pl.Series([None] * 200, dtype=pl.String)
    persons = pl.DataFrame({"lead_id": ids, "account_id": none, "person_id": twin})
    both = [
        swap_set(predictions, points, {"leads": leads}, Definition(), 1, None)
        for leads in (persons, persons.with_columns(account_id="person_id"), persons.with_columns(person_id=none))
    ]
    spans = [None if found is None else found.summary["difference"]["rate"]["interval"] for found in both]
    assert spans[0] == spans[1] != spans[2]


def test_only_leads_first_seen_in_the_test_period() -> None:
    """One with an earlier example would have been acted on then."""
    rows = pl.DataFrame({"lead_id": ["a", "a", "b", "c"], "fold": ["gap", "test", "test", "train"]})
    assert fresh(rows)["lead_id"].to_list() == ["b"]
