"""`make examples`, `make examples NAME=cdnow`: run all or one, print the figures, fail where one falls short.

    .venv/bin/python -m examples [NAME ...] [--data ../shared/data] [--out build/examples]

A run leaves its report and its bundle under build/examples/NAME. Exits with 1 where a model is worse than the base
rate, or than the logistic regression by more than 0.005, in log loss; or where a set cannot be read.
"""

import argparse
import sys
from pathlib import Path

from examples.running import MADE_UP, REAL, Row, run
from pipeline.errors import Stop
from pipeline.reporting.wording import count, number, percent

COLUMNS = (
    "data",
    "test examples",
    "base rate",
    "this model: AUC, log loss",
    "logistic regression",
    "naive Bayes",
    "log loss of the base rate",
    "captured by model, logistic",
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def line(row: Row) -> str:
    """A row of the Markdown table."""
    pairs = [f"{number(row.auc[m])}, {number(row.log_loss[m], 4)}" for m in ("model", "logistic", "naive_bayes")]
    truth = row.captured
    shares = "" if truth is None else f"{percent(truth['model'], 0)}, {percent(truth['logistic'], 0)}"
    cells = [row.name, count(row.n), percent(row.base_rate), *pairs, number(row.log_loss["base_rate"], 4), shares]
    return f"| {' | '.join(cells)} |"


def main(names: list[str], data: Path, out: Path) -> int:
    """Print the table; the number of the process's exit."""
    failures: list[str] = []
    lines = []
    for name in names or [*REAL, *MADE_UP]:
        print(f"== {name}", file=sys.stderr)
        try:
            row = run(name, data, out / name)
        except Stop as error:
            failures.append(str(error))
            continue
        lines.append(line(row))
        failures += row.failures()
    print("\n".join([HEAD, *lines]))
    for failure in failures:
        print(f"examples: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="examples", description=str(__doc__).partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default all: {', '.join((*REAL, *MADE_UP))}")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="where the real sets are, a folder each"
    )
    parser.add_argument("--out", type=Path, default=Path("build/examples"), help="where the runs leave theirs")
    given = parser.parse_args()
    sys.exit(main(given.names, given.data, given.out))
