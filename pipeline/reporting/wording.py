"""Numbers and names as people read them: 4.1 %, 0.152, “logistic regression”. What is not known is –."""

from collections.abc import Mapping
from typing import Any

NAMES = {
    "model": "this model",
    "logistic": "logistic regression",
    "naive_bayes": "naive Bayes",
    "points": "hand-tuned points",
    "base_rate": "base rate",
}
UNKNOWN = "–"


def name_of(model: str) -> str:
    """A model's name in words."""
    return NAMES.get(model, model.replace("_", " "))


def percent(share: float | None, digits: int = 1) -> str:
    """0.0412 is 4.1 %. The space does not break."""
    return UNKNOWN if share is None else f"{number(100 * share, digits)}\u00a0%"


def number(value: float | None, digits: int = 3) -> str:
    """A fixed number of decimals, with a true minus sign, and none before 0.00."""
    return UNKNOWN if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def count(value: float | None) -> str:
    """12,345."""
    return UNKNOWN if value is None else f"{round(value) + 0:,}".replace("-", "−")


def span(pair: Any, style: Any = number) -> str:
    """(low, high) as “low to high”, each written by `style`; nothing where there is no interval."""
    return "" if not pair else f"{style(pair[0])} to {style(pair[1])}"


def turns(weekly: Mapping[str, Any]) -> str:
    """When leads were taken in the weekly replay (`weekly` of metrics.json): “on each of the 19 Mondays”."""
    if "instants" in weekly:
        where, name, n = "at", "instant", weekly["instants"]
    else:
        where, name, n = ("in", "week", weekly["weeks"]) if "created" in weekly else ("on", "Monday", weekly["weeks"])
    return f"{where} the one {name}" if n == 1 else f"{where} each of the {n} {name}s"


def day(instant: str | None) -> str:
    """The date of an ISO instant."""
    return UNKNOWN if not instant else instant[:10]


def what_is_predicted(conversion: Mapping[str, Any], shape: str) -> str:
    """In words, by `stage` or `event` and `within_days` where leads are dated; else the tables only say who did."""
    if shape != "dated":
        return "The probability that a lead converts, by the column `converted`, given what was known at the time."
    stage, event = conversion["stage"], conversion["event"]
    what = f"enters the stage “{stage}”" if stage else f"has the event “{event}”"
    days = conversion["within_days"]
    return f"The probability that an open lead {what} within {days:g} days, given what was known at the time."
