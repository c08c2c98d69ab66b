"""Every figure of the shared definition, and what an edition of it consists of."""

from dataclasses import asdict
from typing import Any

import polars as pl

from features.arrays import Bools
from models.funnel.weighing import weigh
from models.judging.rates import rate
from models.points.criteria import Criterion
from models.points.write import write
from pipeline import stage
from pipeline.agreement.meeting import Population, inputs_of, met, population
from pipeline.agreement.outcomes import called, stage_counts, topics, who_decides
from pipeline.params import Definition, Policy


def define(criteria: tuple[Criterion, ...], definition: Definition) -> dict[str, Any]:
    """Every figure of the page, from what the stages before left."""
    tables = stage.read_tables()
    people = population(stage.read_table(stage.EXAMPLES), tables["leads"])
    inputs = inputs_of(criteria)
    names, about = topics(tables, people)
    plan, stages = stage.read_plan(), stage_counts(tables, people)
    policy = stage.read_json(stage.BUNDLE / "policy.json")
    return {
        "model": _model(),
        "shape": stage.read_meta()["shape"],
        "leads": len(people.rows),
        "age_days": people.age_days,
        "span": _span(people.rows),
        "overall": asdict(rate(people.y, people.group)),
        "criteria": _criteria(criteria, met(inputs, people.rows), people),
        "topics": [{"name": n, **asdict(w)} for n, w in zip(names, weigh(about, people.y, people.group), strict=True)],
        "deciders": who_decides(tables, plan, definition, stage.read_until(), people.age_days),
        "stages": stages,
        "called": called(stages),
        "product_events": _product_events(tables, policy),
        "expected": stage.read_json(stage.POLICY_FIGURES),
        "grades": [
            *([name, min(1.0, lift * policy["base_rate"])] for name, lift in policy["grades"]),
            [policy["rest"], None],
        ],
    }


def _span(rows: pl.DataFrame) -> list[str] | None:
    at = rows["as_of"].drop_nulls()
    return [str(at.min())[:10], str(at.max())[:10]] if len(at) else None


def _criteria(criteria: tuple[Criterion, ...], facts: Bools, people: Population) -> dict[str, Any]:
    """Of each criterion its words, test and weight; and conversion by how many of them a lead meets."""
    weights, checked = iter(weigh(facts, people.y, people.group)), facts.shape[1]
    each = [
        {
            "name": c.name,
            "words": c.words,
            "when": None if c.when is None else write(c.when),
            "doubt": c.doubt or None,
            "weight": None if c.when is None else asdict(next(weights)),
        }
        for c in criteria
    ]
    count = facts.sum(axis=1)
    parts = {"all": count == checked, "some": (count > 0) & (count < checked), "none": count == 0}
    kept = parts if checked > 1 else {name: parts[name] for name in ("all", "none")} if checked else {}
    return {"each": each, "by_met": {name: asdict(rate(people.y, people.group, own)) for name, own in kept.items()}}


def _product_events(tables: Any, policy: dict[str, Any]) -> list[str]:
    """The events that show use of the product and occur in the data."""
    seen = set(tables["events"]["type"].unique()) if "events" in tables else set()
    return [name for name in policy["routing"]["product_events"] if name in seen]


def agreement(criteria: tuple[Criterion, ...], definition: Definition) -> dict[str, Any]:
    """What an edition of the definition consists of: a change of any of it makes a new one. It is what people agree
    on; what a new model makes of that, such as the probability of the threshold, is no new agreement."""
    policy, table = stage.section(Policy), stage.read_json(stage.POINTS_TABLE)
    return {
        "criteria": {c.name: {"words": c.words, "when": None if c.when is None else write(c.when)} for c in criteria},
        "conversion": definition.conversion.model_dump(mode="json"),
        "threshold": {} if policy.threshold is None else policy.threshold.model_dump(mode="json", exclude_none=True),
        "grades": policy.model_dump(mode="json")["grades"],
        "routes": [rule["route"] for rule in stage.read_json(stage.BUNDLE / "policy.json")["routing"]["rules"]],
        "points": {} if table is None else table["thresholds"],
    }


def _model() -> str:
    """The digest of the bundle, as everywhere."""
    from models.bundle.folder import read_files

    return read_files(stage.BUNDLE).digest[:12]
