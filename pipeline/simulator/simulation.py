"""Writes an imagined company: its tables, and beside them the truth about each of its leads."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.errors import Stop
from pipeline.files import whole_folder
from pipeline.simulator.accounts import account_tables, draw_accounts, draw_creations
from pipeline.simulator.ahead import ahead
from pipeline.simulator.arrays import DAY_US, epoch_us, instants
from pipeline.simulator.broken import plant
from pipeline.simulator.law import law
from pipeline.simulator.life import walk
from pipeline.simulator.observed import observe
from pipeline.simulator.people import draw_people
from pipeline.simulator.records import draw_notes, draw_stages
from pipeline.simulator.traces import draw_events
from pipeline.simulator.truth import probability
from pipeline.simulator.world import World

BLOCK = 1_000  # accounts drawn from one seed; whatever the rest, a block is the same
NAMES = ("leads", "accounts", "events", "stages", "history")
TRUTH, BROKEN = "truth/truth.parquet", "truth/broken.json"
WRITTEN = {*(f"{name}.parquet" for name in NAMES), TRUTH, BROKEN}
"""All the files of a simulation."""


def draw_block(world: World, seed: int, block: int, first_lead: int, most: int) -> dict[str, pl.DataFrame]:
    """Tables of one block of accounts, with leads numbered from `first_lead`, `most` at most."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, block]))
    accounts = draw_accounts(rng, world, block * BLOCK, BLOCK)
    account, created = (part[:most] for part in draw_creations(rng, world, accounts))
    people, leads = draw_people(rng, world, accounts, account, created, first_lead)
    table, sizes = account_tables(rng, world, accounts, np.unique(account))
    numbers = law(world)
    days, moves = walk(rng, numbers, world, people)
    lead_ids = leads["lead_id"]
    notes = draw_notes(rng, numbers, world, days, lead_ids)
    return {
        "leads": leads,
        "accounts": table,
        "events": draw_events(rng, numbers, world, days, people, lead_ids),
        "stages": draw_stages(rng, world, moves, people, lead_ids),
        "history": pl.concat([sizes, notes]),
    }


def blocks_of(world: World, leads: int, seed: int) -> Iterator[dict[str, pl.DataFrame]]:
    """Tables of each block of accounts in turn, nothing in them broken, until there are `leads` leads."""
    done = block = 0
    while done < leads:
        tables = draw_block(world, seed, block, done, leads - done)
        done += len(tables["leads"])
        block += 1
        yield tables


def truth_of(
    tables: dict[str, pl.DataFrame], world: World, ages_days: Sequence[float], within_days: int
) -> pl.DataFrame:
    """The exact probability of each lead at each age of each of its episodes, while open."""
    seen = observe(tables, world)
    ages = np.round(np.array(ages_days, dtype=np.float64) * DAY_US).astype(np.int64)
    begins = seen.episodes.begin
    lead = np.repeat(np.arange(len(seen.created)), np.diff(seen.episodes.first))
    at = (begins[:, None] + ages).ravel()
    closes = np.repeat(seen.episodes.close, len(ages))
    lead = np.repeat(lead, len(ages))
    open_then = (at < closes) & (at <= world.days * DAY_US)
    lead, at = lead[open_then], at[open_then]
    return pl.DataFrame(
        {
            "lead_id": seen.lead_ids.gather(lead),
            "as_of": instants(at + epoch_us(world.start)),
            "probability": probability(seen, world, lead, at, ahead(world, within_days)),
        }
    )


def simulate(
    out: Path,
    world: World,
    leads: int,
    seed: int,
    ages_days: Sequence[float],
    within_days: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the tables of `leads` leads under `out`, and under `out/truth` their exact probabilities.

    Written whole or not at all; an earlier simulation there is replaced. Memory does not grow with the number
    of leads: accounts are drawn block by block. `progress` is told the leads done and the leads to do.

    Raises:
        Stop: `out` holds something that is no simulation, or its disk is full or not ours.
        ValueError: a number is out of range.
    """
    if leads < 1:
        raise ValueError(f"leads: expected at least 1, got {leads}")
    _check_replaceable(out)
    with whole_folder(out) as folder:
        _write(folder, world, leads, seed, ages_days, within_days, progress)


def _write(
    folder: Path,
    world: World,
    leads: int,
    seed: int,
    ages_days: Sequence[float],
    within_days: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    done = 0
    (folder / "truth").mkdir()
    counts: dict[str, dict[str, int]] = {}
    for block, tables in enumerate(blocks_of(world, leads, seed)):
        truth = truth_of(tables, world, ages_days, within_days)
        done += len(tables["leads"])
        if world.broken and done == leads:
            tables, counts = plant(tables, world, leads, seed)
        for name, table in (*tables.items(), ("truth", truth)):
            table.write_parquet(_part(folder, name, block))
        if progress is not None:
            progress(done, leads)
    for name in NAMES:
        _join(folder, name, folder / f"{name}.parquet")
    _join(folder, "truth", folder / TRUTH)
    (folder / BROKEN).write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n")


def _part(folder: Path, name: str, block: int) -> Path:
    return folder / f"{name}.{block:06d}.part"


def _join(folder: Path, name: str, whole: Path) -> None:
    """One file from its parts, in their order, without holding it in memory."""
    parts = sorted(folder.glob(f"{name}.*.part"))
    pl.scan_parquet(parts, glob=False).sink_parquet(whole, compression="zstd")
    for part in parts:
        part.unlink()


def _check_replaceable(out: Path) -> None:
    """Raise Stop rather than replace what somebody else made."""
    there = [out] if out.is_file() else [path for path in out.rglob("*") if not path.is_dir()]
    foreign = sorted(path for path in there if path.relative_to(out).as_posix() not in WRITTEN)
    if foreign:
        raise Stop(
            f"{out}: expected nothing or an earlier simulation, which is replaced whole, found {foreign[0]};"
            " move it away, or simulate into another folder"
        )
