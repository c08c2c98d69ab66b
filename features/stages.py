"""The funnel as of an instant: which stage, for how long, and when each was entered."""

import numpy as np

from features.arrays import DAY_US, Floats, Ints, ranges
from features.plan import Plan
from features.records import Records, known_until


def stage_block(r: Records, plan: Plan, lead: Ints, as_of: Ints, out: Floats, at: int) -> int:
    """Days since each stage was last entered, the stage now and the days in it, and how many were entered.

    Fills `out[:, at:]` and returns where the next block begins. NaN: never entered, or nobody knows.
    """
    n, k, s = len(plan.stages), len(lead), r.stages
    out[:, at : at + n + 3] = np.nan
    if "stages" in r.unknown:
        return at + n + 3
    stop = known_until(s.at, s.start, lead, as_of)
    count = stop - s.start[lead]
    out[:, at + n + 2] = count
    if count.any():
        pick, row = ranges(s.start[lead], count), np.repeat(np.arange(k), count)
        days = np.full((k, n + 1), np.nan)
        days[row, s.code[pick]] = (as_of[row] - s.at[pick]) / DAY_US
        out[:, at : at + n] = days[:, :n]
        out[row, at + n] = s.code[pick]
        out[row, at + n + 1] = (as_of[row] - s.at[pick]) / DAY_US
    return at + n + 3
