"""The numbers of a world: how hidden states move, what they show and when leads close.

Columns of every table over hidden states are, in order: unaware, evaluating, deciding (of buyers), reader.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.simulator.arrays import Floats, Ints
from pipeline.simulator.seasons import activity, closing, regime
from pipeline.simulator.world import World

TYPES = (
    "mail_open",
    "mail_click",
    "page_view",
    "pricing_view",
    "download",
    "demo_request",
    "trial_start",
    "webinar",  # reported by night: known from the next midnight on
    "product_use",  # only in the 30 days after a trial_start, from the next day on
)
WEBINAR, PRODUCT_USE, TRIAL_START = (
    TYPES.index("webinar"),
    TYPES.index("product_use"),
    TYPES.index("trial_start"),
)
TOPICAL = ("mail_click", "page_view", "download", "webinar")
TOPICS = ("product", "trends", "careers", "integration", "security", "migration", "contract")
ADVANCES = ("mql", "sql", "opportunity")
CLOSINGS = ("won", "lost", "disqualified")
TRIAL_DAYS = 30
READER = 3

# Events a day that is not silent, of a person of pace 1.
_RATES = np.array(
    [
        [0.060, 0.130, 0.170, 0.110],
        [0.012, 0.050, 0.080, 0.040],
        [0.050, 0.280, 0.420, 0.190],
        [0.003, 0.040, 0.280, 0.015],
        [0.005, 0.045, 0.040, 0.040],
        [0.0005, 0.005, 0.060, 0.0015],
        [0.0006, 0.007, 0.030, 0.0025],
        [0.004, 0.014, 0.010, 0.020],
        [0.150, 0.400, 0.700, 0.200],
    ]
)
_TOPICS = np.array(
    [
        [0.30, 0.25, 0.18, 0.24],
        [0.28, 0.13, 0.07, 0.24],
        [0.13, 0.06, 0.03, 0.17],
        [0.11, 0.22, 0.20, 0.13],
        [0.08, 0.14, 0.18, 0.10],
        [0.06, 0.14, 0.15, 0.06],
        [0.04, 0.06, 0.19, 0.06],
    ]
)
# What a salesperson notes; asked at a rate that tells nothing, answered in a way that does.
FACTS: dict[str, dict[str, tuple[float, float, float, float]]] = {
    "budget": {
        "0": (0.45, 0.25, 0.10, 0.50),
        "5000": (0.30, 0.30, 0.20, 0.30),
        "20000": (0.17, 0.30, 0.40, 0.14),
        "80000": (0.08, 0.15, 0.30, 0.06),
    },
    "authority": {
        "user": (0.40, 0.35, 0.25, 0.60),
        "influencer": (0.35, 0.35, 0.35, 0.30),
        "decision_maker": (0.25, 0.30, 0.40, 0.10),
    },
    "need": {
        "low": (0.50, 0.20, 0.10, 0.50),
        "medium": (0.35, 0.45, 0.35, 0.35),
        "high": (0.15, 0.35, 0.55, 0.15),
    },
    "timeline": {
        "none": (0.60, 0.30, 0.12, 0.65),
        "year": (0.25, 0.35, 0.23, 0.22),
        "quarter": (0.10, 0.25, 0.35, 0.09),
        "month": (0.05, 0.10, 0.30, 0.04),
    },
    "competitor": {
        "none": (0.70, 0.45, 0.35, 0.70),
        "in_house": (0.20, 0.25, 0.25, 0.20),
        "rival": (0.10, 0.30, 0.40, 0.10),
    },
}
FACT_RATE = 0.012  # a day and field, while the lead is open
RECYCLABLE = 0.45  # share of the lost whose reason is timing
RECYCLED = 0.012  # chance a day that a lead lost for timing is taken up again

# Chances a day, by hidden state, on a day that is not the first of an episode.
_WON = np.array([0.00003, 0.0006, 0.0320, 0.00003])
_LOST = np.array([0.0045, 0.0040, 0.0060, 0.0045])
_DISQUALIFIED = np.array([0.0020, 0.0010, 0.0005, 0.0065])
_ADVANCE = np.array([0.010, 0.017, 0.026, 0.010])
_IDLE = np.array([[0.9982, 0.0017, 0.0001], [0.040, 0.958, 0.002], [0.010, 0.030, 0.960]])
_ACTIVE = np.array([[0.950, 0.049, 0.001], [0.004, 0.958, 0.038], [0.001, 0.010, 0.989]])
_FIRST = np.array([[0.955, 0.04, 0.005], [0.45, 0.40, 0.15]])  # idle, active
_SWITCH = np.array([[0.92, 0.08], [0.22, 0.78]])  # bursts: off, on


@dataclass(frozen=True)
class Law:
    """Compiled numbers of a world: S = 4 hidden columns, B burst states, P paces. Rates, chances: a day's."""

    pace: Floats  # (P,) factor on all rates
    silent: Floats  # (P,) chance that a day is silent whatever the state
    burst: Floats  # (B,) factor on all rates
    switch: Floats  # (B, B)
    calm: Floats  # (B,) the stationary law of bursts
    rates: Floats  # (2, types, S) before and in the drift
    topics: Floats  # (topics, S)
    facts: dict[tuple[str, str], Floats]  # (field, value): (S,)
    move: Floats  # (2, 3, 3) without and with a running project
    first: Floats  # (2, 3)
    won: Floats  # (S,) before the factor of the day
    lost: Floats  # (S,)
    disqualified: Floats  # (S,)
    advance: Floats  # (S,)
    activity: Floats  # (days + 1,) factor on rates of the day
    regime: Ints  # (days + 1,) 1 in the drift
    closing: Floats  # (days + 1 + 400,) factor on winning of the day


def _blunt(table: Floats, keep: float) -> Floats:
    """Rows drawn together towards their geometric mean: contrasts to the power `keep`."""
    middle = np.exp(np.log(table).mean(axis=-1, keepdims=True))
    return np.asarray(middle * (table / middle) ** keep)


def _share(table: Floats) -> Floats:
    return np.asarray(table / table.sum(axis=0))


def _rates(world: World) -> Floats:
    before = _blunt(_RATES, 0.6) if world.noise == "noisy" else _RATES
    after = before.copy()
    if world.drift:  # a mail client that opens everything, a pricing page moved, a trial on every page
        after *= np.array([2.0, 0.8, 1.2, 0.5, 1.0, 0.8, 2.0, 0.6, 1.0])[:, None]
    return np.stack([before, after])


def _facts(keep: float) -> dict[tuple[str, str], Floats]:
    found: dict[tuple[str, str], Floats] = {}
    for field, answers in FACTS.items():
        table = _share(_blunt(np.array(list(answers.values())), keep))
        found |= {(field, value): row for value, row in zip(answers, table, strict=True)}
    return found


def _outcomes(world: World) -> tuple[Floats, Floats, Floats]:
    """Chances of winning, losing and disqualifying; one for all states where there is no signal."""
    if world.signal:
        return _WON, _LOST, _DISQUALIFIED
    return np.full(4, 0.0008), np.full(4, 0.0045), np.full(4, 0.0025)


@lru_cache(maxsize=16)
def law(world: World) -> Law:
    """The numbers of a world. Pure; cached since every block asks."""
    noisy, bursty = world.noise == "noisy", world.people == "bursty"
    keep = 0.6 if noisy else 1.0
    won, lost, disqualified = _outcomes(world)
    calm = np.array([0.22, 0.08]) / 0.30
    return Law(
        pace=np.array([0.55, 1.3, 2.8]),
        silent=np.array([0.85, 0.7, 0.5] if noisy else [0.7, 0.5, 0.3]),
        burst=np.array([0.35, 2.8]) if bursty else np.ones(1),
        switch=_SWITCH if bursty else np.ones((1, 1)),
        calm=calm if bursty else np.ones(1),
        rates=_rates(world),
        topics=_share(_blunt(_TOPICS, keep)),
        facts=_facts(keep),
        move=np.stack([_IDLE, _ACTIVE]),
        first=_FIRST,
        won=won,
        lost=lost,
        disqualified=disqualified,
        advance=_ADVANCE,
        activity=activity(world),
        regime=regime(world),
        closing=closing(world, world.days + 401),
    )
