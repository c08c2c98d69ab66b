"""Requests with the answers that a model gave: its proof of identity. The leads are imagined, never real."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from features.columns import Attribute
from features.plan import Plan
from models.bundle.folder import Bundle, score
from models.bundle.requests import asked, features_of
from models.learning.encoding import Encoding
from models.learning.horizons import column
from models.policy.decisions import decide

AS_OF = "2025-06-01T12:00:00Z"
TITLES = ("VP Sales", "IT Manager", "Toimitusjohtaja", "Marketing Assistant", "Utvecklare", "")


def golden_requests(plan: Plan, encoding: Encoding, seed: int, number: int) -> list[dict[str, Any]]:
    """Imagined leads made of the names in the plan and the vocabularies; some parts are left out."""
    rng = np.random.default_rng(seed)
    return [_request(plan, encoding, rng, i) for i in range(number)]


def _request(plan: Plan, encoding: Encoding, rng: np.random.Generator, number: int) -> dict[str, Any]:
    def of(entity: str) -> dict[str, Any]:
        """Fields as they stand; those that change are told in the history alone."""
        fixed = (a for a in plan.attributes if a.entity == entity and not a.has_history)
        return {a.column: _value(a, plan, encoding, rng) for a in fixed if rng.random() < 0.7}

    lead = {"lead_id": f"golden-{number}", "created_at": _time(rng, 60, 90), **of("lead")}
    request = {
        "lead": lead,
        "account": of("account"),
        **_life(plan, encoding, rng, ("lead", "account")),
        "account_leads": [],
        "as_of": AS_OF,
    }
    for k in range(int(rng.integers(0, 3))):
        colleague = {"lead_id": f"golden-{number}-{k}", "created_at": _time(rng, 60, 120), **of("lead")}
        request["account_leads"].append({"lead": colleague, **_life(plan, encoding, rng, ("lead",))})
    for name in ("account", "events", "stages", "history", "account_leads"):
        if rng.random() < 0.1:
            del request[name]
    return request


def _life(plan: Plan, encoding: Encoding, rng: np.random.Generator, entities: Sequence[str]) -> dict[str, Any]:
    types = [t.name for t in plan.types] or ["page_view"]
    events = [
        {"type": str(rng.choice(types)), "occurred_at": _time(rng, 0, 60), "event_id": str(i)}
        | ({"topic": str(rng.choice(plan.topics))} if plan.topics and rng.random() < 0.5 else {})
        for i in range(int(rng.poisson(6)))
    ]
    open_stages = [s for s in plan.stages if s not in plan.closes and s not in plan.reopens]
    stages = [{"stage": s, "entered_at": _time(rng, 0, 30)} for s in open_stages if rng.random() < 0.3]
    history = [
        {
            "entity": a.entity,
            "field": a.column,
            "value": _value(a, plan, encoding, rng),
            "changed_at": _time(rng, 0, 60),
        }
        for a in plan.attributes
        if a.has_history and a.entity in entities
        for _ in range(int(rng.integers(0, 3)))
    ]
    return {"events": events, "stages": stages, "history": history}


def _time(rng: np.random.Generator, least_days: float, most_days: float) -> str:
    ago = rng.uniform(least_days, most_days)
    at = np.datetime64("2025-06-01T12:00:00") - np.timedelta64(int(ago * 86400), "s")
    return f"{at}Z"


def _value(a: Attribute, plan: Plan, encoding: Encoding, rng: np.random.Generator) -> Any:
    if a.kind == "numeric":
        return float(np.round(10 ** rng.uniform(0, 4)))
    if a.kind == "boolean":
        return bool(rng.random() < 0.5)
    if a.kind == "text":
        return str(rng.choice(TITLES))
    level = encoding.levels.get(plan.column_of[a])
    return str(rng.choice(level.vocabulary)) if level and level.vocabulary else "something new"


def answer(bundle: Bundle, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the bundle says of one request, and what follows from it by its policy."""
    given = asked(request, bundle.lives)
    matrix = features_of(given, bundle.plan)
    scored = score(bundle, matrix, reasons=False)
    shorter = {column(days): float(p[0]) for days, p in scored.shorter.items()}
    (decided,) = decide(bundle.policy, matrix, scored.probability, given.worth)
    return {
        "raw_score": float(scored.raw[0]),
        "probability": float(scored.probability[0]),
        **shorter,
        **decided._asdict(),
    }


def failures(bundle: Bundle, golden: Sequence[Mapping[str, Any]]) -> list[str]:
    """Places where a bundle does not give its golden answers to the last bit."""
    wrong = []
    for i, entry in enumerate(golden):
        found = answer(bundle, entry["request"])
        wrong += [f"golden.json: answer {i}: {k}: expected {v!r}, got {found[k]!r}"
                  for k, v in entry["answer"].items() if found[k] != v]  # fmt: skip
    return wrong
