"""Is a lead open at an instant, and since when?"""

from dataclasses import dataclass

import numpy as np

from features.arrays import Bools, Ints
from features.records import SINCE_CREATION, Records, known_until


@dataclass(frozen=True)
class Opening:
    """State of k leads at k instants, shape (k,) each."""

    open: Bools
    """The lead exists and is not closed."""
    since: Ints
    """Start of the episode, µs: its creation, or when it was last opened again."""
    episode: Ints
    """0 for the first, one more for each time it was opened again."""


def opening(records: Records, lead: Ints, as_of: Ints) -> Opening:
    """Who is open at instants in µs, shapes (k,): closed from the moment of a closing stage, open again from that of a
    reopening one."""
    created = records.created[lead]
    exists = created <= as_of
    stages = records.stages
    if len(stages.at) == 0:
        return Opening(exists, created, np.zeros(len(lead), np.int64))
    stop = known_until(stages.at, stages.start, lead, as_of)
    some = stop > stages.start[lead]
    row = np.maximum(stop - 1, 0)
    opened = np.where(some, stages.opened[row], SINCE_CREATION)
    since = np.where(opened == SINCE_CREATION, created, opened)
    return Opening(exists & ~(some & stages.closed[row]), since, np.where(some, stages.episode[row], 0))
