"""The table that ends a run on the screen, and the same rows for the report."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.wording import name_of, number, percent

if TYPE_CHECKING:
    from rich.table import Table

ORDER = ("points", "logistic", "naive_bayes", "base_rate")


def rivals(metrics: Mapping[str, Any]) -> list[str]:
    """The baselines that there are, in the order of reading; those of unknown name come last."""
    there = metrics.get("baselines", {})
    return [name for name in ORDER if name in there] + sorted(set(there) - set(ORDER))


def summary_table(metrics: Mapping[str, Any]) -> "Table":
    """AUC, log loss, precision among the best 10 % and observed over expected; a row each model.

    `metrics` as in reports/metrics.json.
    """
    from rich.table import Table

    table = Table(title=f"On {_examples(metrics['test'])}", title_justify="left")
    table.add_column("")
    for column in ("AUC", "log loss", "best 10 %", "observed / expected"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(*_row("model", metrics["test"]), style="bold")
    for name in rivals(metrics):
        table.add_row(*_row(name, metrics["baselines"][name]))
    return table


def _examples(test: Mapping[str, Any]) -> str:
    if test.get("n") is None:
        return "the test fold"
    return f"{test['n']:,} test examples, {test['positives']:,} of which converted"


def _row(name: str, scores: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name_of(name),
        number(scores.get("auc")),
        number(scores.get("log_loss"), 4),
        percent(scores.get("precision_at_10pct")),
        number(scores.get("observed_over_expected"), 2),
    )
