"""Leaks planted in the tables and in the code: each stops the run, and the message names the culprit."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaking import BEFORE, Frames, brought, check, run, simulated, stopped

from features.columns import Attribute, Column
from features.own import OWN, Own
from features.plan import Plan, plan_of_json
from features.vocabulary import ENGAGEMENT_TOTAL
from models.learning.encoding import encode
from pipeline.assembly.data import Data, load
from pipeline.leaks import trials
from pipeline.leaks.culprits import culprit_of
from pipeline.leaks.findings import Check
from pipeline.leaks.results import check_better, check_test, within
from pipeline.leaks.singles import check_single, fates
from pipeline.leaks.trials import check_encoding, check_shuffled
from pipeline.leaks.twins import check_twins
from pipeline.learning.later import looks_of
from pipeline.params import Leaks, Train

LEADS = 700
SETTINGS = Train(bags=2, threads=1)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """The tables of an honest company, with leads marked that were won in the end."""
    folder = tmp_path_factory.mktemp("clean")
    simulated(folder, "plain", LEADS, 5)
    run(folder, "configure", "ingest")
    return {path.stem: pl.read_parquet(path) for path in (folder / "data/simulated").glob("*.parquet")}


def won(frames: Frames) -> pl.DataFrame:
    """`lead_id, created_at, won_at` of the leads that were won."""
    stages = frames["stages"].filter(pl.col("stage") == "won").select("lead_id", pl.col("entered_at").alias("won_at"))
    return frames["leads"].select("lead_id", "created_at").join(stages.unique("lead_id"), on="lead_id")


def is_won(frames: Frames) -> pl.Series:
    """Whether each lead was."""
    return frames["leads"]["lead_id"].is_in(won(frames)["lead_id"].implode())


def with_column(frames: Frames, name: str, value: pl.Expr) -> Frames:
    """The leads with a column more, an expression of `won` and `chance` in [0, 1)."""
    chance = np.random.default_rng(1).random(len(frames["leads"]))
    marked = frames["leads"].with_columns(won=is_won(frames), chance=pl.Series(chance))
    return {**frames, "leads": marked.with_columns(value.alias(name)).drop("won", "chance")}


def status(frames: Frames) -> Frames:
    """A status that the CRM overwrites in place."""
    lost = pl.when(pl.col("chance") < 0.5).then(pl.lit("Closed")).otherwise(pl.lit("Working"))
    return with_column(frames, "Lead Status", pl.when("won").then(pl.lit("Customer")).otherwise(lost))


def last_activity(frames: Frames) -> Frames:
    """The day of the last activity, as a serial number: customers are in contact to this day."""
    age = 45_900 - 700 * pl.col("chance")
    return with_column(frames, "Last Activity", pl.when("won").then(45_900 - 30 * pl.col("chance")).otherwise(age))


def billing_city(frames: Frames) -> Frames:
    """A field that is filled in for most winners, and hardly for others."""
    known = pl.col("chance") < pl.when("won").then(0.75).otherwise(0.04)
    return with_column(frames, "Billing City", pl.when(known).then(pl.lit("Turku")))


def amount(frames: Frames) -> Frames:
    """The amount of the contract, 0 until it is signed."""
    paid = pl.when("won").then(1000 + 9000 * pl.col("chance")).otherwise(0.0)
    return with_column(frames, "Contract Sum", paid.round())


def position(frames: Frames) -> Frames:
    """A place in a file that was sorted by outcome."""
    order = (pl.col("won").cast(pl.Float64) + 0.4 * pl.col("chance")).rank("ordinal")
    return with_column(frames, "Sheet Line", order.cast(pl.Float64))


def totals_of_today(frames: Frames) -> Frames:
    """The deals that an account has won until today, in its own table."""
    mine = frames["leads"].filter(is_won(frames)).group_by("account_id").agg(pl.len().alias("Deals Won"))
    accounts = frames["accounts"].join(mine, on="account_id", how="left").with_columns(pl.col("Deals Won").fill_null(0))
    return {**frames, "accounts": accounts}


def segment_of_today(frames: Frames) -> Frames:
    """What kind of company it is to us today: a customer, once any of its people bought."""
    mine = frames["leads"].filter(is_won(frames))["account_id"].unique().implode()
    kind = pl.when(pl.col("account_id").is_in(mine)).then(pl.lit("Customer"))
    other = pl.when(pl.col("account_id").str.len_bytes() % 2 == 0).then(pl.lit("Prospect")).otherwise(pl.lit("Partner"))
    return {**frames, "accounts": frames["accounts"].with_columns(kind.otherwise(other).alias("Segment"))}


def late_event(frames: Frames) -> Frames:
    """A draft of the contract, entered when it was signed and dated to the lead's first hour."""
    rows = won(frames).select("lead_id", pl.col("created_at").alias("occurred_at"), type=pl.lit("contract_draft"))
    return {**frames, "events": pl.concat([frames["events"], rows], how="diagonal")}


def back_dated_stage(frames: Frames) -> Frames:
    """A stage that sellers enter for what they have sold, dated back to the lead's creation."""
    rows = won(frames).select("lead_id", pl.lit("qualified").alias("stage"), pl.col("created_at").alias("entered_at"))
    return {**frames, "stages": pl.concat([frames["stages"], rows], how="diagonal")}


def back_dated_history(frames: Frames) -> Frames:
    """A field with a history that somebody dated back."""
    rows = won(frames).select(
        pl.lit("lead").alias("entity"), pl.col("lead_id").alias("id"), pl.lit("Payment Term").alias("field"),
        pl.Series(["30 days", "14 days"]).sample(len(won(frames)), with_replacement=True, seed=1).alias("value"),
        pl.col("created_at").alias("changed_at"),
    )  # fmt: skip
    return {**frames, "history": pl.concat([frames["history"], rows])}


@pytest.mark.parametrize(
    ("plants", "named"),
    [
        (
            (status, last_activity, billing_city, amount, position, totals_of_today, segment_of_today),
            [f"column '{name}'" for name in
             ("Lead Status", "Last Activity", "Billing City", "Contract Sum", "Sheet Line", "Deals Won", "Segment")],
        ),
        (
            (late_event, back_dated_stage, back_dated_history),
            ["events of type 'contract_draft'", "stage 'qualified'", "column 'Payment Term', as table history has it,"],
        ),
    ],
)  # fmt: skip
def test_leaks_in_the_tables_are_caught_and_named(
    clean: Frames, tmp_path: Path, plants: Sequence[Callable[[Frames], Frames]], named: Sequence[str]
) -> None:
    """The run stops before it learns, and says of each column, event and stage in one message what to do."""
    brought(tmp_path, reduce(lambda frames, plant: plant(frames), plants, clean))
    lines = stopped(tmp_path, *BEFORE, "screen").splitlines()[1:]
    assert {name for name in named for line in lines if line.startswith(f"- {name}")} == set(named)
    assert len(lines) == len(named)
    assert all("To do: " in line and "leaks.allow: [" in line for line in lines)
    told = [max(map(float, re.findall(r"AUC (\d\.\d+), its being missing (\d\.\d+)", line)[0])) for line in lines]
    assert told == sorted(told, reverse=True)
    assert not (tmp_path / "data/screening.json").exists()


def test_colleagues_are_no_twins_and_copies_are_asked_about() -> None:
    """Two of one company share it and its town, and nobody else has them: no proof. Leads of
    different companies are not alike. No table of events is needed, also where leads are dated."""
    n = 40
    leads = pl.DataFrame({
        "lead_id": [str(i) for i in range(n)], "row": range(n), "account_id": [f"A{i // 2}" for i in range(n)],
        "created_at": pl.Series([None] * n, dtype=pl.Datetime("us", "UTC")),
        "town": [f"t{i // 2}" for i in range(n)], "source": ["web"] * n,
    })  # fmt: skip
    examples = pl.DataFrame({"lead_id": leads["lead_id"], "fold": ["train", "test"] * (n // 2)})
    attributes = [Attribute(name, name, "lead", "categorical") for name in ("town", "source")]
    found = check_twins({"leads": leads}, examples, attributes)
    assert not found.problems
    assert found.numbers["alike_by_chance"] == n // 2
    assert [f"{n // 2} groups of leads with equal attributes" in warning for warning in found.warnings] == [True]
    dated = leads.with_columns(created_at=pl.lit(datetime(2025, 1, 1, tzinfo=UTC)))
    assert check_twins({"leads": dated}, examples, attributes) == found
    others = check_twins({"leads": leads.with_columns(account_id=pl.col("lead_id"))}, examples, attributes)
    assert (others.numbers["across"], others.numbers["alike_by_chance"]) == (0, 0)
    assert not others.warnings


@dataclass(frozen=True)
class Marked:
    """A finished run five times over, and which of its examples are of some of the winners."""

    examples: pl.DataFrame
    stored: pl.DataFrame
    groups: np.ndarray
    plan: Plan
    mine: pl.Series

    def check(self, **columns: pl.Expr) -> Check:
        """With other values in some columns."""
        return check_single(self.examples, self.stored.with_columns(**columns), self.groups, self.plan, Leaks(), {})


@pytest.fixture(scope="module")
def marked(finished_run: Path) -> Marked:
    """Two in five winners, before they won."""
    once = [pl.read_parquet(finished_run / f"data/{name}.parquet") for name in ("examples", "features")]
    examples, stored = (
        pl.concat([table.with_columns(pl.col("lead_id") + f" {k}") for k in range(5)]) for table in once
    )
    groups = np.tile(once[0]["lead_id"].to_numpy(), 5)  # copies are of one account
    plan = plan_of_json(json.loads((finished_run / "data/plan.json").read_text()))
    won = examples.filter(pl.col("label") == 1)["lead_id"].unique().sort()
    some = won.sample(fraction=0.4, seed=1, shuffle=True).to_list()
    mine = examples["lead_id"].is_in(some) & (examples["label"] == 1).fill_null(value=False)
    return Marked(examples, stored, groups, plan, mine)


@pytest.mark.parametrize("others", [None, "bronze"])
def test_what_only_some_winners_have_is_caught(marked: Marked, others: str | None) -> None:
    """A field filled in for a third of the winners and for nobody else, and a level that only they have: no area
    under a curve sees them. Of an event it may be honest, and is asked about."""
    found = marked.check(fit_source=pl.when(marked.mine).then(pl.lit("gold")).otherwise(pl.lit(others)))
    (problem,) = found.problems
    told = re.match(r"column 'source': feature fit_source alone has AUC (0\.\d+), its being missing (0\.\d+); of "
                    r"\d+ leads with (it|one of its values) \d+ convert", problem)  # fmt: skip
    assert told, problem
    assert float(told[1]) < 0.9
    assert float(told[2]) < 0.75
    assert "gold" not in problem
    found = marked.check(engagement_download_all=pl.when(marked.mine).then(1.0).otherwise(0.0))
    assert not found.problems
    assert found.warnings[0].startswith("events of type 'download'")


@pytest.mark.parametrize(
    ("theirs", "others"),
    [
        (pl.int_range(pl.len()) + 1.0, pl.lit(0.0)),
        (pl.lit(990.0), pl.lit(0.0)),
        (pl.lit(50.5), pl.int_range(pl.len()) % 97),
        (pl.int_range(pl.len()) + 1000.5, pl.int_range(pl.len()) % 97),
    ],
)
def test_a_number_that_only_some_winners_have_is_caught(marked: Marked, theirs: pl.Expr, others: pl.Expr) -> None:
    """A sum that is 0 until it is paid, a number that marks what was sold, one such amid many
    others, and sums far above those of all others, no two alike."""
    (problem,) = marked.check(fit_employees=pl.when(marked.mine).then(theirs).otherwise(others)).problems
    told = re.match(
        r"column 'employees'.*: feature fit_employees alone has AUC (0\.\d+).*; of \d+ leads with (one|some) of",
        problem,
    )
    assert told, problem
    assert float(told[1]) < 0.9


def test_what_winners_have_who_win_late_is_caught(marked: Marked) -> None:
    """A field that is filled in at the sale stands there for those too who win after the horizon of the look, and half
    of all looks: what came of the lead shows whose it is."""
    lead = pl.col("lead_id")
    winners = marked.examples.filter(pl.col("label") == 1)["lead_id"].unique().sort()
    some = winners.sample(fraction=0.4, seed=3, shuffle=True)
    label = pl.when(lead.is_in(some.implode()) & (pl.col("age_days") == 0) & (pl.col("label") == 1)).then(0.0)
    late = replace(marked, examples=marked.examples.with_columns(label=label.otherwise(pl.col("label"))))
    (problem,) = late.check(fit_source=pl.when(lead.is_in(some.implode())).then(pl.lit("gold"))).problems
    assert problem.startswith("column 'source'")


def test_what_came_of_a_lead_is_not_what_had_come_before() -> None:
    """A look is held against itself and later looks of train: a customer who came again was one before."""
    examples = pl.DataFrame({
        "lead_id": ["a", "b", "a", "a", "b", "b"], "as_of": [datetime(2025, 1, day, tzinfo=UTC) for day in range(1, 7)],
        "label": [0.0, 0.0, 1.0, 0.0, 0.0, 1.0], "fold": ["train"] * 5 + ["test"],
    })  # fmt: skip
    assert fates(examples).tolist() == [1, 0, 1, 0, 0, 0]


def test_a_count_that_tells_much_is_asked_about(clean: Frames, tmp_path: Path) -> None:
    """Calls until today, many for those who were won: below the limit that stops, and named with what to do."""
    many = pl.col("won") & (pl.col("chance") < 0.95)
    calls = pl.when(many).then(4 + 31 * pl.col("chance") % 1).otherwise(5 * (97 * pl.col("chance") % 1)).round()
    brought(tmp_path, with_column(clean, "Calls made", calls))
    run(tmp_path, *BEFORE, "screen")
    (warning,) = check(tmp_path, "single features")["warnings"]
    assert warning.startswith("column 'Calls made': feature fit_calls_made alone has AUC 0.8")
    assert "definition.exclude" in warning


@pytest.mark.parametrize("name", ["Lead Status", "fit_lead_status"])
def test_what_is_allowed_does_not_stop(clean: Frames, tmp_path: Path, name: str) -> None:
    """leaks.allow takes the column's name or the feature's; what was let through is written down."""
    brought(tmp_path, status(clean), f"leaks: {{allow: [{name}, Misspelt]}}\n")
    run(tmp_path, *BEFORE, "screen")
    single = check(tmp_path, "single features")
    assert [one["column"] for one in single["numbers"]["allowed"]] == ["Lead Status"]
    assert any("'Misspelt' is no column" in warning for warning in single["warnings"])


def test_an_event_that_says_when_it_came_is_no_leak(clean: Frames, tmp_path: Path) -> None:
    """The late record with available_at is known from then on, and then the lead is closed."""
    late = late_event(clean)
    came = won(clean).select("lead_id", pl.col("won_at").alias("came"), type=pl.lit("contract_draft"))
    events = late["events"].join(came, on=["lead_id", "type"], how="left")
    events = events.with_columns(available_at=pl.coalesce("came", "available_at")).drop("came")
    brought(tmp_path, {**late, "events": events})
    run(tmp_path, *BEFORE, "screen")


def test_a_twin_across_the_split_is_caught_and_named(clean: Frames, tmp_path: Path) -> None:
    """One person under two ids, the same in all that is known, is named by the rows of both."""
    middle = clean["leads"].sort("created_at").slice(LEADS // 2, 150)["lead_id"]
    twins = {}
    for name in ("leads", "events", "stages"):
        rows = clean[name].filter(pl.col("lead_id").is_in(middle.implode()))
        again = rows.with_columns(pl.col("lead_id") + "b")
        again = again.with_columns(pl.col("event_id") + "b") if name == "events" else again
        twins[name] = pl.concat([clean[name], again])
    brought(tmp_path, {**clean, **twins}, "definition: {conversion: {within_days: 20}}\n")
    said = stopped(tmp_path, *BEFORE, "screen")
    assert "table leads:" in said
    assert "under more than one lead_id" in said
    first, second = check(tmp_path, "duplicate leads across the split")["numbers"]["rows"][0]
    assert second >= len(clean["leads"]) > first


def looks_ahead(patch: pytest.MonkeyPatch) -> None:
    """A kernel that counts an event by when it happened, whenever the record came."""
    from pipeline.assembly import records

    def by_occurrence(tables: Any, plan: Any, *more: Any) -> Any:
        events = tables["events"].with_columns(known_at="occurred_at")
        return made({**tables, "events": events}, plan, *more)

    made = records.records_of
    patch.setattr("pipeline.assembly.featuring.records_of", by_occurrence)


def account_of_today(patch: pytest.MonkeyPatch) -> None:
    """A kernel that counts what the colleagues will have done a month later."""
    from features import colleagues

    month = 30 * 86_400_000_000
    known = colleagues.known_events
    patch.setattr(colleagues, "known_events", lambda events, lead, until: known(events, lead, until + month))


def own_of_the_batch(patch: pytest.MonkeyPatch) -> None:
    """A feature of one's own that ranks the rows of the call."""
    rank = Own(lambda c: np.argsort(np.argsort(c["fit_employees"])).astype(float), needs=("fit_employees",))
    patch.setitem(OWN, "fit_rank", rank)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (looks_ahead, "events of type 'webinar'"),
        (account_of_today, "of the account's other leads"),
        (own_of_the_batch, "feature 'fit_rank'"),
    ],
)
def test_code_that_looks_ahead_is_caught(
    clean: Frames, tmp_path: Path, fault: Callable[[pytest.MonkeyPatch], None], named: str
) -> None:
    """Features made again from tables cut at as_of differ, and the message says which."""
    brought(tmp_path, clean)
    said = stopped(tmp_path, *BEFORE, "screen", fault=fault)
    assert named in said
    assert "it looks ahead" in said
    assert check(tmp_path, "features from what was known")["result"] == "failed"


def test_what_colleagues_tell_may_be_the_account_id() -> None:
    """A CRM that joins a lead to its account at the sale is told of as such; and so is a rewritten creation."""
    won = culprit_of(Column("intent_colleagues_won", "intent", "account_leads", "colleagues_won"), {})
    assert "definition.exclude: [account_id]" in won.remedy
    assert (
        "leads.created_at was overwritten later"
        in culprit_of(
            Column("engagement_any_engagement_last_days", "engagement", "events", "last", ENGAGEMENT_TOTAL), {}
        ).remedy
    )


def test_names_chosen_by_the_future_are_caught(clean: Frames, tmp_path: Path) -> None:
    """A plan that knows an event type which came after train only."""
    end = clean["leads"]["created_at"].max()
    rows = won(clean).select("lead_id", pl.lit(end).alias("occurred_at"), type=pl.lit("chat"))
    brought(tmp_path, {**clean, "events": pl.concat([clean["events"], rows], how="diagonal")})

    def all_time(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("pipeline.featurize.end_of_train", lambda examples: end)

    said = stopped(tmp_path, *BEFORE, "screen", fault=all_time)
    assert "chosen by what came after train" in said


@pytest.fixture(scope="module")
def screened(clean: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest run, up to its predictions."""
    folder = tmp_path_factory.mktemp("screened")
    brought(folder, clean)
    run(folder, *BEFORE, "screen", "points", "train", "evaluate")
    return folder


@pytest.fixture(scope="module")
def data(screened: Path) -> Data:
    """Its examples."""
    folder = screened / "data"
    plan = plan_of_json(json.loads((folder / "plan.json").read_text()))
    frames = (
        pl.read_parquet(folder / name) for name in ("examples.parquet", "features.parquet", "tables/leads.parquet")
    )
    return load(*frames, plan)


def test_target_encodings_with_the_own_label_are_caught(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoding of all rows, given to the very rows that made it."""
    monkeypatch.setattr("models.learning.encoding.MANY", 2)
    assert check_encoding(data, SETTINGS).result == "passed"
    monkeypatch.setattr("models.learning.training.out_of_fold", lambda encoding, matrix, *_: encode(encoding, matrix))
    problems = check_encoding(data, SETTINGS).problems
    assert any(problem.startswith("feature fit_industry: its target encoding") for problem in problems)


def test_a_model_of_the_test_labels_is_caught(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning that takes in the test fold finds something even in shuffled labels."""
    monkeypatch.setattr(trials, "learned", lambda data, *_: data.y + np.linspace(0, 0.5, len(data.y)))
    [problem] = check_shuffled(data, SETTINGS).problems
    assert "the labels of the test fold reach the model" in problem


def test_shuffled_labels_are_softened_as_in_training(
    data: Data, screened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is tried is how the model learns: from labels between 0 and 1, of conversions that moved with the labels;
    and nothing is found in them."""
    monkeypatch.setattr("models.learning.soft.LEAST_TO_SOFTEN", 2)
    monkeypatch.setattr(trials, "LEAST", 2)
    seen, real = [], trials.softened

    def watched(*given: Any) -> Any:
        rows, learn = real(*given)
        seen.append((given[5], rows.y))
        return rows, learn

    monkeypatch.setattr(trials, "softened", watched)
    folder = screened / "data"
    plan = plan_of_json(json.loads((folder / "plan.json").read_text()))
    tables = {path.stem: pl.read_parquet(path) for path in (folder / "tables").glob("*.parquet")}
    found = check_shuffled(data, SETTINGS, lambda some: looks_of(some, tables, plan, 90, some.begin_of_test))
    assert found.result == "passed"
    assert any(((y > 0) & (y < 1)).any() for _, y in seen)
    moved = [looks.came for looks, _ in seen]
    assert all(np.isfinite(came).sum() == np.isfinite(moved[0]).sum() for came in moved)


def test_a_score_that_hangs_on_the_future_is_caught(screened: Path) -> None:
    """Features are right, but what turns them into probabilities looks at the whole batch."""

    def of_the_batch(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("pipeline.leaks.futures.predict", lambda _, matrix, *more: np.full(len(matrix.values), 0.1))
        patch.setattr("pipeline.audit.check_shuffled", lambda *_: Check("labels", ""))
        patch.setattr("pipeline.audit.check_splits", lambda *_: Check("splits", ""))

    said = stopped(screened, "audit", fault=of_the_batch)
    assert "scores change when what came after their as_of is deleted" in said


def test_a_model_that_is_nearly_always_right_is_caught(data: Data, screened: Path) -> None:
    """A test AUC above leaks.test_auc stops, and says which features matter most; a little below it does not."""
    importance = json.loads((screened / "reports/importance.json").read_text())
    plan = plan_of_json(json.loads((screened / "data/plan.json").read_text()))
    told = data.y + 0.0
    [problem] = check_test(data, told, 0.99, importance, plan, Leaks(), {}).problems
    assert "the AUC of the test fold is 0.990 (limit 0.95)" in problem
    assert max(importance, key=lambda name: importance[name]) in problem
    first = max(importance, key=lambda name: importance[name])
    assert culprit_of(next(c for c in plan.features if c.name == first), {}).remedy in problem
    assert problem.count(" (feature ") == 3
    assert check_test(data, told, 0.94, importance, plan, Leaks(), {}).result == "passed"
    assert check_test(data, told, 0.99, importance, plan, Leaks(test_auc=1), {}).result == "passed"
    young = -data.examples["age_days"].to_numpy()  # nobody is told: old leads hardly convert any more
    found = check_test(data, young, 0.99, importance, plan, Leaks(), {})
    assert found.result == "passed"
    assert "the AUC of the test fold is 0.990" in found.warnings[0]
    assert found.numbers["auc"] == 0.99
    nine = np.unique(data.lead[data.rows("test") & (data.y == 1)])[:9]
    few = replace(data, y=data.y * np.isin(data.lead, nine))
    for one, auc in ((few, 0.99), (data, None)):
        assert check_test(one, told, auc, importance, plan, Leaks(), {}).result == "does not apply"


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=60))
def test_an_area_within_ages_is_that_of_its_pairs(rows: list[tuple[bool, float, int]]) -> None:
    """Pairs of one age in the right order count 1, ties a half; pairs of two ages do not count."""
    y, p, age = (np.array([row[i] for row in rows], float) for i in range(3))
    pairs = [(a, b) for a in rows for b in rows if a[0] and not b[0] and a[2] == b[2]]
    right = sum(1.0 if a[1] > b[1] else 0.5 if a[1] == b[1] else 0.0 for a, b in pairs)
    if len(set(age.tolist())) <= 1:
        assert within(y, p, age) == pytest.approx(right / len(pairs) if pairs else 0.5)
    few = np.unique(np.quantile(age, np.arange(1, 10) / 10))
    if {*age.tolist()} <= {*few.tolist(), age.min()}:  # each age is a part of its own
        assert within(y, p, age) == pytest.approx(right / len(pairs) if pairs else 0.5)


def test_a_model_worse_than_the_base_rate_is_said() -> None:
    """It is no leak that can be proved, and nobody should use it."""
    metrics = {"test": {"log_loss": 0.34}, "baselines": {"base_rate": {"log_loss": 0.24}}}
    assert "do not use it" in check_better(metrics, {}).warnings[0]
    assert not check_better(metrics, {"difference": {"base_rate": {"log_loss": [-0.01, 0.21]}}}).warnings
    metrics["test"]["log_loss"] = 0.2
    assert not check_better(metrics, {}).warnings
