"""Thresholds go by what trees said that had not seen the account."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from pipeline.policy.unseen import unseen


def test_each_row_learned_from_has_a_left_out_probability(finished_run: Path, predictions: pl.DataFrame) -> None:
    """All of train and calibrate, of gap only what was known when the test began, and never a row of the test; what
    the members left out fits their labels less well than what they saw."""
    left_out = pl.read_parquet(finished_run / "data" / "left_out.parquet")
    both = predictions.join(left_out, on=["lead_id", "as_of"], suffix="_out", maintain_order="left")
    assert both.height == left_out.height
    counts = dict(both["fold"].value_counts().iter_rows())
    for fold in ("train", "calibrate"):
        assert counts.get(fold, 0) == (predictions["fold"] == fold).sum()
    assert set(counts) <= {"train", "calibrate", "gap"}
    learned = both.filter(pl.col("fold").is_in(["train", "calibrate"]))
    loss = {
        name: -(pl.when(pl.col("label") > 0).then(pl.col(name)).otherwise(1 - pl.col(name))).log().mean()
        for name in ("probability", "probability_out")
    }
    found = learned.select(**loss)
    assert found["probability"][0] < found["probability_out"][0]


def test_only_rows_learned_from_change_and_order_stays() -> None:
    """Undated leads are joined by their id."""
    at = datetime(2024, 1, 1, tzinfo=UTC)
    seen = pl.DataFrame(
        {"lead_id": ["b", "a", "c"], "as_of": [at, None, at], "fold": "train", "probability": [0.5, 0.6, 0.7]},
        schema_overrides={"as_of": pl.Datetime("us", "UTC")},
    )
    out = seen[[1, 0]].select("lead_id", "as_of", probability=pl.Series([0.1, 0.2]))
    assert unseen(seen, out)["probability"].to_list() == [0.2, 0.1, 0.7]
    assert unseen(seen, out).columns == seen.columns
