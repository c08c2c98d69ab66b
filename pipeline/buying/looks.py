"""Accounts at instants: their open leads, whether any lead of theirs converts in time, and who is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import DAY_US, NEVER, Bools, Floats, Ints, ranges
from features.colleagues import ACTIVE_US, silence
from features.plan import Plan
from features.records import Records, known_events, owners
from models.bundle.accounts import Looks, looks
from models.bundle.roles import by_account, roles
from models.learning import labels
from models.learning.labels import Conversions
from pipeline.assembly.records import records_of, with_known_outcomes
from pipeline.assembly.values import Tables, instant_us
from pipeline.outcomes.conversions import closing_when_it_happened, conversions
from pipeline.params import Definition


@dataclass(frozen=True)
class Book:
    """All accounts with what is known of them; leads without an account are in no look."""

    records: Records
    order: pl.DataFrame
    plan: Plan
    named: Bools
    """Shape (leads,): has an account."""
    until: int
    horizon: int
    """µs."""


@dataclass(frozen=True)
class Past(Book):
    """With what became of the leads."""

    conversions: Conversions


@dataclass(frozen=True)
class Look:
    """The open leads of accounts at instants, shape (k,) each, and their looks, numbered by `look`."""

    lead: Ints
    as_of: Ints
    look: Ints
    account: Ints
    """Of each look, shape (n,), …"""
    at: Ints
    """… and its instant, µs."""

    def looks(self, log_odds: Floats) -> Looks:
        """Of the calibrated log odds of the open leads (k,)."""
        return looks(log_odds, self.look, len(self.account))

    def take(self, keep: Bools) -> "Look":
        """Only some of the open leads (k,)."""
        return gathered(self.lead[keep], self.as_of[keep], self.account[self.look][keep])


def book(tables: Tables, plan: Plan, definition: Definition, until: datetime) -> Book:
    """By what was known at `until`. Leads whose outcome was refused are left out."""
    kept = with_known_outcomes(tables)
    records, order = records_of(closing_when_it_happened(kept, definition, until), plan)
    named = order["account_id"].is_not_null().to_numpy()
    return Book(records, order, plan, named, instant_us(until), round(definition.conversion.within_days * DAY_US))


def past(tables: Tables, plan: Plan, definition: Definition, until: datetime) -> Past:
    """The same with conversions. Raises Stop where they are events and there is none."""
    found = book(tables, plan, definition, until)
    won = conversions(found.records, tables, found.order, definition.conversion, found.until)
    return Past(**vars(found), conversions=won)


def account_names(found: Book) -> list[str]:
    """The id of each account by its number; empty for a lead that has none."""
    return found.order["account_id"].gather(found.records.account_start[:-1]).fill_null("").to_list()


def look_at(found: Book, instants: Sequence[int]) -> Look:
    """The open leads of accounts at instants (µs)."""
    lead, as_of = labels.at_instants(found.records, instants, found.until)
    keep = found.named[lead]
    return gathered(lead[keep], as_of[keep], found.records.account[lead[keep]])


def gathered(lead: Ints, as_of: Ints, account: Ints) -> Look:
    """Looks in the order of instant and account."""
    instants, place = np.unique(as_of, return_inverse=True)
    accounts = int(account.max(initial=0)) + 1
    pairs, look = np.unique(place * accounts + account, return_inverse=True)
    return Look(lead, as_of, look, pairs % accounts, instants[pairs // accounts])


def converts(found: Past, look: Look, by: int) -> Floats:
    """Whether any lead of the account, also one that is yet to come, converts within the horizon, by what was known
    at `by` (µs); shape (n,)."""
    row, lead = _leads_of(found, look.account)
    at, _ = labels.next_conversion(found.conversions.known_by(by), lead, look.at[row])
    came = at <= look.at[row] + found.horizon
    return np.asarray(np.bincount(row, came, minlength=len(look.account)) > 0, dtype=np.float64)


def open_lead_converts(found: Past, look: Look) -> Bools:
    """Whether one of the leads that are open at the look does; shape (n,)."""
    at, _ = labels.next_conversion(found.conversions, look.lead, look.as_of)
    inside = (at <= look.as_of + found.horizon) & (at <= found.until)
    return np.asarray(np.bincount(look.look, inside, minlength=len(look.account)) > 0)


def _leads_of(found: Book, account: Ints) -> tuple[Ints, Ints]:
    """(number of the look, lead) of every lead of some accounts."""
    start = found.records.account_start
    count = start[account + 1] - start[account]
    return np.repeat(np.arange(len(account)), count), ranges(start[account], count)


def people(found: Book, look: Look) -> tuple[Ints, Ints]:
    """How many people of each role are known, and active, at each look: (n, ROLES) each."""
    row, lead = _leads_of(found, look.account)
    at = look.at[row]
    there = found.records.created[lead] <= at
    row, lead, at = row[there], lead[there], at[there]
    had = roles(found.records, found.plan, lead, at)
    known = by_account(had, row, len(look.account))
    return known, by_account(had & _active(found.records, lead, at)[:, None], row, len(look.account))


def _active(r: Records, lead: Ints, at: Ints) -> Bools:
    count, pick = known_events(r.events, lead, at)
    return np.asarray(silence(np.repeat(at, count) - r.events.occurred[pick], count) < ACTIVE_US)


def first_wins(found: Past, by: int) -> Ints:
    """The first conversion of each account that was known at `by` (µs), µs; NEVER where there is none."""
    wins = np.full(len(found.records.account_start) - 1, NEVER)
    known = found.conversions.known_by(by)
    np.minimum.at(wins, found.records.account[owners(known.start)], known.at)
    return wins
