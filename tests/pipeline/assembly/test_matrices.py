"""Features as a table and back, to the last bit."""

import re
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from features.columns import Column
from features.kernel import Matrix, compute
from models.bundle.folder import Bundle, score
from pipeline.assembly.matrices import frame_of, matrix_of
from pipeline.assembly.records import records_of
from pipeline.assembly.values import instants

COLUMNS = (
    Column("fit_n", "fit", "lead", "numeric"),
    Column("fit_c", "fit", "lead", "categorical", categorical=True),
)


@given(
    st.lists(st.tuples(st.floats(allow_infinity=False), st.integers(-1, 3)), max_size=20),
    st.lists(st.text(max_size=4), min_size=4, max_size=4, unique=True),
)
@settings(max_examples=60)
def test_there_and_back(rows: list[tuple[float, int]], levels: list[str]) -> None:
    """Numbers bit for bit, texts as texts, missing as missing; whatever the levels' order."""
    values = np.array([(n, np.nan if c < 0 else c) for n, c in rows], float).reshape(-1, 2)
    found = matrix_of(frame_of(Matrix(values, COLUMNS, {"fit_c": levels})), COLUMNS)
    np.testing.assert_array_equal(found.values[:, 0], values[:, 0])
    texts = [None if np.isnan(c) else found.levels["fit_c"][int(c)] for c in found.values[:, 1]]
    assert texts == [None if c < 0 else levels[c] for _, c in rows]


def test_stored_features_are_the_kernels_and_give_the_runs_probabilities(
    finished_run: Path, bundle: Bundle, checked_tables: dict[str, pl.DataFrame], predictions: pl.DataFrame
) -> None:
    """data/features.parquet read back, or computed anew in another order: predictions.parquet to the last bit."""
    examples = pl.read_parquet(finished_run / "data" / "examples.parquet")
    stored = pl.read_parquet(finished_run / "data" / "features.parquet")
    assert stored.select("lead_id", "as_of").equals(examples.select("lead_id", "as_of"))
    assert stored.columns[2:] == [c.name for c in bundle.plan.features]
    mature = examples["mature"]
    p = score(bundle, matrix_of(stored.filter(mature), bundle.plan.features), False).probability
    np.testing.assert_array_equal(p, predictions["probability"].to_numpy())
    records, order = records_of(checked_tables, bundle.plan)
    some = examples.filter(mature).with_row_index().sample(300, seed=1)
    lead = some.join(order, on="lead_id", how="left", maintain_order="left")["index_right"].to_numpy().astype(np.int64)
    again = score(bundle, compute(records, bundle.plan, lead, instants(some)), False).probability
    np.testing.assert_array_equal(again, p[some["index"].to_numpy()])


def test_nothing_is_never_more_often_than_usual(finished_run: Path) -> None:
    """A window without an event of a kind is no rise of it, and a lead that never had one has no pace at all."""
    found = pl.read_parquet(finished_run / "data/features.parquet")
    own = [name for name in found.columns if re.fullmatch(r".*_own_\d+d", name)]
    assert own
    for name in own:
        kind, days = re.fullmatch(r"(.*)_own_(\d+)d", name).groups()  # type: ignore[union-attr]
        silent = found.filter(pl.col(f"{kind}_{days}d") == 0)
        assert silent[name].max() <= 0  # type: ignore[operator]
        assert (silent.filter(pl.col(f"{kind}_all") == 0)[name] == 0).all()
