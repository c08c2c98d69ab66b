"""Where nothing can be known, nothing is claimed."""

from pathlib import Path

import numpy as np
import pytest
from blinded import blind

from features.plan import plan_of_json
from models.judging import metrics
from pipeline import stage
from pipeline.assembly.data import known, load
from pipeline.learning.fitted import predict, read_model
from pipeline.stages import STAGES

NOISE = """
source: {kind: simulated, simulated: {leads: 1500, seed: 5, world: nothing}}
train: {bags: 3, threads: 1, learning_rate: 0.1, early_stopping_rounds: 20}
"""


def test_pure_noise_brings_the_base_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a world whose outcomes hang on nothing that can be seen, the log loss of the calibrated model on the test fold
    is within 0.005 of the base rate's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.learning.trained.fit_baselines", blind)
    Path("params.yaml").write_text(NOISE)
    for name in ("configure", "ingest", "validate", "label", "featurize", "train"):
        STAGES[name]()
    plan = plan_of_json(stage.read_json(stage.PLAN))
    leads = stage.read_table(stage.TABLES / "leads.parquet")
    data = load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)
    test, learned = data.rows("test"), known(data.fold, data.as_of, 90)
    p = predict(read_model(), data.matrix)
    y, base = data.y[test], np.full(int(test.sum()), data.y[learned].mean())
    assert y.sum() > 50
    mine, theirs = (metrics.log_loss(y, q) for q in (p[test], base))
    assert mine < theirs + 0.005
