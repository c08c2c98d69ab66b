"""The log of the service: lines of our own, for which no request waits."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import httpx2 as httpx
import pytest
from servers import ROOT

from serving import logs


def lines(read: int) -> list[dict[str, object]]:
    """Everything in a pipe whose other end is closed."""
    with os.fdopen(read, "rb") as file:
        return [json.loads(line) for line in file if line.strip()]


def test_who_reads_late_reads_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """More lines than a pipe holds are noted at once while nobody reads, and come in order."""
    monkeypatch.setattr(logs, "LAST_S", 60)  # on a busy machine the reader may be slow
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(fileno=lambda: write))
    with logs.apart():
        begun = time.monotonic()
        for number in range(5000):
            logs.note("one", number=number)
        assert time.monotonic() - begun < 5
        found: list[dict[str, object]] = []
        reader = threading.Thread(target=lambda: found.extend(lines(read)))
        reader.start()
    logs.note("after")  # straight again
    os.close(write)
    reader.join(10)
    assert [line["number"] for line in found[:-1]] == list(range(5000))
    assert found[-1]["event"] == "after"


def test_what_is_lost_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many lines behind the log is told how many it does not have."""
    monkeypatch.setattr(logs, "MOST_WAITING", 100)
    monkeypatch.setattr(logs, "LAST_S", 60)  # on a busy machine the reader may be slow
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(fileno=lambda: write))
    with logs.apart():
        for number in range(20_000):  # some 1.5 MB: the pipe is full long before
            logs.note("one", number=number)
        found: list[dict[str, object]] = []
        reader = threading.Thread(target=lambda: found.extend(lines(read)))
        reader.start()
        time.sleep(0.1)
        logs.note("last")
    os.close(write)
    reader.join(10)
    lost = sum(int(str(line["lines"])) for line in found if line["event"] == "log lines lost")
    assert lost > 0
    assert lost + sum(line["event"] in ("one", "last") for line in found) == 20_001


@pytest.mark.parametrize("gone", [None, SimpleNamespace(fileno=lambda: 10**6)])
def test_without_a_log_nothing_fails(gone: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error that is closed, or a number that is no file."""
    monkeypatch.setattr(sys, "stderr", gone)
    logs.note("unheard")


def test_a_reader_that_stands_still_stops_nothing(bundle_folder: Path, tmp_path: Path) -> None:
    """The service answers on, and ends when it is told to."""
    command = [sys.executable, "-m", "pipeline", "serve", "--bundle", str(bundle_folder), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            url = json.loads(process.stderr.readline())["url"]
            while "ready" not in process.stderr.readline():
                pass
            with httpx.Client(timeout=10) as client:  # a pipe holds 64 KiB, some 400 lines
                assert {client.get(f"{url}/livez").status_code for _ in range(1500)} == {200}
            process.terminate()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
