"""Several horizons in a run: learning the links, keeping them as text, and measuring each horizon."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from features.arrays import Floats
from models.bundle.folder import HORIZONS, horizon_model
from models.judging import metrics
from models.learning.horizons import Held, Link, fit_link, label
from models.learning.training import Masking, Rows, take
from models.trees.booster import Settings
from pipeline import stage
from pipeline.assembly.data import Data


def learn(data: Data, train: Rows, settings: Settings, masking: Masking, horizons: Sequence[float]) -> list[Link]:
    """A link for each horizon but the last, from the rows of train, calibrated on calibrate where there is one."""
    links, mine = [], data.rows("train")
    for days, longer in pairwise(horizons):
        y, converting = within(data, days), within(data, longer) == 1
        keep, out = converting[mine], converting & data.rows("calibrate")
        rows = replace(take(train, keep), y=y[mine][keep])
        held = Held(replace(data.matrix, values=data.matrix.values[out]), y[out], data.group[out])
        links.append(fit_link(days, longer, rows, held, settings, masking))
    return links


def within(data: Data, days: float) -> Floats:
    """Label of each mature example for a horizon: 1 where it converts within `days`. Shape (k,)."""
    came = data.examples["days_to_conversion"].fill_null(np.inf).to_numpy()
    return np.asarray(came <= days, dtype=np.float64)


def write_links(links: Sequence[Link], folder: Path) -> None:
    """horizons.json and a model a link that has one; nothing with a single one."""
    if not links:
        return
    stage.write_json([link.to_json() for link in links], folder / HORIZONS)
    for number, link in enumerate(links):
        if link.text is not None:
            (folder / horizon_model(number)).write_text(link.text, encoding="utf-8")


def measure(
    data: Data, p: Floats, shorter: dict[float, Floats], links: Sequence[Link], logistic: Floats, seed: int
) -> dict[str, Any]:
    """The metrics of every horizon on the test fold, by its days.

    `baselines.logistic` is the logistic regression of the longest horizon times the share of conversions that come
    within the shorter one.
    """
    scaled, found = logistic, {label(links[-1].longer): _scores(data, data.y, p, logistic, seed)}
    for link in reversed(links):
        scaled = scaled * link.share
        found[label(link.days)] = _scores(data, within(data, link.days), shorter[link.days], scaled, seed)
    return found


def _scores(data: Data, y: Floats, p: Floats, logistic: Floats, seed: int) -> dict[str, Any]:
    test = data.rows("test")
    own = metrics.scores(y[test], p[test], seed)
    return {**own, "baselines": {"logistic": metrics.scores(y[test], logistic[test], seed)}}
