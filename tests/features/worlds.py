"""Small random worlds of leads, as plain rows: for the kernel, its reference and requests alike."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from features.catalogue import EventType
from features.columns import Attribute
from features.plan import Plan

DAY = 86_400_000_000
BASE = 1_700_000_000_000_000
Row = dict[str, Any]

PLAN = Plan(
    attributes=(
        Attribute("size", "Size (heads)", "lead", "numeric"),
        Attribute("job_title", "job title", "lead", "text", has_history=True),
        Attribute("source", "source", "lead", "categorical"),
        Attribute("stage", "stage", "lead", "categorical", "intent"),
        Attribute("last_topic", "last", "lead", "categorical", "engagement"),
        Attribute("newsletter", "newsletter", "lead", "boolean"),
        Attribute("budget", "budget", "lead", "numeric", "intent", has_history=True),
        Attribute("industry", "industry", "account", "categorical"),
        Attribute("tier", "tier", "account", "categorical", has_history=True),
    ),
    types=(
        EventType("page_view", "engagement", True),
        EventType("mail_click", "engagement"),
        EventType("email_click", "engagement"),
        EventType("any_intent", "engagement"),
        EventType("any_engagement", "intent"),
        EventType("scanner_click", "intent", True),
        EventType("other", "intent"),
        EventType("Ä b", "engagement"),
        EventType("ä-B", "engagement"),
        EventType("pricing_view", "intent", True),
        EventType("pricing_share", "intent"),
    ),
    topics=("X", "x", "x no2"),
    stages=("mql", "sql", "won"),
    closes=("won", "lost"),
    reopens=("recycled",),
    won="won",
    ignored=("sales_call",),
)
"""A plan with every trap that names can set."""

TYPES = (*(t.name for t in PLAN.types), "sales_call", "never seen", "new")
CLICKS = ("mail_click", "email_click")
TITLES = ("VP Sales", "IT-päällikkö", "Ägare", "Toimitusjohtaja", "", "Zzz", "Marketing Assistant")


@dataclass(frozen=True)
class World:
    """Rows by table; instants are µs. The leads come in any order."""

    leads: list[Row]
    accounts: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    stages: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)


def random_world(seed: int, leads: int = 6, rows: int = 12) -> World:
    """A world in which everything happens within 120 days, often at the very same instants."""
    rng = random.Random(seed)
    ids = [f"L{i:02}" for i in range(leads)]
    people = [
        {
            "lead_id": i,
            "created_at": _time(rng, 0, 30),
            "account_id": rng.choice([None, "A", "A", "B"]),
            "Size (heads)": rng.choice([None, 1.0, 12.5, 300.0]),
            "job title": rng.choice([None, *TITLES]),
            "source": rng.choice([None, "web", "fair", "Web"]),
            "stage": rng.choice([None, "hot", "mql"]),
            "last": rng.choice([None, "X", "pricing"]),
            "newsletter": rng.choice([None, True, False]),
            "budget": 999_999.0,  # what the CRM says today: never to be used
        }
        for i in ids
    ]
    people[0]["account_id"] = "A"
    rng.shuffle(people)
    world = World(people, [{"account_id": a, "industry": rng.choice(["it", "food"]), "tier": "gold"} for a in "AC"])
    for i in ids:
        for _ in range(rng.randrange(rows)):
            world.events.extend(_events(rng, i))
        for at in {_time(rng, 0, 120) for _ in range(rng.randrange(5))}:
            stage = rng.choice(["mql", "sql", "won", "lost", "recycled", "recycled", "unheard of"])
            world.stages.append({"lead_id": i, "stage": stage, "entered_at": at})
        for entity, field_, values in (
            ("lead", "budget", ["1", "2.5", None]),
            ("lead", "job title", TITLES),
        ):
            for at in {_time(rng, 0, 120) for _ in range(rng.randrange(3))}:
                world.history.append(_change(entity, i, field_, rng.choice(values), at))
    for account in "AB":
        for at in {_time(rng, 0, 120) for _ in range(rng.randrange(4))}:
            world.history.append(_change("account", account, "tier", rng.choice(["gold", "new"]), at))
    for table in (world.events, world.stages, world.history):
        rng.shuffle(table)
    return world


def instants(seed: int, number: int = 8) -> list[int]:
    """Instants at which to look: on the grid of the world's own times, and between."""
    rng = random.Random(seed + 1)
    return [_time(rng, 30, 140) + rng.choice([0, 0, 1, -1]) for _ in range(number)]


def _change(entity: str, of: str, name: str, value: Any, at: int) -> Row:
    return {"entity": entity, "id": of, "field": name, "value": value, "changed_at": at}


def _time(rng: random.Random, first: int, last: int) -> int:
    """Mostly on a grid of a quarter of a day, so that boundaries and ties are met."""
    at = BASE + rng.randrange(first * 4, last * 4) * DAY // 4
    return at + (rng.randrange(DAY) if rng.random() < 0.3 else 0)


def _events(rng: random.Random, lead: str) -> list[Row]:
    at = _time(rng, 0, 120)
    late = at + rng.randrange(20 * DAY) if rng.random() < 0.2 else at
    event = {
        "lead_id": lead,
        "occurred_at": at,
        "known_at": late,
        "type": rng.choice(TYPES),
        "topic": rng.choice([None, "X", "x", "y", "z"]),
        "value": rng.choice([None, 0.0, 7.0, 0.1]),
        "event_id": None if rng.random() < 0.5 else f"E{rng.randrange(10**9)}",
    }
    if rng.random() < 0.3:  # a burst of clicks, some of them a scanner's
        gaps = [0, *(rng.choice([1_000_000, 3_000_000, 3_000_001, 9_000_000]) for _ in range(3))]
        times = [at + sum(gaps[: n + 1]) for n in range(len(gaps))]
        return [{**event, "event_id": None, "type": rng.choice(CLICKS), "occurred_at": t, "known_at": t} for t in times]
    if rng.random() < 0.2:  # the same again: a twin, unless by its id or its type it is another
        again = {**event, **rng.choice([{}, {"event_id": f"E{rng.randrange(10**9)}"}, {"type": rng.choice(TYPES)}])}
        return [event, {**again, "event_id": again["event_id"] if again["event_id"] != event["event_id"] else None}]
    return [event]


def cut(world: World, as_of: int) -> World:
    """The world as its tables would have been at an instant."""
    return World(
        [x for x in world.leads if x["created_at"] <= as_of],
        world.accounts,
        [e for e in world.events if e["known_at"] <= as_of],
        [s for s in world.stages if s["entered_at"] <= as_of],
        [h for h in world.history if h["changed_at"] <= as_of],
    )


def shuffled(world: World, seed: int) -> World:
    """The same rows in another order; they keep their places in the input, which `tables` gives by order."""
    rng = random.Random(seed)
    parts = {}
    for name in ("leads", "accounts", "events", "stages", "history"):
        rows = list(getattr(world, name))
        rng.shuffle(rows)
        parts[name] = rows
    return replace(world, **parts)


TIME = pl.Datetime("us", "UTC")
SCHEMAS: dict[str, dict[str, Any]] = {
    "leads": {
        "lead_id": pl.String, "created_at": TIME, "account_id": pl.String, "Size (heads)": pl.Float64,
        "job title": pl.String, "source": pl.String, "stage": pl.String, "last": pl.String,
        "newsletter": pl.Boolean, "budget": pl.Float64,
    },
    "accounts": {"account_id": pl.String, "industry": pl.String, "tier": pl.String},
    "events": {
        "lead_id": pl.String, "occurred_at": TIME, "known_at": TIME, "type": pl.String, "topic": pl.String,
        "value": pl.Float64, "event_id": pl.String,
    },
    "stages": {"lead_id": pl.String, "stage": pl.String, "entered_at": TIME},
    "history": {"entity": pl.String, "id": pl.String, "field": pl.String, "value": pl.String, "changed_at": TIME},
}  # fmt: skip


def tables(world: World, without: Sequence[str] = ()) -> dict[str, pl.DataFrame]:
    """The typed tables that validation would leave."""
    frames = {}
    for name, schema in SCHEMAS.items():
        if name not in without:
            rows = [{k: row.get(k) for k in schema} for row in getattr(world, name)]
            plain = {k: pl.Int64 if kind == TIME else kind for k, kind in schema.items()}
            frame = pl.DataFrame(rows, schema=plain, orient="row")
            frames[name] = frame.cast({k: kind for k, kind in schema.items() if kind == TIME}).with_columns(
                pl.int_range(pl.len()).alias("row")
            )
    return frames


def iso(us: int) -> str:
    """An instant as a caller writes it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat()


def request(world: World, lead_id: str, as_of: int) -> Row:
    """What a caller who knows the world asks about one lead."""
    me = next(x for x in world.leads if x["lead_id"] == lead_id)
    account = me["account_id"]
    others = [] if account is None else [x for x in world.leads if x["account_id"] == account and x is not me]
    own = _life(world, me)
    own["history"] += [_json_change(h) for h in world.history if h["entity"] == "account" and h["id"] == account]
    known = [a for a in world.accounts if a["account_id"] == account]
    return {**own, "account": known[0] if known else {}, "account_leads": [_life(world, x) for x in others],
            "as_of": iso(as_of)}  # fmt: skip


def _life(world: World, lead: Mapping[str, Any]) -> Row:
    mine = lead["lead_id"]
    return {
        "lead": {**lead, "created_at": iso(lead["created_at"])},
        "events": [
            {k: v for k, v in e.items() if k not in ("lead_id", "known_at")}
            | {"occurred_at": iso(e["occurred_at"]), "available_at": iso(e["known_at"])}
            for e in world.events
            if e["lead_id"] == mine
        ],
        "stages": [
            {"stage": s["stage"], "entered_at": iso(s["entered_at"])} for s in world.stages if s["lead_id"] == mine
        ],
        "history": [_json_change(h) for h in world.history if h["entity"] == "lead" and h["id"] == mine],
    }


def _json_change(change: Mapping[str, Any]) -> Row:
    return {**{k: change[k] for k in ("entity", "field", "value")}, "changed_at": iso(change["changed_at"])}
