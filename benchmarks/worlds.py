"""How near the model comes to the exact truth, in imagined companies of several kinds.

    .venv/bin/python -m benchmarks.worlds [LEADS] [WORLD …]

`make worlds`. Each company goes through the stages up to the metrics in a folder of its own; of the improvement in
expected log loss that the exact truth allows over the base rate, model, logistic regression and LightGBM with its
defaults captured so much; the best few a week, taken by either or by the exact probabilities, convert so many times as
often as the average open lead, luck apart. 60,000 leads give about 1,600 converting ones in the train fold, 12,000
about 300.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

WORLDS = ("plain", "interacting", "bursty", "noisy", "hard", "drifting")
LEADS = 60_000
COLUMNS = (
    "world", "converting leads in train", "captured", "logistic", "defaults", "lift a week", "logistic",
    "attainable", "slope of calibration",
)  # fmt: skip
UNTIL_METRICS = ("configure", "ingest", "validate", "label", "featurize", "points", "screen", "train", "evaluate")


def by_defaults() -> float | None:
    """The share that LightGBM with its defaults captures of this folder's run, by the same features and outcomes."""
    import lightgbm
    import numpy as np
    import polars as pl

    from models.judging import metrics
    from pipeline import stage
    from pipeline.assembly.data import as_known, known, read_data
    from pipeline.evaluate import exactly
    from pipeline.params import Definition

    data = read_data(stage.read_plan())
    over = known(data.fold, data.as_of, stage.section(Definition).conversion.within_days)
    texts = [j for j, column in enumerate(data.matrix.columns) if column.categorical]
    X, y = data.matrix.values, as_known(data, data.begin_of_test).y
    told = lightgbm.Dataset(X[over], label=y[over], categorical_feature=texts)
    booster = lightgbm.train({"objective": "binary", "verbosity": -1}, told)
    test, base = data.rows("test"), stage.read_table(stage.BASELINES)["base_rate"].to_numpy()
    exact = exactly(data.examples.filter(pl.Series(test)))
    if exact is None:
        raise ValueError("expected an imagined company, whose exact probabilities are known")
    return metrics.captured(exact, np.asarray(booster.predict(X[test])), base[test])


def measured(world: str, leads: int) -> str:
    """A row of the table."""
    from pipeline import stage
    from pipeline.stages import STAGES

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        source = f"source: {{kind: simulated, simulated: {{leads: {leads}, seed: 11, world: {world}}}}}\n"
        Path("params.yaml").write_text(source, encoding="utf-8")
        for name in UNTIL_METRICS:
            STAGES[name]()
        found = stage.read_json(stage.METRICS)
        converting = stage.read_json(stage.MODEL / "training.json")["folds"]["train"]["converting_leads"]
        defaults = by_defaults()
    truth = found["truth"]
    lifts = " | ".join(f"{truth['weekly'][name]['lift']:.1f}" for name in ("model", "logistic", "attainable"))
    return (
        f"| {world} | {converting:,} | {truth['captured']:.3f} | {truth['captured_by_logistic']:.3f} | {defaults:.3f} "
        f"| {lifts} | {found['test']['calibration_slope']:.2f} |"
    )


def main(arguments: list[str]) -> None:
    """Print a row a world."""
    leads = int(arguments[0]) if arguments else LEADS
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for world in arguments[1:] or WORLDS:
        print(measured(world, leads), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
