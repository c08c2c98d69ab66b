"""Records of imagined leads made straight as arrays: what the benchmarks measure on."""

import numpy as np

from features.arrays import DAY_US
from features.catalogue import EventType
from features.columns import Attribute
from features.plan import Plan
from features.records import Records, starts
from features.sorting import Happened, sort_events, sort_stages

TYPES = 12
SPAN_D = 730


def plan() -> Plan:
    """Twelve event types, seven topics, a funnel and a handful of attributes."""
    types = tuple(EventType(f"type_{i}", "intent" if i >= 9 else "engagement") for i in range(TYPES))
    attributes = tuple(Attribute(f"field_{i}", f"field_{i}", "lead", "numeric") for i in range(8))
    topics = tuple(f"topic_{i}" for i in range(7))
    return Plan(attributes, types, topics, ("mql", "sql", "won"), ("won", "lost"), ("recycled",), "won")


def records(leads: int, events_a_lead: int, leads_an_account: int, seed: int) -> Records:
    """Leads with so many events each over two years, in accounts of one size."""
    rng, p = np.random.default_rng(seed), plan()
    lead = np.repeat(np.arange(leads), events_a_lead)
    known = np.sort(rng.integers(0, SPAN_D * DAY_US, (leads, events_a_lead)), axis=1).ravel()
    codes = np.array([p.event_code(t.name) for t in p.types], np.int16)
    slot = codes[rng.integers(0, TYPES, len(lead), dtype=np.int8)]
    topic = rng.integers(-1, 7, len(lead), dtype=np.int16)
    value = np.full(len(lead), np.nan, np.float64)
    none = np.zeros(0, np.int64)
    small = none.astype(np.int16)
    account = np.arange(leads) // leads_an_account
    created = np.sort(rng.integers(0, DAY_US, leads), kind="stable")
    return Records(
        created=created,
        account=account,
        attributes=rng.normal(size=(leads, 8)),
        levels={},
        events=sort_events(Happened(lead, known, known, slot, topic, value, np.arange(len(lead))), leads, p),
        stages=sort_stages(none, none, small, small, small.astype(bool), leads),
        history={},
        account_start=starts(account, int(account[-1]) + 1),
    )
