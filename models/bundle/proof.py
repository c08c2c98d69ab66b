"""`python -m models.bundle.proof BUNDLE`: parse it, reproduce its golden answers and print its digest, or exit with 1.

Run in a process of its own, because LightGBM ends the one that reads a damaged model.
"""

import sys
from pathlib import Path

from models.bundle.lean import import_lean


def main(arguments: list[str]) -> int:
    """0 where the bundle proves itself; else 1 and the reason on standard error."""
    if len(arguments) != 1:
        print("usage: python -m models.bundle.proof BUNDLE", file=sys.stderr)
        return 2
    from models.bundle.folder import parse, read_files
    from models.bundle.golden import failures
    from models.errors import DamagedBundle

    try:
        files = read_files(Path(arguments[0]))
        golden = files.json("golden.json")
        wrong = failures(parse(files), golden) if golden else ["golden.json: is empty"]
    except (DamagedBundle, KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = [f"{type(error).__name__}: {error}"]
    for line in wrong[:5]:
        print(line, file=sys.stderr)
    if wrong:
        return 1
    print(files.digest)
    return 0


if __name__ == "__main__":
    import_lean("pandas", "pyarrow")
    sys.exit(main(sys.argv[1:]))
