"""The table that ends a run on the screen, and the same rows for the report."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.judging.rivals import RIVALS
from pipeline.reporting.wording import count, name_of, number, percent

if TYPE_CHECKING:
    from rich.table import Table


def rivals(metrics: Mapping[str, Any]) -> list[str]:
    """The baselines that there are, in the order of reading; those of unknown name come last."""
    there = metrics.get("baselines", {})
    return [name for name in RIVALS if name in there] + sorted(set(there) - set(RIVALS))


def summary_table(metrics: Mapping[str, Any]) -> "Table":
    """What the best open leads of each week came to, without weeks the best 10 % of examples; AUC, log loss and
    observed over expected. A row each model; `metrics` as in reports/metrics.json."""
    from rich.table import Table

    table = Table(title=f"On {_examples(metrics['test'])}", title_justify="left")
    table.add_column("")
    weekly = metrics.get("weekly", {})
    each = "each time" if "instants" in weekly else "a week"
    best = (f"best {count(weekly['capacity'])} {each}", "lift") if weekly else ("best 10 %",)
    for column in (*best, "AUC", "log loss", "observed / expected"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(*_row("model", metrics["test"], weekly), style="bold")
    for name in rivals(metrics):
        table.add_row(*_row(name, metrics["baselines"][name], weekly))
    return table


def _examples(test: Mapping[str, Any]) -> str:
    if test.get("n") is None:
        return "the test fold"
    return f"{test['n']:,} test examples, {test['positives']:,} of which converted"


def _row(name: str, scores: Mapping[str, Any], weekly: Mapping[str, Any]) -> tuple[str, ...]:
    mine = weekly.get(name, {})
    best = (percent(mine.get("precision")), number(mine.get("lift"), 1))
    return (
        name_of(name),
        *(best if weekly else (percent(scores.get("precision_at_10pct")),)),
        number(scores.get("auc")),
        number(scores.get("log_loss"), 4),
        number(scores.get("observed_over_expected"), 2),
    )
