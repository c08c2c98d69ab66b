"""Score the leads of some tables as of an instant: the pipeline's own reading, kernel and bundle."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from features.columns import Block
from features.episodes import opening
from features.kernel import Matrix, compute
from features.records import Records, take
from models.bundle.folder import Bundle, score
from models.bundle.values import WrongRequest, micros
from models.explaining.reasons import by_group, reasons
from models.explaining.words import Language
from models.learning.horizons import column
from models.policy.decisions import decide
from pipeline import stage
from pipeline.assembly.records import records_of
from pipeline.assembly.values import instant_us
from pipeline.errors import Stop
from pipeline.files import whole_file
from pipeline.outcomes.ended import ended
from pipeline.params import Definition, Source
from pipeline.reading.attributes import Inferred
from pipeline.reading.checked import Checked, check
from pipeline.reading.personal import remove
from pipeline.reading.tables import TABLES, read_tables

CHUNK = 20_000
"""Leads that are scored together, more where an account has more."""
REASONS = 3
DECIDED = ("score", "grade", "route", "expected_value", "qualified")
Schema = dict[str, pl.DataType | type[pl.DataType]]
Routes = Mapping[str, str | None]
"""The route that each lead had."""
SCHEMA: Schema = {
    "lead_id": pl.String, "as_of": pl.Datetime("us", "UTC"), "status": pl.String, "probability": pl.Float64,
    "score": pl.Int64, "grade": pl.String, "route": pl.String, "expected_value": pl.Float64, "base": pl.Float64,
    "fit": pl.Float64, "engagement": pl.Float64, "intent": pl.Float64, "reason_1": pl.String,
    "reason_2": pl.String, "reason_3": pl.String, "model_version": pl.String, "qualified": pl.Boolean,
}  # fmt: skip


def schema_of(bundle: Bundle) -> Schema:
    """SCHEMA, with a column for each shorter horizon before the probability of the longest."""
    shorter: Schema = {column(link.days): pl.Float64 for link in bundle.links}
    first = list(SCHEMA).index("probability")
    return {**dict(list(SCHEMA.items())[:first]), **shorter, **dict(list(SCHEMA.items())[first:])}


@dataclass(frozen=True)
class Asked:
    """Tables to score."""

    checked: Checked
    as_of: datetime | None
    """None for tables without dates."""
    unknown: frozenset[Block]
    """Parts that the tables say nothing of."""

    @property
    def at(self) -> int:
        """The instant in µs; 0 for tables without dates."""
        return 0 if self.as_of is None else instant_us(self.as_of)

    def records(self, bundle: Bundle) -> tuple[Records, pl.DataFrame]:
        """As `records_of`, by the plan of a bundle."""
        return records_of(self.checked.tables, bundle.plan, self.unknown)

    def known(self, bundle: Bundle, order: pl.DataFrame) -> pl.DataFrame:
        """What else is known of the leads of the records, in their order: with `value`, `row`, and whether a refused
        row had `ended` each by the instant."""
        more = self.checked.tables["leads"].select("lead_id", "value", "row")
        found = order.join(more, on="lead_id", how="left", maintain_order="left")
        return found.with_columns(ended=ended(self.checked.tables, order, bundle.plan.reopens, self.at))


def read(bundle: Bundle, tables: Path, as_of: datetime | None, id_key: bytes | None, now: datetime) -> Asked:
    """Read and check tables as the training tables were. `as_of` defaults to the tables' latest time."""
    source = Source.model_validate({"kind": "tables", "path": tables, **bundle.reading})
    definition = Definition.model_validate(bundle.definition)
    plan = bundle.plan
    trained = Inferred(list(plan.attributes), {*plan.other_fields})
    with _as_in_training():
        raw, _ = remove(read_tables(source, lenient=True), id_key, [a.column for a in plan.attributes])
        checked = check(raw, source, definition, None, now, trained)
    unknown: frozenset[Block] = frozenset() if "account_id" in raw["leads"].columns else frozenset({"account_leads"})
    _check_dates(bundle, checked.meta["shape"], as_of, tables)
    if checked.meta["shape"] == "flat":
        return Asked(checked, None, unknown)
    until = checked.meta["until"]
    if as_of is None and until is None:
        raise Stop(f"{tables}: no table has a time; say as of when to score: --as-of 2025-10-03T00:00:00Z")
    return Asked(checked, as_of or datetime.fromisoformat(until), unknown)


def _check_dates(bundle: Bundle, shape: str, as_of: datetime | None, tables: Path) -> None:
    """Raise Stop where the leads' dates that the model needs are missing, or an instant is given without any."""
    if shape == "flat" and bundle.training["shape"] != "flat":
        raise Stop(f"{tables}: leads.created_at is missing; the model learned from dated leads and needs it")
    if shape == "flat" and as_of is not None:
        raise Stop(f"--as-of {as_of.isoformat()}: the leads have no created_at, so there is no instant; leave it out")


@contextmanager
def _as_in_training() -> Iterator[None]:
    """Messages about tables name the option that was given here, and the settings that a bundle does not let change."""
    try:
        yield
    except Stop as error:
        said = str(error).replace("source.path", "--tables")
        if "source." in said:
            said += " - tables are read as those of training were, whatever params.yaml says: bring them in that form"
        raise Stop(said) from error


def score_tables(
    bundle: Bundle,
    asked: Asked,
    reasons_in: Language | None,
    progress: Callable[[int, int], None] = lambda done, of: None,
    previous: Routes | None = None,
) -> pl.DataFrame:
    """One row for every lead that exists as of the instant, by `schema_of`, in the order of the input.

    `reasons_in`: the language of reasons; None: no reasons, which takes less time. `previous`: routes by lead, which
    leads leave later than they came in; without it nobody had one.
    """
    records, order = asked.records(bundle)
    leads = asked.known(bundle, order)
    parts = [_objected(bundle, asked)]
    done = 0
    for part, first in whole_accounts(records):
        own = leads.slice(first, len(part))
        parts.append(_score_part(bundle, part, own, asked.at, reasons_in, previous))
        done += len(part)
        progress(done, len(records))
    scored = pl.concat(parts).sort("row")
    as_of = pl.lit(asked.as_of, pl.Datetime("us", "UTC")) if asked.as_of else pl.lit(None)
    return scored.with_columns(as_of=as_of, model_version=pl.lit(bundle.version)).select(
        pl.col(name).cast(dtype) for name, dtype in schema_of(bundle).items()
    )


def whole_accounts(records: Records) -> Iterator[tuple[Records, int]]:
    """Whole accounts, about CHUNK leads together, and the number of the first lead."""
    start, account = records.account_start, 0
    while account < len(start) - 1:
        stop = max(account + 1, int(np.searchsorted(start, start[account] + CHUNK, side="right")) - 1)
        yield take(records, account, stop), int(start[account])
        account = stop


def _objected(bundle: Bundle, asked: Asked) -> pl.DataFrame:
    """Those who objected and existed at the instant, as far as one can tell."""
    gone = asked.checked.excluded["leads"].filter(pl.col("code") == "objected")
    if asked.as_of is not None:
        gone = gone.filter((pl.col("created_at") <= asked.as_of).fill_null(True))
    return _frame(bundle, gone.select("lead_id", "row"), status="objected")


def _frame(bundle: Bundle, leads: pl.DataFrame, **columns: object) -> pl.DataFrame:
    """Rows of `schema_of` with `row`; columns not given are null."""
    schema = schema_of(bundle)
    given = {name: columns.get(name) for name in schema if name not in ("lead_id", "as_of", "model_version")}
    return leads.select("lead_id", pl.col("row").cast(pl.Int64)).with_columns(
        (pl.Series(name, value, schema[name]) if isinstance(value, list) else pl.lit(value, schema[name])).alias(name)
        for name, value in given.items()
    )


def _score_part(
    bundle: Bundle, records: Records, leads: pl.DataFrame, at: int, reasons_in: Language | None, previous: Routes | None
) -> pl.DataFrame:
    every = np.arange(len(records))
    state = opening(records, every, np.full(len(records), at))
    exists, is_open = records.created <= at, state.open & ~leads["ended"].to_numpy()
    closed = _frame(bundle, leads.filter(pl.Series(exists & ~is_open)), status="closed")
    mine = every[is_open]
    if not len(mine):
        return closed
    matrix = compute(records, bundle.plan, mine, np.full(len(mine), at))
    return pl.concat([closed, _scored(bundle, matrix, leads[mine.tolist()], reasons_in, previous)])


def _scored(
    bundle: Bundle, matrix: Matrix, leads: pl.DataFrame, reasons_in: Language | None, previous: Routes | None
) -> pl.DataFrame:
    found = score(bundle, matrix, reasons_in is not None)
    p = found.probability
    before = None if previous is None else [previous.get(lead) for lead in leads["lead_id"].to_list()]
    decisions = decide(bundle.policy, matrix, p, leads["value"].to_list(), before)
    columns: dict[str, object] = {
        "status": "scored",
        **{column(days): q.tolist() for days, q in found.shorter.items()},
        "probability": p.tolist(),
        **{name: [getattr(d, name) for d in decisions] for name in DECIDED},
    }
    if found.contributions is not None and reasons_in is not None:
        columns["base"] = [found.base] * len(p)
        columns.update(by_group(matrix, found.contributions))
        told = [reasons(matrix, found.contributions, i, REASONS, reasons_in) for i in range(len(p))]
        for n in range(REASONS):
            columns[f"reason_{n + 1}"] = [own[n].text if n < len(own) else None for own in told]
    return _frame(bundle, leads, **columns)


def write(frame: pl.DataFrame, output: Path) -> None:
    """CSV or Parquet by the file's ending, whole or not at all."""
    if output.suffix != ".parquet":
        stage.write_csv(frame, output)
        return
    with whole_file(output) as temporary:
        frame.write_parquet(temporary)


def check_output(output: Path) -> None:
    """Raise Stop where the ending says neither CSV nor Parquet, or a folder has the name."""
    if output.suffix not in (".csv", ".parquet"):
        raise Stop(f"--output {output}: expected a name that ends in .csv or .parquet")
    if output.is_dir():
        raise Stop(f"--output {output}: is a folder; expected the name of a file")


def check_apart(output: Path, tables: Path) -> None:
    """Raise Stop where the scores would take the place of a table, or be read as one the next time."""
    taken = {tables.resolve(), *(tables.resolve() / f"{name}{output.suffix}" for name in TABLES)}
    if output.resolve() in taken:
        raise Stop(f"--output {output}: is the name of a table that is read; give another name")


def parse_time(text: str, timezone: str, option: str = "--as-of") -> datetime:
    """An ISO 8601 time, in UTC; one without an offset is of the time zone of the training tables. Raises Stop."""
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros(text, option, ZoneInfo(timezone)))
    except WrongRequest as error:
        raise Stop(f"{option} {text!r}: expected {error.expected}") from error
