"""How folds are cut, what is trained and what is too good to be true; and where runs are filed."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from pipeline.params.section import Fraction, Section


class Split(Section):
    """Folds by time, or without dates by a hash of the id or in file order."""

    test_fraction: Fraction = 0.25
    calibration_fraction: Fraction = 0.15
    test_from: datetime | None = None
    order: Literal["time", "file"] = "time"


class Train(Section):
    """The booster's settings and the size of its bag."""

    seed: int = Field(7, ge=0)
    least_converting: int = Field(30, ge=2)
    """The run stops where fewer leads that converted are known when the test begins."""
    bags: int = Field(5, ge=2, le=50)
    num_leaves: int = Field(16, ge=2, le=256)
    max_depth: int = Field(5, ge=1, le=63)
    learning_rate: float = Field(0.12, gt=0, le=1)
    max_rounds: int = Field(600, ge=1)
    early_stopping_rounds: int = Field(40, ge=1)
    feature_fraction: float = Field(0.72, gt=0, le=1)
    bagging_fraction: float = Field(0.97, gt=0, le=1)
    min_data_in_leaf: int = Field(27, ge=1)
    lambda_l1: float = Field(0.92, ge=0)
    lambda_l2: float = Field(1.66, ge=0)
    masked_fraction: float = Field(0.2, ge=0, lt=1)
    threads: int = Field(2, ge=1)
    soft_labels: bool = True
    """Learn what a first model says of a lead some days later, not the bare outcome (models/learning/soft.py)."""
    refresh_intercept: bool = False
    """Shift the probabilities by what the early conversions of recent leads say (models/learning/refresh.py)."""


class Leaks(Section):
    """What is too good to be true, and what may be all the same."""

    allow: list[str] = []
    """Columns, event types or stages (or features by name) that were known in time, however much they tell."""
    feature_auc: float = Field(0.9, gt=0.5, le=1)
    """A single feature above this stops the run, in either direction; …"""
    missing_auc: float = Field(0.75, gt=0.5, le=1)
    """… as does one whose being missing is above this, …"""
    level_odds: float = Field(25, gt=1)
    """Leads that share a value, or have any, stop the run where most of them convert, at more than this many times the
    odds of the others, …"""
    test_auc: float = Field(0.95, gt=0.5, le=1)
    """… and a model above this on the test fold."""
    examples: int = Field(200, ge=1, le=10_000)
    """Examples whose features and scores are made again from what was known."""


class Tracking(Section):
    """Where MLflow files the runs."""

    experiment: str = "leadscore"
    model: str = "lead-conversion"
    required: bool = False
    """True: a run that cannot be tracked fails."""
