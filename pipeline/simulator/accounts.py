"""Draws companies: what the tables show of them, and whether and when they have a project."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.simulator.arrays import DAY_US, Bools, Floats, Ints, epoch_us, ids, instants
from pipeline.simulator.fit import (
    COUNTRIES,
    COUNTRY_SHARE,
    INDUSTRIES,
    INDUSTRY_SHARE,
    LOG_SIZE,
    LOG_SIZE_SPREAD,
    project_chance,
)
from pipeline.simulator.law import law
from pipeline.simulator.world import World

NO_PROJECT = 10**6  # a day after every calendar
_LEADS_SHARE = np.array([0.36, 0.24, 0.16, 0.10, 0.07, 0.04, 0.03])  # of accounts with 1, 2, … leads
_GAP_DAYS = 40.0  # mean, between one lead of an account and the next
_UNLISTED, _SCANNING, _GROWING = 0.04, 0.12, 0.2  # shares of accounts
_MISSING = {"industry": 0.05, "country": 0.03, "employees": 0.08}


@dataclass(frozen=True)
class Accounts:
    """One entry an account; the last two are hidden."""

    number: Ints
    first_us: Ints  # creation of its first lead
    leads: Ints
    listed: Bools  # has a row in the table
    industry: Ints  # -1 missing
    country: Ints  # -1 missing
    employees: Floats  # when its first lead came; NaN missing
    size: Floats  # the true number of employees, missing or not
    scanning: Bools  # its mail server opens every link
    project_day: Ints  # NO_PROJECT without

    def __len__(self) -> int:
        """Entries."""
        return len(self.number)


def _coded(rng: np.random.Generator, share: Floats, missing: float, listed: Bools) -> Ints:
    codes = rng.choice(len(share), len(listed), p=share)
    return np.where((rng.random(len(listed)) < missing) | ~listed, -1, codes)


def draw_accounts(rng: np.random.Generator, world: World, start: int, count: int) -> Accounts:
    """`count` companies numbered from `start`."""
    listed = rng.random(count) >= _UNLISTED
    industry = _coded(rng, INDUSTRY_SHARE, _MISSING["industry"], listed)
    country = _coded(rng, COUNTRY_SHARE, _MISSING["country"], listed)
    size = np.maximum(1.0, np.round(np.exp(rng.normal(LOG_SIZE, LOG_SIZE_SPREAD, count))))
    unknown = (rng.random(count) < _MISSING["employees"]) | ~listed
    employees = np.where(unknown, np.nan, size)
    first = rng.integers(0, world.days * DAY_US, count)
    drifted = law(world).regime[first // DAY_US]
    has = rng.random(count) < project_chance(world, industry, country, employees, drifted)
    begins = first // DAY_US + rng.choice(np.array(world.starts), count)
    return Accounts(
        number=np.arange(start, start + count),
        first_us=first,
        leads=1 + rng.choice(len(_LEADS_SHARE), count, p=_LEADS_SHARE),
        listed=listed,
        industry=industry,
        country=country,
        employees=employees,
        size=size,
        scanning=rng.random(count) < _SCANNING,
        project_day=np.where(has, begins, NO_PROJECT),
    )


def draw_creations(rng: np.random.Generator, world: World, accounts: Accounts) -> tuple[Ints, Ints]:
    """Account and creation (µs from the start) of each lead, by account and time; independent of projects."""
    account = np.repeat(np.arange(len(accounts)), accounts.leads)
    first = np.concatenate([[True], account[1:] != account[:-1]])
    gap = np.where(first, 0, (rng.exponential(_GAP_DAYS, len(account)) * DAY_US).astype(np.int64))
    since = np.cumsum(gap)
    created = accounts.first_us[account] + since - since[first][account]
    inside = created < world.days * DAY_US
    return account[inside], created[inside]


def account_tables(
    rng: np.random.Generator, world: World, accounts: Accounts, used: Ints
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of the accounts in `used`, with today's employees, and their history of employees."""
    keep = used[accounts.listed[used]]
    known = ~np.isnan(accounts.employees[keep])
    grown = np.maximum(1.0, np.round(accounts.size[keep] * np.exp(rng.normal(0.15, 0.2, len(keep)))))
    at = accounts.first_us[keep] + (rng.exponential(250.0, len(keep)) * DAY_US).astype(np.int64)
    grows = known & (rng.random(len(keep)) < _GROWING) & (at < world.days * DAY_US)
    now = np.where(grows, grown, accounts.employees[keep])
    founded = rng.integers(1950, 2023, len(keep))
    number = ids("A", accounts.number[keep])
    table = pl.DataFrame(
        {
            "account_id": number,
            "industry": named(INDUSTRIES, accounts.industry[keep]),
            "employees": pl.Series(now, nan_to_null=True).cast(pl.Int64),
            "country": named(COUNTRIES, accounts.country[keep]),
            "founded": founded,
        }
    )
    zero = epoch_us(world.start)
    before = employees_history(
        number.filter(pl.Series(known)), accounts.size[keep][known], accounts.first_us[keep][known] + zero
    )
    after = employees_history(number.filter(pl.Series(grows)), grown[grows], at[grows] + zero)
    return table, pl.concat([before, after])


def employees_history(account_id: pl.Series, employees: Floats, at_us: Ints) -> pl.DataFrame:
    """Rows of `history`: so many employees from then on (µs since 1970)."""
    return pl.DataFrame(
        {
            "entity": pl.Series(["account"] * len(at_us), dtype=pl.String),
            "id": account_id,
            "field": pl.Series(["employees"] * len(at_us), dtype=pl.String),
            "value": pl.Series(employees.astype(np.int64)).cast(pl.String),
            "changed_at": instants(at_us),
        }
    )


def named(levels: tuple[str, ...], codes: Ints) -> pl.Series:
    """Codes as words; -1 as null."""
    return pl.Series(levels, dtype=pl.String).gather(
        pl.Series(np.where(codes < 0, len(levels), codes)), null_on_oob=True
    )
