"""One day of one lead, seen up to an instant: what was seen and how likely each hidden state makes it."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.arrays import DAY_US, Bools, Floats, Ints
from pipeline.simulator.law import ADVANCES, PRODUCT_USE, TRIAL_DAYS, WEBINAR, Law
from pipeline.simulator.observed import Observed


@dataclass(frozen=True)
class Look:
    """n looks; shares are of a day."""

    day: Ints
    length: Floats  # of the open part seen
    whole: bool  # the day is over, so that what is reported by night is in
    alive: Bools  # some of the day was open
    fresh: Bools  # the episode began on this day
    how: Ints  # closed in what was seen: 0 no, 1 won, 2 lost, 3 disqualified
    count: Ints  # events of the lead's own
    logs: Floats  # (n, 4) log weights of these events
    facts: Floats  # (n, 4) log weights of what was noted
    tried: Bools  # product use is possible
    moved: Bools  # advanced in the funnel
    movable: Bools  # an advance was possible at the beginning of the day


def look(seen: Observed, lead: Ints, day: Ints, upto: Ints, *, whole: bool) -> Look:
    """What is known of each day up to an instant in it (µs from the start, inclusive).

    Whole days are seen up to 1 µs before midnight.
    """
    midnight = day * DAY_US
    place = seen.episodes.at(lead, upto)
    begin, close = seen.episodes.begin[place], seen.episodes.close[place]
    lo, hi = np.maximum(midnight, begin), np.minimum(upto, close)
    alive = close >= midnight
    count, logs = seen.events.between(lead, lo, hi)
    if whole:
        late, late_logs = seen.reported.between(lead, lo, hi)
        count, logs = count + late, logs + late_logs
    trial = seen.trials.latest(lead, midnight)
    reached = seen.advances.between(lead, begin, midnight - 1)[0]
    return Look(
        day=day,
        length=np.where(alive, (hi - lo) / DAY_US, 0.0),
        whole=whole,
        alive=alive,
        fresh=begin >= midnight,
        how=np.where(alive & (close <= upto), seen.episodes.how[place], 0),
        count=count,
        logs=logs,
        facts=seen.facts.between(lead, lo, hi)[1],
        tried=(trial >= 0) & (day - trial // DAY_US <= TRIAL_DAYS),
        moved=seen.advances.between(lead, lo, hi)[0] > 0,
        movable=np.where(begin < midnight, reached, 0) < len(ADVANCES),
    )


def likelihood(numbers: Law, seen: Look) -> Floats:
    """(4, B, P, n): chance density of each look by hidden column, up to a factor of each look's own."""
    result = _shown(numbers, seen)
    result *= _happened(numbers, seen)[:, None, None, :]
    result[..., ~seen.alive] = 1.0
    return result


def _shown(numbers: Law, seen: Look) -> Floats:
    """(4, B, P, n): chance of the events, or of silence."""
    rates = numbers.rates[:, : PRODUCT_USE + 1]
    always = rates[:, :WEBINAR].sum(axis=1) + (rates[:, WEBINAR] if seen.whole else 0.0)
    regime = numbers.regime[seen.day]
    total = always.T[:, regime] + seen.tried * rates[:, PRODUCT_USE].T[:, regime]
    total *= numbers.activity[seen.day] * seen.length
    factor = (numbers.burst[:, None] * numbers.pace)[..., None]
    shown = np.exp(-factor * total[:, None, None])
    some = np.flatnonzero(seen.count)
    logs = seen.logs[some].T[:, None, None] + np.log(factor) * seen.count[some]
    logs -= factor * total[:, None, None, some]
    shown[..., some] = np.exp(logs - logs.max(axis=(0, 1, 2)))
    silent = numbers.silent[:, None]
    shown *= 1 - silent
    shown += silent * (seen.count == 0)
    return np.asarray(shown)


def _happened(numbers: Law, seen: Look) -> Floats:
    """(4, n): of notes, advances, closing; on the first day of an episode a lead neither moves nor closes."""
    share = np.where(seen.fresh, 0.0, seen.length)
    won = numbers.won[:, None] * numbers.closing[seen.day]
    lost, disqualified = numbers.lost[:, None], numbers.disqualified[:, None]
    ending = [1.0 - (won + lost + disqualified) * share, won, lost, disqualified]
    advance = np.where(seen.moved, numbers.advance[:, None], 1.0 - numbers.advance[:, None] * share)
    facts = np.exp(seen.facts.T - seen.facts.max(axis=1))
    return np.asarray(np.choose(seen.how, ending) * np.where(seen.movable, advance, 1.0) * facts)
