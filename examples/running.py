"""One example from its data to a row of figures, by the project's own stages in a folder of its own."""

import contextlib
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import polars as pl

from models.judging import metrics
from pipeline import stage
from pipeline.errors import Stop
from pipeline.stages import STAGES

HERE = Path(__file__).parent
MADE_UP = tuple(sorted(path.parent.name for path in HERE.glob("*/make.py")))
REAL = tuple(sorted(path.parent.name for path in HERE.glob("*/params.yaml") if path.parent.name not in MADE_UP))
SOURCE = Path("data/source")
"""Where params.yaml of each example expects its tables, in the run's folder."""
MOST_WORSE = 0.005
"""In log loss: so much may the logistic regression be better."""


@dataclass(frozen=True)
class Row:
    """What a run found on its test fold. Log losses in nats."""

    name: str
    n: int
    base_rate: float
    auc: dict[str, float]
    """By model: `model` and the baselines."""
    log_loss: dict[str, float]
    captured: dict[str, float] | None
    """Of the improvement over the base rate that the exact truth allows; None where the truth is unknown."""

    def failures(self) -> list[str]:
        """What is worse than it may be, a sentence each."""
        ours, limits = self.log_loss["model"], {"logistic": MOST_WORSE, "base_rate": 0.0}
        return [
            f"{self.name}: log loss {ours:.4f}, expected at most {self.log_loss[rival] + more:.4f} ({rival})"
            for rival, more in limits.items()
            if not ours <= self.log_loss[rival] + more
        ]


def run(name: str, data: Path, folder: Path) -> Row:
    """Run an example in `folder`, which is made anew. Its data are `data/name`, read in place, or made up."""
    if name not in (*REAL, *MADE_UP):
        raise Stop(f"example {name!r}: expected one of {', '.join((*REAL, *MADE_UP))}")
    source = (data / name).resolve()
    if name in REAL and not source.is_dir():
        raise Stop(f"{data / name}: there is no such folder; give --data DIR, or try {' or '.join(MADE_UP)}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(HERE / name / "params.yaml", folder)
    with contextlib.chdir(folder):
        _fill(name, source)
        for each in STAGES.values():
            each()
        return row_of(name)


def _fill(name: str, source: Path) -> None:
    """Make or prepare the tables, or link to them where they are read as they are."""
    SOURCE.parent.mkdir()
    if name in MADE_UP:
        import_module(f"examples.{name}.make").make(SOURCE)
    elif (HERE / name / "prepare.py").is_file():
        import_module(f"examples.{name}.prepare").prepare(source, SOURCE)
    else:
        SOURCE.symlink_to(source)


def row_of(name: str) -> Row:
    """The figures of the run in the working folder."""
    found = stage.read_json(stage.METRICS)
    scores = {"model": found["test"], **found["baselines"]}
    return Row(
        name,
        found["test"]["n"],
        found["test"]["base_rate"],
        {model: one["auc"] for model, one in scores.items()},
        {model: one["log_loss"] for model, one in scores.items()},
        captured() if (SOURCE / "truth/truth.parquet").is_file() else None,
    )


def captured() -> dict[str, float]:
    """Share of the attainable on the test fold, by the model and by the logistic regression."""
    keys = ["lead_id", "as_of"]
    truth = stage.read_table(SOURCE / "truth/truth.parquet").rename({"probability": "truth"})
    rows = stage.read_table(stage.PREDICTIONS).filter(pl.col("fold") == "test")
    for other in (truth, stage.read_table(stage.BASELINES)):
        rows = rows.join(other, on=keys, how="left", nulls_equal=True, validate="1:1")
    if rows["truth"].null_count():
        raise Stop(f"{SOURCE}/truth/truth.parquet: lacks {rows['truth'].null_count()} of {len(rows)} test examples")
    exact, base = rows["truth"].to_numpy(), rows["base_rate"].to_numpy()
    shares = {name: metrics.captured(exact, rows[column].to_numpy(), base)
              for name, column in (("model", "probability"), ("logistic", "logistic"))}  # fmt: skip
    return {name: share for name, share in shares.items() if share is not None}
