"""A file of scores from the last run's tables and bundle: leads a second, with and without reasons.

    .venv/bin/python -m benchmarks.scoring

Needs `make run` first. Reading and checking the tables is timed apart.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from models.bundle.lean import import_lean

MOST_WITH_REASONS = 2_000


def main(root: Path) -> int:
    """Print the figures; 1 where there is nothing to score."""
    import numpy as np

    from features.episodes import opening
    from features.kernel import compute
    from models.bundle.folder import load_bundle, score
    from models.explaining.reasons import reasons
    from pipeline.assembly.records import records_of
    from pipeline.assembly.values import instant_us
    from pipeline.scoring import score as scoring

    if not (root / "artifacts/bundle").is_dir() or not (root / "data/simulated").is_dir():
        print("scoring: no bundle or no simulated company here; run `make run` first", file=sys.stderr)
        return 1
    bundle = load_bundle(root / "artifacts/bundle")
    begun = time.perf_counter()
    asked = scoring.read(bundle, root / "data/simulated", None, None, datetime.now(UTC))
    print(f"reading and checking the tables     {time.perf_counter() - begun:8.1f} s")
    begun = time.perf_counter()
    frame = scoring.score_tables(bundle, asked, None)
    taken, scored = time.perf_counter() - begun, int((frame["status"] == "scored").sum())
    print(f"scoring without reasons             {len(frame) / taken:8,.0f} leads/s ({scored:,} of {len(frame):,} open)")
    records, _ = records_of(asked.checked.tables, bundle.plan)
    at = instant_us(asked.as_of) if asked.as_of else 0
    every = np.arange(len(records))
    lead = every[opening(records, every, np.full(len(every), at)).open][:MOST_WITH_REASONS]
    as_of = np.full(len(lead), at)
    begun = time.perf_counter()
    matrix = compute(records, bundle.plan, lead, as_of)
    kernel = time.perf_counter() - begun
    begun = time.perf_counter()
    score(bundle, matrix, reasons=False)
    alone = time.perf_counter() - begun
    begun = time.perf_counter()
    found = score(bundle, matrix, reasons=True)
    shares = np.asarray(found.contributions)
    for row in range(len(lead)):
        reasons(matrix, shares, row, 3)
    explained = time.perf_counter() - begun
    n = len(lead)
    print(f"of {n:,} open leads: kernel          {n / kernel:8,.0f} leads/s")
    print(f"                   probabilities    {n / alone:8,.0f} leads/s")
    print(f"                   exact reasons    {n / explained:8,.0f} leads/s, {explained / alone:.0f} times as long")
    return 0


if __name__ == "__main__":
    import_lean()
    sys.exit(main(Path()))
