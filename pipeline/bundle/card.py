"""MODEL_CARD.md: what the model is for, what it learned from, how good it is and where it ends."""

from collections.abc import Mapping
from typing import Any

from models.policy.policy import Policy
from pipeline.params import Definition


def card(facts: Mapping[str, Any], policy: Policy, definition: Definition, plan: Mapping[str, Any]) -> str:
    """The card of a run (Mitchell et al. 2019, in short)."""
    c = definition.conversion
    what = f"enters the stage `{c.stage}`" if c.stage else f"does `{c.event}`"
    folds, test = facts["folds"], facts["metrics"]["test"]
    return f"""# Lead conversion model

The probability that an open lead {what} within {c.within_days:g} days of an instant, given what was known then.

## Use

Ranking open leads, and deciding who calls whom when. Not for decisions about people's rights, credit or work.
A lead whose person objects to profiling is never scored. Parts of a record that are left out are allowed for.

## Learned from

{_fold("train", folds)}
{_fold("calibrate", folds)}
{_fold("test", folds)}

{len(plan["attributes"])} attributes, {len(plan["types"])} event types; the sellers' own events are never features.
Names, addresses and phone numbers were dropped before anything was stored.

## How good, on the test fold

| metric | value |
|---|---|
{_rows(test)}

Base rate of the outcomes known when the test began: {policy.base_rate:.4f}. Calibrated on all that it learned from,
each account by trees that left it out.
{_refreshed(facts["refresh"])}{_shorter(facts["metrics"].get("horizons", {}))}

## Limits

- It has seen one company's past; after a change of market, product or process, check the calibration.
- Leads that nobody worked have outcomes of that; the model learns what was done as well as who they are.
- Reasons say what moved the score, not what would move the lead.
"""


def _fold(name: str, folds: Mapping[str, Any]) -> str:
    fold = folds[name]
    span = "without dates" if fold["as_of"] is None else f"{fold['as_of'][0][:10]} to {fold['as_of'][1][:10]}"
    return (
        f"- {name}: {fold['examples']:,} examples of {fold['leads']:,} leads, {fold['converting_leads']:,} of them "
        f"converting ({span})"
    )


def _refreshed(refresh: Mapping[str, Any] | None) -> str:
    if refresh is None:
        return ""
    moved = f"moved the calibrated log odds by {refresh['shift']:+.3f}" if refresh["shift"] else "moved nothing"
    return (
        f"The early conversions of recent leads {moved} ({refresh['observed']:.1f} conversions where "
        f"{refresh['expected']:.1f} were expected).\n"
    )


def _shorter(horizons: Mapping[str, Mapping[str, Any]]) -> str:
    """A row a horizon, the shortest first; nothing with a single one."""
    if not horizons:
        return ""
    names = ("log_loss", "auc", "observed_over_expected")
    rows = [
        f"| {days} | {' | '.join(f'{scores[name]:.4f}' for name in names)} |"
        for days, scores in sorted(horizons.items(), key=lambda item: float(item[0]))
    ]
    head = f"| days | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}"
    return "\n".join(["\n## Within fewer days, on the test fold\n", head, *rows]) + "\n"


def _rows(scores: Mapping[str, Any]) -> str:
    return "\n".join(f"| {k} | {v:.4f} |" for k, v in scores.items() if isinstance(v, float))
