"""A finished run on a small imagined company, made once a session by the stages themselves."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import staged
from blinded import blind
from hypothesis import settings

from models.bundle.folder import Bundle, read_bundle
from pipeline.scoring.score import Asked, read

settings.register_profile("any machine", deadline=None)  # a property says what comes out, not how soon
settings.load_profile("any machine")
POINTS = Path(__file__).parents[1] / "examples/points/company.yaml"
PARAMS = f"""
points: {POINTS}
source: {{kind: simulated, simulated: {{leads: 600, seed: 3}}}}
train: {{least_converting: 2, bags: 2, max_rounds: 60, early_stopping_rounds: 20, min_data_in_leaf: 10, threads: 1}}
"""


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, `reports` and `artifacts/bundle` as `dvc repro` leaves them, but for the baselines
    (constants: fitting them takes most of the time), the proof, the report and the tracking. Read only."""
    from pipeline import publish

    root = tmp_path_factory.mktemp("run")
    (root / "params.yaml").write_text(PARAMS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("pipeline.learning.trained.fit_baselines", blind)
        patch.setattr("pipeline.evaluate.DRAWS", 2)
        patch.setattr("pipeline.funnel.DRAWS", 2)
        patch.setattr("pipeline.buying.model.DRAWS", 2)
        patch.setattr("models.judging.slices.NULL_DRAWS", 2)
        patch.setattr("models.bundle.folder.prove", lambda folder: None)  # test_bundle.py lets it prove itself
        for name in (
            *("configure", "ingest", "validate", "label", "featurize"),
            *("points", "screen", "train", "evaluate", "audit", "compare", "funnel", "accounts"),
        ):
            staged.run(name)
        with staged.alone(staged.named("publish")):
            publish.write_bundle(publish.read_run())
    return root


@pytest.fixture(scope="session")
def bundle_folder(finished_run: Path) -> Path:
    """The bundle of the finished run; copy it before changing anything."""
    return finished_run / "artifacts" / "bundle"


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    """The same, loaded. Without the proof in another process, which costs seconds."""
    return read_bundle(bundle_folder)


@pytest.fixture(scope="session")
def report(finished_run: Path, bundle: Bundle) -> Path:
    """The report of the finished run, as stage publish writes it, beside the other results and the definition."""
    from pipeline import publish, stage

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished_run)
        with staged.alone(staged.named("publish")):
            publish.write_report(bundle, publish.read_run(), lambda what: None)
        staged.run("define")
    return finished_run / stage.REPORT


@pytest.fixture(scope="session")
def lead_tables(finished_run: Path) -> Path:
    """The folder of raw lead tables of the finished run."""
    return finished_run / "data" / "simulated"


@pytest.fixture(scope="session")
def checked_tables(finished_run: Path) -> dict[str, pl.DataFrame]:
    """The validated tables of the finished run."""
    return {path.stem: pl.read_parquet(path) for path in (finished_run / "data" / "tables").glob("*.parquet")}


@pytest.fixture(scope="session")
def predictions(finished_run: Path) -> pl.DataFrame:
    """`data/predictions.parquet` of the finished run."""
    return pl.read_parquet(finished_run / "data" / "predictions.parquet")


@pytest.fixture(scope="session")
def day(predictions: pl.DataFrame) -> datetime:
    """An instant in the midst of the test fold."""
    at = predictions.filter(pl.col("fold") == "test")["as_of"].median()
    assert isinstance(at, datetime)
    return at


@pytest.fixture(scope="session")
def asked(bundle: Bundle, lead_tables: Path, day: datetime) -> Asked:
    """The run's own tables, read again for scoring as of that day."""
    return read(bundle, lead_tables, day, None, datetime(2100, 1, 1, tzinfo=UTC))
