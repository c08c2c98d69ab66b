"""The feature kernel: events a second on one core, one lead alone, and peak memory.

    .venv/bin/python -m benchmarks.kernel [LEADS]

Each figure is the median of several turns; memory is of this process, which does nothing else.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.imagined import SPAN_D, plan, records
from features.arrays import DAY_US
from features.kernel import compute


def cpu_s(work: Callable[[], object], turns: int) -> float:
    """Median CPU seconds of one turn."""
    found = []
    for _ in range(turns):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return statistics.median(found)


def many(leads: int, leads_an_account: int, turns: int) -> float:
    """Events a CPU second, one example a lead, 100 events each."""
    p, r = plan(), records(leads, 100, leads_an_account, 0)
    lead, as_of = np.arange(leads), np.full(leads, SPAN_D * DAY_US)
    return leads * 100 / cpu_s(lambda: compute(r, p, lead, as_of), turns)


def one(events: int) -> float:
    """Microseconds for one lead alone."""
    p, r = plan(), records(1, events, 1, 0)
    lead, as_of = np.zeros(1, np.int64), np.full(1, SPAN_D * DAY_US)
    compute(r, p, lead, as_of)
    return cpu_s(lambda: [compute(r, p, lead, as_of) for _ in range(200)], 9) / 200 * 1e6


def main(leads: int) -> None:
    """Print the figures."""
    features = len(plan().features)
    print(f"kernel, {features} features, 100 events a lead, one thread")
    print(f"  one lead alone                     {one(100):8.0f} µs")
    print(f"  20,000 leads, one an account       {many(20_000, 1, 5) / 1e6:8.2f} M events/s")
    print(f"  20,000 leads, three an account     {many(20_000, 3, 5) / 1e6:8.2f} M events/s")
    print(f"  {leads:,} leads, one an account      {many(leads, 1, 1) / 1e6:8.2f} M events/s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"  peak memory at {leads * 100 / 1e6:.0f} M events         {peak:8.2f} GB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
