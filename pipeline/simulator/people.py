"""Draws leads: what the tables show of them, and who they are beneath it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.simulator.accounts import Accounts, named
from pipeline.simulator.arrays import DAY_US, Bools, Floats, Ints, epoch_us, ids, instants
from pipeline.simulator.fit import (
    DOMAIN_SHARE,
    DOMAINS,
    DRIFT_SOURCE_SHARE,
    FUNCTION_SHARE,
    SENIORITY_SHARE,
    SOURCE_SHARE,
    SOURCES,
    buyer_chance,
    pace_chances,
)
from pipeline.simulator.law import law
from pipeline.simulator.titles import FORMS, title
from pipeline.simulator.world import World

_MISSING_TITLE, _MISSING_DOMAIN, _VALUED, _OBJECTED = 0.10, 0.05, 0.15, 0.005


@dataclass(frozen=True)
class People:
    """One entry a lead, by account and creation; all but the first three are hidden."""

    number: Ints
    account: Ints  # index into the accounts
    created_us: Ints  # µs from the start of the world
    pace: Ints
    buyer: Bools
    project_day: Ints
    scanned: Bools
    deal: Floats  # what a sale to it would bring

    def __len__(self) -> int:
        """Entries."""
        return len(self.number)


def pick(rng: np.random.Generator, chances: Floats) -> Ints:
    """One column of each row of `chances` (n, levels), drawn by its chances."""
    return np.asarray((chances.cumsum(axis=1)[:, :-1] < rng.random(len(chances))[:, None]).sum(axis=1))


def _titles(rng: np.random.Generator, accounts: Accounts, account: Ints, seniority: Ints, function: Ints) -> list[str]:
    """Titles in the language of the country, or in English."""
    local = rng.random(len(account)) < 0.6
    form = rng.integers(0, FORMS, len(account))
    shout = rng.random(len(account)) < 0.05
    language = np.where(local, np.choose(accounts.country[account].clip(-1, 2) + 1, [0, 1, 2, 0]), 0)
    names = ("en", "fi", "sv")
    rows = zip(language.tolist(), seniority.tolist(), function.tolist(), form.tolist(), shout.tolist(), strict=True)
    written = ((title(names[lang], sen, fun, way), loud) for lang, sen, fun, way, loud in rows)
    return [text.upper() if loud else text for text, loud in written]


def draw_people(
    rng: np.random.Generator, world: World, accounts: Accounts, account: Ints, created_us: Ints, start: int
) -> tuple[People, pl.DataFrame]:
    """The leads created then, numbered from `start`, and their table."""
    count = len(account)
    seniority = rng.choice(len(SENIORITY_SHARE), count, p=SENIORITY_SHARE)
    function = rng.choice(len(FUNCTION_SHARE), count, p=FUNCTION_SHARE)
    titles = pl.Series(_titles(rng, accounts, account, seniority, function), dtype=pl.String)
    untitled = rng.random(count) < _MISSING_TITLE
    seniority, function = np.where(untitled, -1, seniority), np.where(untitled, -1, function)
    late = law(world).regime[created_us // DAY_US]
    source = pick(rng, np.stack([SOURCE_SHARE, DRIFT_SOURCE_SHARE])[late])
    domain = np.where(rng.random(count) < _MISSING_DOMAIN, -1, rng.choice(len(DOMAINS), count, p=DOMAIN_SHARE))
    deal = np.exp(rng.normal(7.5, 0.6, count) + 0.45 * np.log(accounts.size[account]))
    people = People(
        number=np.arange(start, start + count),
        account=account,
        created_us=created_us,
        pace=pick(rng, pace_chances(seniority)),
        buyer=rng.random(count) < buyer_chance(world, seniority, function, source, domain),
        project_day=accounts.project_day[account],
        scanned=accounts.scanning[account],
        deal=np.asarray(np.round(deal, -2) + 100, dtype=np.float64),
    )
    guess = np.round(people.deal * np.exp(rng.normal(0, 0.4, count)), -2)
    valued = rng.random(count) < _VALUED
    nameless = ~accounts.listed[account] & (accounts.leads[account] == 1)
    table = pl.DataFrame(
        {
            "lead_id": ids("L", people.number),
            "account_id": ids("A", accounts.number[account]).set(pl.Series(nameless), None),
            "created_at": instants(created_us + epoch_us(world.start)),
            "source": named(SOURCES, source),
            "campaign": pl.Series([f"c{number:02d}" for number in rng.integers(0, 20, count)], dtype=pl.String),
            "job_title": titles.set(pl.Series(untitled), None),
            "email_domain_kind": named(DOMAINS, domain),
            "value": pl.Series(np.where(valued, guess, np.nan), nan_to_null=True),
            "objected": rng.random(count) < _OBJECTED,
        }
    )
    return people, table
