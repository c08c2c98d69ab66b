"""A few leads of the test fold, and what the model says of each: for the report. Ids, no personal data."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Floats
from features.kernel import Matrix
from models.bundle.folder import Bundle, score
from models.explaining.reasons import reasons
from models.policy.decisions import decide

MOST = 10
REASONS = 3


def chosen(predictions: pl.DataFrame) -> pl.DataFrame:
    """Leads of the test fold at their last look there, from the highest probability to the lowest, each rank so many
    times the one before: rows of `predictions` with `row`, their place in it, and `rank`, from 1, of `of` such leads.

    Ties go by id. The labels play no part.
    """
    rows = predictions.with_row_index("row").filter(pl.col("fold") == "test")
    last = rows.sort("as_of", "row").group_by("lead_id").tail(1)
    ordered = last.sort(["probability", "lead_id"], descending=[True, False]).with_row_index("rank", offset=1)
    ranks = np.unique(np.geomspace(1, max(len(ordered), 1), MOST).round().astype(int))
    some: pl.DataFrame = ordered.filter(pl.col("rank").is_in(ranks)).with_columns(of=pl.lit(len(ordered)))
    return some


def portraits(
    bundle: Bundle, predictions: pl.DataFrame, matrix: Matrix, values: Mapping[str, float | None]
) -> list[dict[str, Any]]:
    """Each chosen lead's `lead_id, as_of, age_days, rank, of, probability, converted, score, grade, route, reasons`.

    `matrix` has a row for each of `predictions`; `values` are the deal values that leads have themselves.
    """
    found = chosen(predictions)
    if found.is_empty():
        return []
    some = found["row"].to_list()
    own = Matrix(matrix.values[some], matrix.columns, matrix.levels)
    p, shares = found["probability"].to_numpy().astype(np.float64), score(bundle, own, True).contributions
    decisions = decide(bundle.policy, own, p, [values.get(lead) for lead in found["lead_id"].to_list()])
    rows = enumerate(zip(found.iter_rows(named=True), decisions, strict=True))
    return [
        {
            **{name: row[name] for name in ("lead_id", "age_days", "rank", "of", "probability")},
            "as_of": None if row["as_of"] is None else row["as_of"].isoformat(),
            "converted": row["label"] == 1,
            **{name: getattr(decision, name) for name in ("score", "grade", "route")},
            "reasons": [] if shares is None else _reasons(own, shares, i),
        }
        for i, (row, decision) in rows
    ]


def _reasons(matrix: Matrix, shares: Floats, row: int) -> list[dict[str, Any]]:
    return [
        {"feature": r.feature, "contribution": r.contribution, "text": r.text}
        for r in reasons(matrix, shares, row, REASONS)
    ]
