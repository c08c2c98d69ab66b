"""The bundle as a model of MLflow's: code and text, a signature, and what to install. Nothing is pickled."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from models.bundle.folder import read_bundle
from models.learning.horizons import column

CODE = Path(__file__).parents[2]
PACKAGES = ("lightgbm", "mlflow", "numpy", "pandas", "scipy")
"""What the logged model needs; `features` and `models` are logged with it."""


def log_model(mlflow: Any, bundle: Path, example: pl.DataFrame) -> str:
    """Its id. MLflow also loads what it logged and lets it score the example; it warns where that fails."""
    parts, usual = model_parts(bundle, example), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # MLflow imports what it is about to log, and would log the bytecode beside it
    try:
        return str(mlflow.pyfunc.log_model(name="model", **parts).model_id)
    finally:
        sys.dont_write_bytecode = usual


def model_parts(bundle: Path, example: pl.DataFrame) -> dict[str, Any]:
    """What MLflow is told to make a model of: code and the bundle, nothing pickled."""
    made = signature(bundle)
    return {
        "python_model": str(Path(__file__).with_name("pyfunc.py")),
        "artifacts": {"bundle": str(bundle)},
        "code_paths": [str(CODE / "features"), str(CODE / "models")],
        "signature": made,
        "input_example": example.select(made.inputs.input_names()).to_pandas(),
        "pip_requirements": requirements(),
    }


def signature(bundle: Path) -> Any:
    """MLflow's signature: a column a feature, texts or doubles.

    Every column must be there and any cell may be null: `required` is about columns. Numbers are doubles,
    because MLflow's server answers 400 to a null in a column of integers, which is what it infers by itself.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    read = read_bundle(bundle)
    inputs = [ColSpec("string" if c.categorical else "double", c.name) for c in read.plan.features]
    shorter = [column(link.days) for link in read.links]
    outputs = [ColSpec("double", name) for name in ("probability", "raw_score", *shorter)]
    return ModelSignature(Schema([*inputs]), Schema([*outputs]))


def requirements() -> list[str]:
    """What to install for the logged model, pinned: told, because MLflow takes long to find it out."""
    return [f"{name}=={metadata.version(name)}" for name in PACKAGES]
