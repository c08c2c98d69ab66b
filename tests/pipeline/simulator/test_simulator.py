"""The simulated company: what is written, and that its truth is true."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipeline.errors import Stop
from pipeline.simulator import WORLDS, World, simulate, true_probability, truth
from pipeline.simulator.arrays import Floats
from pipeline.simulator.simulation import NAMES, draw_block, truth_of

AGES = [0, 1, 3, 7, 14, 21, 30, 45, 60, 90]
Tables = dict[str, pl.DataFrame]


def blocks(world: World, leads: int, seed: int) -> Tables:
    """Clean tables of a world, in memory."""
    parts: list[Tables] = []
    while (done := sum(len(part["leads"]) for part in parts)) < leads:
        parts.append(draw_block(world, seed, len(parts), done, leads - done))
    return {name: pl.concat([part[name] for part in parts]) for name in NAMES}


def labels(tables: Tables, examples: pl.DataFrame, days: int = 90) -> pl.DataFrame:
    """Mature examples with `y`, won in time, and `group`, its account."""
    won = tables["stages"].filter(pl.col("stage") == "won").select("lead_id", won_at="entered_at")
    group = tables["leads"].select("lead_id", group=pl.coalesce("account_id", "lead_id"))
    joined = examples.join(won, on="lead_id", how="left").join(group, on="lead_id")
    inside = (pl.col("won_at") > pl.col("as_of")) & (pl.col("won_at") <= pl.col("as_of") + timedelta(days=days))
    return joined.with_columns(y=inside.fill_null(value=False).cast(pl.Float64))


def mature(examples: pl.DataFrame, world: World, days: int = 90) -> pl.DataFrame:
    """Examples whose outcome is known by the end of the world."""
    return examples.filter(pl.col("as_of") <= world.start + timedelta(days=world.days - days))


def z_score(examples: pl.DataFrame) -> float:
    """Excess of conversions over probabilities, in standard errors between accounts."""
    excess = examples.group_by("group").agg((pl.col("y") - pl.col("probability")).sum().alias("r"))["r"].to_numpy()
    return float(excess.sum() / np.sqrt((excess**2).sum()))


def worst_bin(examples: pl.DataFrame, bins: int) -> float:
    """Largest absolute z score among groups by probability, of as many expected conversions each."""
    ranked = examples.sort("probability").with_columns(share=pl.col("probability").cum_sum())
    binned = ranked.with_columns(bin=(bins * 0.999999 * pl.col("share") / pl.col("share").max()).cast(pl.Int64))
    return max(abs(z_score(part)) for part in binned.partition_by("bin"))


@lru_cache(1)
def aged(name: str) -> pl.DataFrame:
    """Mature examples of 3,000 leads of a world at all ages."""
    tables = blocks(WORLDS[name], 3_000, 11)
    return mature(labels(tables, truth_of(tables, WORLDS[name], AGES, 90)), WORLDS[name])


@pytest.mark.parametrize("name", ["plain", "bursty", "company"])
def test_the_truth_is_calibrated_at_ages(name: str) -> None:
    """As many leads are won as the probabilities say, in total and in each third, at all ages together."""
    examples = aged(name)
    assert examples["probability"].is_between(0, 1).all()
    assert abs(z_score(examples)) < 3
    assert worst_bin(examples, 3) < 3.5


def test_the_truth_tells_winners_from_others() -> None:
    """The best possible AUC leaves a good model something to do, and 3.5 to 8 % of examples convert."""
    examples = aged("company")
    assert 0.8 < auc(examples["y"].to_numpy(), examples["probability"].to_numpy()) < 0.9
    assert 0.035 < examples["probability"].mean() < 0.08


def test_the_truth_is_calibrated_at_calendar_instants() -> None:
    """The same where all leads are looked at on the same days, for another horizon."""
    world = WORLDS["hard"]
    tables = blocks(world, 2_500, 12)
    parts = [at_instant(tables, world, 150.37), at_instant(tables, world, 500.0)]
    examples = labels(tables, pl.concat(parts), 30)
    assert len(examples) > 500
    assert abs(z_score(examples)) < 3
    assert worst_bin(examples, 3) < 3.5


def at_instant(tables: Tables, world: World, day: float) -> pl.DataFrame:
    """Probabilities within 30 days of all leads open on a day."""
    at = world.start + timedelta(days=day)
    leads = tables["leads"].filter(pl.col("created_at") <= at)["lead_id"]
    as_of = np.full(len(leads), at.replace(tzinfo=None), dtype="datetime64[us]")
    found = true_probability(tables, world, leads, as_of, 30)
    table = pl.DataFrame({"lead_id": leads, "as_of": [at] * len(leads), "probability": found})
    return table.filter(pl.col("probability").is_not_nan())


def known(tables: Tables, at: object) -> Tables:
    """The tables cut at an instant: only the rows known by then."""
    times = {"leads": "created_at", "stages": "entered_at", "history": "changed_at"}
    cut = {name: tables[name].filter(pl.col(column) <= at) for name, column in times.items()}
    late = pl.max_horizontal("occurred_at", "available_at") <= at
    return {**cut, "accounts": tables["accounts"], "events": tables["events"].filter(late)}


@pytest.mark.parametrize("name", ["company", "bursty"])
def test_what_is_known_later_changes_no_probability(name: str) -> None:
    """Tables cut at as_of give the same probabilities as whole ones."""
    world = WORLDS[name]
    tables = blocks(world, 600, 13)
    at = world.start + timedelta(days=400, hours=15)
    cut = known(tables, at)
    as_of = np.full(len(cut["leads"]), at.replace(tzinfo=None), dtype="datetime64[us]")
    whole, short = (true_probability(rows, world, cut["leads"]["lead_id"], as_of, 90) for rows in (tables, cut))
    np.testing.assert_allclose(short, whole, rtol=1e-9)
    assert 50 < np.isfinite(whole).sum() < len(whole)


def test_accounts_do_not_depend_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account's probabilities are the same alone, and whatever the size of the chunks."""
    world = WORLDS["bursty"]
    tables = blocks(world, 100, 14)
    whole = truth_of(tables, world, AGES, 90)
    monkeypatch.setattr(truth, "_EXAMPLES", 40)
    chunked = truth_of(tables, world, AGES, 90)
    np.testing.assert_allclose(chunked["probability"], whole["probability"], rtol=1e-9)
    group = tables["leads"]["account_id"].drop_nulls().mode()[0]
    leads = tables["leads"].filter(pl.col("account_id") == group)
    alone = truth_of({**tables, "leads": leads}, world, AGES, 90)
    expected = whole.join(alone, on=["lead_id", "as_of"], suffix="_alone")
    np.testing.assert_allclose(expected["probability_alone"], expected["probability"], rtol=1e-9)


def test_without_signal_nothing_tells() -> None:
    """All probabilities are the base rate, to within the parts of days."""
    world = WORLDS["nothing"]
    found = truth_of(blocks(world, 500, 15), world, AGES, 90)["probability"].to_numpy()
    assert found.max() - found.min() < 0.02 * found.mean()


def auc(y: Floats, p: Floats) -> float:
    """Chance that a winner has the higher probability."""
    rank = pl.Series(p).rank().to_numpy()
    wins = y.sum()
    return float((rank[y == 1].sum() - wins * (wins + 1) / 2) / (wins * (len(y) - wins)))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small company with broken rows."""
    out = tmp_path_factory.mktemp("sim") / "company"
    simulate(out, WORLDS["company"], 500, 17, [0, 30], 90)
    return out


def read(out: Path) -> Tables:
    """Everything written."""
    return {path.stem: pl.read_parquet(path) for path in sorted(out.rglob("*.parquet"))}


def test_simulate_writes_the_tables_of_the_contract(company: Path) -> None:
    """Five tables, and the truth in a folder of its own; nothing else remains."""
    names = {path.relative_to(company).as_posix() for path in company.rglob("*") if path.is_file()}
    assert names == {f"{name}.parquet" for name in NAMES} | {"truth/truth.parquet", "truth/broken.json"}
    assert [path.name for path in company.parent.iterdir()] == ["company"]
    found = read(company)["truth"]
    assert found.schema == {
        "lead_id": pl.String,
        "as_of": pl.Datetime("us", "UTC"),
        "probability": pl.Float64,
    }
    assert found.select(["lead_id", "as_of"]).is_duplicated().sum() == 0


def test_the_same_seed_gives_the_same_company(company: Path, tmp_path: Path) -> None:
    """Twice the same to the last bit; another seed, another company. `progress` hears of the end."""
    heard: list[tuple[int, int]] = []
    simulate(tmp_path / "again", WORLDS["company"], 500, 17, [0, 30], 90, lambda *done: heard.append(done))
    simulate(tmp_path / "other", WORLDS["company"], 500, 18, [0, 30], 90)
    again, other, first = read(tmp_path / "again"), read(tmp_path / "other"), read(company)
    assert all(again[name].equals(first[name]) for name in first)
    assert not any(other[name].equals(first[name]) for name in first)
    assert heard[-1] == (500, 500)


def test_a_failed_run_leaves_the_last_company(company: Path) -> None:
    """What cannot be finished replaces nothing and leaves nothing."""
    before = read(company)
    with pytest.raises(ValueError, match="within_days"):
        simulate(company, WORLDS["company"], 500, 17, [0], 4000)
    assert read(company)["truth"].equals(before["truth"])
    assert [path.name for path in company.parent.iterdir()] == ["company"]


def test_what_is_no_simulation_is_not_replaced(tmp_path: Path) -> None:
    """A folder with something else in it is refused, and left as it is."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Stop, match=r"expected nothing or an earlier simulation.*thesis\.txt; move it away"):
        simulate(tmp_path, WORLDS["plain"], 10, 1, [0], 90)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    simulate(tmp_path / "company", WORLDS["plain"], 10, 1, [0], 90)
    (tmp_path / "company" / "notes.txt").write_text("mine")
    with pytest.raises(Stop, match=r"notes\.txt; move it away"):
        simulate(tmp_path / "company", WORLDS["plain"], 10, 1, [0], 90)


def test_broken_rows_are_counted_and_leave_the_good_alone(company: Path) -> None:
    """Without its broken rows the company is the clean one of the same seed, and so is its truth."""
    counts = json.loads((company / "truth" / "broken.json").read_text())
    dirty, clean = read(company), blocks(WORLDS["company"], 500, 17)
    for name in NAMES:
        assert dirty[name].head(len(clean[name])).equals(clean[name])
    planted = {name: sum(counts.get(name, {}).values()) for name in NAMES}
    added = {name: len(dirty[name]) - len(clean[name]) for name in NAMES}
    assert added == {**planted, "leads": planted["leads"] + 3}  # three good leads carry broken outcomes
    assert dirty["truth"].equals(truth_of(clean, WORLDS["company"], [0, 30], 90))


def test_broken_rows_are_what_their_codes_say(company: Path) -> None:
    """Each kind can be found in the tables, as often as counted."""
    counts, tables = json.loads((company / "truth" / "broken.json").read_text()), read(company)
    leads, events, stages = tables["leads"], tables["events"], tables["stages"]
    twice = leads.filter(pl.col("lead_id").is_duplicated())
    found = {
        "duplicate_row": len(leads) - len(leads.unique()),
        "conflicting_id": len(twice) - 2 * (len(leads) - len(leads.unique())),
        "impossible_number": leads.filter(pl.col("value") < 0).height,
        "test_record": leads.filter(pl.col("source") == "test").height,
    }
    assert counts["leads"] == found
    known_lead = pl.col("lead_id").is_in(leads["lead_id"].implode())
    assert counts["events"] == {
        "repeated_event": len(events) - events["event_id"].n_unique(),
        "future_time": events.filter(pl.col("occurred_at").dt.year() > 2900).height,
        "unknown_lead": events.filter(~known_lead).height,
    }
    early = stages.join(leads.unique("lead_id"), on="lead_id").filter(pl.col("entered_at") < pl.col("created_at"))
    assert counts["stages"]["before_creation"] == early.height
    assert counts["stages"]["impossible_number"] == stages.filter(pl.col("amount") < 0).height
    assert counts["stages"]["unknown_lead"] == stages.filter(~known_lead).height
    both = stages.filter(pl.struct("lead_id", "entered_at").is_duplicated())
    assert counts["stages"]["contradictory_outcome"] == both.height


def test_nothing_is_known_after_the_end(company: Path) -> None:
    """But for planted rows, no time lies after the world's end."""
    end = WORLDS["company"].start + timedelta(days=WORLDS["company"].days)
    clean = blocks(replace(WORLDS["company"], broken=False), 500, 17)
    for table in clean.values():
        for name, kind in table.schema.items():
            assert kind != pl.Datetime("us", "UTC") or table[name].drop_nulls().le(end).all()
    assert read(company)["truth"]["as_of"].max() <= end


def test_an_unknown_lead_is_named() -> None:
    """Asking for a lead that is not there says which."""
    tables = blocks(WORLDS["plain"], 20, 1)
    with pytest.raises(ValueError, match="nobody: no such lead"):
        true_probability(tables, WORLDS["plain"], ["nobody"], np.array(["2024-01-01"], dtype="datetime64[us]"), 90)
