"""What the bundle says of its making. No field holds anything of a lead."""

import hashlib
from typing import Any

import polars as pl

from pipeline import stage


def facts_of() -> dict[str, Any]:
    """What the bundle says of its making. No field holds anything of a lead."""
    training = stage.read_json(stage.MODEL / "training.json")
    meta = stage.read_meta()
    return {
        "folds": training["folds"],
        "rounds": training["rounds"],
        "trees": training["trees"],
        "warnings": training["warnings"],
        "refresh": training["refresh"],
        "calibration_candidates": training["calibration_candidates"],
        "belief": training["belief"],
        "metrics": stage.read_json(stage.METRICS),
        "shape": meta["shape"],
        "until": meta["until"],
        "data_digest": data_digest(),
        "ages_days": _ages(),
        "ranges": training["ranges"],
        "left_out_columns": meta["left_out_columns"],
    }


def data_digest() -> str:
    """One digest of the validated tables: the same rows give the same."""
    whole = hashlib.sha256()
    for path in sorted(stage.TABLES.glob("*.parquet")):
        with path.open("rb") as file:
            whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _ages() -> list[float] | None:
    """Least and greatest age in days of a training example: beyond it the service warns."""
    train = stage.read_table(stage.EXAMPLES).filter(pl.col("fold") == "train")["age_days"].drop_nulls()
    return [float(train.min()), float(train.max())] if len(train) else None  # type: ignore[arg-type]
