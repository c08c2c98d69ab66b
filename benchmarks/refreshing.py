"""Does the intercept refresh help where the rate has moved, and leave alone what has not?

    .venv/bin/python -m benchmarks.refreshing [LEADS] [SEED …]

`make proof-refresh`. A company whose rate of winning halves before the test, and one whose rate stays, each with
several seeds: expected log loss against the exact truth without and with the shift, and what the truth itself has.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

WORLDS = ("shifted", "plain")
LEADS = 20_000
SEEDS = (1, 2, 3)
UNTIL_TRAINED = ("configure", "ingest", "validate", "label", "featurize", "screen", "points", "train")


def measured(world: str, leads: int, seed: int) -> str:
    """A row of the table."""
    from pipeline import stage
    from pipeline.stages import STAGES

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        source = f"source: {{kind: simulated, simulated: {{leads: {leads}, seed: {seed}, world: {world}}}}}\n"
        Path("params.yaml").write_text(f"{source}train: {{refresh_intercept: true}}\n", encoding="utf-8")
        for name in UNTIL_TRAINED:
            STAGES[name]()
        shift = float(stage.read_json(stage.MODEL / "training.json")["refresh"]["shift"])
        losses = " | ".join(f"{loss:.4f}" for loss in _losses(shift))
    return f"| {world} | {seed} | {shift:+.3f} | {losses} |"


def _losses(shift: float) -> tuple[float, float, float]:
    """Expected log loss on the test fold without the shift, with it, and of the truth."""
    import polars as pl

    from models.judging import metrics
    from models.learning.refresh import shifted
    from pipeline import stage
    from pipeline.assembly.data import read_data
    from pipeline.evaluate import exactly
    from pipeline.learning.fitted import Fitted, predict, read_model

    plan = stage.read_plan()
    data = read_data(plan)
    fitted = read_model()
    before = Fitted(fitted.text, fitted.encoding, shifted(fitted.calibration, -shift))
    test = data.rows("test")
    truth = exactly(data.examples.filter(pl.Series(test)))
    if truth is None:
        raise ValueError("expected an imagined company, whose exact probabilities are known")
    without, refreshed = (metrics.log_loss(truth, predict(model, data.matrix)[test]) for model in (before, fitted))
    return without, refreshed, metrics.log_loss(truth, truth)


def main(arguments: list[str]) -> None:
    """Print a row a company."""
    leads = int(arguments[0]) if arguments else LEADS
    print("| world | seed | shift | without | with | truth |\n|---|---|---|---|---|---|", flush=True)
    for world in WORLDS:
        for seed in [int(word) for word in arguments[1:]] or SEEDS:
            print(measured(world, leads, seed), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
