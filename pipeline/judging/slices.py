"""Stage evaluate's diagnosis of the calibration: of the whole test fold, and by month, age, source and segment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Floats
from features.kernel import Matrix
from features.levels import texts
from models.judging.slices import by_slice
from pipeline.assembly.data import Data
from pipeline.judging.rare import MISSING, gathered, ordered

MOST = 12
"""Values of a slicing that stand alone; with more, the rarer ones are merged."""
WHOLE = ("calibration_slope", "calibration_intercept", "observed_over_expected", "smooth_ece", "smooth_ece_null_p95")


@dataclass(frozen=True)
class Slicing:
    """The texts by which test figures are broken down, shape (k,), and the column that they come from."""

    column: str
    texts: pl.Series
    in_order: bool = False
    """Whether the texts' own order (of months, of ages) is that of the table; else the largest come first."""


def with_intervals(scores: Mapping[str, Any], spans: Mapping[str, Any]) -> dict[str, Any]:
    """`test` of reports/calibration.json: the test fold's metrics of calibration, each with its interval."""
    return {name: {"value": scores[name], "interval": spans.get(name)} for name in WHOLE}


def diagnosis(data: Data, p: Floats, slicings: Mapping[str, Slicing], seed: int, draws: int) -> dict[str, Any]:
    """`by` of reports/calibration.json: by slicing its column, and the test fold's rows of each slice."""
    test = data.rows("test")
    y, q, group = data.y[test], p[test], data.group[test]
    found = {}
    for name, slicing in slicings.items():
        said, merged = gathered(slicing.texts.filter(pl.Series(test)), MOST)
        names = ordered(said, slicing.in_order)
        part = said.replace_strict(names, list(range(len(names))), return_dtype=pl.Int64).to_numpy()
        rows = by_slice(y, q, group, part, names, seed, draws)
        found[name] = {"column": slicing.column, "merged": merged, "slices": rows}
    return found


def slicings(data: Data, source: str | None, segment: str | None) -> dict[str, Slicing]:
    """By month, age, source and segment, as far as there are such. `source` and `segment`: kernel columns; without a
    segment the fit text that most examples know."""
    found = {}
    if data.examples["as_of"].null_count() == 0:
        found["month"] = Slicing("as_of", data.examples["as_of"].dt.strftime("%Y-%m"), in_order=True)
        found["age"] = Slicing("age_days", ages(data.examples["age_days"]), in_order=True)
    if source is not None:
        found["source"] = Slicing(source, texts_of(data.matrix, source))
    segment = segment or fit_column(data.matrix, source)
    if segment is not None:
        found["segment"] = Slicing(segment, texts_of(data.matrix, segment))
    return found


def ages(days: pl.Series) -> pl.Series:
    """Ages as texts that sort: each by itself where there are few, else ranges up to a week, a month, …"""
    if days.n_unique() <= MOST:
        width = max(len(f"{d:g}") for d in days.unique().to_list())
        return days.map_elements(lambda d: f"{d:{width}g} {'day' if d == 1 else 'days'}", return_dtype=pl.String)
    edges = np.array([7, 30, 90, 180, 365, 730])
    ends = ("  0 to 7", "  7 to 30", " 30 to 90", " 90 to 180", "180 to 365", "365 to 730", "730 or more")
    names = [f"{end} days" for end in ends]
    return pl.Series([names[k] for k in np.searchsorted(edges, days.to_numpy(), side="right").tolist()])


def fit_column(matrix: Matrix, source: str | None) -> str | None:
    """The categorical fit column that most examples know; the first by name of equal ones. Never the source."""
    known = {
        c.name: int((~np.isnan(matrix.values[:, j])).sum())
        for j, c in enumerate(matrix.columns)
        if c.categorical and c.group == "fit" and c.measure == "categorical" and c.name != source
    }
    return min(known, key=lambda name: (-known[name], name), default=None)


def texts_of(matrix: Matrix, column: str) -> pl.Series:
    """A categorical column's texts."""
    j = next(j for j, c in enumerate(matrix.columns) if c.name == column)
    return pl.Series(texts(matrix.values[:, j], matrix.levels[column]), dtype=pl.String).fill_null(MISSING)
