"""How near the model comes to the exact truth, in imagined companies of several kinds.

    .venv/bin/python -m benchmarks.worlds [LEADS] [WORLD …]

`make worlds`. Each company goes through the stages up to the metrics in a folder of its own; of the improvement in
expected log loss that the exact truth allows over the base rate, model and logistic regression captured so much.
60,000 leads give about 1,600 converting ones in the train fold, 12,000 about 300.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

WORLDS = ("plain", "interacting", "bursty", "noisy", "hard", "drifting")
LEADS = 60_000
UNTIL_METRICS = ("configure", "ingest", "validate", "label", "featurize", "points", "screen", "train", "evaluate")


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
    truth, weekly = found["truth"], found["weekly"]
    return (
        f"| {world} | {converting:,} | {truth['captured']:.3f} | {truth['captured_by_logistic']:.3f} "
        f"| {weekly['model']['lift']:.1f} | {weekly['logistic']['lift']:.1f} "
        f"| {found['test']['calibration_slope']:.2f} |"
    )


def main(arguments: list[str]) -> None:
    """Print a row a world."""
    leads = int(arguments[0]) if arguments else LEADS
    print("| world | converting leads in train | captured | logistic | lift a week | logistic | slope of calibration |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for world in arguments[1:] or WORLDS:
        print(measured(world, leads), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
