"""The model told in a limited number of rules of points, for tools that know nothing but points."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import yaml

from features.arrays import Bools, Floats
from features.columns import Attribute
from features.vocabulary import event_group
from models.baselines.points import probabilities
from models.judging import metrics
from models.points.holding import Look, holds
from models.points.scorecard import choose, overlap, rank_correlation, whole_points
from models.points.table import TOTAL, PointsTable, Rule
from models.points.totals import tally
from pipeline import stage
from pipeline.assembly.data import known
from pipeline.assembly.values import instants
from pipeline.errors import Stop
from pipeline.handtuned.inputs import Inputs
from pipeline.handtuned.records import looking
from pipeline.params import Definition, Source

LEAST_SHARE = 0.005
"""A test that holds of fewer examples, or of all but so few, is no candidate."""
MOST_LEVELS = 25
MOST_ROWS = 100_000
"""Examples, at random, that rules are chosen by: hundreds of candidates are held against each."""
TIMES, WINDOWS_D, SILENCES_D = (1, 3, 10), (7, 30, None), (7, 14, 30, 60)
STEPS = (0.1, 0.25, 0.5, 0.75, 0.9)
CAPACITY = 0.1
TITLE = "# The model told in points, by `leadscore scorecard`. Fidelity on the test fold:\n"


@dataclass(frozen=True)
class Scorecard:
    """A table of points that follows the model, and how well."""

    table: PointsTable
    fidelity: dict[str, float | None]


def scorecard(
    inputs: Inputs, predictions: pl.DataFrame, within_days: float, sellers: Sequence[str], most: int
) -> Scorecard:
    """Learned from the model's probabilities where the outcome was known when the test began, judged on the test fold.

    `predictions`: data/predictions.parquet; `sellers`: event types that no rule may go by.
    """
    every = PointsTable(rules=list(_candidates(inputs, predictions, sellers)))
    look = looking(replace(inputs, table=every))(predictions["lead_id"], instants(predictions))
    learned = known(predictions["fold"].to_numpy(), instants(predictions), within_days)
    some = np.sort(np.random.default_rng(0).permutation(np.flatnonzero(learned))[:MOST_ROWS])
    part = Look(look.records, look.lead[some], look.as_of[some])
    held = np.column_stack([holds(rule.when, part) for rule in every.rules])
    share = held.mean(axis=0)
    usual = np.flatnonzero((share >= LEAST_SHARE) & (share <= 1 - LEAST_SHARE))
    p = predictions["probability"].to_numpy()
    chosen, weights = choose(held[:, usual], metrics.logit(p[some]), most)
    points = whole_points(weights)
    rules = [
        every.rules[usual[i]].model_copy(update={"points": float(n)})
        for i, n in zip(chosen, points, strict=True) if n
    ]  # fmt: skip
    if not rules:
        raise Stop("no rule could tell the model's probabilities apart; look at its report")
    table = PointsTable(rules=rules)
    total = tally(table, look.records, look.lead, look.as_of).total
    line = float(np.quantile(total[learned], 1 - CAPACITY, method="higher"))
    return Scorecard(PointsTable(rules=rules, thresholds={TOTAL: line}), _fidelity(predictions, total, p, learned))


def _fidelity(predictions: pl.DataFrame, total: Floats, p: Floats, learned: Bools) -> dict[str, float | None]:
    """Of the test fold: agreement with the model, and the log loss of either."""
    test = (predictions["fold"] == "test").to_numpy()
    y = predictions["label"].to_numpy().astype(np.float64)
    told = probabilities(total, y, learned)[test]
    base = np.full(int(test.sum()), y[learned].mean())
    found = {
        "rank_correlation": rank_correlation(total[test], p[test]),
        "overlap_at_10pct": overlap(total[test], p[test], CAPACITY),
        "log_loss": metrics.log_loss(y[test], told),
        "model_log_loss": metrics.log_loss(y[test], p[test]),
        "base_rate_log_loss": metrics.log_loss(y[test], base),
    }
    return {name: metrics.known(value) for name, value in found.items()}


def _candidates(inputs: Inputs, predictions: pl.DataFrame, sellers: Sequence[str]) -> Iterator[Rule]:
    """Every rule that may be chosen, each for one point."""
    leads = inputs.tables["leads"].filter(pl.col("lead_id").is_in(predictions["lead_id"].unique().implode()))
    for attribute in inputs.attributes:
        for name, test in _of_field(attribute, _values(attribute, inputs, leads)):
            yield _rule(f"{attribute.name}_{name}", "fit", {"field": attribute.name, **test})
    events = inputs.tables.get("events")
    types = sorted(set(events["type"].unique()) - set(sellers)) if events is not None else []
    for kind in types:
        for times in TIMES:
            for days in WINDOWS_D:
                window = {} if days is None else {"within_days": days}
                name = f"{kind}_{times}{f'_in_{days}d' if days else ''}"
                yield _rule(name, "behaviour", {"event": kind, "at_least": times, **window})
    for days in SILENCES_D if types else ():
        yield _rule(f"silent_{days}d", "behaviour", {"no_event_for_days": days, "of": types})


def _rule(name: str, group: str, when: dict[str, Any]) -> Rule:
    return Rule.model_validate({"id": name, "group": group, "when": when, "points": 1})


def _values(attribute: Attribute, inputs: Inputs, leads: pl.DataFrame) -> pl.Series:
    """The values that an attribute has had."""
    if attribute.has_history:
        mine = (pl.col("entity") == attribute.entity) & (pl.col("field") == attribute.column)
        return inputs.tables["history"].filter(mine)["value"].drop_nulls()
    if attribute.entity == "lead":
        return leads[attribute.column].drop_nulls()
    return inputs.tables["accounts"][attribute.column].drop_nulls()


def _of_field(attribute: Attribute, values: pl.Series) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "unknown", {"known": False}
    if attribute.kind == "numeric":
        numbers = values.cast(pl.Float64, strict=False).drop_nulls()
        steps = {float(f"{numbers.quantile(q):.3g}") for q in STEPS} if len(numbers) else set()
        yield from ((f"over_{step:g}", {"gt": step}) for step in sorted(steps))
    elif attribute.kind == "boolean":
        yield "true", {"eq": True}
    elif attribute.kind == "categorical":
        for level in values.cast(pl.String).value_counts(sort=True).to_series(0)[:MOST_LEVELS]:
            yield level, {"eq": level}
    else:
        words = Counter(word for text in values for word in set(text.casefold().split()) if len(word.strip(",.")) > 1)
        yield from ((f"has_{word.strip(',.')}", {"contains": [word.strip(",.")]}) for word in _most(words))


def _most(words: Counter[str]) -> list[str]:
    clean: Counter[str] = Counter()
    for word, n in words.items():
        clean[word.strip(",.")] += n
    return [word for word, _ in clean.most_common(MOST_LEVELS)]


def text_of(card: Scorecard) -> str:
    """points.yaml, with the fidelity on top."""
    lines = [f"#   {name}: {'–' if value is None else f'{value:.4f}'}" for name, value in card.fidelity.items()]
    given = card.table.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    dumped = yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=None, width=200)
    return TITLE + "\n".join(lines) + "\n" + dumped


def run(most: int) -> Scorecard:
    """The scorecard of the last run. Raises Stop where there is none."""
    stage.check_run()
    definition = stage.section(Definition)
    tables = stage.read_tables()
    types = tables["events"]["type"].unique().to_list() if "events" in tables else []
    sellers = [name for name in types if event_group(name, definition.events) in ("seller", "ignore")]
    nothing = PointsTable(rules=[_rule("none", "fit", {"no_event_for_days": 1})])
    inputs = Inputs(nothing, tables, stage.read_attributes(), stage.section(Source).timezone)
    within = definition.conversion.within_days
    return scorecard(inputs, stage.read_table(stage.PREDICTIONS), within, sellers, most)
