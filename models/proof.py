"""`python -m models.proof BUNDLE`: parse a bundle and reproduce its golden answers, or exit with 1.

Run in a process of its own, because LightGBM ends the one that reads a damaged model.
"""

import json
import sys
from pathlib import Path

from models.lean import import_lean


def main(arguments: list[str]) -> int:
    """0 where the bundle proves itself; else 1 and the reason on standard error."""
    if len(arguments) != 1:
        print("usage: python -m models.proof BUNDLE", file=sys.stderr)
        return 2
    from models.bundle import check_digests, read_bundle
    from models.errors import DamagedBundle
    from models.golden import failures

    folder = Path(arguments[0])
    try:
        digest = check_digests(folder)
        golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
        wrong = failures(read_bundle(folder, digest), golden) if golden else ["golden.json: is empty"]
    except (DamagedBundle, KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = [f"{type(error).__name__}: {error}"]
    for line in wrong[:5]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    import_lean("pandas", "pyarrow")
    sys.exit(main(sys.argv[1:]))
