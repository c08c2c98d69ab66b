"""Stage train: the bagged model, its calibration, the baselines, and a validation inside train."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from features.plan import Plan
from models.bundle.folder import QUESTIONS
from models.bundle.questions import Questions
from models.bundle.questions import learn as learn_questions
from models.bundle.trained_ranges import trained_ranges
from models.learning import calibration
from models.learning.horizons import Link
from models.learning.horizons import label as horizon_label
from models.learning.training import Masking
from pipeline import stage
from pipeline.assembly.data import Data, as_known, known, read_data
from pipeline.files import whole_folder
from pipeline.learning import horizons
from pipeline.learning.later import Looks, looks_of
from pipeline.learning.rows import rows_of, settings_of
from pipeline.learning.trained import Trained, refreshed, train
from pipeline.params import Definition, Train


def main() -> None:
    """Read examples and features, write the model and the baselines' predictions."""
    plan = stage.read_plan()
    data = read_data(plan)
    definition, params = stage.section(Definition), stage.section(Train)
    within_days = definition.conversion.within_days
    with stage.speaking("train") as say:
        then = as_known(data, data.begin_of_test)
        looks = _looks(then, plan, params, within_days, say)
        trained = train(then, plan, params, within_days, say, looks)
        trained = refreshed(then, trained, params, within_days, say)
        links = _links(then, plan, params, definition.horizons, say)
    with whole_folder(stage.MODEL) as folder:
        (folder / "model.txt").write_text(trained.model.bag.text, encoding="utf-8")
        stage.write_json(trained.model.encoding.to_json(), folder / "encoding.json")
        stage.write_json(trained.calibration.to_json(), folder / "calibration.json")
        stage.write_json(_facts(trained, data), folder / "training.json")
        horizons.write_links(links, folder)
        stage.write_json(_questions(data, plan, trained, within_days).to_json(), folder / QUESTIONS)
        stage.write_json(trained.baselines.to_json(), folder / "baselines.json")
    keys, others = data.examples.select("lead_id", "as_of"), trained.baselines.predict(data.matrix)
    stage.write_table(keys.with_columns(**{k: pl.Series(v) for k, v in others.items()}), stage.BASELINES)
    honest = keys.with_columns(probability=calibration.apply(trained.calibration, trained.left_out))
    stage.write_table(honest.filter(~np.isnan(trained.left_out)), stage.LEFT_OUT)


def _looks(data: Data, plan: Plan, params: Train, within_days: float, say: Callable[[str], None]) -> Looks | None:
    """The examples some days later, where params want soft labels."""
    if not params.soft_labels:
        return None
    say("looking at the leads again, some days on")
    return looks_of(data, stage.read_tables(), plan, within_days, data.begin_of_test)


def _links(data: Data, plan: Plan, params: Train, days: list[float], say: Callable[[str], None]) -> list[Link]:
    """What the shorter horizons need besides the model; nothing with a single one."""
    if len(days) < 2:
        return []
    say(f"learning horizons of {', '.join(map(horizon_label, days[:-1]))} days")
    rows = rows_of(data, data.rows("train"), params)
    return horizons.learn(data, rows, settings_of(params), Masking(plan.blocks, params.masked_fraction), days)


def _questions(data: Data, plan: Plan, trained: Trained, within_days: float) -> Questions:
    """What the leads that the model learned from answered, by bands of what members that had not seen them said."""
    part = replace(data.matrix, values=data.matrix.values[known(data.fold, data.as_of, within_days)])
    return learn_questions(plan, part, calibration.apply(trained.calibration, trained.model.bag.left_out))


def _facts(trained: Trained, data: Data) -> dict[str, Any]:
    bag = trained.model.bag
    return {
        "rounds": list(bag.rounds),
        "trees": sum(bag.rounds),
        "curves": [list(curve) for curve in bag.curves],
        "belief": dict(trained.model.belief),
        "calibration_candidates": trained.candidates,
        "validation": trained.validation,
        "warnings": list(trained.warnings),
        "refresh": None if trained.refresh is None else trained.refresh.to_json(),
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
