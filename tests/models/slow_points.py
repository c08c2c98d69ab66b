"""Points the obvious way: one lead, one rule, one event at a time, straight from the YAML and the contract's words."""

from typing import Any

import numpy as np
from pointing import us

from features.arrays import DAY_US


def missing(value: Any) -> bool:
    """No value."""
    return value is None or value != value


def value_of(lead: Any, name: str, now: int) -> Any:
    """An attribute as it was known."""
    value = lead["fields"].get(name)
    if isinstance(value, list):
        past = [v for day, v in sorted(value) if us(day) <= now]
        return past[-1] if past else None
    return value


def meets(test: Any, value: Any) -> bool:
    """Whether a value is what is asked for."""
    if missing(value):
        return test.get("known") is False
    if test.get("known") is False:
        return False
    checks = {
        "eq": lambda want: value == want,
        "in": lambda want: value in want,
        "contains": lambda want: any(part.casefold() in value.casefold() for part in want),
        "between": lambda want: want[0] <= value <= want[1],
        "gt": lambda want: value > want,
        "lt": lambda want: value < want,
        "known": lambda want: True,
    }
    return all(check(test[key]) for key, check in checks.items() if key in test)


def counting(test: Any, lead: Any, now: int, expires_days: float = np.inf) -> list[Any]:
    """The events that count."""
    found = []
    for e in lead["events"]:
        within = min(test.get("within_days", np.inf), expires_days)
        young = within == np.inf or now - us(e["day"]) < round(within * DAY_US)
        same = e["type"] == test["event"] and ("topic" not in test or e["topic"] == test["topic"])
        if us(e["known"]) <= now and same and young and ("value" not in test or meets(test["value"], e["value"])):
            found.append(e)
    return found


def holds(test: Any, lead: Any, now: int) -> bool:
    """Whether a test holds."""
    if "all" in test:
        return all(holds(part, lead, now) for part in test["all"])
    if "any" in test:
        return any(holds(part, lead, now) for part in test["any"])
    if "not" in test:
        return not holds(test["not"], lead, now)
    if "field" in test:
        return meets(test, value_of(lead, test["field"], now))
    if "event" in test:
        return len(counting(test, lead, now)) >= test.get("at_least", 1)
    known = [us(e["day"]) for e in lead["events"] if us(e["known"]) <= now]
    last = max(known, default=us(lead["created"]))
    return now - last >= round(test["no_event_for_days"] * DAY_US)


def bounded(points: float, most: float | None) -> float:
    """No further from 0 than `most`."""
    return points if most is None else max(min(points, abs(most)), -abs(most))


def points_of(rule: Any, lead: Any, now: int) -> float:
    """What a rule gives; its test is an event, or anything else where neither each nor decay is there."""
    decay = rule.get("decay", {})
    if not (rule.get("each") or decay):
        return bounded(rule["points"] if holds(rule["when"], lead, now) else 0, rule.get("max"))
    events = counting(rule["when"], lead, now, decay.get("expires_days", np.inf))
    if len(events) < rule["when"].get("at_least", 1):
        return 0
    days: dict[int, float] = {}
    if not rule.get("each"):
        events = [max(events, key=lambda e: us(e["day"]))]
    for e in events:
        periods = (now - us(e["day"])) // round(decay["every_days"] * DAY_US) if "percent" in decay else 0
        left = max(0, 100 - decay.get("percent", 0) * periods)
        day = us(e["day"]) // DAY_US
        days[day] = days.get(day, 0) + rule["points"] * left / 100
    return bounded(sum(bounded(p, rule.get("max_per_day")) for p in days.values()), rule.get("max"))


def total(table: Any, lead: Any, now: int) -> tuple[float, bool]:
    """Points after the caps, and whether the lead qualifies."""
    groups: dict[str, float] = {}
    for rule in table["rules"]:
        groups[rule["group"]] = groups.get(rule["group"], 0) + points_of(rule, lead, now)
    for group, (low, high) in table.get("caps", {}).items():
        groups[group] = max(low, min(high, groups[group]))
    found = sum(groups.values())
    sums = {**groups, "mql": found}
    enough = all(sums[name] >= t - 1e-9 for name, t in table["thresholds"].items())
    return found, enough and not any(holds(test, lead, now) for test in table.get("exclude", []))
