"""The model of a run with its calibration and its rivals, learned from what was known when the test began."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from features.arrays import DAY_US, Bools, Floats
from features.plan import Plan
from models.baselines.fitted import Baselines, fit_baselines
from models.judging import metrics
from models.learning import calibration, training
from models.learning.calibration import Calibration
from models.learning.refresh import FURTHEST, Refresh, shifted
from models.learning.training import Masking, Model, Rows
from models.trees.booster import Settings
from pipeline.assembly.data import Data, as_known, known
from pipeline.errors import Stop
from pipeline.learning import refresh
from pipeline.learning.later import Looks, softened
from pipeline.learning.rows import check_parted, rows_of, settings_of
from pipeline.params import Train

FEW = 200
"""Under this many converting leads trees of 16 leaves find what is not there."""
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
    left_out: Floats
    """Log odds before calibration of each of the k examples by the members that never saw its account; NaN where
    nothing was learned from it."""
    warnings: tuple[str, ...] = ()
    refresh: Refresh | None = None
    """Where asked for; the calibration has it in its intercept already."""


def train(
    data: Data, plan: Plan, params: Train, within_days: float, say: Callable[[str], None], looks: Looks | None = None
) -> Trained:
    """Try it out inside train, fit on all that was known when the test began, and calibrate on the same, each account
    by trees that left it out: the calibrate fold alone may be a luckless season. The test fold is not looked at.
    `data`: as they were known then (`as_known`); `looks` soften the labels. Raises Stop where too few leads converted
    to learn from, or all are of one account."""
    over = known(data.fold, data.as_of, within_days)
    settings, warnings = sized(settings_of(params), _converting(data, over), params)
    masking = Masking(plan.blocks, params.masked_fraction)
    keep = data.rows("train")
    rows = rows_of(data, keep, params)
    say("validating inside train")
    labels = partial(_labels, data, keep, within_days, looks, settings)
    with ThreadPoolExecutor(1) as beside:  # trees leave the second core idle between bags, baselines take one
        rivals = beside.submit(fit_baselines, data.matrix, data.y, data.lead, data.group, over, params.seed)
        tried = training.validate(rows, data.as_of[keep], within_days, settings, masking, labels)
        say("growing the bag")
        model, left_out = _grown(data, over, params, looks, settings, masking)
        say("calibrating")
        chosen, candidates = calibration.choose(data.y[over], left_out[over], data.group[over], params.seed)
        say("waiting for the baselines")
        others = rivals.result()
    if tried is None:  # no dates, or too few to part: what the members left out, by account
        tried = training.Validation(np.arange(len(rows.y)), left_out[keep])
    validation = metrics.scores(rows.y[tried.row], calibration.probability(tried.raw))
    return Trained(model, chosen, candidates, others, validation, left_out, warnings)


def _labels(
    data: Data, keep: Bools, within_days: float, looks: Looks | None, settings: Settings, rows: Rows, begin: int
) -> tuple[Rows, Bools]:
    """What may be learned of the rows, examples `keep`, at an instant inside train."""
    over = data.as_of + round(within_days * DAY_US) <= begin
    then = replace(rows, y=as_known(data, begin).y[keep])
    return softened(data, then, keep, over, begin, looks, settings)


def _grown(
    data: Data, over: Bools, params: Train, looks: Looks | None, settings: Settings, masking: Masking
) -> tuple[Model, Floats]:
    """The model, its `left_out` that of the known examples `over` alone; and the same of every example, shape (k,), NaN
    where it learned nothing from the example."""
    keep, begin = over, 0
    if looks is not None:
        begin = data.begin_of_test
        keep = over | looks.over(data, begin)
    rows, learn = softened(data, rows_of(data, keep, params), keep, over, begin, looks, settings)
    check_parted(rows.fold, learn)
    model = training.fit(rows, settings, learn, masking)
    left_out = np.full(len(keep), np.nan)
    left_out[keep] = model.bag.left_out
    return replace(model, bag=replace(model.bag, left_out=left_out[over])), left_out


def _converting(data: Data, rows: Bools) -> int:
    return len(np.unique(data.lead[rows & (data.y == 1)]))


def sized(settings: Settings, converting: int, params: Train) -> tuple[Settings, tuple[str, ...]]:
    """Smaller trees, and a warning, where few leads converted. Raises Stop where there are too few to learn from."""
    if converting < params.least_converting:
        raise Stop(
            f"train: {converting} leads that converted are known, and at least {params.least_converting} are needed "
            "(train.least_converting): bring more leads whose outcome is known; where they have dates, a longer "
            "definition.conversion.within_days or an earlier stage as the conversion makes more, too; until then the "
            "base rate is the best guess"
        )
    if converting >= FEW:
        return settings, ()
    said = f"Only {converting} converting leads were there to learn from, so the trees are small; {FEW} would do."
    small = replace(settings, num_leaves=min(settings.num_leaves, 4), max_depth=min(settings.max_depth, 3),
                    lambda_l2=max(settings.lambda_l2, 5.0))  # fmt: skip
    return small, (said,)


def refreshed(data: Data, trained: Trained, params: Train, within_days: float, say: Callable[[str], None]) -> Trained:
    """With the intercept that the early conversions of recent leads ask for, where params want it."""
    if not params.refresh_intercept:
        return trained
    say("refreshing the intercept")
    found = refresh.find(data, trained.model, trained.left_out, trained.calibration, within_days)
    warnings = (*trained.warnings, HELD) if found.held else trained.warnings
    moved = shifted(trained.calibration, found.shift)
    return replace(trained, calibration=moved, refresh=found, warnings=warnings)
