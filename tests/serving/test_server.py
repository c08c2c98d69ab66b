"""Real processes: starts, stops, swaps, deaths, slow clients, bad settings."""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from servers import ROOT, Running, serving

from models.bundle.folder import FILES, MANIFEST, digest_of
from serving.security import create_key
from serving.server import address_of, admit_no_more
from serving.settings import Settings

STOPS = int(os.environ.get("STOPS", "2"))
"""`make proof-serving` makes twenty."""

PAUSE_S = 0.01
"""At most so long a client takes to connect anew."""


def lead(bundle_folder: Path) -> dict[str, Any]:
    """A golden request."""
    found: dict[str, Any] = json.loads((bundle_folder / "golden.json").read_text())[0]["request"]
    return found


class Client(threading.Thread):
    """Keeps its connection and asks again and again, until the service is gone. Connects anew when told to."""

    def __init__(self, port: int, body: bytes) -> None:
        super().__init__(daemon=True)
        self.port, self.body = port, body
        self.answers, self.lost = 0, 0
        self.stop = False

    def run(self) -> None:
        """Count answers, and requests that were sent whole and never answered."""
        while not self.stop:
            time.sleep(random.uniform(0, PAUSE_S))  # else all eight wait for an answer when the service closes
            try:
                connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            except OSError:
                return
            with connection:
                self.ask(connection)

    def ask(self, connection: socket.socket) -> None:
        """Until told to go, or cut off."""
        head = (
            f"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(self.body)}"
        )
        while not self.stop:
            try:
                connection.sendall(head.encode() + b"\r\n\r\n" + self.body)
                reply = self._reply(connection)
            except OSError:
                reply = b""
            if not reply.startswith(b"HTTP/1.1 200"):
                self.lost += 1
                return
            self.answers += 1
            if b"connection: close" in reply:
                return

    def _reply(self, connection: socket.socket) -> bytes:
        got = b""
        while b"\r\n\r\n" not in got:
            part = connection.recv(65536)
            if not part:
                return got
            got += part
        head, _, rest = got.partition(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < size:
            rest += connection.recv(65536)
        return head.lower().replace(b"http/1.1", b"HTTP/1.1")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_under_load_loses_no_request(bundle_folder: Path, tmp_path: Path, workers: str) -> None:
    """SIGTERM while eight clients ask on connections that they keep: every request sent is answered, exit code 0."""
    body = json.dumps({**lead(bundle_folder), "explain": False}).encode()
    for _ in range(STOPS if workers == "1" else (STOPS + 1) // 2):
        with serving(bundle_folder, tmp_path, "--workers", workers) as running:
            running.ready()
            clients = [Client(running.port, body) for _ in range(8)]
            for client in clients:
                client.start()
            time.sleep(0.5)
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(timeout=30) == 0
            for client in clients:
                client.stop = True
                client.join(timeout=30)
            assert sum(client.answers for client in clients) > 0
            assert sum(client.lost for client in clients) == 0


def test_who_connected_before_the_end_may_still_ask(bundle_folder: Path, tmp_path: Path) -> None:
    """A connection from just before the service closes whose request comes a little later has its answer."""
    body = json.dumps({**lead(bundle_folder), "explain": False}).encode()
    with serving(bundle_folder, tmp_path, LEADSCORE_DRAIN_S="0.5") as running:
        running.ready()
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
            time.sleep(0.6)
            client = Client(running.port, body)
            client.ask(connection)
        assert (client.answers, client.lost) == (1, 0)
        assert running.process.wait(timeout=30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
def test_nobody_new_connects_while_those_who_have_are_accepted() -> None:
    """What closes the moment between the last accept and the close, in which the kernel takes whom nobody serves."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as late:
        listening.settimeout(5)
        late.settimeout(0.2)
        with socket.create_connection(listening.getsockname(), timeout=5) as early:
            if not admit_no_more(listening):
                pytest.skip("this kernel lets the administrator alone filter packets")
            with pytest.raises(TimeoutError):
                late.connect(listening.getsockname())
            early.sendall(b"ask")
            with listening.accept()[0] as accepted:
                assert accepted.recv(8) == b"ask"


def test_a_killed_worker_comes_back(bundle_folder: Path, tmp_path: Path) -> None:
    """kill -9 of one of two: the other answers meanwhile, and a new one starts."""
    with serving(bundle_folder, tmp_path, "--workers", "2") as running:
        running.until("ready", 2)
        killed = children(running.process.pid)[0]
        os.kill(killed, signal.SIGKILL)
        request = lead(bundle_folder)
        for _ in range(20):
            assert running.post("/v1/score", request).status_code == 200
        running.until("ready", 3)
        assert killed not in children(running.process.pid)
        assert len(children(running.process.pid)) == 2
        text = httpx.get(f"{running.url}/metrics").text
        assert 'leadscore_requests_total{route="/v1/score",status="200"} 20.0' in text


def children(pid: int) -> list[int]:
    """Processes that it started and that live."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def changed(bundle_folder: Path, to: Path) -> Path:
    """The bundle with another word in its card: another digest, the same answers."""
    if to.exists():
        shutil.rmtree(to)
    shutil.copytree(bundle_folder, to)
    (to / "MODEL_CARD.md").write_text((to / "MODEL_CARD.md").read_text() + "\nAgain.\n")
    digests = {name: digest_of((to / name).read_bytes()) for name in FILES}
    (to / MANIFEST).write_text(json.dumps(digests))
    return to


def test_a_new_bundle_is_swapped_in_under_load(bundle_folder: Path, tmp_path: Path) -> None:
    """SIGHUP: no request is lost, each answer names one of the two models; a damaged bundle changes nothing; an admin
    key does the same over HTTP, and a score key does not."""
    bundle, body = tmp_path / "bundle", json.dumps(lead(bundle_folder)).encode()
    shutil.copytree(bundle_folder, bundle)
    keys = {"LEADSCORE_KEYS": str(tmp_path / "keys.json")}
    with serving(bundle, tmp_path, **keys) as running:
        first = running.ready().until("model")[0]["digest"]
        clients = [Client(running.port, body) for _ in range(4)]
        for client in clients:
            client.start()
        changed(bundle_folder, bundle)
        running.process.send_signal(signal.SIGHUP)
        second = running.until("model", 2)[1]["digest"]
        assert running.post("/v1/score", json.loads(body)).json()["model_digest"] == second != first
        (bundle / "model.txt").write_bytes(b"tree")
        running.process.send_signal(signal.SIGHUP)
        assert "expected SHA-256" in running.until("bundle refused")[0]["why"]
        assert running.post("/v1/score", json.loads(body)).json()["model_digest"] == second
        for client in clients:
            client.stop = True
            client.join(timeout=30)
        assert sum(client.lost for client in clients) == 0
        _reload_over_http(running, tmp_path, bundle_folder, bundle, first)


def _reload_over_http(running: Running, home: Path, whole: Path, bundle: Path, first: str) -> None:
    env = {**os.environ, "LEADSCORE_KEYS": str(home / "keys.json"), "PYTHONPATH": str(ROOT)}
    secrets = {}
    for name, scope in (("crm", "score"), ("ops", "admin")):
        command = [sys.executable, "-m", "pipeline", "keys", "create", "--name", name, "--scope", scope]
        done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, check=True)
        secrets[name] = {"Authorization": f"Bearer {done.stdout.strip()}"}
    until, reload = time.monotonic() + 20, f"{running.url}/v1/model/reload"
    while (reply := httpx.post(reload, headers=secrets["ops"], timeout=60)).status_code != 409:
        assert time.monotonic() < until  # it looks at the file every second
        assert reply.status_code in (401, 403)
        time.sleep(0.1)
    assert httpx.post(reload, headers=secrets["crm"]).status_code == 403
    assert running.post("/v1/score", {}).status_code == 401
    shutil.rmtree(bundle)
    shutil.copytree(whole, bundle)
    reply = httpx.post(reload, headers=secrets["ops"], timeout=60)
    assert reply.json()["model_digest"] == first
    assert len(running.lines("bundle refused")) > 1  # the log says why, whoever asked


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.3, 0.9])
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_signals_while_workers_start(bundle_folder: Path, tmp_path: Path, number: int, delay: float) -> None:
    """SIGHUP ends nothing, SIGTERM everything: no worker is left over, and the exit code is 0."""
    with serving(bundle_folder, tmp_path, "--workers", "3") as running:
        time.sleep(delay)
        mine = set(children(running.process.pid))
        running.process.send_signal(number)
        if number == signal.SIGHUP:
            running.ready()
            assert running.post("/v1/score", lead(bundle_folder)).status_code == 200
            mine |= set(children(running.process.pid))
            running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=30) in ((0, -signal.SIGTERM) if not mine else (0,))
        gone(mine)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", running.port), timeout=5)


def test_workers_end_with_their_supervisor(bundle_folder: Path, tmp_path: Path) -> None:
    """kill -9 of it: they stop by themselves, and the port is free."""
    with serving(bundle_folder, tmp_path, "--workers", "2") as running:
        running.until("ready", 2)
        mine = set(children(running.process.pid))
        running.process.kill()
        running.process.wait(timeout=10)
        gone(mine)


def gone(pids: set[int]) -> None:
    """Wait until none of some processes lives."""
    until = time.monotonic() + 15
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists() and not zombie(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def zombie(pid: int) -> bool:
    """Has ended, and nobody has asked."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_bundle_that_cannot_answer_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    """Its digests agree and its probabilities are right, but a request could not be answered with it."""
    bundle = tmp_path / "bundle"
    shutil.copytree(bundle_folder, bundle)
    with serving(bundle, tmp_path) as running:
        digest = running.ready().until("model")[0]["digest"]
        for times, content in enumerate(("{}", "null", "[]"), start=1):
            (bundle / "training.json").write_text(content)
            names = json.loads((bundle / MANIFEST).read_text())
            (bundle / MANIFEST).write_text(json.dumps({n: digest_of((bundle / n).read_bytes()) for n in names}))
            running.process.send_signal(signal.SIGHUP)
            running.until("bundle refused", times)
        assert running.post("/v1/score", lead(bundle_folder)).json()["model_digest"] == digest


def test_a_large_body_sees_its_answer(running: Running) -> None:
    """A client that sends all before it reads has the 413, and not a broken pipe."""
    for size in (2 << 20, 9 << 20):
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        connection.request("POST", "/v1/score", b" " * size, {"content-type": "application/json"})
        assert connection.getresponse().status == 413
        connection.close()


def test_a_damaged_bundle_is_not_started_with(bundle_folder: Path, tmp_path: Path) -> None:
    """One line that says which file, and exit code 1; with several workers as well."""
    bundle = shutil.copytree(bundle_folder, tmp_path / "bundle")
    (bundle / "model.txt").write_bytes(b"tree")
    for workers in ("1", "2"):
        with serving(bundle, tmp_path, "--workers", workers) as running:
            assert running.process.wait(timeout=60) == 1
            assert any("model.txt: expected SHA-256" in line for line in running.said)


def test_only_loopback_is_served_without_keys(bundle_folder: Path, tmp_path: Path) -> None:
    """Another address is refused before anything listens, with what to do."""
    command = [sys.executable, "-m", "pipeline", "serve", "--bundle", str(bundle_folder), "--host", "0.0.0.0"]  # noqa: S104
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          text=True, check=False, timeout=60)  # fmt: skip
    assert done.returncode == 1
    assert "leadscore keys create" in done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    """The variable, and what was expected."""
    for name, value in (("WORKERS", "many"), ("TIMEOUT_S", "inf"), ("DRAIN_S", "nan"), ("READ_TIMEOUT_S", "1e9")):
        done = ended(tmp_path, {f"LEADSCORE_{name}": value})
        assert done.returncode == 1
        assert done.stderr.startswith(f"leadscore: LEADSCORE_{name}: ")


def ended(folder: Path, environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """`leadscore serve` that ends by itself."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "pipeline", "serve", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_an_empty_variable_is_not_set() -> None:
    """A line of a compose file without a value opens nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADSCORE_HOST", "")
        assert Settings().host == "127.0.0.1"


def test_a_port_that_is_taken_is_named(bundle_folder: Path, tmp_path: Path) -> None:
    """With the address, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = ended(tmp_path, {}, "--bundle", str(bundle_folder), "--port", port)
    assert done.returncode == 1
    assert f"127.0.0.1, port {port}: Address already in use; choose another" in done.stderr


def test_slow_clients_are_cut_off(bundle_folder: Path, tmp_path: Path) -> None:
    """No header in time, a header without an end, a body that does not come: the connection ends, 408 where it can
    be said. Others are served meanwhile, and what is no HTTP is a problem."""
    with serving(bundle_folder, tmp_path, LEADSCORE_READ_TIMEOUT_S="0.5") as running:
        running.ready()
        post = b"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n"
        for sent, said in ((b"", b""), (post, b""), (post + b"\r\n{", b"HTTP/1.1 408"),
                           (b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
                           (b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, b"")):  # fmt: skip
            with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
                assert httpx.get(f"{running.url}/livez").status_code == 200
                got = b""
                try:
                    connection.sendall(sent)
                    while part := connection.recv(65536):
                        got += part
                except ConnectionError:
                    pass
                assert got.startswith(said), got
                if said:
                    assert b"application/problem+json" in got


def test_beyond_capacity_there_is_an_answer_at_once(bundle_folder: Path, tmp_path: Path) -> None:
    """429 with Retry-After; those who were let in are answered."""
    with serving(bundle_folder, tmp_path, LEADSCORE_CAPACITY="2", LEADSCORE_BATCH_CAPACITY="1") as running:
        running.ready()
        request = lead(bundle_folder)
        batch = {"leads": [request] * 1000}
        found: list[httpx.Response] = []
        threads = [
            threading.Thread(target=lambda: found.append(running.post("/v1/score/batch", batch))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        alone = running.post("/v1/score", request)
        for thread in threads:
            thread.join(timeout=60)
        assert alone.status_code == 200
        refused = [reply for reply in found if reply.status_code == 429]
        assert refused
        assert all(reply.headers["retry-after"] == "1" for reply in refused)
        assert len(refused) < len(found)


def test_it_is_small_and_imports_nothing_heavy(running: Running) -> None:
    """Under 200 MB resident after requests; no table, tracking or plotting library is mapped into the process."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
    assert resident < 200
    maps = Path(f"/proc/{running.process.pid}/maps").read_text()
    assert not [name for name in ("polars", "pandas", "pyarrow", "sklearn", "matplotlib") if f"/{name}" in maps]


def test_an_address_is_said_as_in_a_url() -> None:
    """That of IPv6 stands in brackets, or its port could not be told from it."""
    for family, said in ((socket.AF_INET, "0.0.0.0:0"), (socket.AF_INET6, "[::]:0")):
        with socket.socket(family) as sock:
            assert address_of(sock) == said


def test_variables_of_kubernetes_are_passed_over_and_misspelt_ones_named(bundle_folder: Path, tmp_path: Path) -> None:
    """A Service called leadscore sets LEADSCORE_PORT to an address: the port is the default, and the log says so, as
    of a variable that is no setting; not of what else Kubernetes sets, nor of the pipeline's own."""
    link = "tcp://10.0.0.1:8000"
    passed = {"LEADSCORE_SERVICE_HOST": "10.0.0.1", "LEADSCORE_SERVICE_PORT_HTTP": "80", "LEADSCORE_PORT_80_TCP": link,
              "LEADSCORE_PORT_80_TCP_ADDR": "10.0.0.1", "LEADSCORE_UI_PORT": link, "LEADSCORE_ID_KEY": "k"}  # fmt: skip
    with serving(bundle_folder, tmp_path, **passed, LEADSCORE_PORT=link, LEADSCORE_WORKER="3") as running:
        running.ready()
        named = [line["event"] for line in map(json.loads, running.said[1:]) if "not heeded" in line["event"]]
        assert [line.split(":")[0] for line in named] == ["LEADSCORE_WORKER", "LEADSCORE_PORT"]
        assert "LEADSCORE_WORKERS" in named[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADSCORE_PORT", link)
        assert Settings().port == 8000


def test_keys_that_are_gone_open_no_new_worker(bundle_folder: Path, tmp_path: Path) -> None:
    """Behind a proxy loopback is no protection: a worker that starts again without the file that there was ends, and
    the others go on to ask for keys."""
    keys = tmp_path / "keys.json"
    create_key(keys, "crm", "score", datetime.now(UTC))
    with serving(bundle_folder, tmp_path, "--workers", "2", LEADSCORE_KEYS=str(keys)) as running:
        running.until("ready", 2)
        keys.unlink()
        os.kill(children(running.process.pid)[0], signal.SIGKILL)
        assert "keys.json: is gone" in running.until("not started")[0]["why"]
        for _ in range(5):
            assert running.post("/v1/score", lead(bundle_folder)).status_code == 401


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_path_of_keys_that_is_none_stops_the_start(bundle_folder: Path, tmp_path: Path, workers: str) -> None:
    """Said in one line, and not as a trace."""
    done = ended(tmp_path, {"LEADSCORE_KEYS": "/dev/null/keys.json"}, "--bundle", str(bundle_folder), "--port", "0",
                 "--workers", workers)  # fmt: skip
    assert done.returncode == 1
    assert "/dev/null/keys.json" in done.stderr
    assert "Traceback" not in done.stderr
