"""How the model stands against what it is held against."""

from collections.abc import Mapping
from typing import Any

Metrics = Mapping[str, Any]
"""reports/metrics.json, contract section 4."""
Intervals = Mapping[str, Any]
"""reports/intervals.json: `test`, `baselines.<name>`, `difference.<name>` (the model minus the baseline)."""
RIVALS = ("points", "logistic", "naive_bayes", "base_rate")


def standing(metrics: Metrics, intervals: Intervals, rival: str) -> str | None:
    """better, level or worse than a baseline in log loss; level where the interval holds 0. None: unknown."""
    mine = metrics["test"].get("log_loss")
    theirs = metrics.get("baselines", {}).get(rival, {}).get("log_loss")
    if mine is None or theirs is None:
        return None
    low, high = intervals.get("difference", {}).get(rival, {}).get("log_loss") or (mine - theirs,) * 2
    return "better" if high < 0 else "worse" if low > 0 else "level"
