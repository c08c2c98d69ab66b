"""What the calendar does to activity and to closing; all of it known, none of it hidden."""

from datetime import timedelta

import numpy as np

from pipeline.simulator.arrays import Floats, Ints
from pipeline.simulator.world import World


def _dates(world: World, days: int) -> tuple[Ints, Ints]:
    """Month (1 to 12) and weekday (0 Monday) of each day."""
    dates = [world.start + timedelta(days=day) for day in range(days)]
    return np.array([at.month for at in dates]), np.array([at.weekday() for at in dates])


def activity(world: World) -> Floats:
    """Factor on the rates of what leads do, for each day and one more; 1 without season."""
    month, weekday = _dates(world, world.days + 1)
    if not world.season:
        return np.ones(len(month))
    by_month = np.where(month == 7, 0.55, np.where(month == 12, 0.75, 1.08))
    return np.asarray(np.where(weekday >= 5, 0.3, 1.25) * by_month)


def regime(world: World) -> Ints:
    """1 on the days of the drift, else 0, for each day and one more."""
    day = np.arange(world.days + 1)
    return (world.drift & (day >= world.days - world.drift_days)).astype(np.int64)


def closing(world: World, days: int) -> Floats:
    """Factor on the chance of winning on each of `days` days: ends of quarters, July, drift and shift."""
    month, _ = _dates(world, days)
    day = np.arange(days)
    factor = np.ones(days)
    if world.season:
        factor *= np.where(month % 3 == 0, 1.35, np.where(month == 7, 0.6, 0.92))
    if world.drift:
        factor[day >= world.days - world.drift_days] *= 0.85
    factor[day >= world.days - world.shift_days] *= world.shift
    return factor
