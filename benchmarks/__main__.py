"""`make bench`: every benchmark in a process of its own, so that memory is its own too."""

import subprocess
import sys

BENCHMARKS = ("kernel", "rival", "scoring", "points", "serving")

for name in BENCHMARKS:
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
    if done.returncode:
        sys.exit(done.returncode)
