"""The service against its peers: one worker, 8 connections, 500 bodies in turn, medians of turns taken in rotation.

    .venv/bin/python -m benchmarks.serving [--seconds S] [--without-peers]

Needs `make run` first. The peers are given features that are computed already; the service computes them from events.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.load import Timing, turn
from benchmarks.peers import HOME, Peer, empty, mlflow, mlserver, ours
from models.bundle.folder import Bundle, read_bundle
from models.bundle.golden import golden_requests
from models.bundle.requests import asked, features_of
from models.learning.encoding import encode
from models.trees.booster import raw_scores
from serving.answers import Model, Work, each, wanted
from serving.cautions import Cautions
from serving.settings import Settings
from serving.waiting import TOGETHER

BODIES = 500
TURNS = 5
START_S = 120.0
PORT = 18_400


@contextmanager
def started(peer: Peer) -> Iterator[int]:
    """Its process id, when it answers. Stopped at the end with all that it started."""
    log = (HOME / f"{peer.port}.log").open("wb")
    env = {**os.environ, **peer.environment, "LEADSCORE_KEYS": "build/bench/none.json"}
    process = subprocess.Popen(peer.command, stdout=log, stderr=log, env=env, start_new_session=True)
    try:
        _wait(peer, process)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
        log.close()


def _wait(peer: Peer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{peer.port}{peer.ready}", timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise SystemExit(f"{peer.name} did not start; see {HOME / f'{peer.port}.log'}")


def requests_of(bundle: Bundle) -> list[dict[str, object]]:
    """Imagined leads that have every part, about eleven events each with those of their colleagues."""
    made = golden_requests(bundle.plan, bundle.encoding, 1, 3 * BODIES)
    return [request for request in made if len(request) == 7][:BODIES]


def measure(peers: Sequence[Peer], seconds: float) -> dict[str, list[Timing]]:
    """All at once up, warmed up, then each in its turn."""
    found: dict[str, list[Timing]] = {peer.name: [] for peer in peers}
    for _ in range(TURNS):
        for peer in peers:
            with started(peer) as pid:
                turn(pid, peer.port, peer.path, peer.bodies, seconds / 2)
                found[peer.name].append(turn(pid, peer.port, peer.path, peer.bodies, seconds))
    return found


def report(found: dict[str, list[Timing]]) -> None:
    """Medians, and ratios to the first."""
    print(f"{'one worker, 8 connections':34s} {'req/s':>8s} {'CPU µs':>8s} {'p50 ms':>8s} {'p99 ms':>8s}  to the first")
    measures = ("a_second", "cpu_us", "p50_ms", "p99_ms")
    rows = {n: [statistics.median(getattr(t, m) for t in turns) for m in measures] for n, turns in found.items()}
    base = next(iter(rows.values()))
    for name, (rate, cpu, p50, p99) in rows.items():
        failed = sum(t.failed for t in found[name])
        ratios = f"{rate / base[0]:.2f} ({base[1] / cpu:.2f} by CPU)" + (f", {failed} failed" if failed else "")
        print(f"{name:34s} {rate:8,.0f} {cpu:8,.0f} {p50:8.2f} {p99:8.2f}  {ratios}")


def batch(bundle: Bundle, folder: Path) -> None:
    """1,000 leads in a batch without reasons, against predicting them alone: by LightGBM, and by what serves."""
    leads = [{**r, "explain": False} for r in (requests_of(bundle) * 3)[:1000]]
    X = np.concatenate([encode(bundle.encoding, features_of(asked(r, bundle.lives), bundle.plan)) for r in leads])
    body, peer = json.dumps({"leads": leads}).encode(), ours(folder, [b""], PORT + 90, "batch")
    whole, alone, ours_alone = [], [], []
    bundle.trees.scores(X)  # what is made once
    with started(peer):
        for _ in range(TURNS + 1):
            begun = time.perf_counter()
            request = urllib.request.Request(f"http://127.0.0.1:{peer.port}/v1/score/batch", body,
                                             {"content-type": "application/json"})  # fmt: skip
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
                reply.read()
            whole.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            raw_scores(bundle.trees.booster, X)
            alone.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            bundle.trees.scores(X)
            ours_alone.append(time.perf_counter() - begun)
    took, least, own = (statistics.median(turns[1:]) for turns in (whole, alone, ours_alone))
    print(f"a batch of 1,000 without reasons   {took * 1e3:8.0f} ms, {took / least:.1f} times predicting alone by "
          f"LightGBM, {took / own:.1f} times by the service's own way")  # fmt: skip


def held(bundle: Bundle) -> None:
    """How long the event loop is held at a time: by one lead, and by as many as are scored together."""
    model, requests, now = Model(bundle, Cautions(bundle)), requests_of(bundle), datetime.now(UTC)
    for explain in (False, True):
        leads = [wanted({**r, "explain": explain}, Settings()) for r in requests]
        for many in (1, TOGETHER):
            longest, whole = [], []
            for first in range(0, len(leads), many):
                at = [time.perf_counter()]
                at += [time.perf_counter() for _ in Work(each(model, leads[first : first + many], now))]
                at.append(time.perf_counter())
                longest.append(max(after - before for before, after in pairwise(at)))
                whole.append(at[-1] - at[0])
            print(f"{many} {'with' if explain else 'without'} reasons take {statistics.median(whole) * 1e3:.1f} ms and "
                  f"hold the event loop for {statistics.median(longest) * 1e3:.1f} ms at a time")  # fmt: skip


def main(seconds: float, peers: bool) -> int:
    """Print the figures; 1 where there is no bundle."""
    folder = Path("artifacts/bundle")
    if not folder.is_dir():
        print("serving: no bundle here; run `make run` first", file=sys.stderr)
        return 1
    HOME.mkdir(parents=True, exist_ok=True)
    bundle = read_bundle(folder)
    requests = requests_of(bundle)
    X = np.concatenate([encode(bundle.encoding, features_of(asked(r, bundle.lives), bundle.plan)) for r in requests])
    plain = [json.dumps({**r, "explain": False}).encode() for r in requests]
    explained = [json.dumps(r).encode() for r in requests]
    timed = [empty(explained, PORT), ours(folder, plain, PORT + 10, "leadscore serve, without reasons"),
             ours(folder, explained, PORT + 20, "leadscore serve, with reasons")]  # fmt: skip
    if peers:
        model = (folder / "model.txt").read_text(encoding="utf-8")
        timed += [mlflow(model, X, PORT + 30), mlserver(model, X, PORT + 40)]
    report(measure(timed, seconds))
    batch(bundle, folder)
    held(bundle)
    return 0


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--seconds", type=float, default=3)
    words.add_argument("--without-peers", action="store_true")
    chosen = words.parse_args()
    sys.exit(main(chosen.seconds, not chosen.without_peers))
