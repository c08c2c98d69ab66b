"""A run of several horizons: the same model and more, in bundle, files and metrics."""

import json
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from blinded import blind

from models.bundle.folder import (
    ACCOUNTS,
    FILES,
    HORIZONS,
    MANIFEST,
    QUESTIONS,
    Bundle,
    DamagedBundle,
    read_bundle,
    read_files,
    write_manifest,
)
from models.bundle.proof import main as prove_here
from models.learning import horizons
from pipeline import publish, stage
from pipeline.experiments.mlmodel import signature
from pipeline.learning.horizons import within
from pipeline.params import Definition
from pipeline.scoring import score as scoring
from pipeline.stages import STAGES

SHORTER = ["probability_30d", "probability_60d"]


@pytest.fixture(scope="module")
def run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The finished run once more with three horizons, from label on; few leads are enough for a model of shares."""
    root = tmp_path_factory.mktemp("horizons")
    shutil.copytree(finished_run, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(horizons, "LEAST_TO_DIFFER", 5)
        patch.setattr(horizons, "_better", lambda *_: True)
        patch.setattr("pipeline.learning.trained.fit_baselines", blind)
        patch.setattr("models.learning.training.validate", lambda *_: None)
        patch.setattr("pipeline.evaluate.DRAWS", 2)
        patch.setattr("models.bundle.folder.prove", lambda folder: None)
        definition = stage.section(Definition).model_copy(update={"horizons": [30, 60, 90]})
        stage.write_json(definition.model_dump(mode="json"), stage.SETTINGS / "definition.json")
        for name in ("label", "train", "evaluate"):
            STAGES[name]()
        publish.write_bundle(publish.read_run())
        yield root


@pytest.fixture(scope="module")
def predicted(run: Path) -> pl.DataFrame:
    """data/predictions.parquet."""
    return pl.read_parquet(run / "data" / "predictions.parquet")


@pytest.fixture(scope="module")
def several(run: Path) -> Bundle:
    """Its bundle."""
    folder = run / "artifacts" / "bundle"
    return read_bundle(folder)


def test_the_longest_is_the_model_without_horizons(
    run: Path, finished_run: Path, predicted: pl.DataFrame, predictions: pl.DataFrame
) -> None:
    """Not a bit of model, calibration or probability changes."""
    for name in ("model.txt", "encoding.json", "calibration.json"):
        path = Path("artifacts") / "model" / name
        assert (run / path).read_bytes() == (finished_run / path).read_bytes()
    assert predicted.drop(SHORTER).equals(predictions)


def test_no_prediction_falls_with_the_horizon(predicted: pl.DataFrame) -> None:
    """In every row, and shares differ between rows: they were learned."""
    p = predicted.select(*SHORTER, "probability").to_numpy()
    assert (np.diff(p, axis=1) >= 0).all()
    assert (p > 0).all()
    assert len(np.unique((p[:, 0] / p[:, 1]).round(9))) > 3


def test_files_of_scores_have_the_runs_own_probabilities(several: Bundle, run: Path, predicted: pl.DataFrame) -> None:
    """To the last bit, a column a horizon; none for leads that are closed or objected."""
    at = predicted.filter(pl.col("fold") == "test").sample(5, seed=1)
    now = datetime(2100, 1, 1, tzinfo=UTC)
    asked = scoring.read(several, run / "data" / "simulated", at["as_of"][0], None, now)
    names = [*SHORTER, "probability"]
    for lead_id, as_of, *p in at.select("lead_id", "as_of", *names).rows():
        scored = scoring.score_tables(several, replace(asked, as_of=as_of), None)
        assert scored.columns[3:6] == names
        assert scored.filter(pl.col("lead_id") == lead_id).select(names).row(0) == tuple(p)
        unscored = scored.filter(pl.col("status") != "scored").select(names)
        assert unscored.null_count().row(0) == (len(unscored),) * 3


def test_every_horizon_is_measured_by_its_own_labels(run: Path) -> None:
    """Under `horizons` by days; the longest as `test` has it; a logistic regression beside each."""
    found = json.loads((run / "reports" / "metrics.json").read_text())
    assert list(found["horizons"]) == ["30", "60", "90"]
    assert {k: v for k, v in found["horizons"]["90"].items() if k != "baselines"} == found["test"]
    won = [found["horizons"][days]["positives"] for days in ("30", "60", "90")]
    examples = pl.read_parquet(run / "data" / "examples.parquet").filter(pl.col("fold") == "test")
    assert won == [(examples["days_to_conversion"] <= days).sum() for days in (30, 60, 90)]
    assert won == sorted(set(won))
    for metrics in found["horizons"].values():
        assert metrics["baselines"]["logistic"]["log_loss"] > 0


def test_labels_within_the_longest_are_the_labels(run: Path) -> None:
    """Days to the conversion and label say the same."""
    examples = pl.read_parquet(run / "data" / "examples.parquet").filter("mature")
    data = type("Data", (), {"examples": examples})()
    np.testing.assert_array_equal(within(data, 90), examples["label"].to_numpy())


def test_mlflow_gives_every_horizon(several: Bundle, run: Path) -> None:
    """The columns of the signature are those of the answer, with the file's own bits; the card has a row for each."""
    folder = run / "artifacts" / "bundle"
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of type hints, at import
        from pipeline.experiments.pyfunc import LeadConversion

        patch.setattr("models.bundle.folder.prove", lambda folder: None)
        model = LeadConversion()
        model.load_context(SimpleNamespace(artifacts={"bundle": str(folder)}))
    examples = pl.read_parquet(run / "data" / "examples.parquet")["mature"]
    rows = pl.read_parquet(run / "data" / "features.parquet").filter(examples).head(20)
    found = model.predict(None, rows.to_pandas())
    assert list(found.columns) == signature(folder).outputs.input_names()
    expected = pl.read_parquet(run / "data" / "predictions.parquet").head(20).select(*SHORTER, "probability")
    assert [tuple(row) for row in found[[*SHORTER, "probability"]].to_numpy()] == expected.rows()
    assert all(f"\n| {days} | " in several.card for days in ("30", "60", "90"))


def test_a_bundle_of_several_horizons_proves_them(several: Bundle, run: Path, tmp_path: Path) -> None:
    """Golden answers hold every horizon; a model of another share, with a manifest that agrees, is refused."""
    folder = shutil.copytree(run / "artifacts" / "bundle", tmp_path / "bundle")
    golden = json.loads((folder / "golden.json").read_text())
    assert all(set(SHORTER) < set(entry["answer"]) for entry in golden)
    assert several.links[0].text is not None
    assert prove_here([str(folder)]) == 0
    links = json.loads((folder / HORIZONS).read_text())
    links[0]["calibration"] = {"kind": "intercept", "coefficients": [0.25]}
    (folder / HORIZONS).write_text(json.dumps(links))
    write_manifest(folder)
    assert prove_here([str(folder)]) == 1


@pytest.mark.parametrize("name", [HORIZONS, "horizon_0.txt"])
def test_damage_to_a_horizon_is_seen(run: Path, tmp_path: Path, name: str) -> None:
    """A changed or missing file of a horizon is refused before it is parsed."""
    folder = shutil.copytree(run / "artifacts" / "bundle", tmp_path / "bundle")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-2])
    with pytest.raises(DamagedBundle, match="SHA-256"):
        read_files(folder)
    (folder / name).unlink()
    with pytest.raises(DamagedBundle, match="expected a file"):
        read_files(folder)


def test_what_the_manifest_does_not_name_is_not_read(run: Path, finished_run: Path, tmp_path: Path) -> None:
    """Files of horizons laid into a bundle without any change nothing; its manifest stays as it was."""
    folder = shutil.copytree(finished_run / "artifacts" / "bundle", tmp_path / "bundle")
    assert set(json.loads((folder / MANIFEST).read_text())) == {*FILES, QUESTIONS, ACCOUNTS}
    shutil.copy(run / "artifacts" / "bundle" / HORIZONS, folder / HORIZONS)
    assert read_bundle(folder).links == ()
