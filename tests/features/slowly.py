"""The features again, slowly: loops over rows, from the contract and the docstrings alone."""

import math
from itertools import chain
from typing import Any

from worlds import CLICKS, DAY, Row, World

from features.plan import Plan
from features.titles import read_title
from features.vocabulary import FUNCTIONS, HALF_LIVES_D, NEAR_D, OWN_D, SENIORITIES, WINDOWS_D

NAN = float("nan")
Value = float | str


def features(world: World, plan: Plan, lead_id: str, as_of: int) -> list[Value]:
    """Every feature of the plan in order; texts of the categorical ones, NaN where missing."""
    lead = next(x for x in world.leads if x["lead_id"] == lead_id)
    parts = _attributes(world, plan, lead, as_of)
    known = float(sum(any(not _missing(v) for v in part) for part in parts))
    values: list[Value] = [
        *chain.from_iterable(parts),
        known,
        *_events(world, plan, lead, as_of),
        *_stages(world, plan, lead, as_of),
    ]
    values += _colleagues(world, plan, lead, as_of)
    since, episode, _ = state(world, plan, lead, as_of)
    values += [(as_of - since) / DAY, float(episode)]
    return values + _own(plan, values)


def _missing(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _attributes(world: World, plan: Plan, lead: Row, as_of: int) -> list[list[Value]]:
    found: list[list[Value]] = []
    for a in plan.attributes:
        of = lead if a.entity == "lead" else _account(world, lead)
        value = of.get(a.column)
        if a.has_history:
            value = _past(world, a.entity, of.get(f"{a.entity}_id"), a.column, as_of)
        if a.kind == "text":
            found.append(_title(value))
        elif value is None or value == "":
            found.append([NAN])
        else:
            found.append([str(value) if a.kind == "categorical" else float(value)])
    return found


def _account(world: World, lead: Row) -> Row:
    mine = [a for a in world.accounts if a["account_id"] == lead["account_id"]]
    return mine[0] if mine else {"account_id": lead["account_id"]}


def _past(world: World, entity: str, of: str | None, name: str, as_of: int) -> Any:
    rows = [
        h for h in world.history
        if (h["entity"], h["id"], h["field"]) == (entity, of, name) and h["changed_at"] <= as_of
    ]  # fmt: skip
    return max(rows, key=lambda h: h["changed_at"])["value"] if rows else None


def _title(text: str | None) -> list[Value]:
    seniority, function = read_title(text or "")
    return [seniority, FUNCTIONS[int(function)] if function == function else NAN]


def known_events(world: World, plan: Plan, lead_id: str, as_of: int) -> list[tuple[int, int, int, int, float]]:
    """(known, occurred, slot, topic, value): no twins, the scanner's clicks set apart, in order of `known`."""
    rows = set()
    for e in world.events:
        slot = plan.event_code(e["type"])
        if e["lead_id"] == lead_id and e["known_at"] <= as_of and slot >= 0:
            topic = -1 if e["topic"] is None else plan.topic_of.get(e["topic"], len(plan.topics))
            what = e["type"], e["topic"] or "", e["event_id"] or ""
            rows.add(
                (e["known_at"], e["occurred_at"], slot, topic, math.inf if e["value"] is None else e["value"], what)
            )
    apart, last = [], None
    for row in sorted(rows):
        known, occurred, slot, topic, value, _ = row
        if plan.slots[slot].name in CLICKS:
            if last is not None and 0 <= occurred - last <= 3_000_000:
                slot = plan.scanner_slot
            last = occurred
        apart.append((known, occurred, slot, topic, NAN if value == math.inf else value))
    return apart


def _slot_groups(plan: Plan) -> list[list[int]]:
    """The slots that each slot counts: itself; a total counts its group."""
    e, s = plan.engagement_slots, len(plan.slots)
    groups = [[i] for i in range(s)]
    groups[e - 1], groups[plan.intent_total_slot] = list(range(e - 1)), list(range(e, plan.intent_total_slot))
    return groups


def _step(as_of: int, occurred: int) -> int:
    return min((as_of - occurred) // (DAY // 4), 2920)


def _events(world: World, plan: Plan, lead: Row, as_of: int) -> list[Value]:
    events = known_events(world, plan, lead["lead_id"], as_of)
    begun = min([lead["created_at"], *(e[1] for e in events)])
    life = (as_of - begun) / DAY
    out: list[Value] = []
    for group in _slot_groups(plan):
        steps = [_step(as_of, e[1]) for e in events if e[2] in group]
        counts = [float(sum(step < 4 * w for step in steps)) for w in WINDOWS_D]
        out += [*counts, float(len(steps)), min(steps) / 4 if steps else NAN]
        out += [sum(round(0.5 ** (step / 4 / h) * 2**20) / 2**20 for step in steps) for h in HALF_LIVES_D]
        for w in OWN_D:
            expected = len(steps) * (min(w, life) + 1) / (life + 1)
            out.append(math.log((counts[WINDOWS_D.index(w)] + 0.5) / (expected + 0.5)))
    for slot in plan.value_slots:
        mine = [(_step(as_of, e[1]), e[4]) for e in events if e[2] == slot and e[4] == e[4]]
        out += [float(sum(v for step, v in mine if step < 4 * w)) for w in (30, 90, 10**9)]
    out.append(life)
    days = {(as_of - e[1]) // DAY for e in events if e[2] != plan.scanner_slot}
    out += [float(sum(day < w for day in days)) for w in (7, 30, 90)]
    return out + _topics(plan, [e for e in events if e[3] >= 0 and e[2] != plan.scanner_slot], as_of)


def _topics(plan: Plan, events: list[tuple[int, int, int, int, float]], as_of: int) -> list[Value]:
    recent = [e[3] for e in events if _step(as_of, e[1]) < 120]
    out: list[Value] = []
    for topic in range(len(plan.topics)):
        out += [float(recent.count(topic)), float(sum(e[3] == topic for e in events))]
    last = [e for _, e in sorted(enumerate(events), key=lambda pair: (pair[1][1], pair[0]))]
    return [*out, float(len(set(recent))), [*plan.topics, "(other)"][last[-1][3]] if last else NAN]


def _stages(world: World, plan: Plan, lead: Row, as_of: int) -> list[Value]:
    rows = _entered(world, lead, as_of)
    out: list[Value] = []
    for stage in plan.stages:
        mine = [s["entered_at"] for s in rows if s["stage"] == stage]
        out.append((as_of - mine[-1]) / DAY if mine else NAN)
    if not rows:
        return [*out, NAN, NAN, 0.0]
    now = rows[-1]["stage"]
    days = (as_of - rows[-1]["entered_at"]) / DAY
    return [*out, now if now in plan.stages else "(other)", days, float(len(rows))]


def _entered(world: World, lead: Row, as_of: int) -> list[Row]:
    rows = [s for s in world.stages if s["lead_id"] == lead["lead_id"] and s["entered_at"] <= as_of]
    return sorted(rows, key=lambda s: s["entered_at"])


def state(world: World, plan: Plan, lead: Row, as_of: int) -> tuple[int, int, bool]:
    """Since when this episode, how many before it, and whether the lead is open."""
    since, episode, is_open = lead["created_at"], 0, True
    for row in _entered(world, lead, as_of):
        if row["stage"] in plan.closes:
            is_open = False
        elif row["stage"] in plan.reopens and not is_open:
            since, episode, is_open = row["entered_at"], episode + 1, True
    return since, episode, is_open


def _colleagues(world: World, plan: Plan, lead: Row, as_of: int) -> list[Value]:
    account = lead["account_id"]
    others = [
        x for x in world.leads
        if account is not None and x["account_id"] == account and x is not lead and x["created_at"] <= as_of
    ]  # fmt: skip
    first = (as_of - min(x["created_at"] for x in (lead, *others))) / DAY
    others = sorted(others, key=lambda x: (x["created_at"], x["lead_id"]))[-50:]
    lives = [known_events(world, plan, x["lead_id"], as_of) for x in others]
    out: list[Value] = []
    for group in _slot_groups(plan):
        ages = [(as_of - e[1]) / DAY for events in lives for e in events if e[2] in group]
        out += [*(float(sum(age < w for age in ages)) for w in NEAR_D), float(len(ages))]
    silence = [(x, as_of - max(e[1] for e in events)) for x, events in zip(others, lives, strict=True) if events]
    out.append(min(s for _, s in silence) / DAY if silence else NAN)
    active = [x for x, s in silence if s < 30 * DAY]
    titles = [_title(_past(world, "lead", x["lead_id"], "job title", as_of)) for x in active]
    levels = [t[0] for t in titles if not _missing(t[0])]
    functions = {t[1] for t in titles if not _missing(t[1])}
    assert all(0 <= float(level) < len(SENIORITIES) for level in levels)
    out += [float(len(active)), float(len(functions)), max(levels) if levels else NAN, float(len(others)), first]
    rows = [s for x in others for s in _entered(world, x, as_of)]
    won = [s["entered_at"] for s in rows if s["stage"] == plan.won]
    lost = [s for x in others for s in _closing(plan, _entered(world, x, as_of)) if s["stage"] != plan.won]
    return [*out, float(len(won)), float(len(lost)), (as_of - max(won)) / DAY if won else NAN]


def _closing(plan: Plan, rows: list[Row]) -> list[Row]:
    """Rows that close an open lead."""
    found, is_open = [], True
    for row in rows:
        if row["stage"] in plan.closes:
            found += [row] if is_open else []
            is_open = False
        elif row["stage"] in plan.reopens:
            is_open = True
    return found


def _own(plan: Plan, values: list[Value]) -> list[Value]:
    by_name = dict(zip((c.name for c in plan.columns), values, strict=True))

    def per(over: float, under: float) -> float:
        return over / under if under else NAN

    def number(name: str) -> float:
        found = by_name[name]
        assert isinstance(found, float)
        return found

    anything = number("engagement_any_engagement_90d") + number("intent_any_intent_90d")
    return [
        per(number("intent_pricing_view_30d"), number("engagement_page_view_30d")),
        per(anything, number("engagement_active_days_90d")),
        per(number("engagement_any_engagement_last_days"), number("engagement_known_days")),
        per(number("intent_any_intent_last_days"), number("engagement_known_days")),
    ]
