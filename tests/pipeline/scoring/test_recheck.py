"""Leads to look at again: who rose, and steps that add up to how far."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from models.bundle.folder import Bundle
from models.explaining import changes
from models.learning.calibration import Calibration
from pipeline.assembly.records import records_of
from pipeline.errors import Stop
from pipeline.scoring.recheck import STEPS, recheck
from pipeline.scoring.score import Asked, score_tables

NOW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def since(day: datetime) -> datetime:
    """A month before."""
    return day - timedelta(days=30)


@pytest.fixture(scope="module")
def found(bundle: Bundle, asked: Asked, since: datetime) -> pl.DataFrame:
    """Without an earlier model."""
    return recheck(bundle, asked, since)


def test_the_steps_add_up_to_the_change(found: pl.DataFrame) -> None:
    """Within 1e-9, in log odds; without an earlier model its step is 0; every lead rose."""
    assert len(found) > 20
    total = found.select(pl.sum_horizontal(*STEPS)).to_series()
    np.testing.assert_allclose(total, found["change"], atol=1e-9)
    p, q = (found[c].to_numpy() for c in ("probability", "probability_before"))
    np.testing.assert_allclose(np.log(p / (1 - p)) - np.log(q / (1 - q)), found["change"], atol=1e-9)
    assert (found["change"] > 0).all()
    assert (found["model"] == 0).all()
    assert {"weak", "disqualified"} <= set(found["kind"])


def test_why_tells_the_steps_that_can_be_seen(found: pl.DataFrame) -> None:
    """The greatest first, with two decimals; those that would be told as 0.00 are left out."""
    for row in found.iter_rows(named=True):
        told = [float(part.rpartition(" ")[2]) for part in row["why"].split("; ") if part]
        assert told == sorted((round(row[step], 2) for step in STEPS if abs(row[step]) >= 0.005), reverse=True)


def test_open_leads_have_the_probabilities_of_their_scores(
    bundle: Bundle, asked: Asked, since: datetime, found: pl.DataFrame
) -> None:
    """Those of `leadscore score` at both instants, up to rounding; closed leads have none."""
    for at, column in ((asked.as_of, "probability"), (since, "probability_before")):
        scored = score_tables(bundle, replace(asked, as_of=at), None).select("lead_id", "status", again="probability")
        both = found.join(scored, on="lead_id", how="left")
        mine = both.filter(pl.col("kind") != "disqualified")
        np.testing.assert_allclose(mine[column], mine["again"], rtol=1e-12)
        if column == "probability":
            assert set(both.filter(pl.col("kind") == "disqualified")["status"]) == {"closed"}


def test_an_earlier_model_has_a_step_of_its_own(bundle: Bundle, asked: Asked, since: datetime) -> None:
    """An earlier model that said 0.3 less in log odds of everyone: 0.3 more from the new one, the rest as it was."""
    now, earlier = (replace(bundle, calibration=Calibration("intercept", (a,))) for a in (0.0, -0.3))
    found = recheck(now, asked, since)
    both = recheck(now, asked, since, (earlier, asked)).join(found, on="lead_id", suffix="_alone")
    assert len(both) == len(found)
    np.testing.assert_allclose(both["model"], 0.3, atol=1e-9)
    np.testing.assert_allclose(both["change"], both["change_alone"] + 0.3, atol=1e-9)
    for step in STEPS[1:]:
        np.testing.assert_allclose(both[step], both[f"{step}_alone"], atol=1e-12)
    np.testing.assert_allclose(both.select(pl.sum_horizontal(*STEPS)).to_series(), both["change"], atol=1e-9)


def test_news_that_did_not_come_moves_nothing(bundle: Bundle, asked: Asked, since: datetime) -> None:
    """Tables without one new row leave decay alone; without new events, events move nothing."""
    times = {"leads": "created_at", "events": "known_at", "stages": "entered_at", "history": "changed_at"}
    tables = asked.checked.tables

    def cut(*names: str) -> Asked:
        old = {name: tables[name].filter(pl.col(times[name]) <= since) for name in names}
        return replace(asked, checked=replace(asked.checked, tables={**tables, **old}))

    still = recheck(bundle, cut(*times), since)
    assert (still.select(pl.max_horizontal(pl.col(*changes.NEWS).abs())).to_series() == 0).all()
    np.testing.assert_allclose(still["decay"], still["change"], atol=1e-9)
    silent = recheck(bundle, cut("events"), since)
    np.testing.assert_allclose(silent["events"], 0, atol=1e-12)
    assert not silent["why"].str.contains("new events").any()


def test_records_cut_are_records_of_cut_tables(bundle: Bundle, asked: Asked, since: datetime) -> None:
    """Records with what was known at an instant are those of tables cut at it, for every lead of then."""
    from pipeline.assembly.values import instant_us

    tables, at = asked.checked.tables, instant_us(since)
    times = {"events": "known_at", "stages": "entered_at", "history": "changed_at"}
    cut = {name: tables[name].filter(pl.col(time) <= since) for name, time in times.items()}
    whole, _ = records_of(tables, bundle.plan)
    mine, theirs = changes.known(whole, at, at, ()), records_of({**tables, **cut}, bundle.plan)[0]
    for part in ("events", "stages"):
        for name in vars(getattr(mine, part)):
            np.testing.assert_array_equal(getattr(getattr(mine, part), name), getattr(getattr(theirs, part), name))
    for name, history in mine.history.items():
        np.testing.assert_array_equal(history.at, theirs.history[name].at)
        np.testing.assert_array_equal(history.start, theirs.history[name].start)


def test_a_closed_lead_is_seen_as_if_it_had_stayed_open(bundle: Bundle, asked: Asked, day: datetime) -> None:
    """The record without its closing rows is the record of tables that never had them."""
    from features.episodes import opening
    from pipeline.assembly.values import instant_us

    tables, at = asked.checked.tables, instant_us(day)
    whole, order = records_of(tables, bundle.plan)
    whole = changes.known(whole, at, at, ())
    once = tables["stages"]
    again = set(once.filter(pl.col("stage").is_in(list(bundle.plan.reopens)))["lead_id"])
    gone = once.filter(pl.col("stage").is_in(["lost", "disqualified"]) & (pl.col("entered_at") <= day))
    ids = sorted(set(gone["lead_id"]) - again)
    mine = order["lead_id"].is_in(ids).to_numpy()
    assert mine.sum() > 20
    seen = changes.reopened(whole, mine)
    assert opening(seen, np.flatnonzero(mine), np.full(mine.sum(), at)).open.all()
    without = once.filter((pl.col("entered_at") <= day) & ~(pl.col("lead_id").is_in(ids)
                          & pl.col("stage").is_in(["lost", "disqualified"])))  # fmt: skip
    expected = records_of({**tables, "stages": without}, bundle.plan)[0].stages
    for name in ("at", "code", "closed", "opened", "episode", "start"):
        np.testing.assert_array_equal(getattr(seen.stages, name), getattr(expected, name))


def test_instants_that_do_not_follow_each_other_stop(bundle: Bundle, asked: Asked, day: datetime) -> None:
    """`since` must be before the tables' instant, and there must be one."""
    with pytest.raises(Stop, match="expected a time before"):
        recheck(bundle, asked, day)
    with pytest.raises(Stop, match="no created_at"):
        recheck(bundle, replace(asked, as_of=None), day)
