"""The kernel against Polars at its best: the same features of the same events, in CPU seconds, taking turns.

    .venv/bin/python -m benchmarks.rival [LEADS]

An example a lead at an instant of its own, 100 events each, of which some come later and must not count. Of each of
twelve event types: how many in 1, 3, 7, 14, 30 and 90 days and in all, days since the last, and two decayed sums;
and days with anything in 7, 30 and 90 days. The kernel cannot leave out its totals and rates, and does them besides;
in the last line Polars is spared the days with anything, and the kernel is not.

Both start from columns in memory, sorted by lead, and go by parts of whole accounts. Polars may use two threads; the
kernel has one. Each works in a process of its own, so that neither pays for imports, nor for the other's memory.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.imagined import SPAN_D, TYPES, plan, records
from features.arrays import DAY_US, Array, Floats, Ints
from features.kernel import LONGEST, STEP_US, STEPS_A_DAY, compute
from features.plan import Plan
from features.records import Records
from features.vocabulary import HALF_LIVES_D, WINDOWS_D

LEADS, EVENTS_A_LEAD, LEADS_AN_ACCOUNT, TURNS, THREADS = 20_000, 100, 2, 7, 2
MEASURES = (*(f"{w}d" for w in WINDOWS_D), "all", "last_days", *(f"decay_{h}d" for h in HALF_LIVES_D))
ACTIVE_D = (7, 30, 90)
Work = Callable[[], Floats]


def bare() -> Plan:
    """The imagined plan with nothing but events, without topics."""
    p = plan()
    return Plan((), p.types, (), (), (), (), p.won, blocks=("lead", "events"))


def instants(leads: int) -> Ints:
    """When each lead is looked at: in the second of its two years."""
    return np.random.default_rng(1).integers(SPAN_D // 2 * DAY_US, SPAN_D * DAY_US, leads)


def by_kernel(r: Records, as_of: Ints) -> Work:
    """Shape (leads, TYPES × MEASURES + ACTIVE_D), type by type."""
    p = bare()
    events = replace(r.events, topic=np.full_like(r.events.topic, -1))
    r = replace(r, attributes=np.empty((len(r), 0)), events=events)
    place = [p.place[f"{t.group}_{t.name}_{end}"] for t in p.types for end in MEASURES]
    place += [p.place[f"engagement_active_days_{w}d"] for w in ACTIVE_D]
    lead = np.arange(len(r))
    return lambda: compute(r, p, lead, as_of).values[:, place]


def by_polars(r: Records, as_of: Ints, leads_a_part: int, engine: str, active_days: bool = True) -> Work:
    """The same. Aggregates by lead and type at once, by one number for both, then lays the types side by side."""
    import polars as pl

    start = r.events.start
    events = pl.DataFrame({"lead": _numbers(r), "type": _types(r), "known": r.events.known})
    examples = pl.DataFrame({"lead": np.arange(len(r), dtype=np.uint32), "as_of": as_of})
    step, day, age = pl.col("step"), pl.col("day"), pl.col("as_of") - pl.col("known")
    measures = [
        *((step < w * STEPS_A_DAY).sum().cast(pl.Float64).alias(f"{w}d") for w in WINDOWS_D),
        pl.len().cast(pl.Float64).alias("all"),
        (step.min() / STEPS_A_DAY).alias("last_days"),
        *((step * (-np.log(2) / STEPS_A_DAY / h)).exp().sum().alias(f"decay_{h}d") for h in HALF_LIVES_D),
    ]

    def part(a: int, b: int, out: Floats, active: Floats) -> None:
        some = events[int(start[a]) : int(start[b])].lazy()
        aged = (
            some.join(examples[a:b].lazy(), on="lead", how="left", maintain_order="left")
            .filter(age >= 0)
            .select(
                "lead",
                cell=pl.col("lead") * TYPES + pl.col("type"),
                step=(age // STEP_US).cast(pl.Int32).clip(upper_bound=LONGEST),
            )
        )
        cells = aged.group_by("cell").agg(measures)
        days = (
            aged.select("lead", day=step // STEPS_A_DAY).filter(day < ACTIVE_D[-1]).unique()
            .group_by("lead").agg((day < w).sum().cast(pl.Float64).alias(f"{w}d") for w in ACTIVE_D)
        )  # fmt: skip
        found, *busy = pl.collect_all([cells, days][: 1 + active_days], engine=engine)  # type: ignore[call-overload]
        out[found["cell"].to_numpy()] = found.select(MEASURES).to_numpy()
        for one in busy:
            active[one["lead"].to_numpy()] = one.drop("lead").to_numpy()

    def work() -> Floats:
        out = np.zeros((len(r) * TYPES, len(MEASURES)))
        out[:, MEASURES.index("last_days")] = np.nan
        active = np.zeros((len(r), len(ACTIVE_D)))
        for a in range(0, len(r), leads_a_part):
            part(a, min(a + leads_a_part, len(r)), out, active)
        return np.concatenate([out.reshape(len(r), -1), active], axis=1)

    return work


def _numbers(r: Records) -> Array:
    """The lead of each event."""
    return np.arange(len(r), dtype=np.uint32).repeat(np.diff(r.events.start))


def _types(r: Records) -> Array:
    """The type of each event, numbered from 0."""
    codes = [bare().event_code(t.name) for t in bare().types]
    number = np.zeros(max(codes) + 1, np.uint32)
    number[codes] = np.arange(TYPES)
    return number[r.events.slot]


SPARED = "Polars, in parts, spared"
"""Does not compute the days with anything: shown, and no comparison of equal work."""
CONTENDERS: dict[str, Callable[[Records, Ints], Work]] = {
    "kernel": by_kernel,
    "Polars, in parts": lambda r, at: by_polars(r, at, 5_000, "in-memory"),
    "Polars, streaming in parts": lambda r, at: by_polars(r, at, 5_000, "streaming"),
    "Polars, streaming at once": lambda r, at: by_polars(r, at, len(r), "streaming"),
    SPARED: lambda r, at: by_polars(r, at, 5_000, "streaming", active_days=False),
}


def serve(name: str, leads: int, answer: Path) -> None:
    """One contender's process: warm up, leave the answer, then a line of CPU seconds for each line that comes."""
    work = CONTENDERS[name](records(leads, EVENTS_A_LEAD, LEADS_AN_ACCOUNT, 0), instants(leads))
    np.save(answer, work())
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.process_time()  # of all its threads
        work()
        print(time.process_time() - begun, flush=True)


def start(name: str, leads: int, answer: Path) -> "subprocess.Popen[str]":
    """A contender that is warm."""
    environment = {**os.environ, "POLARS_MAX_THREADS": str(THREADS)}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rival", name, str(leads), str(answer)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    ask(process, None)
    return process


def ask(process: "subprocess.Popen[str]", line: str | None) -> str:
    """Its next line. Raises RuntimeError where it has died."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a contender has no pipes")
    if line is not None:
        process.stdin.write(line)
        process.stdin.flush()
    said = process.stdout.readline()
    if not said:
        raise RuntimeError(f"a contender ended with {process.wait()}")
    return said


def check_equal(answers: dict[str, Floats]) -> None:
    """Raise AssertionError unless all answers are the kernel's: counts and days to the bit, decayed sums within 1e-4
    (the kernel's weights are rounded to 2^-20, so that sums are exact)."""
    for name, found in answers.items():
        if name == SPARED:
            continue
        exact = np.append(np.tile(["decay" not in name for name in MEASURES], TYPES), [True] * len(ACTIVE_D))
        np.testing.assert_array_equal(found[:, exact], answers["kernel"][:, exact])
        np.testing.assert_allclose(found[:, ~exact], answers["kernel"][:, ~exact], rtol=0, atol=1e-4)


def main(leads: int) -> int:
    """Print CPU seconds and ratios; 1 where the kernel is not ahead of all."""
    with tempfile.TemporaryDirectory() as folder:
        answers = {name: Path(folder) / f"{i}.npy" for i, name in enumerate(CONTENDERS)}
        processes = {name: start(name, leads, answer) for name, answer in answers.items()}
        try:
            check_equal({name: np.load(answer) for name, answer in answers.items()})
            turns = [{name: float(ask(process, "go\n")) for name, process in processes.items()} for _ in range(TURNS)]
        finally:
            for process in processes.values():
                process.kill()
                process.communicate()
    taken = {name: statistics.median(turn[name] for turn in turns) for name in CONTENDERS}
    events, features = leads * EVENTS_A_LEAD, TYPES * len(MEASURES) + len(ACTIVE_D)
    print(f"{features} features of {events / 1e6:.1f} M events, equal results, CPU s (median of {TURNS})")
    for name, seconds in taken.items():
        ratio = statistics.median(turn[name] / turn["kernel"] for turn in turns)
        print(f"  {name:<28} {seconds:8.3f} s {events / seconds / 1e6:8.2f} M events/s {ratio:6.2f} × the kernel's")
    equal = {name: seconds for name, seconds in taken.items() if name != SPARED}
    return 0 if min(equal, key=equal.__getitem__) == "kernel" else 1


if __name__ == "__main__":
    if len(sys.argv) == 4:
        serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEADS))
