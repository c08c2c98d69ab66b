"""The bundle as an MLflow model, from code: nothing of it is pickled.

MLflow copies this file beside `features`, `models` and the bundle, and runs it where the rest of the project
is not installed (`mlflow.pyfunc.load_model`, `mlflow models serve`): it imports neither pipeline nor polars.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped] # publishes no types
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from features.arrays import Floats
from features.columns import Column
from features.kernel import Matrix
from models.bundle.folder import load_bundle, score
from models.learning.horizons import column

SHOWN = 10


class LeadConversion(PythonModel):
    """Features as in data/features.parquet to probabilities: the bundle's, to the last bit."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle, which proves itself first. Raises DamagedBundle."""
        self.bundle = load_bundle(Path(context.artifacts["bundle"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 (MLflow gives it)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 (MLflow gives them)
    ) -> pd.DataFrame:
        """Columns `probability`, `raw_score` (log odds before calibration) and, where the model has shorter horizons, a
        `probability_<days>d` each; in the order of the rows."""
        scored = score(self.bundle, matrix_of(model_input, self.bundle.plan.features), reasons=False)
        answers = {"probability": scored.probability, "raw_score": scored.raw}
        answers |= {column(days): p for days, p in scored.shorter.items()}
        return pd.DataFrame(answers, index=model_input.index)


def matrix_of(frame: pd.DataFrame, columns: tuple[Column, ...]) -> Matrix:
    """The kernel's matrix of a frame: numbers, or texts of the categorical columns; None and NaN are missing.

    Other columns are not looked at. Raises ValueError for a column that is missing or of another type.
    """
    missing = [c.name for c in columns if c.name not in frame.columns]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise ValueError(
            f"expected a column for each of {len(columns)} features as in data/features.parquet, with nulls"
            f" where nothing is known; missing: {', '.join(missing[:SHOWN])}{more}"
        )
    values, levels = np.empty((len(frame), len(columns))), {}
    for j, wanted in enumerate(columns):
        if wanted.categorical:
            values[:, j], levels[wanted.name] = _codes(frame[wanted.name])
        else:
            values[:, j] = _numbers(frame[wanted.name])
    return Matrix(values, columns, levels)


def _codes(texts: pd.Series) -> tuple[Floats, list[str]]:
    codes, levels = texts.factorize()
    if not all(isinstance(level, str) for level in levels):
        raise ValueError(f"column {texts.name}: expected texts, found {levels.dtype}")
    return np.where(codes < 0, np.nan, codes), list(levels)


def _numbers(values: pd.Series) -> Floats:
    try:
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError):
        raise ValueError(f"column {values.name}: expected numbers, found {values.dtype}") from None


set_model(LeadConversion())
