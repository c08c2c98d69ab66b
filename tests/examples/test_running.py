"""The command that runs the examples."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from examples import running
from examples.__main__ import HEAD, line, main
from examples.running import MADE_UP, REAL, Row
from pipeline.errors import Stop
from pipeline.stages import STAGES

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"
GOOD = Row(
    "imagined",
    n=1_000,
    base_rate=0.1,
    auc={"model": 0.8, "logistic": 0.79, "naive_bayes": 0.7, "base_rate": 0.5},
    log_loss={"model": 0.25, "logistic": 0.251, "naive_bayes": 0.3, "base_rate": 0.325},
    captured={"model": 0.9, "logistic": 0.8},
)
FAST = {"seed": 7, "bags": 2, "max_rounds": 40, "early_stopping_rounds": 10}


def test_a_model_may_be_little_worse_than_a_logistic_regression() -> None:
    """By 0.005 in log loss; and never worse than the base rate."""
    assert GOOD.failures() == []
    worse = replace(GOOD, log_loss={**GOOD.log_loss, "model": 0.2561})
    assert [why.endswith("(logistic)") for why in worse.failures()] == [True]
    assert len(replace(GOOD, log_loss={**GOOD.log_loss, "model": 0.3251}).failures()) == 2
    assert len(replace(GOOD, log_loss={**GOOD.log_loss, "model": float("nan")}).failures()) == 2


def test_a_row_has_the_columns_of_the_head() -> None:
    """So that Markdown shows a table, with or without a truth."""
    for row in (GOOD, replace(GOOD, captured=None)):
        assert line(row).count("|") == HEAD.splitlines()[0].count("|") == HEAD.splitlines()[1].count("|")


def test_a_set_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command fails, says which folder it looked for, and leaves no run behind."""
    assert main([REAL[0]], tmp_path / "nowhere", tmp_path / "out") == 1
    assert str(tmp_path / "nowhere" / REAL[0]) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(Stop, match="expected one of"):
        running.run("no_such_set", tmp_path, tmp_path / "out")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the examples' parameters with quick settings; no bundle, report or intervals."""
    for path in (ROOT / "examples").glob("*/params.yaml"):
        given = yaml.safe_load(path.read_text())
        (tmp_path / "params" / path.parent.name).mkdir(parents=True)
        (tmp_path / "params" / path.parent.name / "params.yaml").write_text(yaml.safe_dump({**given, "train": FAST}))
        for code in path.parent.glob("*.py"):
            (tmp_path / "params" / path.parent.name / code.name).write_text(code.read_text())
    monkeypatch.setattr(running, "HERE", tmp_path / "params")
    monkeypatch.setattr(
        running, "STAGES", {name: run for name, run in STAGES.items() if name not in ("publish", "track")}
    )
    monkeypatch.setattr("pipeline.evaluate.DRAWS", 2)
    return tmp_path / "out"


@pytest.mark.skipif(
    not (DATA / "x_education").is_dir(), reason="x_education is not ours to give: ../shared/data has it"
)
def test_a_real_set_runs_from_its_place(fast: Path) -> None:
    """x_education is read where it lies, and even quick settings beat the base rate by far."""
    row = running.run("x_education", DATA, fast)
    assert (row.n, row.captured) == (2_296, None)
    assert row.log_loss["model"] < row.log_loss["base_rate"] - 0.1
    assert (fast / "data/source").is_symlink()


def test_a_set_made_up_shows_what_was_captured(fast: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The share of the attainable is measured on the test fold alone, and the table of it is no input."""
    monkeypatch.setattr("examples.known_odds.make.LEADS", 3_000)
    row = running.run("known_odds", DATA, fast)
    assert row.captured is not None
    assert 0.2 < row.captured["model"] < 1
    assert 0.2 < row.captured["logistic"] < 1
    assert set(MADE_UP) == {"known_odds", "repeat_buyers"}
