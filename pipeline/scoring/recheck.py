"""Weak, old and disqualified leads whose probability rose since the last score, and exactly why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from features.arrays import DAY_US, Bools, Floats, Ints
from features.episodes import opening
from features.kernel import compute
from features.records import Records, owners
from models.bundle.folder import Bundle, score
from models.explaining import changes
from models.explaining.changes import STEPS
from models.learning.calibration import FURTHEST, log_odds, probability
from pipeline.assembly.values import instant_us
from pipeline.errors import Stop
from pipeline.outcomes.ended import ended
from pipeline.scoring.news import news_of
from pipeline.scoring.score import Asked, Schema, whole_accounts

OLD_DAYS = 90.0
"""A lead of more days than this is old where the bundle does not say up to which age it was trained."""
SCHEMA: Schema = {
    "lead_id": pl.String, "kind": pl.String, "since": pl.Datetime("us", "UTC"), "as_of": pl.Datetime("us", "UTC"),
    "probability_before": pl.Float64, "probability": pl.Float64, "change": pl.Float64,
    **dict.fromkeys(STEPS, pl.Float64), "why": pl.String, "model_version": pl.String,
}  # fmt: skip
WITH_RISE: Schema = {**SCHEMA, "rise": pl.Float64}
"""By how much the probability rose, too: what the rows are sorted by."""
WORDS = {
    "model": "the new model", "decay": "time that passed", "events": "new events", "stages": "new stages",
    "attributes": "changed attributes", "colleagues": "new colleagues",
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Two instants, µs."""

    since: int
    as_of: int


def recheck(
    bundle: Bundle,
    asked: Asked,
    since: datetime,
    before: tuple[Bundle, Asked] | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> pl.DataFrame:
    """Leads by SCHEMA whose probability rose: open ones first, then disqualified ones, the greatest rise first.

    Looked at are leads that existed and were open at `since` and are open now, if weak (below the base rate at
    `since`) or old (older now than any lead that the model learned from); and leads that are closed now without a
    conversion, each scored at both instants as if it had stayed open: its closing rows are left out. `change` is in
    calibrated log odds, and the columns of STEPS add up to it. `before`: the earlier model and the tables as it
    reads them; then `probability_before` is what that model says of `since`.

    Raises Stop where the tables have no dates or `since` is not before the tables' instant.
    """
    span = _span(asked, since)
    records, order = asked.records(bundle)
    leads = _ended_at(bundle, asked, order, span)
    old = None if before is None else _at_first(*before, span, order["lead_id"])
    parts, done = [pl.DataFrame(schema=WITH_RISE)], 0
    for part, first in whole_accounts(records):
        own = slice(first, first + len(part))
        parts.append(_part(bundle, part, leads[own], span, None if old is None else old[own]))
        done += len(part)
        progress(done, len(records))
    news = news_of(asked.checked.tables, bundle.plan, span.since, span.as_of)
    found = pl.concat(parts).join(news, on="lead_id", how="left", maintain_order="left")
    why = [_why(row) for row in found.iter_rows(named=True)]
    given = {"since": pl.lit(since), "as_of": pl.lit(asked.as_of), "model_version": pl.lit(bundle.version)}
    last = pl.col("kind") == "disqualified"
    return (
        found.with_columns(**given, why=pl.Series(why, dtype=pl.String))
        .sort(last, -pl.col("rise"), "lead_id")
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


def _span(asked: Asked, since: datetime) -> Span:
    if asked.as_of is None:
        raise Stop("--since: the leads have no created_at, so nothing is known of when; add it to recheck them")
    if since >= asked.as_of:
        raise Stop(
            f"--since {since.isoformat()}: expected a time before {asked.as_of.isoformat()}, the time of --as-of"
        )
    return Span(instant_us(since), instant_us(asked.as_of))


def _part(bundle: Bundle, records: Records, leads: pl.DataFrame, span: Span, old: Floats | None) -> pl.DataFrame:
    """Rows of some accounts, without words. `old`: log odds by the earlier model at `since`."""
    (open_now, closed), ids = _candidates(records, leads, span), leads["lead_id"]
    frames = []
    for lead, as_if in ((np.flatnonzero(open_now), np.zeros_like(closed)), (np.flatnonzero(closed), closed)):
        if len(lead):
            frames.append(_rows(bundle, records, lead, as_if, ids, span, None if old is None else old[lead]))
    return pl.concat([pl.DataFrame(schema=WITH_RISE), *frames])


def _candidates(records: Records, leads: pl.DataFrame, span: Span) -> tuple[Bools, Bools]:
    """Leads open at both instants; leads closed at the second without a conversion, shape (n,) each."""
    every = np.arange(len(records))
    then, now = (
        opening(records, every, np.full(len(records), at)).open & ~leads[name].to_numpy()
        for at, name in ((span.since, "then"), (span.as_of, "now"))
    )
    existed, known = records.created <= span.since, ~leads["now"].to_numpy()  # else it may be won
    return existed & then & now, existed & ~now & ~_won(records, span.as_of) & known


def _ended_at(bundle: Bundle, asked: Asked, order: pl.DataFrame, span: Span) -> pl.DataFrame:
    """The leads of the records, and whether a refused row had ended each at the two instants."""
    then, now = (ended(asked.checked.tables, order, bundle.plan.reopens, at) for at in (span.since, span.as_of))
    return order.with_columns(then=then, now=now)


def _won(records: Records, at: int) -> Bools:
    """Who was won at an instant, in the episode of then."""
    s = changes.known(records, at, at, ()).stages
    rows = owners(s.start)[s.won & changes.present(s)]
    return np.bincount(rows, minlength=len(records)).astype(bool)


def _valued(bundle: Bundle, lead: Ints, mine: Bools) -> Callable[[Records, int], Floats]:
    """Calibrated log odds of the leads by records and an instant; those of `mine` as if they had stayed open."""

    def value(records: Records, at: int) -> Floats:
        seen = changes.reopened(records, mine) if mine.any() else records
        matrix = compute(seen, bundle.plan, lead, np.full(len(lead), at))
        return _odds(bundle, score(bundle, matrix, reasons=False).raw)

    return value


def _odds(bundle: Bundle, raw: Floats) -> Floats:
    return np.clip(log_odds(bundle.calibration, raw), -FURTHEST, FURTHEST)


def _rows(
    bundle: Bundle, records: Records, lead: Ints, as_if: Bools, ids: pl.Series, span: Span, old: Floats | None
) -> pl.DataFrame:
    """Those of the leads that rose and are weak, old or closed, with what each step adds. `as_if`, shape (n,): who
    counts as if still open, from first to last: colleagues of one lead are in the features of another."""
    value = _valued(bundle, lead, as_if)
    first, last = _ends(value, records, span)
    start = first if old is None else np.where(np.isnan(old), first, old)
    kind = _kinds(bundle, records, lead, start, span) if not as_if.any() else np.full(len(lead), "disqualified")
    rose = (last > start) & (kind != "")
    lead, start, first, last, kind = lead[rose], start[rose], first[rose], last[rose], kind[rose]
    if not len(lead):
        return pl.DataFrame(schema=WITH_RISE)
    value = _valued(bundle, lead, as_if)
    steps = {"model": first - start, **changes.attribute(records, span.since, span.as_of, value)}
    before, after = probability(start), probability(last)
    return _frame(
        lead_id=ids.gather(lead), kind=kind, probability_before=before, probability=after, change=last - start,
        rise=after - before, **steps,
    )  # fmt: skip


def _frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame(columns).select(
        (pl.col(n) if n in columns else pl.lit(None)).cast(dtype).alias(n) for n, dtype in WITH_RISE.items()
    )


def _ends(value: Callable[[Records, int], Floats], records: Records, span: Span) -> tuple[Floats, Floats]:
    """Log odds at the two instants, by all that was known at each."""
    whole = [changes.known(records, at, at, ()) for at in (span.since, span.as_of)]
    return value(whole[0], span.since), value(whole[1], span.as_of)


def _kinds(bundle: Bundle, records: Records, lead: Ints, start: Floats, span: Span) -> np.ndarray:
    """weak, old, or nothing for a lead that is neither, shape (k,)."""
    ages = bundle.training.get("ages_days")
    oldest = OLD_DAYS if ages is None else float(ages[1])
    since = opening(records, lead, np.full(len(lead), span.as_of)).since
    old = (span.as_of - since) / DAY_US > oldest
    weak = probability(start) < bundle.policy.base_rate
    return np.select([weak, old], ["weak", "old"], "")


def _at_first(bundle: Bundle, asked: Asked, span: Span, ids: pl.Series) -> Floats:
    """Log odds by an earlier model at the first instant, in the order of `ids`; NaN for a lead that it cannot read."""
    records, order = asked.records(bundle)
    leads, parts = _ended_at(bundle, asked, order, span), []
    for part, first in whole_accounts(records):
        _, closed = _candidates(part, leads.slice(first, len(part)), span)
        lead = np.flatnonzero(part.created <= span.since)
        odds = np.full(len(part), np.nan)
        odds[lead] = _first_odds(bundle, part, lead, closed, span)
        parts.append(odds)
    both = order.select("lead_id", odds=pl.Series(np.concatenate([np.zeros(0), *parts])))
    found = ids.to_frame("lead_id").join(both, on="lead_id", how="left", maintain_order="left")["odds"]
    return found.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _first_odds(bundle: Bundle, records: Records, lead: Ints, closed: Bools, span: Span) -> Floats:
    """As the rows of this model are made: open leads by the record as it was, closed ones as if open."""
    whole = changes.known(records, span.since, span.since, ())
    plain, as_if = (_valued(bundle, lead, mine)(whole, span.since) for mine in (np.zeros_like(closed), closed))
    return np.where(closed[lead], as_if, plain)


def _why(row: dict[str, object]) -> str:
    """The steps in words, the greatest first, with what was new; those of less than 0.005 are left out."""
    steps = sorted(((float(str(row[step])), step) for step in STEPS), reverse=True)
    lines = []
    for size, step in steps:
        if abs(size) >= 0.005:
            what = row.get(f"new_{step}")
            lines.append(f"{WORDS[step]}{f' ({what})' if what else ''} {size:+.2f}")
    return "; ".join(lines)
