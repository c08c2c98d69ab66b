"""Stage train: the bagged model, its calibration, the baselines, and a validation inside train."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from features.arrays import DAY_US, Bools, Floats, Ints
from features.plan import Plan, plan_of_json
from models import folds
from models.baselines.fitted import Baselines, fit_baselines
from models.bundle.folder import QUESTIONS
from models.bundle.questions import Questions
from models.bundle.questions import learn as learn_questions
from models.bundle.trained_ranges import trained_ranges
from models.judging import metrics
from models.learning import calibration, training
from models.learning.calibration import Calibration
from models.learning.horizons import Link
from models.learning.horizons import label as horizon_label
from models.learning.refresh import FURTHEST, Refresh, shifted
from models.learning.training import Model, Rows
from models.trees.booster import Settings
from pipeline import stage
from pipeline.assembly.data import Data, known, load
from pipeline.errors import Stop
from pipeline.files import whole_folder
from pipeline.learning import horizons, refresh
from pipeline.learning.later import Looks, looks_of, softened
from pipeline.params import Definition, Train

FEW = 200
"""Under so many converting leads trees of 16 leaves find what is not there."""
HELD = (
    f"The early conversions of recent leads ask for log odds that differ by more than {FURTHEST:g}, a factor of 7 in "
    f"the odds, and got {FURTHEST:g}. See whether conversions are recorded as before, or set "
    "train.refresh_intercept: false."
)


@dataclass(frozen=True)
class Trained:
    """What the stage leaves."""

    model: Model
    calibration: Calibration
    candidates: dict[str, float]
    baselines: Baselines
    validation: dict[str, Any]
    calibrated_on: str
    left_out: Floats
    """Log odds before calibration of each of the k examples by the members that never saw its account; NaN where
    nothing was learned from it."""
    warnings: tuple[str, ...] = ()
    refresh: Refresh | None = None
    """Where asked for; the calibration has it in its intercept already."""


def train(
    data: Data, plan: Plan, params: Train, within_days: float, say: Callable[[str], None], looks: Looks | None = None
) -> Trained:
    """Try it out inside train, fit on all that was known when the test began, and calibrate. The test fold is not
    looked at. `looks` soften the labels. Raises Stop where too few leads converted to learn from, or all are of one
    account."""
    settings, warnings = sized(settings_of(params), _converting(data, known(data, within_days)), params)
    keep = data.rows("train")
    rows = rows_of(data, keep, params)
    say("validating inside train")
    labels = partial(_labels, data, keep, within_days, looks, settings)
    over = known(data, within_days)
    with ThreadPoolExecutor(1) as beside:  # trees leave the second core idle between bags, baselines take one
        rivals = beside.submit(fit_baselines, data.matrix, data.y, data.lead, data.group, over, params.seed)
        tried = training.validate(
            rows, data.as_of[keep], within_days, plan.blocks, params.masked_fraction, settings, labels
        )
        say("growing the bag")
        model, left_out = _grown(data, plan, params, within_days, looks, settings)
        say("calibrating")
        chosen, candidates, on = _calibrate(data, left_out, params)
        say("waiting for the baselines")
        others = rivals.result()
    if tried is None:  # no dates, or too few to part: what the members left out, by account
        tried = training.Validation(np.arange(len(rows.y)), left_out[data.rows("train")])
    validation = _validation(rows.y[tried.row], tried.raw)
    return Trained(model, chosen, candidates, others, validation, on, left_out, warnings)


def _labels(
    data: Data, keep: Bools, within_days: float, looks: Looks | None, settings: Settings, rows: Rows, begin: int
) -> tuple[Rows, Bools]:
    """What may be learned of the rows, examples `keep`, at an instant inside train."""
    over = data.as_of + round(within_days * DAY_US) <= begin
    return softened(data, rows, keep, over, begin, looks, settings)


def _grown(
    data: Data, plan: Plan, params: Train, within_days: float, looks: Looks | None, settings: Settings
) -> tuple[Model, Floats]:
    """The model, its `left_out` that of known examples alone; and the same of every example, shape (k,), NaN where it
    learned nothing from the example."""
    over = known(data, within_days)
    keep, begin = over, 0
    if looks is not None:
        begin = data.begin_of_test
        keep = over | looks.over(data, begin)
    rows, learn = softened(data, rows_of(data, keep, params), keep, over, begin, looks, settings)
    _check_parted(rows.fold, learn)
    model = training.fit(rows, plan.blocks, params.masked_fraction, settings, learn)
    left_out = np.full(len(keep), np.nan)
    left_out[keep] = model.bag.left_out
    return replace(model, bag=replace(model.bag, left_out=left_out[over])), left_out


def _check_parted(fold: Ints, learn: Bools) -> None:
    """Raise Stop where no account could be left out, or a part of the model would have none of its own to stop by."""
    if not training.parted(fold, learn):
        raise Stop(
            "train: all leads whose outcome is known are of one account (or person), or of a few, and each part of the "
            "model leaves accounts out to know when to stop; expected known outcomes of at least two accounts, and of "
            "one in each of train.bags parts. If account_id does not tell companies apart, leave it out: "
            "definition.exclude: [account_id]"
        )


def _converting(data: Data, rows: Bools) -> int:
    return len(np.unique(data.lead[rows & (data.y == 1)]))


def sized(settings: Settings, converting: int, params: Train) -> tuple[Settings, tuple[str, ...]]:
    """Smaller trees, and a warning, where few leads converted. Raises Stop where there are too few to learn from."""
    if converting < params.least_converting:
        raise Stop(
            f"train: {converting} leads that converted are known, and at least {params.least_converting} are needed "
            "(train.least_converting): bring older leads, a longer definition.conversion.within_days, or an earlier "
            "stage as the conversion; until then the base rate is the best guess"
        )
    if converting >= FEW:
        return settings, ()
    said = f"Only {converting} converting leads were there to learn from, so the trees are small; {FEW} would do."
    small = replace(settings, num_leaves=min(settings.num_leaves, 4), max_depth=min(settings.max_depth, 3),
                    lambda_l2=max(settings.lambda_l2, 5.0))  # fmt: skip
    return small, (said,)


def rows_of(data: Data, keep: Bools, params: Train) -> Rows:
    """The rows to learn from, with their bag fold and their hash. Raises Stop where they are of one account."""
    names = [data.groups[i] for i in np.flatnonzero(keep)]
    parts = folds.whole_groups(names, params.seed, params.bags)
    _check_parted(parts, np.ones(len(parts), bool))
    instant = [f"{i} {t}" for i, t in zip(data.examples["lead_id"].filter(keep), data.as_of[keep], strict=True)]
    share = folds.hashed(instant, params.seed, 1_000_000) / 1_000_000
    matrix = replace(data.matrix, values=data.matrix.values[keep])
    return Rows(matrix, data.y[keep], data.lead[keep], data.group[keep], parts, share)


def settings_of(params: Train) -> Settings:
    """The booster's own part of the parameters."""
    return Settings(**{name: getattr(params, name) for name in Settings.__dataclass_fields__})


def _calibrate(data: Data, left_out: Floats, params: Train) -> tuple[Calibration, dict[str, float], str]:
    """Choose on the calibrate fold, else on train; each row by the member that left its account out."""
    rows, on = data.rows("calibrate"), "the calibrate fold, each account by trees that left it out"
    if not rows.any():
        rows, on = data.rows("train"), "what the bag left out of train"
    return *calibration.choose(data.y[rows], left_out[rows], data.group[rows], params.seed), on


def _validation(y: Floats, raw: Floats) -> dict[str, Any]:
    return metrics.scores(y, calibration.apply(Calibration("none"), raw))


def main() -> None:
    """Read examples and features, write the model and the baselines' predictions."""
    plan = plan_of_json(stage.read_json(stage.PLAN))
    leads = stage.read_table(stage.TABLES / "leads.parquet")
    data = load(stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES), leads, plan)
    definition, params = stage.section(Definition), stage.section(Train)
    with stage.speaking("train") as say:
        looks = _looks(data, plan, params, definition.conversion.within_days, say)
        trained = train(data, plan, params, definition.conversion.within_days, say, looks)
        trained = _refreshed(data, trained, params, definition.conversion.within_days, say)
        links = _links(data, plan, params, definition.horizons, say)
    with whole_folder(stage.MODEL) as folder:
        (folder / "model.txt").write_text(trained.model.bag.text, encoding="utf-8")
        stage.write_json(trained.model.encoding.to_json(), folder / "encoding.json")
        stage.write_json(trained.calibration.to_json(), folder / "calibration.json")
        stage.write_json(_facts(trained, data), folder / "training.json")
        horizons.write_links(links, folder)
        stage.write_json(
            _questions(data, plan, trained, definition.conversion.within_days).to_json(), folder / QUESTIONS
        )
        stage.write_json(trained.baselines.to_json(), folder / "baselines.json")
    keys, others = data.examples.select("lead_id", "as_of"), trained.baselines.predict(data.matrix)
    stage.write_table(keys.with_columns(**{k: pl.Series(v) for k, v in others.items()}), stage.BASELINES)
    honest = keys.with_columns(probability=calibration.apply(trained.calibration, trained.left_out))
    stage.write_table(honest.filter(~np.isnan(trained.left_out)), stage.LEFT_OUT)


def _looks(data: Data, plan: Plan, params: Train, within_days: float, say: Callable[[str], None]) -> Looks | None:
    """The examples some days later, where params want soft labels and there is a test to stop before."""
    if not params.soft_labels or not data.rows("test").any():
        return None
    say("looking at the leads again, some days on")
    return looks_of(data, stage.read_tables(), plan, within_days, data.begin_of_test)


def _refreshed(data: Data, trained: Trained, params: Train, within_days: float, say: Callable[[str], None]) -> Trained:
    """With the intercept that the early conversions of recent leads ask for, where params want it."""
    if not params.refresh_intercept:
        return trained
    say("refreshing the intercept")
    found = refresh.find(data, trained.model, trained.calibration, within_days, params.threads)
    warnings = (*trained.warnings, HELD) if found.held else trained.warnings
    moved = shifted(trained.calibration, found.shift)
    return replace(trained, calibration=moved, refresh=found, warnings=warnings)


def _links(data: Data, plan: Plan, params: Train, days: list[float], say: Callable[[str], None]) -> list[Link]:
    """What the shorter horizons need besides the model; nothing with a single one."""
    if len(days) < 2:
        return []
    say(f"learning horizons of {', '.join(map(horizon_label, days[:-1]))} days")
    rows = rows_of(data, data.rows("train"), params)
    return horizons.learn(data, rows, plan, params.masked_fraction, settings_of(params), days)


def _questions(data: Data, plan: Plan, trained: Trained, within_days: float) -> Questions:
    """What the leads that the model learned from answered, by bands of what members that had not seen them said."""
    part = replace(data.matrix, values=data.matrix.values[known(data, within_days)])
    return learn_questions(plan, part, calibration.apply(trained.calibration, trained.model.bag.left_out))


def _facts(trained: Trained, data: Data) -> dict[str, Any]:
    bag = trained.model.bag
    return {
        "rounds": list(bag.rounds),
        "trees": sum(bag.rounds),
        "curves": [list(curve) for curve in bag.curves],
        "belief": dict(trained.model.belief),
        "calibration_candidates": trained.candidates,
        "calibrated_on": trained.calibrated_on,
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
