"""The funnel as of an instant: which stage, for how long, and when each was entered."""

import numpy as np

from features.arrays import DAY_US, Floats, Ints, ranges
from features.plan import Plan
from features.records import Records, known_until


def stage_block(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats) -> None:
    """Fill `out`, shape (k, stages + 3): days since each stage was last entered, the stage now, the days in it, and
    how many were entered. NaN: never entered."""
    n, s = len(plan.stages), r.stages
    stop = known_until(s.at, s.start, lead, as_of)
    count = stop - s.start[lead]
    out[:, :-1] = np.nan
    out[:, -1] = count
    if count.any():
        pick, row = ranges(s.start[lead], count), np.repeat(np.arange(len(lead)), count)
        days = np.full((len(lead), n + 1), np.nan)
        days[row, s.code[pick]] = (as_of[row] - s.at[pick]) / DAY_US
        out[:, :n] = days[:, :n]
        out[row, n] = s.code[pick]
        out[row, n + 1] = (as_of[row] - s.at[pick]) / DAY_US
