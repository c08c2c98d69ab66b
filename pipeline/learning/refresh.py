"""The intercept refresh in a run: what was known of recent examples when the test began, and no more."""

from dataclasses import replace

import numpy as np

from features.arrays import DAY_US, Bools, Floats
from models.learning import calibration, refresh
from models.learning.calibration import Calibration
from models.learning.encoding import encode
from models.learning.refresh import Recent, Refresh
from models.learning.training import Model
from models.trees.model import Trees
from pipeline.assembly.data import Data
from pipeline.errors import Stop


def recent_rows(data: Data, within_days: float) -> Bools:
    """Examples that were looked at before the test began, and were not over then: all of them are in `gap`."""
    return np.asarray(data.rows("gap") & (data.as_of + round(within_days * DAY_US) > data.begin_of_test))


def find(data: Data, model: Model, left_out: Floats, chosen: Calibration, within_days: float) -> Refresh:
    """The shift since the model was calibrated. `left_out`: log odds of the examples by members that never saw their
    accounts, (k,); NaN where nothing was learned from them, and the whole model is asked. Raises Stop where the tables
    do not say when a lead converted."""
    days = data.examples["days_to_record"].fill_null(float("nan")).to_numpy()
    over = (data.rows("train") | data.rows("calibrate")) & ~np.isnan(days)
    if not over.any():
        raise Stop(
            "train.refresh_intercept: needs to know when each lead converted, and leads.converted only says whether it "
            "did; bring the stages with entered_at, or set it to false"
        )
    rows = recent_rows(data, within_days)
    part = replace(data.matrix, values=data.matrix.values[rows])
    whole = Trees(model.bag.text).scores(encode(model.encoding, part))
    raw = np.where(np.isnan(left_out[rows]), whole, left_out[rows])
    age = (data.begin_of_test - data.as_of[rows]) / DAY_US
    known = np.where(days[rows] <= age, days[rows], np.nan)  # what came later was not known yet
    recent = Recent(calibration.log_odds(chosen, raw), age, known, data.lead[rows], data.group[rows])
    timing = refresh.fit_timing(days[over], data.lead[over])
    return refresh.fit(recent, timing, within_days * refresh.WINDOW)
