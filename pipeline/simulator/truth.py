"""The exact probability that a lead is won, given all that can be seen of its account."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.simulator.ahead import BUYER_OUT, READER_OUT, Ahead, ahead
from pipeline.simulator.arrays import DAY_US, Floats, Ints, epoch_us
from pipeline.simulator.beliefs import project_days
from pipeline.simulator.forward import Questions, ask
from pipeline.simulator.law import READER, RECYCLABLE, law
from pipeline.simulator.observed import Observed, Tables, observe
from pipeline.simulator.world import World

_EXAMPLES = 10_000  # looked into at once, about; bounds the memory


def true_probability(
    tables: Tables,
    world: World,
    lead_ids: Sequence[str] | pl.Series,
    as_of: npt.NDArray[np.datetime64],
    within_days: int,
) -> Floats:
    """Chance that each lead enters `won` in (as_of, as_of + within_days], given every row known at `as_of`.

    `as_of` is in UTC, one instant a lead; NaN where the lead does not exist or is not open then. The tables
    may hold later rows: they are not looked at. They must hold whole accounts and no broken rows. Nothing
    but the tables and the world's parameters is used. Exact, but within 20 s after a mail sent to the lead.

    Raises:
        ValueError: a lead that is not in the tables.
    """
    seen = observe(tables, world)
    places = pl.DataFrame({"lead_id": seen.lead_ids, "place": np.arange(len(seen.lead_ids))})
    wanted = pl.DataFrame({"lead_id": pl.Series(lead_ids, dtype=pl.String)})
    place = wanted.join(places, on="lead_id", how="left", maintain_order="left")["place"]
    if place.null_count():
        first = wanted["lead_id"].filter(place.is_null())[0]
        raise ValueError(f"{first}: no such lead in `leads` ({place.null_count()} unknown); give the tables it is in")
    at = np.asarray(as_of).astype("datetime64[us]").astype(np.int64) - epoch_us(world.start)
    return probability(seen, world, place.to_numpy().astype(np.int64), at, ahead(world, within_days))


def probability(seen: Observed, world: World, lead: Ints, at: Ints, future: Ahead) -> Floats:
    """The same for places of leads and µs from the start of the world."""
    result = np.full(len(lead), np.nan)
    exists = (at >= seen.created[lead]) & (at <= world.days * DAY_US)
    episode = seen.episodes.at(lead, np.maximum(at, seen.created[lead]))
    order = np.flatnonzero(exists & (seen.episodes.close[episode] > at))
    order = order[np.argsort(seen.account[lead[order]], kind="stable")]
    for part in np.split(order, _cuts(seen.account[lead[order]])):
        if len(part):
            result[part] = _tied(seen, world, lead[part], at[part], future)
    return result


def _cuts(account: Ints) -> Ints:
    """Where to cut a sorted column so that the parts hold whole accounts and about `_EXAMPLES` each."""
    ends = np.flatnonzero(np.diff(account)) + 1
    return np.asarray(ends[np.diff(ends // _EXAMPLES, prepend=0) > 0])


def _tied(seen: Observed, world: World, lead: Ints, at: Ints, future: Ahead) -> Floats:
    """Combine each lead's own states with the evidence of its colleagues who had come by then."""
    account = seen.account[lead]
    counts = seen.members[account + 1] - seen.members[account]
    example = np.repeat(np.arange(len(lead)), counts)
    member = np.arange(len(example)) + np.repeat(seen.members[account] - (counts.cumsum() - counts), counts)
    present = seen.created[member] <= at[example]
    example, member = example[present], member[present]
    answers = ask(seen, world, Questions(member, at[example], member == lead[example]))
    with np.errstate(divide="ignore"):
        logs = np.log(answers.evidence)
    heads = np.flatnonzero(np.diff(example, prepend=-1))
    total = np.add.reduceat(logs, heads, axis=1) + np.log(_prior(seen, world)[:, account])
    weight = np.exp(total - total.max(axis=0))
    share = answers.states / answers.states.sum(axis=0)
    wins = (share * _winning(seen, world, lead, at, future)).sum(axis=0)
    return np.asarray((weight * wins).sum(axis=0) / weight.sum(axis=0))


def _prior(seen: Observed, world: World) -> Floats:
    """(Z, accounts): chances of each beginning of a project, and last of none."""
    count = len(world.starts)
    return np.concatenate([np.repeat(seen.project[None] / count, count, axis=0), 1 - seen.project[None]])


def _winning(seen: Observed, world: World, lead: Ints, at: Ints, future: Ahead) -> Floats:
    """(4, Z, n): chance of winning within the horizon of leads open at `at`, by hidden column and project."""
    numbers = law(world)
    day = at // DAY_US
    share = (at - day * DAY_US) / DAY_US
    ended = future.after(day, share, project_days(seen, world, lead))
    out = np.stack([ended[BUYER_OUT]] * READER + [ended[READER_OUT]])
    won = (numbers.won[:, None] * numbers.closing[day])[:, None]
    lost, disqualified = numbers.lost[:, None, None], numbers.disqualified[:, None, None]
    closes = won + lost + disqualified
    rest = won * (1 - share) + (1 - closes) * ended[: READER + 1] + lost * RECYCLABLE * (1 - share) * out
    fresh = seen.episodes.begin[seen.episodes.at(lead, at)] >= day * DAY_US
    return np.where(fresh, ended[: READER + 1], rest / (1 - closes * share))
