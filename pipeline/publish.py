"""Stage publish: the bundle, the tracked run, the report."""

from typing import Any

import polars as pl

from features.plan import plan_of_json
from pipeline import stage
from pipeline.bundling import assemble, deal_values, policy_of


def facts_of() -> dict[str, Any]:
    """What the bundle says of its making. No field holds anything of a lead."""
    training = stage.read_json(stage.MODEL / "training.json")
    meta = stage.read_json(stage.TABLES / "meta.json")
    return {
        "folds": training["folds"],
        "rounds": training["rounds"],
        "trees": training["trees"],
        "calibrated_on": training["calibrated_on"],
        "calibration_candidates": training["calibration_candidates"],
        "metrics": stage.read_json(stage.METRICS),
        "shape": meta["shape"],
        "until": meta["until"],
        "data_digest": data_digest(),
        "ages_days": _ages(),
    }


def data_digest() -> str:
    """One digest of the validated tables: the same rows give the same."""
    import hashlib

    whole = hashlib.sha256()
    for path in sorted(stage.TABLES.glob("*.parquet")):
        with path.open("rb") as file:
            whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _ages() -> list[float] | None:
    """Least and greatest age in days of a training example: beyond it the service warns."""
    train = stage.read_table(stage.EXAMPLES).filter(pl.col("fold") == "train")["age_days"].drop_nulls()
    return [float(train.min()), float(train.max())] if len(train) else None  # type: ignore[arg-type]


def main() -> None:
    """Write the bundle and the report; log and register the run."""
    definition = stage.section("definition")
    plan = plan_of_json(stage.read_json(stage.PLAN))
    examples = stage.read_table(stage.EXAMPLES)
    with stage.speaking("publish") as say:
        say("assembling the bundle")
        values = deal_values(stage.read_tables(), plan, definition, examples)
        policy = policy_of(stage.section("policy"), stage.read_table(stage.PREDICTIONS), values)
        digest = assemble(stage.BUNDLE, facts_of(), policy, definition, stage.section("source"))
        say(f"bundle {digest[:12]}")
