"""A feature of one's own is made, served, said and checked for leaks like those of the kernel."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.arrays import Floats
from features.own import OWN, Columns, Own, per
from features.plan import Plan, plan_of_json
from models.bundle.folder import read_bundle
from models.bundle.lives import Reading
from models.bundle.requests import Reader, asked, features_of
from models.errors import DamagedBundle
from models.explaining.reasons import say
from pipeline import stage
from pipeline.assembly.featuring import features
from pipeline.assembly.matrices import frame_of
from pipeline.leaks.rebuilds import check_rebuild
from pipeline.leaks.singles import check_single
from pipeline.params import Leaks

NAME = "engagement_week_share"
NEEDS = ("engagement_any_engagement_7d", "engagement_any_engagement_all")


def share(c: Columns) -> Floats:
    """Of all that a lead did, the share of the last week."""
    return per(c[NEEDS[0]], c[NEEDS[1]])


def plan_with(monkeypatch: pytest.MonkeyPatch, run: Path, own: Own) -> Plan:
    """The finished run's plan, with a feature of one's own."""
    monkeypatch.setitem(OWN, NAME, own)
    monkeypatch.chdir(run)
    return plan_of_json(stage.read_json(stage.PLAN))


@pytest.fixture
def examples(finished_run: Path) -> pl.DataFrame:
    """Of the finished run."""
    return stage.read_table(finished_run / stage.EXAMPLES)


def stored(tables: dict[str, pl.DataFrame], plan: Plan, examples: pl.DataFrame) -> pl.DataFrame:
    """`data/features.parquet` as featurize would write it."""
    made = frame_of(features(tables, plan, examples))
    return pl.concat([examples.select("lead_id", "as_of"), made], how="horizontal")


def test_it_is_made_for_a_request_as_for_the_tables(
    monkeypatch: pytest.MonkeyPatch, finished_run: Path, checked_tables: dict[str, pl.DataFrame], examples: pl.DataFrame
) -> None:
    """It stands among the features of the tables and of a single request, and means what it says."""
    plan = plan_with(monkeypatch, finished_run, Own(share, NEEDS, says="share of the last week"))
    made = stored(checked_tables, plan, examples.head(200))
    expected = (made[NEEDS[0]] / made[NEEDS[1]]).fill_nan(None)
    assert made[NAME].equals(expected.alias(NAME))
    created = {"lead_id": "x", "created_at": "2025-01-01T00:00:00Z"}
    kind = next(t.name for t in plan.types if t.group == "engagement")
    days = ({"type": kind, "occurred_at": f"2025-01-{day:02}T00:00:00Z"} for day in (1, 2, 18, 19))
    alone = features_of(
        asked({"lead": created, "events": [*days], "as_of": "2025-01-20T00:00:00Z"}, Reading(plan)), plan
    )
    column = next(c for c in plan.features if c.name == NAME)
    value = alone.values[0, plan.features.index(column)]
    assert say(column, value) == "share of the last week: 0.5"


def test_it_is_unknown_where_its_block_is(monkeypatch: pytest.MonkeyPatch, finished_run: Path) -> None:
    """Alone or among others, even where it makes a number of what is missing: the trees learned it as missing."""
    silent = Own(lambda c: np.isnan(c[NEEDS[0]]).astype(float), NEEDS[:1])
    plan = plan_with(monkeypatch, finished_run, silent)
    bare = {"lead": {"created_at": "2025-01-01T00:00:00Z"}, "as_of": "2025-01-20T00:00:00Z"}
    alone, among = Reader(Reading(plan)), Reader(Reading(plan))
    for reader, requests in ((alone, [bare]), (among, [bare, {**bare, "events": []}])):
        for request in requests:
            reader.add(request, 0)
    j = [c.name for c in plan.features].index(NAME)
    values = [features_of(reader.asked(), plan).values[:, j].tolist() for reader in (alone, among)]
    np.testing.assert_array_equal(values[0], [np.nan])
    np.testing.assert_array_equal(values[1], [np.nan, 0])


def test_one_that_looks_at_other_examples_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, finished_run: Path, checked_tables: dict[str, pl.DataFrame], examples: pl.DataFrame
) -> None:
    """A rank among the examples of a batch depends on what nobody knew: the check names it, and where to mend it."""

    def rank(c: Columns) -> Floats:
        return np.argsort(np.argsort(c["engagement_age_days"], kind="stable")).astype(float)

    plan = plan_with(monkeypatch, finished_run, Own(rank, ("engagement_age_days",)))
    made = stored(checked_tables, plan, examples)
    found = check_rebuild(checked_tables, examples, made, plan, 100, {})
    (problem,) = found.problems
    assert NAME in problem
    assert "features/own.py" in problem


def test_one_that_tells_the_outcome_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, finished_run: Path, checked_tables: dict[str, pl.DataFrame], examples: pl.DataFrame
) -> None:
    """A feature that, whatever it is made of, follows the label is named by the check of single features."""
    plan = plan_with(monkeypatch, finished_run, Own(share, NEEDS))
    made = stored(checked_tables, plan, examples)
    noise = pl.Series(np.random.default_rng(3).normal(0, 0.2, len(made)))
    leaking = made.with_columns((examples["label"].fill_null(0) + noise).alias(NAME))
    found = check_single(examples, leaking, examples["lead_id"].to_numpy(), plan, Leaks(), {})
    assert any(NAME in problem and "features/own.py" in problem for problem in found.problems), found


def test_a_name_without_a_group_is_refused(monkeypatch: pytest.MonkeyPatch, finished_run: Path) -> None:
    """Reasons are summed by group, so each feature must be in one."""
    monkeypatch.setitem(OWN, "share", Own(share, NEEDS))
    with pytest.raises(ValueError, match="'share': expected a name that starts with fit_, engagement_ or intent_"):
        _ = plan_of_json(stage.read_json(finished_run / stage.PLAN)).features


def test_a_bundle_of_other_features_is_not_served(monkeypatch: pytest.MonkeyPatch, bundle_folder: Path) -> None:
    """A model that was trained before features/own.py was changed says so, and never guesses."""
    monkeypatch.setitem(OWN, NAME, Own(share, NEEDS))
    with pytest.raises(DamagedBundle, match=NAME):
        read_bundle(bundle_folder)
