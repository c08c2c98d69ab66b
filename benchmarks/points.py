"""Hand-tuned points: 100,000 examples by 30 rules, and the first crossings of their leads.

    .venv/bin/python -m benchmarks.points

The rules are those of the simulated company and a few more; 20,000 leads have 50 events each over two years.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from features.arrays import DAY_US, Floats
from models.points.crossings import first_crossings
from models.points.records import FieldRecords, PointRecords
from models.points.table import PointsTable
from models.points.totals import tally
from pipeline.handtuned.file import parse_points

COMPANY = Path(__file__).parents[1] / "examples/points/company.yaml"
MORE = """rules:
  - {id: more_pages, group: behaviour, when: {event: page_view, within_days: 90}, points: 0.5, each: true, max: 9}
  - {id: fading, group: behaviour, when: {event: mail_click}, points: 3, each: true, decay: {percent: 9, every_days: 9}}
  - {id: some, group: fit, when: {any: [{field: employees, gt: 900}, {event: webinar, within_days: 9}]}, points: 4}
"""
LEADS, EVENTS_A_LEAD, EXAMPLES_A_LEAD, SPAN_D = 20_000, 50, 5, 730
TYPES = (*("page_view",) * 6, *("mail_open",) * 5, *("mail_click",) * 3, "download", "webinar", "pricing_view",
         "product_use", "trial_start", "demo_request")  # fmt: skip
TEXTS = {"job_title": 400, "email_domain_kind": 3, "industry": 8, "country": 7, "source": 8}


def records(rng: np.random.Generator) -> PointRecords:
    """Imagined leads."""
    names, m = tuple(sorted(set(TYPES))), LEADS * EVENTS_A_LEAD
    known = np.sort(rng.integers(0, SPAN_D * DAY_US, (LEADS, EVENTS_A_LEAD)), axis=1).ravel()
    code = np.array([names.index(name) for name in TYPES])
    fields = {name: _texts(rng, name, n) for name, n in TEXTS.items()}
    fields["employees"] = FieldRecords(None, rng.lognormal(4.5, 1.6, LEADS), None)
    return PointRecords(
        created=np.zeros(LEADS, np.int64), known=known, occurred=known, kind=code[rng.integers(0, len(TYPES), m)],
        topic=rng.integers(-1, 2, m), value=np.full(m, np.nan), day=known // DAY_US,
        start=np.arange(LEADS + 1) * EVENTS_A_LEAD, types=names, topics=("careers", "product"), fields=fields,
    )  # fmt: skip


def _texts(rng: np.random.Generator, name: str, n: int) -> FieldRecords:
    codes: Floats = rng.integers(0, n, LEADS).astype(np.float64)
    return FieldRecords(tuple(f"{name} {i}" for i in range(n)), codes, None)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one turn."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print the figures."""
    text = COMPANY.read_text(encoding="utf-8").replace("rules:\n", MORE, 1)
    table: PointsTable = parse_points(text, "company.yaml", "UTC")
    made, rng = records(np.random.default_rng(0)), np.random.default_rng(1)
    lead = np.repeat(np.arange(LEADS), EXAMPLES_A_LEAD)
    as_of = rng.integers(0, SPAN_D * DAY_US, len(lead))
    wall, cpu = seconds(lambda: tally(table, made, lead, as_of))
    print(f"points, {len(table.rules)} rules, {EVENTS_A_LEAD} events a lead, one thread")
    print(f"  {len(lead):,} examples                   {wall:8.2f} s ({cpu:.2f} s of CPU)")
    until = np.full(LEADS, SPAN_D * DAY_US)
    wall, cpu = seconds(lambda: first_crossings(table, made, until, lambda lead, at: np.ones(len(lead), bool)))
    print(f"  first crossings of {LEADS:,} leads    {wall:8.2f} s ({cpu:.2f} s of CPU)")


if __name__ == "__main__":
    main()
