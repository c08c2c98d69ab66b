"""The one question to ask a lead next, among the fields that nobody knows of it."""

import numpy as np
import polars as pl

from features.episodes import opening
from features.kernel import compute
from features.records import Records
from models.bundle.asking import Worth, worth
from models.bundle.folder import Bundle
from pipeline.assembly.records import records_of
from pipeline.assembly.values import instant_us
from pipeline.errors import Stop
from pipeline.outcomes.ended import ended
from pipeline.scoring.score import Asked, whole_accounts


def questions_of(bundle: Bundle, asked: Asked) -> pl.DataFrame:
    """`lead_id, ask` of the leads that are open: the field to ask for, null where no answer would move anything."""
    _check(bundle)
    records, order = records_of(asked.checked.tables, bundle.plan, asked.unknown)
    own = _own(bundle, asked, order)
    parts = [pl.DataFrame(schema={"lead_id": pl.String, "ask": pl.String})]
    for part, first in whole_accounts(records):
        lead, found = _worth(bundle, asked, part, own.slice(first, len(part)), np.arange(len(part)))
        best = [None if i is None else found.questions[i].name for i in found.best()]
        ids = own["lead_id"].slice(first, len(part)).gather(lead)
        parts.append(pl.DataFrame({"lead_id": ids, "ask": pl.Series(best, dtype=pl.String)}))
    return pl.concat(parts)


def ask(bundle: Bundle, asked: Asked, lead_id: str) -> list[str]:
    """What to ask one lead, and what each missing field would tell, in lines to read. Raises Stop."""
    _check(bundle)
    records, order = records_of(asked.checked.tables, bundle.plan, asked.unknown)
    place = np.flatnonzero((order["lead_id"] == lead_id).to_numpy())
    own = _own(bundle, asked, order)
    lead, found = _worth(bundle, asked, records, own, place.astype(np.int64))
    if not len(lead):
        raise Stop(
            f"lead {lead_id!r}: is not among the leads that are open at that time: it is closed or not in the tables,"
            " or its person objected to profiling"
        )
    best = found.best()[0]
    if best is None:
        return [f"lead {lead_id}: nothing to ask; no missing field would move its probability"]
    name = found.questions[best].name.replace("_", " ")
    return [f"lead {lead_id}: ask for {name}", *_lines(found)]


def _lines(found: Worth) -> list[str]:
    """Each missing field, the most telling first."""
    p, value, route = found.probability[0], found.value[0], found.route[0]
    order = np.argsort(-np.nan_to_num(np.where(np.isnan(value), p, value), nan=-1.0), kind="stable")
    lines = []
    for j in order.tolist():
        if not np.isnan(p[j]):
            worth = "" if np.isnan(value[j]) else f"expected value by {value[j]:,.2f}, "
            name = found.questions[j].name.replace("_", " ")
            lines.append(f"  {name}: moves the {worth}probability by {p[j]:.4f}; changes the route in {route[j]:.0%}")
    return lines


def _own(bundle: Bundle, asked: Asked, order: pl.DataFrame) -> pl.DataFrame:
    """What else is known of each lead of the records, in their order."""
    tables, at = asked.checked.tables, 0 if asked.as_of is None else instant_us(asked.as_of)
    more = order.join(tables["leads"].select("lead_id", "value"), on="lead_id", how="left", maintain_order="left")
    return more.with_columns(ended=ended(tables, order, bundle.plan.reopens, at))


def _worth(
    bundle: Bundle, asked: Asked, records: Records, own: pl.DataFrame, lead: np.ndarray
) -> tuple[np.ndarray, Worth]:
    """Of those leads that are open, and which they are."""
    at = 0 if asked.as_of is None else instant_us(asked.as_of)
    lead = lead[opening(records, lead, np.full(len(lead), at)).open & ~own["ended"].to_numpy()[lead]]
    matrix = compute(records, bundle.plan, lead, np.full(len(lead), at))
    return lead, worth(bundle, matrix, own["value"].gather(lead).to_list())


def _check(bundle: Bundle) -> None:
    if not bundle.questions.questions:
        raise Stop("the model has no questions: it was published before there were any, or no attribute can be asked")
