"""The events that leads and our own people leave behind, given the days the leads lived."""

import numpy as np
import polars as pl

from pipeline.simulator.accounts import named
from pipeline.simulator.arrays import DAY_US, Bools, Ints, epoch_us, instants
from pipeline.simulator.law import PRODUCT_USE, TOPICAL, TOPICS, TRIAL_DAYS, TRIAL_START, TYPES, WEBINAR, Law
from pipeline.simulator.life import Days
from pipeline.simulator.marks import marks
from pipeline.simulator.people import People, pick
from pipeline.simulator.world import World

SCAN_US = 10_000_000  # mail events this soon after a mail are the mail scanner's
_MAIL_RATE, _CALL_RATE = 0.06, 0.02  # a day of each open lead, whatever its state
_MAIL_OPEN, _MAIL_CLICK = TYPES.index("mail_open"), TYPES.index("mail_click")
MAIL_SENT, SALES_CALL = len(TYPES), len(TYPES) + 1
NAMES = (*TYPES, "mail_sent", "sales_call")

Batch = tuple[Ints, Ints, Ints, Ints]  # lead, µs from the start, type, topic (-1 without)


def times(rng: np.random.Generator, days: Days, counts: Ints) -> tuple[Ints, Ints]:
    """Entry and µs from midnight of `counts` events a day, at uniform times; only those in the open part."""
    entry = np.repeat(np.arange(len(counts)), counts)
    at = rng.integers(0, DAY_US, len(entry))
    inside = (at >= days.lo[entry]) & (at < days.hi[entry])
    return entry[inside], at[inside]


def _batch(rng: np.random.Generator, law: Law, days: Days, entry: Ints, at: Ints, kind: Ints) -> Batch:
    topical = np.isin(kind, [TYPES.index(name) for name in TOPICAL])
    topic = np.full(len(kind), -1)
    topic[topical] = pick(rng, law.topics.T[days.state[entry[topical]]])
    return days.lead[entry], days.day[entry] * DAY_US + at, kind, topic


def _behaviour(rng: np.random.Generator, law: Law, days: Days, people: People) -> list[Batch]:
    """What the leads did by themselves: all but product use first, since that needs a trial."""
    loud = rng.random(len(days.lead)) >= law.silent[people.pace[days.lead]]
    factor = loud * law.pace[people.pace[days.lead]] * law.burst[days.burst] * law.activity[days.day]
    rates = law.rates[:, :PRODUCT_USE]
    total = rates.sum(axis=1)
    regime = law.regime[days.day]
    entry, at = times(rng, days, rng.poisson(factor * total[regime, days.state]))
    shares = (rates / total[:, None]).transpose(0, 2, 1)
    kind = pick(rng, shares[regime[entry], days.state[entry]])
    first = _batch(rng, law, days, entry, at, kind)
    tried = _on_trial(days, first[0][kind == TRIAL_START], first[1][kind == TRIAL_START] // DAY_US)
    use = tried * factor * law.rates[regime, PRODUCT_USE, days.state]
    entry, at = times(rng, days, rng.poisson(use))
    return [first, _batch(rng, law, days, entry, at, np.full(len(entry), PRODUCT_USE))]


def _on_trial(days: Days, lead: Ints, day: Ints) -> Bools:
    """Days on which the lead's latest earlier trial is at most `TRIAL_DAYS` old."""
    span = 10**5
    starts = np.sort(lead * span + day)
    before = np.searchsorted(starts, days.lead * span + days.day, "left") - 1
    latest = np.concatenate([starts, [-(10**9)]])[before]
    recent = days.lead * span + days.day - latest <= TRIAL_DAYS
    return np.asarray(recent & (latest >= days.lead * span))


def _selling(rng: np.random.Generator, days: Days, rate: float, kind: int) -> Batch:
    """What our own people did, by working hours, whatever the state of the lead."""
    entry = np.flatnonzero(rng.random(len(days.lead)) < rate)
    at = rng.integers(7 * DAY_US // 24, 16 * DAY_US // 24, len(entry))
    inside = (at >= days.lo[entry]) & (at < days.hi[entry])
    entry, at = entry[inside], at[inside]
    return days.lead[entry], days.day[entry] * DAY_US + at, np.full(len(entry), kind), np.full(len(entry), -1)


def _scans(rng: np.random.Generator, people: People, mails: Batch) -> Batch:
    """An open, then 3 to 6 clicks within 5 seconds of each mail to a scanned account."""
    lead, time, _, _ = (part[people.scanned[mails[0]]] for part in mails)
    clicks = rng.integers(3, 7, len(lead))
    entry = np.repeat(np.arange(len(lead)), clicks)
    click_at = time[entry] + rng.integers(2_000_000, 5_000_000, len(entry))
    kind = np.concatenate([np.full(len(lead), _MAIL_OPEN), np.full(len(entry), _MAIL_CLICK)])
    topic = np.concatenate([np.full(len(lead), -1), rng.integers(0, len(TOPICS), len(entry))])
    return np.concatenate([lead, lead[entry]]), np.concatenate([time + 1_000_000, click_at]), kind, topic


def scanned(lead: Ints, time: Ints, sent: Bools) -> Bools:
    """Rows (by lead and time) up to `SCAN_US` after the lead's latest mail; the mails themselves too."""
    place = np.maximum.accumulate(np.where(sent, np.arange(len(lead)), -1))
    mine = (place >= 0) & (lead[place] == lead)
    return np.asarray(mine & (time - time[place] <= SCAN_US))


def draw_events(
    rng: np.random.Generator, law: Law, world: World, days: Days, people: People, lead_ids: pl.Series
) -> pl.DataFrame:
    """The table of events, by lead and time: what was known by the end of the world."""
    behaviour = _behaviour(rng, law, days, people)
    mails, calls = _selling(rng, days, _MAIL_RATE, MAIL_SENT), _selling(rng, days, _CALL_RATE, SALES_CALL)
    parts = [*(_apart(part, mails) for part in behaviour), mails, calls, _scans(rng, people, mails)]
    lead, time, kind, topic = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((time, lead))
    return _event_table(rng, world, lead_ids, (lead[order], time[order], kind[order], topic[order]))


def _apart(own: Batch, mails: Batch) -> Batch:
    """A person's own click is never as quick as a scanner's: one that would be comes later."""
    lead, time, kind, topic = own
    mail = marks(mails[0], mails[1]).latest(lead, time + 1)
    quick = np.isin(kind, [_MAIL_OPEN, _MAIL_CLICK]) & (mail >= 0) & (time - mail <= SCAN_US)
    return lead, np.where(quick, time + 2 * SCAN_US, time), kind, topic


def _event_table(rng: np.random.Generator, world: World, lead_ids: pl.Series, batch: Batch) -> pl.DataFrame:
    lead, time, kind, topic = batch
    late = np.where(kind == WEBINAR, (time // DAY_US + 1) * DAY_US, time)
    slow = (kind == SALES_CALL) & (rng.random(len(kind)) < 0.3)  # logged when there is time
    late = np.where(slow, time + rng.integers(DAY_US // 24, 3 * DAY_US, len(kind)), late)
    minutes = rng.integers(2, 60, len(kind)).astype(np.float64)
    minutes[~np.isin(kind, [WEBINAR, PRODUCT_USE, SALES_CALL])] = np.nan
    zero = epoch_us(world.start)
    table = pl.DataFrame(
        {
            "lead_id": lead_ids.gather(lead),
            "occurred_at": instants(time + zero),
            "type": named(NAMES, kind),
            "topic": named(TOPICS, topic),
            "value": pl.Series(minutes, nan_to_null=True),
            "event_id": "E" + lead_ids.gather(lead) + "-" + _ordinal(lead).cast(pl.String),
            "available_at": instants(late + zero).set(pl.Series(late == time), None),
        }
    )
    return table.filter(pl.Series(late <= world.days * DAY_US))


def _ordinal(lead: Ints) -> pl.Series:
    """0, 1, 2, … within each lead of a sorted column."""
    return pl.Series(np.arange(len(lead)) - np.searchsorted(lead, lead))
