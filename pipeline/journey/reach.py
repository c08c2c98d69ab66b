"""Who was reached: mail, visits and meetings by stage, and the accounts and their decision-makers."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from features.arrays import Bools
from features.plan import Plan
from features.records import Records, attribute_at, owners
from features.vocabulary import DECIDES, event_group
from models.funnel.touches import KINDS, Touches, a_month, first_touch, is_of, reaching_accounts, touches
from models.funnel.ways import ON, Episodes
from models.judging.metrics import known
from models.judging.survival import Spells
from pipeline.journey.spells import Telling, told

TOUCHED_D = 30.0
"""Leads count as touched where it happened within this many days of their beginning."""
MOST_TYPES = 12


def contacts(
    records: Records, plan: Plan, e: Episodes, said: Mapping[str, str], telling: Telling
) -> dict[str, Any] | None:
    """Well-known `kinds` and the commonest other `types` of events while leads were open; `absent`, the kinds that the
    data do not name. None without events."""
    if not plan.types:
        return None
    every = touches(records.events, e)
    slots = {kind: {plan.slot_of[t.name] for t in plan.types if is_of(kind, t.name)} for kind in KINDS}
    there = {kind: found for kind, found in slots.items() if found}
    grouped = set().union(*there.values())
    others = {t.name: plan.slot_of[t.name] for t in plan.types if plan.slot_of[t.name] not in grouped}
    often = sorted(others, key=lambda name: (-len(every.of({others[name]}).slot), name))[:MOST_TYPES]
    return {
        "within_days": min(TOUCHED_D, telling.within),
        "stages": [None, *e.stages[:-1]],
        "kinds": [
            {**_touched(kind, every.of(found), e, telling), "types": sorted(plan.slots[s].name for s in found)}
            for kind, found in there.items()
        ],
        "types": [
            {
                **_touched(name, every.of({others[name]}), e, telling),
                "seller": event_group(name, dict(said)) == "seller",
            }
            for name in often
        ],
        "absent": [kind for kind in KINDS if kind not in there],
        "scanner_clicks": len(every.of({plan.scanner_slot}).slot),
    }


def _touched(name: str, mine: Touches, e: Episodes, telling: Telling) -> dict[str, Any]:
    return {
        "name": name,
        "events": len(mine.slot),
        "reached": told(first_touch(mine, e), ON, telling.up_to(TOUCHED_D)),
        "a_month_by_stage": [known(rate) for rate in a_month(mine, e).tolist()],
    }


def accounts_reached(
    records: Records, plan: Plan, e: Episodes, said: Mapping[str, str], meets: Mapping[str, Bools], telling: Telling
) -> dict[str, Any] | None:
    """How many accounts, and of the target group, came to an active person, a known decision-maker and an active one
    within the horizon of their first lead. `meets` by lead: `named`, which have an account at all; `target` and
    `decider`, where a criterion says so. None where no lead has an account."""
    if not meets["named"].any():
        return None
    decides = meets.get("decider")
    by_title = decides is None
    if decides is None:
        decides = _by_title(records, plan, e.until)
    accounts = int(records.account.max()) + 1
    every = np.bincount(records.account, meets["named"], minlength=accounts) > 0
    groups = {"all": every}
    if "target" in meets:
        groups["target"] = every & (np.bincount(records.account, meets["target"], minlength=accounts) > 0)
    sellers = [plan.slot_of[t.name] for t in plan.types if event_group(t.name, dict(said)) == "seller"]
    return {
        "decider_by": "job title, director or above" if by_title else "definition.criteria",
        "deciders_known": decides is not None,
        "target_known": "target" in meets,
        "groups": {
            name: _reached(records, plan, e.until, decides, {*sellers, plan.scanner_slot}, keep, telling)
            for name, keep in groups.items()
        },
    }


def _reached(
    records: Records, plan: Plan, until: int, decides: Bools | None, off: Collection[int], keep: Bools, telling: Telling
) -> dict[str, Any]:
    found: dict[str, Any] = {"accounts": int(keep.sum())}
    who = owners(records.events.start)
    acted = ~np.isin(records.events.slot, list(off)) & (records.events.known <= until)
    at, who = records.events.occurred[acted], who[acted]
    if plan.types:
        found["active"] = told(_spells(records, at, who, until, keep), ON, telling)
    if decides is not None:
        people = np.flatnonzero(decides)
        found["decider_known"] = told(_spells(records, records.created[people], people, until, keep), ON, telling)
        if plan.types:
            mine = decides[who]
            found["decider_active"] = told(_spells(records, at[mine], who[mine], until, keep), ON, telling)
    return found


def _spells(records: Records, at: Any, who: Any, until: int, keep: Bools) -> Spells:
    return reaching_accounts(records.created, records.account, at, who, until, keep)


def _by_title(records: Records, plan: Plan, until: int) -> Bools | None:
    """Whose job title, by `until`, says director or above; None where there are no job titles."""
    column = plan.measuring("seniority")
    if column is None:
        return None
    everyone = np.arange(len(records))
    return np.asarray(attribute_at(records, plan, column, everyone, np.full(len(records), until)) >= DECIDES)
