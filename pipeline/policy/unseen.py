"""What the members of the bag said of examples whose account they never saw: by these thresholds are set."""

import polars as pl

KEY = ["lead_id", "as_of"]


def unseen(predictions: pl.DataFrame, left_out: pl.DataFrame) -> pl.DataFrame:
    """`predictions` with the probability of each example that was learned from replaced by that of the members that
    left its account out (data/left_out.parquet). The order stays; a lead without dates is joined by its id alone."""
    apart = left_out.rename({"probability": "_left_out"})
    both = predictions.join(apart, on=KEY, how="left", nulls_equal=True, maintain_order="left", validate="1:1")
    return both.with_columns(probability=pl.coalesce("_left_out", "probability")).drop("_left_out")
