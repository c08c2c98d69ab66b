"""Every number of the report, made again from data/predictions.parquet or the table that the page says it rests on."""

import json
import re
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from figures import Facts, Figures, agree, ends, facts_of

from features.arrays import DAY_US, Bools, Floats
from features.plan import plan_of_json
from models.baselines.points import probabilities
from models.bundle.folder import Bundle, score
from models.judging import bootstrap, metrics
from models.judging.slices import by_slice, off
from models.judging.smooth_ece import smooth_ece, smooth_ece_null
from models.judging.swap import difference
from pipeline import evaluate, stage
from pipeline.assembly.data import load
from pipeline.assembly.groups import groups_of
from pipeline.assembly.matrices import matrix_of
from pipeline.handtuned.swapping import fresh
from pipeline.judging.measures import MOST_EXPLAINED, one_per_lead
from pipeline.judging.replay import Replay
from pipeline.judging.slices import ages
from pipeline.learning.fitted import read_model
from pipeline.outcomes.deals import deal_values
from pipeline.params import Definition, Policy
from pipeline.policy.forecast import forecast
from pipeline.policy.unseen import unseen
from pipeline.reporting.quarter import quarter, said
from pipeline.reporting.summary import rivals
from pipeline.reporting.verdict import headline, verdict

SEED, DRAWS, NULL_DRAWS = 7, 2, 2
"""Of the finished run of tests/conftest.py."""
KINDS = {
    "test", "single", "weekly", "quarter", "slice", "stability", "swap", "reconciliation", "policy", "value", "matters",
    "lead", "leads", "fold", "quality", "funnel", "account",
}  # fmt: skip
"""Of figures: each has a test here."""


@pytest.fixture(scope="module")
def facts(report: Path) -> Facts:
    """What the page says."""
    return facts_of(report)


@pytest.fixture(scope="module")
def leads(checked_tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Of the accounts that intervals draw."""
    return checked_tables["leads"]


@pytest.fixture(scope="module")
def test_fold(predictions: pl.DataFrame) -> pl.DataFrame:
    """What most numbers are of."""
    return predictions.filter(pl.col("fold") == "test")


def floats(frame: pl.DataFrame, column: str) -> Floats:
    """A column as numbers."""
    return frame[column].to_numpy().astype(np.float64)


def read(run: Path, name: str) -> Any:
    """A JSON file of the run."""
    return json.loads((run / name).read_text())


def mature_features(run: Path) -> pl.DataFrame:
    """A row for each of the predictions."""
    mature = pl.read_parquet(run / "data/examples.parquet")["mature"]
    return pl.read_parquet(run / "data/features.parquet").filter(mature)


def known_at_the_test(run: Path, predictions: pl.DataFrame) -> Bools:
    """Whose outcome was known when the test began: what every model, and the curve of the points, may learn from."""
    begin = predictions.filter(pl.col("fold") == "test")["as_of"].min()
    within = timedelta(days=read(run, "data/settings/definition.json")["conversion"]["within_days"])
    return predictions.select(pl.col("as_of") + within <= begin).to_series().to_numpy()


def every_score(run: Path, predictions: pl.DataFrame) -> dict[str, Floats]:
    """What each model says of the test fold: data/baselines.parquet beside the predictions."""
    others = pl.read_parquet(run / "data/baselines.parquet").drop("lead_id", "as_of")
    known = known_at_the_test(run, predictions)
    by_hand = probabilities(floats(predictions, "points"), floats(predictions, "label"), known)
    found = {"model": floats(predictions, "probability"), **{c: floats(others, c) for c in others.columns}}
    test = (predictions["fold"] == "test").to_numpy()
    return {name: p[test] for name, p in {**found, "points": by_hand}.items()}


def test_every_figure_is_written_as_it_is(report: Path) -> None:
    """What a person reads is the exact value, rounded to the digits that are written."""
    figures = Figures(report.read_text(encoding="utf-8")).found
    assert len(figures) > 300
    for figure in figures:
        text = figure.text.replace(",", "").replace("−", "-")
        value = 100 * figure.value if "%" in text else figure.value
        number = re.sub(r"[^\d.-]", "", text)
        assert abs(float(number) - value) <= 0.5000001 * 10.0 ** -len(number.partition(".")[2]), figure


def test_every_kind_of_figure_has_its_test(facts: Facts) -> None:
    """Nothing is on the page that no test here makes again."""
    assert {key.partition(".")[0] for key in facts} == KINDS


def test_metrics_of_the_test_fold(
    facts: Facts, finished_run: Path, predictions: pl.DataFrame, test_fold: pl.DataFrame
) -> None:
    """AUC, loss and calibration of every model; the points' order is judged on the points themselves."""
    y = floats(test_fold, "label")
    for name, p in every_score(finished_run, predictions).items():
        found = metrics.scores(y, p, SEED)
        if name == "points":
            found |= metrics.ordering(y, floats(test_fold, "points"))
        shown = {key: value for key, value in facts.items() if not key.endswith((".low", ".high"))}
        agree(shown, f"test.{name}.", dict(found), least=4)


def test_intervals_of_the_test_fold(
    facts: Facts, finished_run: Path, predictions: pl.DataFrame, test_fold: pl.DataFrame, leads: pl.DataFrame
) -> None:
    """By drawing the accounts of the leads table again."""
    group = groups_of(predictions, leads).rank("dense").to_numpy().astype(np.int64)
    group = group[(predictions["fold"] == "test").to_numpy()]
    y, scores = floats(test_fold, "label"), every_score(finished_run, predictions)
    own, _ = bootstrap.compare(y, scores, "model", group, SEED, DRAWS)
    shown = {key: value for key, value in facts.items() if key.endswith((".low", ".high"))}
    for name in scores:
        agree(shown, f"test.{name}.", ends(own[name]), least=8)


def test_one_example_a_lead(facts: Facts, finished_run: Path, predictions: pl.DataFrame, leads: pl.DataFrame) -> None:
    """The same metrics where each lead counts once."""
    plan = plan_of_json(read(finished_run, "data/plan.json"))
    examples, features = (pl.read_parquet(finished_run / f"data/{name}.parquet") for name in ("examples", "features"))
    data = load(examples, features, leads, plan)
    rows = predictions[one_per_lead(data, data.rows("test"), SEED).tolist()]
    assert rows["lead_id"].is_unique().all()
    agree(facts, "single.", dict(metrics.scores(floats(rows, "label"), floats(rows, "probability"), SEED)), least=5)


def test_weeks(facts: Facts, finished_run: Path) -> None:
    """What was taken and converted, from the counts of reports/weekly.json."""
    weeks = read(finished_run, "reports/weekly.json")["weeks"]
    there, won = (np.array([week[key] for week in weeks], float) for key in ("open", "converting"))
    whole = {"weeks": len(weeks), "capacity": np.mean([week["capacity"] for week in weeks]),
             "open": there.mean(), "base_rate_of_open": won.sum() / there.sum()}  # fmt: skip
    assert {name: facts[f"weekly.{name}"] for name in whole} == pytest.approx(whole)
    for name in weeks[0]["taken"]:
        taken, converted = (np.array([week[key][name] for week in weeks]) for key in ("taken", "converted"))
        assert facts[f"weekly.{name}.precision"] == pytest.approx(converted.sum() / taken.sum())
        assert facts[f"weekly.{name}.lift"] == pytest.approx(converted.sum() / (taken * won / there).sum())


def played_again(predictions: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> Replay:
    """The weeks of the run in this folder, once more, from its predictions and baselines."""
    plan = plan_of_json(stage.read_json(stage.PLAN))
    examples, features = (stage.read_table(path) for path in (stage.EXAMPLES, stage.FEATURES))
    data = load(examples, features, tables["leads"], plan)
    others = stage.read_table(stage.BASELINES).drop("lead_id", "as_of")
    known = known_at_the_test(Path(), predictions)
    scores = {"model": floats(predictions, "probability"), **{name: floats(others, name) for name in others.columns},
              "points": probabilities(floats(predictions, "points"), data.y, known)}  # fmt: skip
    values = deal_values(tables, plan, stage.section(Definition), examples)
    return evaluate.replayed(data, tables, plan, values, read_model(), scores)


def test_weeks_played_again(
    facts: Facts, finished_run: Path, predictions: pl.DataFrame, checked_tables: dict[str, pl.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What the counts do not hold, values and AUC with their intervals, comes out of the replay again."""
    monkeypatch.chdir(finished_run)
    monkeypatch.setattr("pipeline.evaluate.DRAWS", DRAWS)
    found = played_again(predictions, checked_tables)
    for name, one in found.metrics.items():
        if isinstance(one, dict):
            agree(facts, f"weekly.{name}.", one | ends(found.intervals[name]), least=10)


def test_a_team_takes_what_it_can(
    finished_run: Path, predictions: pl.DataFrame, checked_tables: dict[str, pl.DataFrame], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """policy.weekly_capacity says how many leads are taken each week."""
    shutil.copytree(finished_run, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    monkeypatch.setattr("pipeline.evaluate.DRAWS", DRAWS)
    assert {week["capacity"] for week in stage.read_json(stage.WEEKLY)["weeks"]} != {2}
    policy = stage.section(Policy).model_copy(update={"weekly_capacity": 2})
    stage.write_json(policy.model_dump(mode="json"), stage.SETTINGS / "policy.json")
    weeks = played_again(predictions, checked_tables).weeks["weeks"]
    assert {week["capacity"] for week in weeks} == {2}
    assert {week["taken"]["model"] for week in weeks if week["open"] > 50} == {2}


def test_the_points_learn_from_what_lies_between_train_and_calibrate(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their curve, as every rival, is fitted to all outcomes known when the test began, whatever fold they are in."""
    shutil.copytree(finished_run, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    monkeypatch.setattr("pipeline.evaluate.DRAWS", 2)
    of_train = (pl.col("fold") == "train") & (pl.int_range(pl.len()) % 2 == 0)
    examples = stage.read_table(stage.EXAMPLES).with_columns(
        fold=pl.when(of_train).then(pl.lit("gap")).otherwise("fold")
    )
    stage.write_table(examples, stage.EXAMPLES)
    before = stage.read_json(stage.METRICS)["baselines"]["points"]
    evaluate.main()
    assert stage.read_json(stage.METRICS)["baselines"]["points"] == before


def test_deals_a_quarter(facts: Facts, finished_run: Path, report: Path) -> None:
    """The first figure of all: conversions of both lists, scaled to 13 weeks; its interval that of the shares."""
    weeks = read(finished_run, "reports/weekly.json")["weeks"]
    sums = {name: sum(week["converted"][name] for week in weeks) for name in ("model", "points")}
    taken = sum(week["taken"]["model"] for week in weeks)
    apart = read(finished_run, "reports/intervals.json")["weekly"]["difference"]["points"]["precision"]
    assert facts["quarter.more"] == pytest.approx((sums["model"] - sums["points"]) * 13 / len(weeks))
    assert facts["quarter.more.low"] == pytest.approx(apart[0] * taken * 13 / len(weeks))
    assert facts["quarter.more.high"] == pytest.approx(apart[1] * taken * 13 / len(weeks))
    money = facts["weekly.model.value"] - facts["weekly.points.value"]
    assert facts["quarter.value"] == pytest.approx(money * 13 / len(weeks))
    more = facts["quarter.more"]
    words = f"{abs(more):.1f} {'more' if more >= 0 else 'fewer'} deals per quarter"
    assert words in report.read_text(encoding="utf-8")


def test_slices(facts: Facts, finished_run: Path, predictions: pl.DataFrame, leads: pl.DataFrame) -> None:
    """By month and age from the predictions alone, by source and segment with a column of data/features.parquet."""
    features = mature_features(finished_run)
    names = read(finished_run, "reports/calibration.json")["by"]
    group = groups_of(predictions, leads).rank("dense").to_numpy().astype(np.int64)
    test = (predictions["fold"] == "test").to_numpy()
    y, p = floats(predictions, "label")[test], floats(predictions, "probability")[test]
    for by, slicing in names.items():
        texts = {"month": predictions["as_of"].dt.strftime("%Y-%m"), "age": ages(predictions["age_days"])}.get(by)
        texts = features[slicing["column"]].fill_null("(missing)") if texts is None else texts
        shown = [row["name"] for row in slicing["slices"]]
        part = np.array([shown.index(t) if t in shown else shown.index("other") for t in texts.filter(test).to_list()])
        spans = {row["name"]: row["interval"] for row in by_slice(y, p, group[test], part, shown, SEED, DRAWS)}
        for k, name in enumerate(shown):
            mine, q = y[part == k], p[part == k]
            found = {
                "n": len(mine), "positives": mine.sum(), "observed": mine.mean(), "expected": q.mean(),
                "observed_over_expected": mine.sum() / q.sum(), "smooth_ece": smooth_ece(mine, q),
                "smooth_ece_null_p95": smooth_ece_null(q, SEED, NULL_DRAWS),
                **ends({"observed_over_expected": spans[name]}),
            }  # fmt: skip
            agree(facts, f"slice.{by}.{name}.", found, least=9)


def test_slices_that_are_off(facts: Facts, finished_run: Path) -> None:
    """How many slices were judged; of those whose intervals do not hold 1, at most as many are beyond chance."""
    low, high = ({k.rpartition(".")[0]: v for k, v in facts.items() if k.startswith("slice.") and k.endswith(end)}
                 for end in (".low", ".high"))  # fmt: skip
    by = read(finished_run, "reports/calibration.json")["by"]
    rows = [row for slicing in by.values() for row in slicing["slices"]]
    assert facts["stability.slices"] == len(low) == sum(row["chance"] is not None for row in rows)
    assert facts.get("stability.off", 0) == sum(off(rows)) <= sum(not low[key] <= 1 <= high[key] for key in low)


def test_swap_set(
    facts: Facts, finished_run: Path, predictions: pl.DataFrame, test_fold: pl.DataFrame, leads: pl.DataFrame
) -> None:
    """The groups of reports/points/swap.csv; their outcomes and probabilities are those of the predictions."""
    text = {"source": pl.String, "month": pl.String}
    listed = pl.read_csv(finished_run / "reports/points/swap.csv", try_parse_dates=True, schema_overrides=text)
    at = pl.min_horizontal("points_at", "probability_at").cast(pl.Datetime("us", "UTC"))
    known = listed.with_columns(as_of=at).join(test_fold, on=["lead_id", "as_of"], suffix="_told")
    assert len(known) == len(listed)
    assert (known["converted"] == known["label"]).all()
    assert (known["probability"] == known["probability_told"]).all()
    found = {"fresh_leads": fresh(predictions)["lead_id"].n_unique(), "threshold": facts["swap.threshold"],
             "volume": len(listed.filter(pl.col("group") != "in"))}  # fmt: skip
    best = known.filter(pl.col("group") != "out")
    assert facts["swap.threshold"] <= best.filter(pl.col("points_at").is_null())["probability"].min()
    parts = {"": listed} | {f"by.{by}.{name[0]}.": rows for by in ("source", "month")
                            for name, rows in listed.group_by(by)}  # fmt: skip
    for prefix, rows in parts.items():
        for name in ("stay", "in", "out"):
            own = rows.filter(pl.col("group") == name)
            found |= {
                f"{prefix}{name}.leads": len(own), f"{prefix}{name}.converted": own["converted"].sum(),
                f"{prefix}{name}.rate": own["converted"].mean(),
                f"{prefix}{name}.value": own["value"].fill_null(0).mean(),
            }  # fmt: skip
    account = (
        groups_of(listed.select("lead_id"), leads.select("lead_id", "account_id"))
        .rank("dense")
        .to_numpy()
        .astype(np.int64)
    )
    for name, values, scale in (("rate", listed["converted"], 100.0), ("value", listed["value"].fill_null(0.0), 1.0)):
        gap = difference(scale * values.to_numpy().astype(np.float64), listed["group"].to_numpy(), account, SEED)
        if gap is not None:
            found |= {f"difference.{name}": gap[0], **ends({f"difference.{name}": gap[1]})}
    agree(facts, "swap.", found, least=20)


def test_reconciliation(facts: Facts, finished_run: Path) -> None:
    """Those that do not agree are the rows of reports/points/reconciliation.csv; with the others they are all."""
    listed = pl.read_csv(finished_run / "reports/points/reconciliation.csv")["outcome"].to_list()
    counts = {name: float(n) for name, n in Counter(listed).items()}
    total, agreed = facts["reconciliation.leads"], facts["reconciliation.agree"]
    assert total == agreed + len(listed)
    empty = dict.fromkeys(("earlier", "later", "only_replay", "only_actual"), 0.0)
    agree(facts, "reconciliation.", {**empty, **counts, "leads": total, "agree": agreed, "agreeing": agreed / total})


def test_weekly_volumes(facts: Facts, finished_run: Path, predictions: pl.DataFrame, bundle: Bundle) -> None:
    """Leads by their first time in each grade or above the threshold, in whole weeks: from the predictions, those of
    train by trees that had not seen the lead."""
    predictions = unseen(predictions, pl.read_parquet(finished_run / stage.LEFT_OUT))
    p = floats(predictions, "probability")
    begin = predictions.filter(pl.col("fold") == "test")["as_of"].min()
    rows = predictions.with_columns(
        grade=pl.Series(bundle.policy.grade(p)), week=(pl.col("as_of") - begin).dt.total_microseconds() // (7 * DAY_US)
    ).sort("lead_id", "as_of")
    weeks = int((predictions["as_of"].max() - begin).total_seconds() // (7 * 86400))  # type: ignore[operator, union-attr]
    hits = {f"grade.{name}": pl.col("grade") == name for name in "ABCDE"}
    if bundle.policy.threshold is not None:
        hits["above"] = pl.col("probability") >= bundle.policy.threshold
        assert facts["policy.threshold"] == bundle.policy.threshold
    for name, hit in hits.items():
        first = (
            rows.filter(hit)
            .group_by("lead_id", maintain_order=True)
            .first()
            .filter(pl.col("week").is_between(0, weeks - 1))
        )
        found = {"leads": len(first) / weeks, "converted": first["label"].sum() / weeks,
                 "promised": first["probability"].sum() / weeks}  # fmt: skip
        assert {key: facts[f"policy.{name}.{key}"] for key in found} == pytest.approx(found, abs=1e-9)


def test_routes_and_values(
    facts: Facts, finished_run: Path, predictions: pl.DataFrame, bundle: Bundle,
    checked_tables: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Routes, intervals and sums of money need features and amounts beside the predictions."""
    monkeypatch.chdir(finished_run)
    matrix = matrix_of(mature_features(finished_run), bundle.plan.features)
    rows = unseen(predictions, stage.read_table(stage.LEFT_OUT))
    made = forecast(bundle.policy, rows, matrix, checked_tables, stage.section(Definition), SEED)
    for kind, flows in (("grade", made["grades"]), ("route", made["routes"])):
        for name, row in flows.items():
            spans = {key: row[f"{key}_interval"] for key in ("leads", "converted") if row[f"{key}_interval"]}
            agree(facts, f"policy.{kind}.{name}.", row | ends(spans), least=3)
    agree(facts, "value.", made["value"] | ends({"won_over_expected": made["value"]["interval"]}), least=5)
    if made["threshold"] is not None:
        assert facts["policy.score_at_threshold"] == made["score_at_threshold"]


def test_what_matters(facts: Facts, finished_run: Path, predictions: pl.DataFrame, bundle: Bundle) -> None:
    """Mean absolute contributions over the test fold, by the bundle; a group's is the sum over its features."""
    features = mature_features(finished_run)
    rows = np.flatnonzero((predictions["fold"] == "test").to_numpy())
    some = np.sort(np.random.default_rng(SEED).permutation(rows)[:MOST_EXPLAINED])
    shares = score(bundle, matrix_of(features[some.tolist()], bundle.plan.features), True).contributions
    assert shares is not None
    names = [column.name for column in bundle.plan.features]
    found: dict[str, float | None] = dict(zip(names, np.abs(shares).mean(axis=0).tolist(), strict=True))
    for group in ("fit", "engagement", "intent"):
        found[f"group.{group}"] = sum(value or 0.0 for name, value in found.items() if name.startswith(f"{group}_"))
    agree(facts, "matters.", found, least=20)


def test_example_leads(
    facts: Facts, finished_run: Path, test_fold: pl.DataFrame, predictions: pl.DataFrame, bundle: Bundle
) -> None:
    """Probability and rank of a lead's last look in the test, its score by the policy, its reasons by the bundle."""
    features = mature_features(finished_run)
    last = test_fold.sort("as_of").group_by("lead_id").last()
    assert facts["leads.of"] == len(last)
    shown = {key.split(".")[1] for key in facts if key.startswith("lead.")}
    assert len(shown) == 10
    for lead in shown:
        me = last.row(by_predicate=pl.col("lead_id") == lead, named=True)
        where = (predictions["lead_id"] == lead) & (predictions["as_of"] == me["as_of"])
        shares = score(bundle, matrix_of(features.filter(where), bundle.plan.features), True).contributions
        assert shares is not None
        names = [column.name for column in bundle.plan.features]
        p = me["probability"]
        ahead = (last["probability"] > p) | ((last["probability"] == p) & (last["lead_id"] <= lead))
        found = {"probability": p, "rank": int(ahead.sum()), "age_days": me["age_days"],
                 "score": int(bundle.policy.score(np.array([p]))[0])}  # fmt: skip
        agree(facts, f"lead.{lead}.", {**dict(zip(names, shares[0].tolist(), strict=True)), **found}, least=7)


def test_folds(facts: Facts, predictions: pl.DataFrame) -> None:
    """Examples, leads and converting leads of each fold."""
    for (fold,), rows in predictions.group_by("fold"):
        converting = rows.filter(pl.col("label") == 1)["lead_id"].n_unique()
        found = {"examples": len(rows), "leads": rows["lead_id"].n_unique(), "converting_leads": converting}
        agree(facts, f"fold.{fold}.", found, least=3)


def test_sums_of_rows_balance(facts: Facts, finished_run: Path, checked_tables: dict[str, pl.DataFrame]) -> None:
    """Accepted rows are those of data/tables, quarantined ones of data/quarantine by code, and read is the sum."""
    for table, rows in checked_tables.items():
        mine = {
            key.removeprefix(f"quality.{table}."): n for key, n in facts.items() if key.startswith(f"quality.{table}.")
        }
        parts = [n for key, n in mine.items() if key.startswith(("quarantined.", "excluded."))]
        assert mine["read"] == mine["accepted"] + sum(parts)
        assert mine["accepted"] == len(rows)
        refused = pl.read_parquet(finished_run / f"data/quarantine/{table}.parquet")["code"].to_list()
        assert {k[12:]: n for k, n in mine.items() if k.startswith("quarantined.")} == Counter(refused)


def test_the_words_say_the_same_numbers(report: Path, finished_run: Path) -> None:
    """The verdict's sentences are those of metrics.json and intervals.json, which the other tests make again."""
    found, spans = read(finished_run, "reports/metrics.json"), read(finished_run, "reports/intervals.json")
    page = report.read_text(encoding="utf-8")
    change = quarter(found, spans)
    assert change is not None
    assert rivals(found)[0] == change.rival == "points"
    for sentence in (said(change, "deals"), headline(found, spans), *verdict(found, spans)):
        assert sentence.replace("'", "&#39;") in page
