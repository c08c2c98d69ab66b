"""Examples and their labels: which leads are looked at when, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import DAY_US, NEVER, Bools, Floats, Ints
from features.episodes import opening
from features.records import Records, known_until, owners, starts


@dataclass(frozen=True)
class Examples:
    """k examples, sorted by lead and instant. All arrays have shape (k,)."""

    lead: Ints
    as_of: Ints
    age_days: Floats
    """Days since the start of the lead's episode."""
    label: Floats
    """1 converted within the horizon, 0 not, NaN not known yet."""
    mature: Bools
    days_to_conversion: Floats
    """From `as_of` to the conversion; NaN where none came within the horizon, or has come by the present."""
    days_to_record: Floats
    """From `as_of` until the record of that conversion reached us: before that nobody knew."""

    def __len__(self) -> int:
        return len(self.lead)


@dataclass(frozen=True)
class Conversions:
    """When leads converted, sorted by lead and time."""

    at: Ints
    known: Ints
    """When their records reached us: `at` or later."""
    start: Ints
    """Shape (leads + 1,)."""

    def known_by(self, at: int) -> "Conversions":
        """Those whose records had reached us at an instant (µs): a later one may be known before an earlier one."""
        keep = self.known <= at
        return Conversions(self.at[keep], self.known[keep], starts(owners(self.start)[keep], len(self.start) - 1))


def conversions_of_stages(records: Records) -> Conversions:
    """Every entry of the conversion stage, known at once."""
    s = records.stages
    at = s.at[s.won]
    return Conversions(at, at, starts(owners(s.start)[s.won], len(records)))


def next_conversion(conversions: Conversions, lead: Ints, as_of: Ints) -> tuple[Ints, Ints]:
    """The first conversion after `as_of` (exclusive), µs, and when its record reached us, shape (k,) each; NEVER where
    there is none."""
    never = np.full(len(lead), NEVER)
    if len(conversions.at) == 0:
        return never, never
    row = known_until(conversions.at, conversions.start, lead, as_of)
    some, row = row < conversions.start[lead + 1], np.minimum(row, len(conversions.at) - 1)
    return np.where(some, conversions.at[row], never), np.where(some, conversions.known[row], never)


def at_ages(records: Records, ages_days: Sequence[float], until: int) -> tuple[Ints, Ints]:
    """(lead, as_of) at ages since the start of every episode, where the lead is open and `as_of <= until`."""
    lead, since = beginnings(records)
    ages = np.rint(np.asarray(ages_days, float) * DAY_US).astype(np.int64)
    lead, begun = np.repeat(lead, len(ages)), np.repeat(since, len(ages))
    as_of = begun + np.tile(ages, len(since))
    state = opening(records, lead, as_of)
    keep = state.open & (state.since == begun) & (as_of <= until)
    return _sorted(lead[keep], as_of[keep])


def at_instants(records: Records, instants: Sequence[int], until: int) -> tuple[Ints, Ints]:
    """(lead, as_of) at fixed instants (µs), where the lead exists, is open, and `as_of <= until`."""
    at = np.array(sorted(i for i in set(instants) if i <= until), dtype=np.int64)
    everyone = np.arange(len(records))
    there = np.zeros((len(records), len(at)), bool)
    for k, instant in enumerate(at):  # one after the other: most leads are closed, and their rows would fill the memory
        there[:, k] = opening(records, everyone, np.full(len(records), instant)).open
    lead, which = np.nonzero(there)
    return lead, at[which]


def _sorted(lead: Ints, as_of: Ints) -> tuple[Ints, Ints]:
    """By lead and instant, once each: an episode may begin at the very instant of another."""
    order = np.lexsort((as_of, lead))
    lead, as_of = lead[order], as_of[order]
    new = np.ones(len(lead), bool)
    new[1:] = (lead[1:] != lead[:-1]) | (as_of[1:] != as_of[:-1])
    return lead[new], as_of[new]


def beginnings(records: Records) -> tuple[Ints, Ints]:
    """(lead, start) of every episode: the creation, and every time that a closed lead was opened again."""
    lead, since = np.arange(len(records)), records.created
    s = records.stages
    of = owners(s.start)
    again = np.flatnonzero((s.opened == s.at) & (np.diff(s.episode, prepend=0) != 0))
    return np.concatenate([lead, of[again]]), np.concatenate([since, s.at[again]])


def labelled(
    records: Records, conversions: Conversions, lead: Ints, as_of: Ints, within_days: float, until: int
) -> Examples:
    """Of k examples, `as_of` and `until` in µs: label 1 where the lead converts in `(as_of, as_of + within_days]`; NaN
    where that is not over by `until`.

    A lead that has already converted within an unfinished horizon is not mature either: were it counted, the
    positives among the young would come without their negatives.
    """
    horizon = round(within_days * DAY_US)
    mature = as_of + horizon <= until
    at, known = next_conversion(conversions, lead, as_of)
    converted = at <= as_of + horizon
    label = np.where(mature, converted.astype(float), np.nan)
    age = (as_of - opening(records, lead, as_of).since) / DAY_US
    seen = converted & (at <= until)
    days, until_known = (np.where(seen, (t - as_of) / DAY_US, np.nan) for t in (at, known))
    return Examples(lead, as_of, age, label, mature, days, until_known)
