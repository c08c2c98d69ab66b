"""What the finished model may not be: worse than the base rate, or too good to be true."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from features.arrays import Floats
from features.plan import Plan
from models.judging.bins import bins, quantile_edges
from models.judging.pairs import pairs_of
from models.leaks.screening import LEAST, bounded
from pipeline.assembly.data import Data
from pipeline.judging.rivals import standing
from pipeline.leaks.culprits import Culprit, culprit_of
from pipeline.leaks.findings import Check
from pipeline.params import Leaks

TEST = "AUC of the test fold"
BETTER = "better than the base rate"
AGED = 0.9
"""Where the AUC among examples of one age is below this, the age of leads explains an AUC above the limit."""
NAMED = 3


def within(y: Floats, p: Floats, age: Floats) -> float:
    """AUC among pairs of about one age (tenths of the test fold): that old leads rarely convert is no news.
    NaN ages are one. 0.5 where no pair is left."""
    found = pairs_of(bins(age, quantile_edges(age)), y, p).auc(np.ones(len(y)))
    return 0.5 if np.isnan(found) else found


def check_better(metrics: Mapping[str, Any], intervals: Mapping[str, Any]) -> Check:
    """Warn where the probabilities are worse than the base rate and chance does not explain it."""
    mine, base = metrics["test"]["log_loss"], metrics["baselines"]["base_rate"]["log_loss"]
    if mine is None or base is None:
        return Check(BETTER, "There is nothing to compare.", applies=False)
    worse = standing(metrics, intervals, "base_rate") == "worse"
    said = f"On the test fold the model's log loss is {mine:.4f}, the base rate's {base:.4f}."
    warning = (
        f"the model's log loss on the test fold, {mine:.4f}, is worse than the base rate's, {base:.4f}: do not use it. "
        "A field that meant something else before, such as a count up to the day of the export, or a rate that has "
        "moved may explain it"
    )
    return Check(BETTER, said, warnings=(warning,) if worse else (), numbers={"model": mine, "base_rate": base})


def check_test(
    data: Data,
    p: Floats,
    auc: float | None,
    importance: Mapping[str, float],
    plan: Plan,
    params: Leaks,
    theirs: Mapping[str, str],
) -> Check:
    """A model that is nearly always right has seen the outcome. `auc` is that of reports/metrics.json."""
    test = data.rows("test")
    leads, first = np.unique(data.lead[test], return_inverse=True)
    won = np.minimum(np.bincount(first, data.y[test], minlength=len(leads)), 1.0)  # looks at one lead are one
    if auc is None or min(won.sum(), len(won) - won.sum()) < LEAST:
        return Check(TEST, f"Fewer than {LEAST} leads of the test fold convert, or do not: too few.", applies=False)
    area, alike = bounded(auc, won), within(data.y[test], p[test], data.examples["age_days"].to_numpy()[test])
    said = (
        f"The AUC of the test fold is {auc:.3f}, among examples of about one age {alike:.3f}; above "
        f"{params.test_auc:g} the run stops, unless age explains it ({AGED:g})."
    )
    numbers = {"auc": auc, "within_age": alike, "low": area.low, "limit": params.test_auc}
    most = _most(importance, plan, theirs)
    named = ", ".join(f"{culprit.said} (feature {name})" for culprit, name in most.items())
    remedies = "; ".join(f"{culprit.said}: {culprit.remedy}" for culprit in most)
    problem = (
        f"the AUC of the test fold is {auc:.3f} (limit {params.test_auc:g}): nobody knows that much about people. What "
        f"matters most: {named}. To do: {remedies}; or, where it is honest, raise leaks.test_auc"
    )
    if area.above(params.test_auc) and alike > AGED:
        return Check(TEST, said, problems=(problem,), numbers=numbers)
    return Check(TEST, said, warnings=(problem,) if auc > params.test_auc else (), numbers=numbers)


def _most(importance: Mapping[str, float], plan: Plan, theirs: Mapping[str, str]) -> dict[Culprit, str]:
    """What stands behind the features that matter most, each once, with the first of its features."""
    columns = {c.name: c for c in plan.features}
    found: dict[Culprit, str] = {}
    for name in sorted((n for n in importance if n in columns), key=lambda n: -importance[n]):
        found.setdefault(culprit_of(columns[name], theirs), name)
    return dict([*found.items()][:NAMED])
