"""What salespeople write down of each lead: its stages, and what they learned of budget and need."""

import numpy as np
import polars as pl

from pipeline.simulator.accounts import named
from pipeline.simulator.arrays import DAY_US, Ints, epoch_us, instants
from pipeline.simulator.law import FACT_RATE, FACTS, Law
from pipeline.simulator.life import DISQUALIFIED, KINDS, LOST, TIMING, WON, Days, Moves
from pipeline.simulator.people import People, pick
from pipeline.simulator.traces import times
from pipeline.simulator.world import World

_STAGES = tuple("lost" if kind == TIMING else name for kind, name in enumerate(KINDS))
_REASONS = ("price", "competitor", "silence", "no_fit", "not_a_buyer", "timing")


def _reasons(rng: np.random.Generator, kind: Ints) -> Ints:
    """Why each lead closed: index into `_REASONS`, -1 where nothing is to be explained."""
    lost, disqualified = rng.integers(0, 3, len(kind)), rng.integers(3, 5, len(kind))
    return np.select([kind == LOST, kind == DISQUALIFIED, kind == TIMING], [lost, disqualified, 5], -1)


def draw_stages(
    rng: np.random.Generator, world: World, moves: Moves, people: People, lead_ids: pl.Series
) -> pl.DataFrame:
    """The table of the funnel, by lead and time; the lost for timing are `lost` by reason of timing."""
    order = np.lexsort((moves.at_us, moves.lead))
    lead, time, kind = moves.lead[order], moves.at_us[order], moves.kind[order]
    amount = np.where(kind == WON, people.deal[lead], np.nan)
    return pl.DataFrame(
        {
            "lead_id": lead_ids.gather(lead),
            "stage": named(_STAGES, kind),
            "entered_at": instants(time + epoch_us(world.start)),
            "amount": pl.Series(amount, nan_to_null=True),
            "reason": named(_REASONS, _reasons(rng, kind)),
        }
    )


def draw_notes(rng: np.random.Generator, law: Law, world: World, days: Days, lead_ids: pl.Series) -> pl.DataFrame:
    """History of what was learned of each lead, by lead and time."""
    entry, at = times(rng, days, rng.poisson(FACT_RATE * len(FACTS), len(days.lead)))
    field = rng.integers(0, len(FACTS), len(entry))
    values = np.empty(len(entry), dtype=np.object_)
    for code, (name, answers) in enumerate(FACTS.items()):
        mine = field == code
        chances = np.stack([law.facts[name, answer] for answer in answers], axis=1)
        values[mine] = np.array(list(answers))[pick(rng, chances[days.state[entry[mine]]])]
    table = pl.DataFrame(
        {
            "entity": pl.Series(["lead"] * len(entry), dtype=pl.String),
            "id": lead_ids.gather(days.lead[entry]),
            "field": named(tuple(FACTS), field),
            "value": pl.Series(values.tolist(), dtype=pl.String),
            "changed_at": instants(days.day[entry] * DAY_US + at + epoch_us(world.start)),
        }
    )
    return table.sort("id", "changed_at", "field")
