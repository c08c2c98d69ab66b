"""What is filed of a run, and under which names."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from models.flat import flat


@dataclass(frozen=True)
class Dataset:
    """What a run learned from, without a row of it."""

    name: str
    digest: str
    source: str
    """Relative path."""
    schema: Mapping[str, pl.DataType]
    profile: Mapping[str, int]
    """Counts, such as `num_rows`."""


@dataclass(frozen=True)
class Run:
    """All that is filed of a run."""

    name: str
    digest: str
    """What makes it this run (pipeline/experiments/identity.py): it is filed once."""
    description: str
    """Markdown; what changed since the last run is added."""
    params: Mapping[str, Any]
    """Those that matter or differ; nested, see `named`."""
    metrics: Mapping[str, Any]
    """Nested; see `flat_metrics`."""
    tags: Mapping[str, str | None]
    """Of the run and of the model's version: commit, data, definition; `test_fold` is the digest that looks are
    counted by."""
    dataset: Dataset
    bundle: Path
    """Relative, so that no path of this machine is logged with it."""
    example: pl.DataFrame
    """A few rows as in data/features.parquet; columns that are no features are left out."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Every parameter, as a file."""
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Metrics of what it is held against, by name: a nested run each, under the metric names of the run itself."""
    curves: Sequence[Sequence[float]] = ()
    """Left-out log loss by round, a member of the bag each."""
    artifacts: Sequence[tuple[Path, str | None]] = ()
    """Files, each with its folder among the run's artifacts."""
    headline: Sequence[str] = ("test/auc", "test/log_loss")
    """Flattened names of the metrics that become tags of the model's version."""


def named(nested: Mapping[str, Any]) -> dict[str, Any]:
    """`{"test": {"auc": 0.8}}` as `{"test.auc": 0.8}`; None and empty mappings are left out. Names as MLflow allows
    them."""
    leaves = {re.sub(r"[^a-zA-Z0-9_. /:-]", "_", name)[:250]: value for name, value in flat(nested).items()}
    return {name: value for name, value in leaves.items() if value is not None and value != {}}


def flat_metrics(nested: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of `named`; texts and lists are no metrics."""
    numbers = {k: float(v) for k, v in named(nested).items() if isinstance(v, int | float)}
    return {k: v for k, v in numbers.items() if math.isfinite(v)}
