"""The replay agrees where the points made the MQLs, and the swap set is what the lists say it is."""

import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline import cli, configure, stage
from pipeline.errors import Stop
from pipeline.handtuned.check import tests_of as leaves_of
from pipeline.handtuned.file import load_points
from pipeline.handtuned.inputs import Inputs, read_inputs, read_table
from pipeline.handtuned.reconcile import AGREE, LATER, ONLY_ACTUAL, ONLY_REPLAY, reconcile
from pipeline.handtuned.scorecard import scorecard
from pipeline.params import Definition
from pipeline.points import replay
from pipeline.stages import STAGES

COMPANY = Path(__file__).parents[2] / "examples/points/company.yaml"
PARAMS = """
source: {{kind: simulated, simulated: {{leads: 600, seed: 3}}}}
train: {{bags: 2, threads: 1}}
points: points.yaml
compare: {{randomly_worked: {column}}}
"""


@pytest.fixture(scope="module")
def folder(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with the company's own points, compared; a threshold that many of its few leads reach."""
    root = tmp_path_factory.mktemp("compare")
    for name in ("data", "artifacts"):
        shutil.copytree(finished_run / name, root / name)
    leads = pl.read_parquet(root / "data/ingested/leads.parquet")
    marked = leads.with_columns(trial=pl.Series(["yes", "no"] * len(leads))[: len(leads)])
    marked.write_parquet(root / "data/ingested/leads.parquet")
    (root / "points.yaml").write_text(COMPANY.read_text().replace("mql: 60", "mql: 40"))
    (root / "params.yaml").write_text(PARAMS.format(column="trial"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr("pipeline.evaluate.DRAWS", 2)
        for name in ("configure", "points", "evaluate", "compare"):
            STAGES[name]()
    return root


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run's folder as the working directory."""
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def inputs(inside: Path) -> Inputs:
    """What stage compare replays."""
    table = read_table()
    assert table is not None
    return read_inputs(table, "points.yaml")


def until() -> datetime:
    """The run's present."""
    found = stage.read_until()
    assert found is not None
    return found


def test_points_are_a_baseline(inside: Path) -> None:
    """Predictions have the points of each example; all metrics are there, the order judged on the points."""
    predictions = pl.read_parquet(stage.PREDICTIONS)
    points = pl.read_parquet(stage.POINTS).filter(pl.read_parquet(stage.EXAMPLES)["mature"])
    assert predictions.columns[-1] == "points"
    assert predictions["points"].equals(points["points"])
    found = stage.read_json(stage.METRICS)["baselines"]["points"]
    assert set(stage.read_json(stage.METRICS)["test"]) <= set(found)
    test = predictions.filter(pl.col("fold") == "test")
    won, lost = (test.filter(pl.col("label") == y)["points"].to_numpy() for y in (1, 0))
    pairs = (won[:, None] > lost).mean() + (won[:, None] == lost).mean() / 2
    assert found["auc"] == pytest.approx(pairs)


def test_mqls_that_the_points_made_agree(inputs: Inputs) -> None:
    """Where `mql` rows are written at the replayed instants, every lead agrees; a shifted, a lost and a strange row
    are found and named."""
    definition, end = Definition(), until()
    first = reconcile(inputs, definition, end, 1).drop_nulls("replayed_at")
    assert len(first) > 20
    others = inputs.tables["stages"].filter(pl.col("stage") != "mql")
    mql = first.select("lead_id", stage=pl.lit("mql"), entered_at="replayed_at", row=10_000 + pl.int_range(pl.len()))

    def replayed(rows: pl.DataFrame) -> dict[str, str]:
        stages = pl.concat([others, rows], how="diagonal_relaxed")
        found = reconcile(replace(inputs, tables={**inputs.tables, "stages": stages}), definition, end, 1)
        return dict(found.select("lead_id", "outcome").iter_rows())

    assert set(replayed(mql).values()) == {AGREE}
    ids = mql["lead_id"]
    moved = mql[1:].with_columns(
        entered_at=pl.when(pl.col("lead_id") == ids[1]).then(pl.col("entered_at") - pl.duration(days=1, seconds=1))
        .otherwise("entered_at")
    )  # fmt: skip
    quiet = inputs.tables["leads"].filter(~pl.col("lead_id").is_in(ids.implode()))["lead_id"][0]
    moved = pl.concat([moved, mql[2:3].with_columns(lead_id=pl.lit(quiet), row=pl.lit(99_999, pl.Int64))])
    found = replayed(moved)
    assert {lead: outcome for lead, outcome in found.items() if outcome != AGREE} == {
        ids[0]: ONLY_REPLAY, ids[1]: LATER, quiet: ONLY_ACTUAL,
    }  # fmt: skip


def test_without_stages_the_replay_has_nothing_to_agree_with(inputs: Inputs) -> None:
    """Where a purchase is the conversion there may be no table of stages: the points are replayed all the same."""
    tables = {name: rows for name, rows in inputs.tables.items() if name != "stages"}
    found = reconcile(replace(inputs, tables=tables), Definition(), until(), 1)
    assert len(found) > 20
    assert set(found["outcome"]) == {ONLY_REPLAY}


def test_lists_hold_the_leads_behind_the_figures(inside: Path) -> None:
    """Every lead of a group once, as often as the figures say; equal volume; those that agree are not listed."""
    figures = json.loads(stage.POINTS_FIGURES.read_text())
    swap, listed = figures["swap"], pl.read_csv(stage.POINTS_LISTS / "swap.csv")
    counts = dict(listed["group"].value_counts().iter_rows())
    assert {name: group["leads"] for name, group in swap["groups"].items()} == {"in": 0, "out": 0, "stay": 0} | counts
    assert listed["lead_id"].is_unique().all()
    assert swap["volume"] == counts.get("stay", 0) + counts.get("out", 0)
    assert swap["groups"]["in"]["leads"] == swap["groups"]["out"]["leads"] > 0
    assert (listed["points_at"].is_null() == (listed["group"] == "in")).all()
    assert (listed["probability_at"].is_null() == (listed["group"] == "out")).all()
    marked = listed.filter(pl.col("randomly_worked"))
    assert sum(g["leads"] for g in swap["randomly_worked"]["groups"].values()) == len(marked) < len(listed)
    sums = figures["reconciliation"]
    replay = pl.read_csv(stage.POINTS_LISTS / "reconciliation.csv")
    assert len(replay) == sums["leads"] - sums["agree"]
    assert dict(replay["outcome"].value_counts().iter_rows()) == {
        k: sums[k] for k in set(replay["outcome"])
    }  # fmt: skip


def test_explain_adds_up(inside: Path) -> None:
    """The rows that it lists, after the caps, are the points of the predictions."""
    row = pl.read_parquet(stage.PREDICTIONS).sort("points", descending=True).row(0, named=True)
    words = ["points", "explain", row["lead_id"], "--at", row["as_of"].isoformat()]
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    assert f"{row['points']:g} points" in done.output.splitlines()[0]
    assert "threshold mql 40: reached" in done.output
    again = CliRunner().invoke(cli.app, [*words, "--tables", "data/simulated", "--points", "points.yaml"])
    assert again.output == done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "--at", "2025-01-01"], "lead 'nobody': is not among the accepted leads"),
        (["L0000001", "--at", "soon"], "--at 'soon': expected an ISO 8601 time"),
        (["L0000001", "--at", "2001-01-01"], "was created at"),
        (["L0000001", "--at", "2025-01-01", "--points", "no.yaml"], "no.yaml: cannot be read"),
    ],
)
def test_explain_says_what_is_wrong(inside: Path, words: list[str], said: str) -> None:
    """In one message, with exit code 1."""
    done = CliRunner().invoke(cli.app, ["points", "explain", *words])
    assert done.exit_code == 1
    assert said in done.stderr


def test_the_model_as_a_scorecard(inside: Path) -> None:
    """At most as many rules as asked for, none by what sellers did; the file is a table of points that replays."""
    done = CliRunner().invoke(cli.app, ["scorecard", "--output", "card.yaml", "--rules", "8"])
    assert done.exit_code == 0, done.output
    table = load_points(Path("card.yaml"), "UTC")
    assert 1 <= len(table.rules) <= 8
    assert not {"mail_sent", "sales_call"} & {
        name for _, test in leaves_of(table) for name in getattr(test, "event", ())
    }
    found = replay(read_inputs(table, "card.yaml"), pl.read_parquet(stage.PREDICTIONS)).rows
    p = pl.read_parquet(stage.PREDICTIONS)["probability"].to_numpy()
    assert np.corrcoef(found["points"].to_numpy(), np.log(p / (1 - p)))[0, 1] > 0.5
    assert "rank correlation: 0." in done.output


def test_the_scorecard_learns_from_what_was_known_when_the_test_began(inputs: Inputs) -> None:
    """Whatever fold it is in: what lies between train and calibrate counts, as for all the model is held against."""
    rows = pl.read_parquet(stage.PREDICTIONS)
    between = rows.with_columns(pl.col("fold").replace("calibrate", "gap"))
    one, other = (scorecard(inputs, some, 90, ["mail_sent", "sales_call"], 4) for some in (rows, between))
    assert one == other


def test_without_a_table_there_is_nothing_to_compare(inside: Path) -> None:
    """The stages still leave what DVC expects; a marked column that is not there is named."""
    Path("params.yaml").write_text(PARAMS.format(column="nowhere"))
    configure.main()
    with pytest.raises(Stop, match=r"compare\.randomly_worked: leads have no column 'nowhere'"):
        STAGES["compare"]()
    Path("params.yaml").write_text("source: {kind: simulated}\n")
    configure.main()
    STAGES["points"]()
    STAGES["compare"]()
    assert pl.read_parquet(stage.POINTS).columns == ["lead_id", "as_of"]
    assert stage.read_json(stage.POINTS_FIGURES) == {"left_out": "there is no table of points"}
    assert [path.name for path in stage.POINTS_LISTS.iterdir()] == ["nothing.txt"]
