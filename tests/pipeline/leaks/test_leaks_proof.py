"""`make proof-leaks` finds what it needs, wherever its parts have moved to."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_proof_runs_as_the_makefile_has_it() -> None:
    """Its very command, on one small company: an honest one, so it ends with 0."""
    found = re.search(r"^proof-leaks:.*\n\t(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    command = found[1].replace("$(CURDIR)", str(ROOT)).replace("$(BIN)", shlex.quote(str(Path(sys.executable).parent)))
    done = subprocess.run(f"{command} 700 1 plain", shell=True, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S602
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("plain 0: strongest feature 0.")
