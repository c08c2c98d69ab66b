"""The funnel and the accounts on the report: every figure there is the one of reports/funnel.json or accounts.json."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from figures import Facts, facts_of

from pipeline.reporting.report import ReportContent, render_report


@pytest.fixture(scope="module")
def facts(report: Path) -> Facts:
    """What the page says."""
    return facts_of(report)


def numbers(node: Any) -> list[float]:
    """Every number of a JSON file."""
    if isinstance(node, dict):
        return [n for child in node.values() for n in numbers(child)]
    if isinstance(node, list):
        return [n for child in node for n in numbers(child)]
    return [float(node)] if isinstance(node, int | float) and not isinstance(node, bool) else []


@pytest.mark.parametrize(("kind", "file", "least"), [("funnel", "funnel", 100), ("account", "accounts", 20)])
def test_what_is_shown_is_in_the_file(facts: Facts, finished_run: Path, kind: str, file: str, least: int) -> None:
    """No figure of the two sections is made in the template."""
    every = set(numbers(json.loads((finished_run / f"reports/{file}.json").read_text())))
    shown = {key: value for key, value in facts.items() if key.startswith(f"{kind}.")}
    assert len(shown) >= least
    assert {key: value for key, value in shown.items() if value not in every} == {}


def test_figures_of_a_step_and_of_the_accounts_are_those_that_they_are_called(facts: Facts, finished_run: Path) -> None:
    """Read by their names: the first step, the hand-over, and the loss of each way to add up."""
    funnel, accounts = (
        json.loads((finished_run / f"reports/{name}.json").read_text()) for name in ("funnel", "accounts")
    )
    first = funnel["steps"][0]
    assert facts["funnel.steps.0.n"] == first["went_on"]["n"]
    assert facts["funnel.steps.0.went_on.share"] == first["went_on"]["share"]
    assert facts["funnel.steps.0.closed.interval.low"] == first["closed"]["interval"][0]
    assert facts["funnel.handover.share"] == funnel["handover"]["unqualified"]["share"]
    for name, row in accounts["test"]["scores"].items():
        assert facts[f"account.{name}.log_loss"] == row["log_loss"]


def test_the_commonest_reasons_come_first(facts: Facts, finished_run: Path) -> None:
    """Not the first of the alphabet: in the file, and on the page."""
    rows = json.loads((finished_run / "reports/funnel.json").read_text())["drop_off"]
    told = [[(one["reason"], one["leads"]) for one in row["reasons"]] for row in rows]
    assert told == [sorted(row, key=lambda one: (-one[1], one[0])) for row in told]
    assert any(row != sorted(row) for row in told), "the data tell the one order from the other"
    for k, row in enumerate(told):
        key = f"funnel.drop_off.{k}."
        shown = [name.removeprefix(key) for name in facts if name.startswith(key)]
        assert [name for name in shown if name not in ("closed", "leads", "sum")] == [reason for reason, _ in row]


def test_without_stages_the_page_says_why() -> None:
    """A reason stands in place of the tables, and no picture."""
    metrics = {"test": {"n": 10, "positives": 1}, "baselines": {}, "validation": {}}
    page = render_report(
        ReportContent("x", metrics, funnel={"reason": "nothing is dated"}, accounts={"reason": "no ids"})
    )
    assert "There is no funnel: nothing is dated." in page
    assert "Accounts have no probability: no ids." in page
    assert not re.search(r'<section id="funnel".*?<table', page.split('<section id="accounts"')[0], re.DOTALL)
