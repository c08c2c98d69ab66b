"""A company that wins or loses every lead within days."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from blinded import blind

from pipeline import stage
from pipeline.stages import STAGES

PARAMS = """
source: {kind: tables, path: tables}
definition: {conversion: {stage: won}, terminal: [won, lost]}
train: {bags: 2, threads: 1, max_rounds: 5}
"""


def test_no_lead_has_to_be_open_after_four_weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training goes through where nobody is there to be looked at again, and tells leads apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.learning.trained.fit_baselines", blind)
    rng, n = np.random.default_rng(0), 900
    ids, sources = [f"l{i}" for i in range(n)], rng.choice(["web", "fair"], n).tolist()
    created = [datetime(2024, 1, 1) + timedelta(hours=20 * i) for i in range(n)]
    won = rng.random(n) < np.where(np.array(sources) == "fair", 0.5, 0.1)
    ended = [at + timedelta(days=float(d)) for at, d in zip(created, rng.uniform(2, 20, n), strict=True)]
    stages = np.where(won, "won", "lost").tolist()
    Path("tables").mkdir()
    pl.DataFrame({"lead_id": ids, "created_at": created, "source": sources}).write_parquet("tables/leads.parquet")
    pl.DataFrame({"lead_id": ids, "stage": stages, "entered_at": ended}).write_parquet("tables/stages.parquet")
    Path("params.yaml").write_text(PARAMS)
    for name in ("configure", "ingest", "validate", "label", "featurize", "train"):
        STAGES[name]()
    assert stage.read_json(stage.MODEL / "training.json")["validation"]["auc"] > 0.6
