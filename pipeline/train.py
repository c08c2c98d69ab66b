"""Stage train: the bagged model, its calibration, the baselines, and a validation inside train."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Array, Bools, Floats, Ints
from features.kernel import Matrix
from features.plan import Plan, plan_of_json
from models import calibration, folds, metrics, training
from models.baselines import baselines
from models.booster import Settings, load_booster, raw_scores
from models.calibration import Calibration
from models.encoding import encode
from models.ranges import trained_ranges
from models.training import Model, Rows
from pipeline import stage
from pipeline.featurize import instants
from pipeline.files import whole_folder
from pipeline.matrices import matrix_of
from pipeline.params import Train


@dataclass(frozen=True)
class Data:
    """Mature examples with their features, shape (k,) each."""

    examples: pl.DataFrame
    matrix: Matrix
    y: Floats
    as_of: Ints
    fold: Array
    lead: Ints
    group: Ints
    """Number of the account, or of the lead that has none."""
    groups: list[str]
    """Its name: folds inside train go by a hash of it."""

    def rows(self, fold: str) -> Bools:
        """Which examples are in a fold."""
        return np.asarray(self.fold == fold)


def load(examples: pl.DataFrame, features: pl.DataFrame, leads: pl.DataFrame, plan: Plan) -> Data:
    """The mature examples with what training needs of them."""
    mature = examples["mature"]
    examples, features = examples.filter(mature), features.filter(mature)
    names = _groups(examples, leads)
    return Data(
        examples=examples,
        matrix=matrix_of(features, plan.features),
        y=examples["label"].to_numpy().astype(np.float64),
        as_of=instants(examples),
        fold=examples["fold"].to_numpy(),
        lead=examples["lead_id"].rank("dense").to_numpy().astype(np.int64),
        group=names.rank("dense").to_numpy().astype(np.int64),
        groups=names.to_list(),
    )


def _groups(examples: pl.DataFrame, leads: pl.DataFrame) -> pl.Series:
    """Who must stay together: the account, else the person, else the lead."""
    keys = [pl.concat_str(pl.lit(f"{k}:"), k) for k in ("account_id", "person_id", "lead_id") if k in leads.columns]
    named = leads.select("lead_id", pl.coalesce(keys).alias("group"))
    return examples.join(named, on="lead_id", how="left", maintain_order="left")["group"]


@dataclass(frozen=True)
class Trained:
    """What the stage leaves."""

    model: Model
    calibration: Calibration
    candidates: dict[str, float]
    baselines: dict[str, Floats]
    validation: dict[str, Any]
    calibrated_on: str


def train(data: Data, plan: Plan, params: Train, within_days: float, say: Callable[[str], None]) -> Trained:
    """Fit, calibrate, and try it out inside train. The test fold is not looked at."""
    keep = data.rows("train")
    rows, settings = rows_of(data, keep, params), settings_of(params)
    say("validating inside train")
    tried = training.validate(rows, data.as_of[keep], within_days, plan.blocks, params.masked_fraction, settings)
    say("growing the bag")
    model = training.fit(rows, plan.blocks, params.masked_fraction, settings)
    say("calibrating")
    chosen, candidates, on = _calibrate(data, model, params)
    say("fitting the baselines")
    others = baselines(data.matrix, data.y, data.lead, data.group, keep, data.rows("calibrate"), params.seed)
    if tried is None:  # no dates, or too few to part: what the members left out, by account
        tried = training.Validation(np.arange(len(rows.y)), model.bag.left_out)
    validation = _validation(rows.y[tried.row], tried.raw)
    return Trained(model, chosen, candidates, others, validation, on)


def rows_of(data: Data, keep: Bools, params: Train) -> Rows:
    """The rows to learn from, with their bag fold and their hash."""
    names = [data.groups[i] for i in np.flatnonzero(keep)]
    parts = folds.whole_groups(names, params.seed, params.bags)
    instant = [f"{i} {t}" for i, t in zip(data.examples["lead_id"].filter(keep), data.as_of[keep], strict=True)]
    share = folds.hashed(instant, params.seed, 1_000_000) / 1_000_000
    matrix = replace(data.matrix, values=data.matrix.values[keep])
    return Rows(matrix, data.y[keep], data.lead[keep], parts, share)


def settings_of(params: Train) -> Settings:
    """The booster's own part of the parameters."""
    return Settings(**{name: getattr(params, name) for name in Settings.__dataclass_fields__})


def _calibrate(data: Data, model: Model, params: Train) -> tuple[Calibration, dict[str, float], str]:
    """Choose on the calibrate fold, scored by the whole bag; without one, on what the bag left out."""
    rows = data.rows("calibrate")
    if rows.any():
        part = replace(data.matrix, values=data.matrix.values[rows])
        raw = raw_scores(load_booster(model.bag.text), encode(model.encoding, part), params.threads)
        on = "the calibrate fold"
    else:
        rows, raw, on = data.rows("train"), model.bag.left_out, "what the bag left out of train"
    return *calibration.choose(data.y[rows], raw, data.group[rows], params.seed), on


def _validation(y: Floats, raw: Floats) -> dict[str, Any]:
    return metrics.scores(y, calibration.apply(Calibration("none"), raw))


def main() -> None:
    """Read examples and features, write the model and the baselines' predictions."""
    plan = plan_of_json(stage.read_json(stage.PLAN))
    leads = stage.read_table(stage.TABLES / "leads.parquet")
    data = load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)
    within = stage.section("definition").conversion.within_days
    with stage.speaking("train") as say:
        trained = train(data, plan, stage.section("train"), within, say)
    with whole_folder(stage.MODEL) as folder:
        (folder / "model.txt").write_text(trained.model.bag.text, encoding="utf-8")
        stage.write_json(trained.model.encoding.to_json(), folder / "encoding.json")
        stage.write_json(trained.calibration.to_json(), folder / "calibration.json")
        stage.write_json(_facts(trained, data), folder / "training.json")
    keys = data.examples.select("lead_id", "as_of")
    stage.write_table(keys.with_columns(**{k: pl.Series(v) for k, v in trained.baselines.items()}), stage.BASELINES)


def _facts(trained: Trained, data: Data) -> dict[str, Any]:
    bag = trained.model.bag
    return {
        "rounds": list(bag.rounds),
        "trees": sum(bag.rounds),
        "curves": [list(curve) for curve in bag.curves],
        "calibration_candidates": trained.candidates,
        "calibrated_on": trained.calibrated_on,
        "validation": trained.validation,
        "ranges": trained_ranges(data.matrix, data.rows("train")),
        "folds": {name: _fold(data, name) for name in ("train", "calibrate", "gap", "test")},
    }


def _fold(data: Data, name: str) -> dict[str, Any]:
    rows = data.examples.filter(pl.col("fold") == name)
    at = rows["as_of"].drop_nulls()
    span = [at.min().isoformat(), at.max().isoformat()] if len(at) else None  # type: ignore[union-attr]
    won = rows.filter(pl.col("label") == 1)
    return {
        "examples": len(rows),
        "leads": rows["lead_id"].n_unique(),
        "converting_examples": len(won),
        "converting_leads": won["lead_id"].n_unique(),
        "as_of": span,
    }
