"""Stage evaluate: predictions of every mature example, how good they are on the test fold, and week by week."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import Floats
from features.kernel import Matrix
from features.plan import Plan
from models.baselines.fitted import Baselines
from models.baselines.points import probabilities
from models.learning import horizons
from models.learning.horizons import column
from models.policy.values import Values
from pipeline import stage
from pipeline.assembly.data import Data, as_known, known, load
from pipeline.assembly.values import Tables, instants
from pipeline.handtuned.inputs import read_inputs
from pipeline.handtuned.inputs import read_table as read_points_table
from pipeline.handtuned.records import tallying
from pipeline.judging.measures import evaluate, importance, intervals, judge_order
from pipeline.judging.partings import column_of
from pipeline.judging.replay import Predict, Replay, Test, absent, replay, scored_rows, weeks_of
from pipeline.judging.slices import diagnosis, slicings, with_intervals
from pipeline.judging.truth import truth_of
from pipeline.judging.weeks import pool
from pipeline.learning.fitted import Fitted, predict, read_model
from pipeline.learning.horizons import measure
from pipeline.outcomes.deals import deal_values
from pipeline.params import Definition, Policy, Source, Train

DRAWS = 200


def replayed(
    data: Data, tables: Tables, plan: Plan, values: Values, fitted: Fitted, scores: Mapping[str, Floats]
) -> Replay:
    """The test period once more, week by week: `scores` are those of the examples, `model` among them."""
    meta, test = stage.read_meta(), data.rows("test")
    begin, until = data.examples.filter(pl.Series(test))["as_of"].min(), stage.read_until()
    if meta["shape"] == "flat" or until is None or not isinstance(begin, datetime):
        return absent("without dates there are no weeks")
    definition, params = stage.section(Definition), stage.section(Train)
    zone, most = stage.section(Source).timezone, stage.section(Policy).weekly_capacity
    found = pool(tables, meta["shape"], until, begin, definition, zone, most)
    if found.rows.is_empty():
        return absent("no whole week of the test period has leads whose outcome is known by now")
    every, expected = scored_rows(tables, plan, found.rows, values, _scorer(fitted))
    weeks = weeks_of(found, expected, tables["leads"], params.seed)
    mine = {name: p[test] for name, p in scores.items()}
    ages = data.examples["age_days"].to_numpy().astype(np.float64)[test]
    test_fold = Test(data.y[test], ages, data.group[test], mine)
    return replay(found, weeks, every, test_fold, params.seed, DRAWS, exactly(found.rows))


def _scorer(fitted: Fitted) -> Predict:
    """The model, the baselines and, where there is a table of points, these."""
    others = Baselines.of_json(stage.read_json(stage.MODEL / "baselines.json"))
    table = read_points_table()
    by_hand = None if table is None else tallying(read_inputs(table))

    def scored(rows: pl.DataFrame, matrix: Matrix) -> Mapping[str, Floats]:
        found = {"model": predict(fitted, matrix), **others.predict(matrix)}
        if by_hand is not None:
            found["points"] = by_hand(rows["lead_id"], instants(rows)).total
        return found

    return scored


def replayed_points(examples: pl.DataFrame) -> Floats | None:
    """Hand-tuned points of the mature examples; None where there is no table of points."""
    replayed = stage.read_table(stage.POINTS)
    return replayed.filter(examples["mature"])["points"].to_numpy() if "points" in replayed.columns else None


def _baselines(data: Data, by_hand: Floats | None) -> dict[str, Floats]:
    """What the model is held against, by name: probabilities of the examples, of points too where there are any."""
    others = stage.read_table(stage.BASELINES)
    found = {k: others[k].to_numpy() for k in others.columns if k not in ("lead_id", "as_of")}
    if by_hand is not None:
        within_days = stage.section(Definition).conversion.within_days
        then = as_known(data, data.begin_of_test)
        found["points"] = probabilities(by_hand, then.y, known(data.fold, data.as_of, within_days))
    return found


def exactly(rows: pl.DataFrame) -> Floats | None:
    """The imagined company's exact probabilities of rows `lead_id, as_of`, shape (k,); None for real tables."""
    return truth_of(rows, stage.section(Source), stage.section(Definition))


def _parted(plan: Plan, values: Values) -> tuple[str | None, str | None]:
    """Columns of the source and of the segment: as said, else what tells deals apart."""
    definition = stage.section(Definition)
    segment = column_of(plan, definition, "segment") or values.column
    return column_of(plan, definition, "source"), segment


def main() -> None:
    """Read model and features, write predictions, metrics, intervals and what matters."""
    plan = stage.read_plan()
    tables, examples = stage.read_tables(), stage.read_table(stage.EXAMPLES)
    data = load(examples, stage.read_table(stage.FEATURES), tables["leads"], plan)
    params, fitted, by_hand = stage.section(Train), read_model(), replayed_points(examples)
    baselines = _baselines(data, by_hand)
    with stage.speaking("evaluate") as say:
        say("predicting")
        p = predict(fitted, data.matrix)
        shorter = horizons.shorter(fitted.links, p, data.matrix)
        say("measuring")
        truth = exactly(data.examples.filter(pl.Series(data.rows("test"))))
        found = evaluate(data, p, baselines, truth, params.seed)
        if fitted.links:
            found["horizons"] = measure(data, p, shorter, fitted.links, baselines["logistic"], params.seed)
        if by_hand is not None:
            judge_order(found["baselines"]["points"], data, by_hand, params.seed)
        found["validation"] = stage.read_json(stage.MODEL / "training.json")["validation"]
        say("drawing intervals")
        spans = intervals(data, p, baselines, params.seed, DRAWS)
        matters = importance(data, fitted, params.seed)
        values = deal_values(tables, plan, stage.section(Definition), examples)
        say("replaying the weeks of the test")
        weekly = replayed(data, tables, plan, values, fitted, {"model": p, **baselines})
        say("slicing the calibration")
        by = diagnosis(data, p, slicings(data, *_parted(plan, values)), params.seed, DRAWS)
    if weekly.metrics:
        found["weekly"], spans["weekly"] = weekly.metrics, weekly.intervals
    if weekly.expected:
        found["truth"]["weekly"] = weekly.expected
    shown = {"probability": p} if by_hand is None else {"probability": p, "points": by_hand}
    shown |= {column(days): q for days, q in shorter.items()}
    columns = data.examples.select("lead_id", "as_of", "age_days", "fold", "label")
    stage.write_table(columns.with_columns(**{k: pl.Series(v) for k, v in shown.items()}), stage.PREDICTIONS)
    stage.write_json(spans, stage.INTERVALS)
    stage.write_json(matters, stage.IMPORTANCE)
    stage.write_json({"test": with_intervals(found["test"], spans["test"]), "by": by}, stage.CALIBRATION)
    stage.write_json(weekly.weeks, stage.WEEKLY)
    stage.write_json(found, stage.METRICS)
