"""The exact probabilities that an evaluation asks for."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.judging.truth import truth_of
from pipeline.params import Definition, Source
from pipeline.simulator import WORLDS, simulate

SOURCE = Source.model_validate({"kind": "simulated", "simulated": {"leads": 1500, "seed": 3, "world": "company"}})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """What the simulator writes beside its tables."""
    out = tmp_path_factory.mktemp("truth") / "company"
    simulate(out, WORLDS["company"], 1500, 3, [0, 14, 60], 90)
    return pl.read_parquet(out / "truth/truth.parquet")


def test_it_is_what_stands_beside_the_tables(written: pl.DataFrame) -> None:
    """But for rounding, in any order, though the tables themselves were broken afterwards."""
    rows = written.sample(fraction=0.3, shuffle=True, seed=1)
    found = truth_of(rows, SOURCE, Definition())
    assert found is not None
    np.testing.assert_allclose(found, rows["probability"].to_numpy(), rtol=1e-12)


def test_any_instant_may_be_asked_for(written: pl.DataFrame) -> None:
    """Also one at no age of the definition; a lead that is not there yet, or is none of the company's, has none."""
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    began = written.group_by("lead_id").agg(pl.col("as_of").min())
    rows = began.with_columns(as_of=pl.lit(noon).dt.cast_time_unit("us"), late=pl.col("as_of") > noon)
    rows = pl.concat([rows, rows.head(1).with_columns(lead_id=pl.lit("nobody"), late=True)])
    found = truth_of(rows, SOURCE, Definition())
    assert found is not None
    late = rows["late"].to_numpy()
    assert np.isnan(found[late]).all()
    assert (found[~np.isnan(found)] < 1).all()
    assert 50 < (~np.isnan(found)).sum() < (~late).sum()


@pytest.mark.parametrize(
    "given",
    [
        {"conversion": {"stage": "sql"}}, {"conversion": {"event": "demo_request"}}, {"terminal": ["won", "lost"]},
        {"reopens": []},
    ],
)  # fmt: skip
def test_another_definition_has_no_truth(given: dict[str, object], written: pl.DataFrame) -> None:
    """The company knows of its own deals and of leads that are open to its own mind; of nothing else."""
    assert truth_of(written, SOURCE, Definition.model_validate(given)) is None


def test_tables_of_ones_own_have_no_truth(written: pl.DataFrame, tmp_path: Path) -> None:
    """Nor have examples without instants."""
    assert truth_of(written, Source(kind="tables", path=tmp_path), Definition()) is None
    timeless = written.with_columns(as_of=pl.lit(None, pl.Datetime("us", "UTC")))
    assert truth_of(timeless, SOURCE, Definition()) is None
