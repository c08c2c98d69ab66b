"""How likely a lead in a known hidden state is to be won within some days: a recursion backwards in time."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.simulator.arrays import Floats, Ints
from pipeline.simulator.law import READER, RECYCLABLE, RECYCLED, Law, law
from pipeline.simulator.world import World

BUYER_OUT, READER_OUT = 4, 5  # rows after the law's four: a buyer, and a reader, lost for timing
MOST_DAYS = 400


@dataclass(frozen=True)
class Ahead:
    """Chances of winning after the midnight that ends a day.

    Both tables are (6, days or 1, phases), by the hidden state during the day: `shorter` within one whole day
    less than the horizon from that midnight on, `longer` within the horizon. A phase is the day less the
    first day of the project, clipped.
    """

    shorter: Floats
    longer: Floats
    far: int  # phase index of a project that begins today; index 0 is beyond the horizon, or never

    def after(self, day: Ints, share: Floats, project_day: Ints) -> Floats:
        """(6, …) chances after a day; the last day counts by the share of it within the horizon."""
        phase = np.clip(day - project_day + self.far, 0, self.shorter.shape[2] - 1)
        day = np.minimum(day, self.shorter.shape[1] - 1)
        shorter = self.shorter[:, day, phase]
        return np.asarray(shorter + share * (self.longer[:, day, phase] - shorter))


def _overnight(numbers: Law, running: Ints, after: Floats) -> Floats:
    """Chances from before a midnight; `running` (phases,), `after` (6, days, phases) are of the day after."""
    seen = after.copy()
    moves = numbers.move[running].transpose(1, 2, 0)
    for state in range(3):
        seen[state] = sum(after[to] * moves[state, to] for to in range(3))
    return seen


def _day(numbers: Law, factor: Floats, running: Ints, ended: Floats) -> Floats:
    """Chances from the beginning of a day, given those (6, days, phases) from its end."""
    begun = np.empty_like(ended)
    for state in range(4):
        out = READER_OUT if state == READER else BUYER_OUT
        won = (numbers.won[state] * factor)[:, None]
        stays = 1.0 - won - numbers.lost[state] - numbers.disqualified[state]
        begun[state] = won + stays * ended[state] + numbers.lost[state] * RECYCLABLE * ended[out]
    first = numbers.first[running].T
    again = sum(ended[state] * first[state] for state in range(3))
    begun[BUYER_OUT] = RECYCLED * again + (1 - RECYCLED) * ended[BUYER_OUT]
    begun[READER_OUT] = RECYCLED * ended[READER] + (1 - RECYCLED) * ended[READER_OUT]
    return begun


@lru_cache(maxsize=4)
def ahead(world: World, within_days: int) -> Ahead:
    """The tables for all days of a world and the one after; `within_days` from 1 to MOST_DAYS."""
    if not 1 <= within_days <= MOST_DAYS:
        raise ValueError(f"within_days: expected 1 to {MOST_DAYS}, got {within_days}")
    numbers = law(world)
    far = within_days + 2
    phase = np.arange(far + world.project_days + 1) - far
    running = ((phase >= 0) & (phase < world.project_days)).astype(np.int64)
    following = np.minimum(np.arange(len(phase)) + 1, len(phase) - 1)
    following[0] = 0  # beyond the horizon, a day nearer makes no difference
    same = bool((numbers.closing == numbers.closing[0]).all())  # then one day stands for all
    chances = np.zeros((6, 1 if same else world.days + within_days + 2, len(phase)))
    next_day = slice(0 if same else 1, None)
    for _ in range(within_days):
        shorter = _overnight(numbers, running, chances)[:, next_day, following]
        chances = _day(numbers, numbers.closing[: shorter.shape[1]], running, shorter)
    longer = _overnight(numbers, running, chances)[:, next_day, following]
    return Ahead(shorter[:, : world.days + 1], longer[:, : world.days + 1], far)
