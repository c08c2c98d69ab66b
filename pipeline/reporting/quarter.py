"""What a change from the points to the model comes to in a quarter, by the weeks that were replayed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.wording import count, name_of, number, percent, span, turns

WEEKS = 13
RIVALS = ("points", "base_rate")
"""How a team chooses today: by points or, where there are none, by chance."""
EQUAL = 0.01
"""Of the leads taken: more of a difference in volume than this share, and conversions cannot be set side by side."""
NOUNS = {"won": "deals"}


@dataclass(frozen=True)
class Quarter:
    """Conversions in 13 weeks among the leads that each would have taken, at equal volume."""

    rival: str
    weeks: int
    """Replayed."""
    capacity: float
    """Leads taken a week, on average."""
    mine: float
    theirs: float
    interval: tuple[float, float] | None
    """Of mine less theirs, 95 %."""

    @property
    def more(self) -> float:
        """Mine less theirs."""
        return self.mine - self.theirs


def quarter(metrics: Mapping[str, Any], intervals: Mapping[str, Any]) -> Quarter | None:
    """From `weekly` of metrics.json and intervals.json; None where there are no weeks, but instants that may be months
    apart, or the volumes differ."""
    weekly = metrics.get("weekly", {})
    mine, weeks = weekly.get("model", {}), weekly.get("weeks")
    rival = next((name for name in RIVALS if name in weekly), None)
    if not weeks or not mine.get("taken") or rival is None:
        return None
    theirs, scale = weekly[rival], WEEKS / weeks
    if abs(theirs["taken"] - mine["taken"]) > EQUAL * mine["taken"]:
        return None
    apart = intervals.get("weekly", {}).get("difference", {}).get(rival, {}).get("precision")
    taken = mine["taken"] * scale
    return Quarter(
        rival, weeks, mine["taken"] / weeks, mine["converted"] * scale, theirs["converted"] * scale,
        None if apart is None else (apart[0] * taken, apart[1] * taken),
    )  # fmt: skip


def noun(stage: str | None) -> str:
    """What conversions are called: deals where leads are won."""
    return NOUNS.get(stage or "", "conversions")


def said(found: Quarter, what: str) -> str:
    """One sentence: by how much a quarter would have been better, and whether chance explains it."""
    those = "as many picked by chance" if found.rival == "base_rate" else "those the points pick"
    pair = found.interval
    interval = f" (95\u00a0% interval {span(pair, lambda x: number(x, 1))})" if pair else ""
    chance = "; chance alone may explain the difference" if pair and pair[0] <= 0 <= pair[1] else ""
    return (
        f"Of equally many leads, those the model picks contain {number(abs(found.more), 1)}"
        f" {'more' if found.more >= 0 else 'fewer'} {what} per quarter than {those}{interval}:"
        f" {number(found.mine, 1)} instead of {number(found.theirs, 1)}{chance}."
    )


def how(found: Quarter, weekly: Mapping[str, Any]) -> str:
    """What was counted; `weekly` of metrics.json."""
    those = "of the leads created in it" if "created" in weekly else "open leads"
    return (
        f"How this was counted: {turns(weekly)} of the test, each of the two picks its"
        f" {count(found.capacity)} best {those}, each lead once. Those that then converted in time are counted"
        f" and scaled to {WEEKS} weeks. The outcomes are what really happened, whoever worked the leads. The interval"
        " is found by drawing whole accounts again."
    )


def tiles(metrics: Mapping[str, Any], intervals: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    """A few figures for the top: `key`, `value`, `style`, `digits`, `says`, `span`."""
    weekly, spans = metrics.get("weekly", {}), intervals.get("weekly", {})
    found, mine, test = quarter(metrics, intervals), weekly.get("model", {}), metrics["test"]
    shown = []
    if found is not None:
        than = "chance" if found.rival == "base_rate" else name_of(found.rival)
        says = f"more {what} per quarter than {than}"
        shown.append(_tile("quarter.more", found.more, "number", 1, says, found.interval))
        shown.append(_money(found, weekly, spans))
    if mine.get("precision") is not None:
        own, base = spans.get("model", {}), percent(weekly["base_rate_of_open"])
        every = "leads" if "created" in weekly else "open leads"
        says = f"of the leads picked convert, against {base} of all {every}"
        shown.append(_tile("weekly.model.precision", mine["precision"], "percent", 1, says, own.get("precision")))
    if test.get("observed_over_expected") is not None:
        pair = intervals.get("test", {}).get("observed_over_expected")
        says = "actual conversions for each one predicted; 1 is right"
        shown.append(
            _tile("test.model.observed_over_expected", test["observed_over_expected"], "number", 2, says, pair)
        )
    return [tile for tile in shown if tile["value"] is not None]


def _money(found: Quarter, weekly: Mapping[str, Any], spans: Mapping[str, Any]) -> dict[str, Any]:
    """What the deals brought, mine less theirs; no value where no amount is known."""
    mine, theirs = weekly["model"].get("value"), weekly[found.rival].get("value")
    apart, scale = spans.get("difference", {}).get(found.rival, {}).get("value"), WEEKS / found.weeks
    value = None if mine is None or theirs is None else (mine - theirs) * scale
    pair = None if apart is None else (apart[0] * scale, apart[1] * scale)
    return _tile("quarter.value", value, "count", 0, "more in value won per quarter", pair)


def _tile(key: str, value: float | None, style: str, digits: int, says: str, pair: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "style": style, "digits": digits, "says": says, "span": pair}
