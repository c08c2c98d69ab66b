"""What the stages share: where things lie, and reading and writing them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from features.columns import Attribute
from features.plan import Plan, plan_of_json
from pipeline.errors import Stop
from pipeline.files import whole_file
from pipeline.params import Section

S = TypeVar("S", bound=Section)
SETTINGS = Path("data/settings")
INGESTED = Path("data/ingested")
TABLES = Path("data/tables")
QUARANTINE = Path("data/quarantine")
EXAMPLES = Path("data/examples.parquet")
FEATURES = Path("data/features.parquet")
POINTS_TABLE = SETTINGS / "points_table.json"
POINTS = Path("data/points.parquet")
POINTS_RULES = Path("data/points_rules.json")
POINTS_FIGURES = Path("reports/points.json")
POINTS_LISTS = Path("reports/points")
PLAN = Path("data/plan.json")
MODEL = Path("artifacts/model")
BASELINES = Path("data/baselines.parquet")
PREDICTIONS = Path("data/predictions.parquet")
LEFT_OUT = Path("data/left_out.parquet")
METRICS = Path("reports/metrics.json")
VALIDATION = Path("reports/validation.json")
INTERVALS = Path("reports/intervals.json")
IMPORTANCE = Path("reports/importance.json")
SCREENING = Path("data/screening.json")
LEAKS = Path("reports/leaks.json")
CALIBRATION = Path("reports/calibration.json")
WEEKLY = Path("reports/weekly.json")
FUNNEL = Path("reports/funnel.json")
ACCOUNTS = Path("reports/accounts.json")
ACCOUNT_MODEL = Path("data/account_model.json")
POLICY_FIGURES = Path("reports/policy.json")
REPORT = Path("reports/report.html")
REPORT_TO_FILE = Path("artifacts/report.html")
"""What MLflow keeps: the report without its example leads."""
AGREED = SETTINGS / "criteria.json"
DEFINITION = Path("reports/definition.json")
DEFINITION_PAGE = Path("reports/lead-definition.html")
PLOTS = Path("reports/plots")
SUMMARY = Path("reports/summary.json")
BUNDLE = Path("artifacts/bundle")
SIMULATED = Path("data/simulated")


def section(kind: type[S]) -> S:
    """A section of params.yaml, such as Definition, as stage `configure` left it, with its defaults filled in."""
    return kind.model_validate(read_json(SETTINGS / f"{kind.__name__.lower()}.json"))


def read_json(path: Path) -> Any:
    """A JSON file. Raises Stop where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Stop(f"{path}: is missing; run the stages before it: make run") from error
    except ValueError as error:
        raise Stop(f"{path}: is not JSON ({error}); remove it and run the stages again: make run") from error


def check_run(instead: str = "") -> None:
    """Raise Stop where this folder has had no run; `instead` says what else would do."""
    if not (SETTINGS / "source.json").is_file():
        raise Stop(f"there is no finished run in this folder: run `make run` first{instead}")


def write_json(content: Any, path: Path) -> None:
    """A JSON file, whole or not at all; sorted and without NaN, so that equal content is equal bytes."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with whole_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_table(path: Path) -> pl.DataFrame:
    """A Parquet table that an earlier stage wrote."""
    try:
        return pl.read_parquet(path)
    except FileNotFoundError as error:
        raise Stop(f"{path}: is missing; run the stages before it: make run") from error
    except pl.exceptions.PolarsError as error:
        raise Stop(f"{path}: is not a Parquet file; remove it and run the stages again: make run") from error


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """A Parquet table, whole or not at all."""
    with whole_file(path) as temporary:
        frame.write_parquet(temporary, compression="zstd", statistics=False)


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """A CSV file for people, whole or not at all; times are ISO 8601 in UTC."""
    with whole_file(path) as temporary:
        frame.write_csv(temporary, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")


def read_tables(folder: Path = TABLES) -> dict[str, pl.DataFrame]:
    """The validated tables that there are. Raises Stop where there are no leads."""
    return {path.stem: read_table(path) for path in sorted({folder / "leads.parquet", *folder.glob("*.parquet")})}


def read_attributes(folder: Path = TABLES) -> tuple[Attribute, ...]:
    """The attributes that validation found."""
    return attributes_of(read_json(folder / "attributes.json"))


def read_plan() -> Plan:
    """The kernel's plan, as stage `featurize` learned it."""
    return plan_of_json(read_json(PLAN))


def attributes_of(objects: Iterable[Mapping[str, Any]]) -> tuple[Attribute, ...]:
    """The attributes of attributes.json as the features know them."""
    return tuple(Attribute(**a) for a in objects)


def read_meta() -> dict[str, Any]:
    """What validation found of the tables as a whole: `shape`, `until`, `left_out_columns` and more."""
    return dict(read_json(TABLES / "meta.json"))


def read_until() -> datetime | None:
    """The present: nothing is known after it."""
    until = read_meta()["until"]
    return None if until is None else datetime.fromisoformat(until)


@contextmanager
def speaking(name: str) -> Iterator[Callable[[str], None]]:
    """Say what a long stage is doing, a line each on standard error; on a terminal with a spinner below."""
    from rich.console import Console

    console = Console(stderr=True)

    def say(what: str) -> None:
        # names of columns come with square brackets of their own, which are no marks of style
        console.print(f"{name}: {what}", highlight=False, soft_wrap=True, markup=False, emoji=False)

    if not console.is_terminal:
        yield say
        return
    with console.status(name):
        yield say
