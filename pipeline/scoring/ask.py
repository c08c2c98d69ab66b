"""The one question to ask a lead next, among the fields that nobody knows of it."""

import numpy as np
import polars as pl

from features.episodes import opening
from features.kernel import compute
from features.records import Records
from models.bundle.asking import Worth, worth
from models.bundle.folder import Bundle
from pipeline.errors import Stop
from pipeline.scoring.score import Asked, whole_accounts


def questions_of(bundle: Bundle, asked: Asked) -> pl.DataFrame:
    """`lead_id, ask` of the leads that are open: the field to ask for, null where no answer would move anything."""
    _check(bundle)
    records, order = asked.records(bundle)
    known = asked.known(bundle, order)
    parts = [pl.DataFrame(schema={"lead_id": pl.String, "ask": pl.String})]
    for part, first in whole_accounts(records):
        own = known.slice(first, len(part))
        lead, found = _worth(bundle, part, own, asked.at, np.arange(len(part)))
        best = [None if i is None else found.questions[i].name for i in found.best()]
        parts.append(pl.DataFrame({"lead_id": own["lead_id"].gather(lead), "ask": pl.Series(best, dtype=pl.String)}))
    return pl.concat(parts)


def ask(bundle: Bundle, asked: Asked, lead_id: str) -> list[str]:
    """What to ask one lead, and what each missing field would tell, in lines to read. Raises Stop."""
    _check(bundle)
    records, order = asked.records(bundle)
    place = np.flatnonzero((order["lead_id"] == lead_id).to_numpy())
    lead, found = _worth(bundle, records, asked.known(bundle, order), asked.at, place.astype(np.int64))
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


def _worth(
    bundle: Bundle, records: Records, known: pl.DataFrame, at: int, lead: np.ndarray
) -> tuple[np.ndarray, Worth]:
    """Of those leads that are open at the instant (µs), and which they are."""
    lead = lead[opening(records, lead, np.full(len(lead), at)).open & ~known["ended"].to_numpy()[lead]]
    matrix = compute(records, bundle.plan, lead, np.full(len(lead), at))
    return lead, worth(bundle, matrix, known["value"].gather(lead).to_list())


def _check(bundle: Bundle) -> None:
    if not bundle.questions.questions:
        raise Stop("the model has no questions: it was published before there were any, or no attribute can be asked")
