"""Every feature alone against the outcome: one that tells nearly all was filled in when the outcome was known."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from features.arrays import Array, Floats, Ints
from features.plan import Plan
from models.leaks import purity, screening
from models.leaks.purity import Pure
from models.leaks.screening import NOTHING, Area, Strength
from pipeline.assembly.matrices import matrix_of
from pipeline.leaks.culprits import UNDATED, Culprit, allowed, culprit_of, listed
from pipeline.leaks.findings import Check
from pipeline.leaks.rebuilds import some_of
from pipeline.params import Leaks

NAME = "single features"
MOST_LEADS = 20_000
"""Leads of train that features are judged on."""
SHOWN = 10
YOUNG_D = 1.0
"""An example of less than this age is of a lead's creation."""
DOUBTFUL = 0.8
"""Above this, a field whose past nobody knows, such as a count that grows as a lead is worked, earns a warning."""
ASKED = 0.4
"""Of the odds that stop the run: what such a field is asked about from."""
TOLD = 2.0
"""Odds from which a group of leads is worth a word."""
ANY, YOUNG, FATE = "any age", "creation", "creation, whatever came"
"""How leads are looked at. An account manager who is named when a lead is won is named for those too that win after the
horizon, so what is known at creation is also held against what became of the lead later."""


@dataclass(frozen=True)
class Suspect:
    """A feature with what it tells alone, and what stands behind it."""

    feature: str
    block: str
    culprit: Culprit
    value: Area
    missing: Area
    missing_stops: Area
    """Of being missing where that should tell little. A stage not yet reached is honest, but not at creation."""

    pure: Pure | None = None
    """Leads or accounts that have it, or a level of it, where they convert that much more often than the others."""

    barren: Pure | None = None
    """Leads that have it, where they convert that much less often than the others."""

    def over(self, params: Leaks) -> bool:
        """Whether it stops the run. What leads did may honestly be what winners do."""
        if self.block in (*UNDATED, "history") and self.only_winners(params.level_odds):
            return True
        return self.value.above(params.feature_auc) or self.missing_stops.above(params.missing_auc)

    def only_winners(self, odds: float) -> bool:
        """Whether most of some leads or accounts convert, at more than `odds` times the odds of the others."""
        return self.pure is not None and self.pure.most and self.pure.odds > odds

    def only_losers(self, odds: float) -> bool:
        """Whether the odds of the others are more than `odds` times those of the leads that have it."""
        return self.barren is not None and self.barren.odds > odds

    def near(self, params: Leaks) -> bool:
        """Whether it is worth a warning."""
        if self.value.auc > params.feature_auc or self.missing.auc > params.missing_auc:
            return True
        if self.block not in UNDATED:
            return self.only_winners(params.level_odds)
        odds = params.level_odds * ASKED
        return (
            self.only_winners(odds)
            or self.only_losers(odds)
            or self.value.above(DOUBTFUL)
            or (self.pure is not None and self.pure.odds > params.level_odds)
        )

    @property
    def said(self) -> str:
        """The figures in words."""
        own = f"feature {self.feature} alone has AUC {self.value.auc:.3f}, its being missing {self.missing.auc:.3f}"
        if self.pure is not None and self.pure.odds > TOLD:
            what = {None: "it", purity.SOME: "some of its values"}.get(self.pure.level, "one of its values")
            return f"{own}; of {self.pure.rows:,} {self.pure.each}s with {what} {self.pure.converting:,} convert"
        if self.barren is not None and self.only_losers(TOLD):
            return f"{own}; of {self.barren.rows:,} leads with it {self.barren.converting:,} convert"
        return own


def check_single(
    examples: pl.DataFrame, stored: pl.DataFrame, groups: Array, plan: Plan, params: Leaks, theirs: Mapping[str, str]
) -> Check:
    """Hold every feature against the outcome on train, one example a lead: ten looks at one lead are one."""
    views = looks(examples)
    seen = {name: (rows, y[rows]) for name, (rows, y) in views.items()}
    matrices = {name: matrix_of(stored[rows.tolist()], plan.features) for name, (rows, _) in seen.items()}
    found = {name: screening.strengths(matrices[name], y, groups[rows]) for name, (rows, y) in seen.items()}
    numbers: dict[str, Any] = {
        "looks": {name: {"leads": len(rows), "converting": int(y.sum())} for name, (rows, y) in seen.items()}
    }
    if not any(found.values()):
        said = f"Fewer than {screening.LEAST} leads of train convert, or do not: too few to tell a leak from luck."
        return Check(NAME, said, warnings=(said,), numbers=numbers)
    once, _ = seen[ANY]
    purest = _purest([
        *(purity.purest(matrices[name], y, groups[rows]) for name, (rows, y) in seen.items()),
        purity.purest_of_accounts(matrices[ANY], _of_customers(examples, groups)[once], groups[once]),
    ])  # fmt: skip
    barren = _purest([purity.barren(matrices[name], y) for name, (_, y) in seen.items()])
    suspects = _suspects(found, purest, barren, plan, theirs)
    return _judged(suspects, params, numbers)


def _of_customers(examples: pl.DataFrame, groups: Array) -> Floats:
    """1 for examples of accounts of which any example of train converts, whenever that was."""
    converting = ((examples["fold"] == "train") & (examples["label"] == 1)).to_numpy()
    customers = set(groups[converting].tolist())  # NumPy's isin compares names with names, one after another
    return np.array([name in customers for name in groups.tolist()], np.float64)


def looks(examples: pl.DataFrame) -> dict[str, tuple[Ints, Floats]]:
    """Places of one example of each lead of train, and the outcomes (k,) of all examples that it is held against: any
    one, by a hash, and where leads are looked at more than once the one of its creation too, with its own label and
    with what came of the lead."""
    label = examples["label"].to_numpy()
    train = examples.with_row_index("_place").filter(pl.col("fold") == "train")
    once = train[some_of(train, len(train)).tolist()].unique("lead_id", keep="first", maintain_order=True)
    once = once.head(MOST_LEADS)
    views = {ANY: (_places(once), label)}
    young = train.filter((pl.col("age_days") < YOUNG_D) & pl.col("lead_id").is_in(once["lead_id"].implode()))
    if len(train) > train["lead_id"].n_unique() and len(young):
        rows = _places(young.sort("as_of").unique("lead_id", keep="first", maintain_order=True))
        views |= {YOUNG: (rows, label), FATE: (rows, fates(examples))}
    return views


def fates(examples: pl.DataFrame) -> Floats:
    """1 for examples of train whose lead converts by this look of train or a later one, else 0."""
    train = examples.with_row_index("_place").filter(pl.col("fold") == "train").sort("as_of", maintain_order=True)
    converts = train.select("_place", fate=pl.col("label").cum_max(reverse=True).over("lead_id"))
    fate = np.zeros(len(examples))
    fate[converts["_place"].to_numpy()] = converts["fate"].to_numpy()
    return fate


def _places(rows: pl.DataFrame) -> Ints:
    return np.sort(rows["_place"].to_numpy().astype(np.int64))


def _purest(views: Sequence[Sequence[Pure]]) -> dict[int, Pure]:
    """Of each column that has one the most telling group in any view, of leads or of accounts."""
    found: dict[int, Pure] = {}
    for one in (one for view in views for one in view):
        if one.column not in found or one.telling > found[one.column].telling:
            found[one.column] = one
    return found


def _suspects(
    found: Mapping[str, Sequence[Strength]],
    purest: Mapping[int, Pure],
    barren: Mapping[int, Pure],
    plan: Plan,
    theirs: Mapping[str, str],
) -> list[Suspect]:
    """Every feature, the most telling first."""
    best, young = screening.strongest(*found.values()), found.get(YOUNG)
    suspects = []
    for one in best:
        column = plan.features[one.column]
        dated = young[one.column].missing if young else NOTHING
        missing = one.missing if column.block in UNDATED else dated
        suspects.append(Suspect(column.name, column.block, culprit_of(column, theirs), one.value, one.missing, missing,
                                purest.get(one.column), barren.get(one.column)))  # fmt: skip
    return sorted(suspects, key=lambda s: (-max(s.value.auc, s.missing.auc), s.feature))


def _judged(suspects: Sequence[Suspect], params: Leaks, numbers: dict[str, Any]) -> Check:
    allow = frozenset(params.allow)
    passed = [s for s in suspects if allowed(s.culprit, s.feature, allow)]
    held = [s for s in suspects if not allowed(s.culprit, s.feature, allow)]
    over = _of_the_user([s for s in held if s.over(params)])
    near = [] if over else _of_the_user([s for s in held if s.near(params)])
    worst = max(suspects, key=lambda s: s.value.auc)
    said = f"Of {len(suspects)} features, the most telling is {worst.feature}; alone it has AUC {worst.value.auc:.3f}."
    numbers |= {
        "limits": {"value": params.feature_auc, "missing": params.missing_auc},
        "strongest": [_plain(s) for s in suspects[:SHOWN]],
        "stopping": [_plain(s) for s in over],
        "allowed": [_plain(s) for s in passed if s.near(params)],
    }
    warnings = [
        f"{s.culprit.said}: {s.said}: suspicious. To look into: {s.culprit.remedy}; or, where it is honest and known "
        f"at the time of scoring, leaks.allow: {listed(s.culprit.name)}"
        for s in _firsts(near)
    ]
    warnings += _unknown(params.allow, suspects)
    return Check(NAME, said, problems=_problems(over, params), warnings=warnings, numbers=numbers)


def _of_the_user(over: Sequence[Suspect]) -> list[Suspect]:
    """What is the user's first; features made of several things only where nothing of theirs explains them."""
    plain = [s for s in over if s.culprit.plain]
    blocks = {s.block for s in plain}
    fields = {*UNDATED, "history"}  # how many are filled in is told by any of them
    explained = blocks | (fields if fields & blocks else set())
    return plain + [s for s in over if not s.culprit.plain and s.block not in explained]


def _plain(suspect: Suspect) -> dict[str, Any]:
    named = {"feature": suspect.feature, "column": suspect.culprit.name, "kind": suspect.culprit.kind}
    pure = (
        None
        if suspect.pure is None
        else {k: v for k, v in asdict(suspect.pure).items() if k not in ("column", "level")}
    )
    return {**named, "value": asdict(suspect.value), "missing": asdict(suspect.missing), "pure": pure}


def _firsts(suspects: Sequence[Suspect]) -> list[Suspect]:
    """Of each culprit the most telling."""
    first: dict[Culprit, Suspect] = {}
    for suspect in suspects:
        first.setdefault(suspect.culprit, suspect)
    return list(first.values())


def _problems(over: Sequence[Suspect], params: Leaks) -> list[str]:
    """A problem for each culprit, worst first: a column may stand behind many features."""
    found = []
    for suspect in _firsts(over):
        more = sum(s.culprit == suspect.culprit for s in over) - 1
        also = f", and {more} more of its features are as bad" if more else ""
        found.append(
            f"{suspect.culprit.said}: {suspect.said} (limits {params.feature_auc:g}, {params.missing_auc:g}, and "
            f"{params.level_odds:g} times the odds of the others){also}: it tells the outcome. To do: "
            f"{suspect.culprit.remedy}; or, where it is honest and known at the time of scoring, "
            f"leaks.allow: {listed(suspect.culprit.name)}"
        )
    return found


def _unknown(allow: Sequence[str], suspects: Sequence[Suspect]) -> list[str]:
    known = {name for s in suspects for name in (s.feature, s.culprit.name, s.culprit.theirs)}
    return [f"leaks.allow: {name!r} is no column, event type, stage or feature" for name in allow if name not in known]
