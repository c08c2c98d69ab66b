"""What clients do with their connections: ends half closed, offers of other protocols, answers that nobody takes."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Running, serving

SCORE = ("POST /v1/score HTTP/1.1", "host: x", "content-type: application/json")


@pytest.fixture(scope="module")
def impatient(bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that waits for nobody longer than half a second."""
    home, waits = tmp_path_factory.mktemp("home"), {"LEADSCORE_READ_TIMEOUT_S": "0.5", "LEADSCORE_KEEP_S": "0.5"}
    with serving(bundle_folder, home, **waits) as found:
        yield found.ready()


@pytest.fixture(scope="module")
def lead(bundle_folder: Path) -> bytes:
    """The body of a good request."""
    return json.dumps(json.loads((bundle_folder / "golden.json").read_text())[0]["request"]).encode()


def asking(body: bytes, *headers: str) -> bytes:
    """A request for a score, as it goes over the wire."""
    return "\r\n".join([*SCORE, f"content-length: {len(body)}", *headers, "", ""]).encode() + body


def chunked(*headers: str, trailer: bytes) -> bytes:
    """A request with an empty body in chunks, and with something behind it."""
    return "\r\n".join([*headers, "transfer-encoding: chunked", "", "0", ""]).encode() + trailer


def all_from(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    got = bytearray()
    try:
        while part := connection.recv(1 << 16):
            got += part
    except ConnectionResetError:
        pass
    return bytes(got)


def connected(running: Running) -> socket.socket:
    """A connection whose reader does not wait long."""
    return socket.create_connection(("127.0.0.1", running.port), timeout=10)


@pytest.mark.parametrize("requests", [1, 3])
def test_a_client_that_has_sent_its_last_request_has_its_answers(running: Running, lead: bytes, requests: int) -> None:
    """It closes its side and hears all of them, and then the end."""
    with connected(running) as connection:
        connection.sendall(asking(lead) * requests)
        connection.shutdown(socket.SHUT_WR)
        got = all_from(connection)
    assert got.count(b"HTTP/1.1 200 OK") == requests
    assert got.endswith(b"}")


def test_half_a_request_that_ends_is_no_request(running: Running, lead: bytes) -> None:
    """Of a body that is not whole nothing comes."""
    with connected(running) as connection:
        connection.sendall(asking(lead)[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert all_from(connection) == b""


OFFERS = {
    "h2c": ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAA"),
    "websocket": ("connection: upgrade", "upgrade: websocket"),
}


@pytest.mark.parametrize("offer", OFFERS)
def test_an_offer_of_another_protocol_is_declined(running: Running, lead: bytes, offer: str) -> None:
    """A client that would rather speak HTTP/2, as Java's does by default, has its answer by HTTP/1.1; also when its
    body comes later, and when it asks again."""
    offering, last = asking(lead, *OFFERS[offer]), asking(lead, "connection: close")
    head = offering.index(b"\r\n\r\n") + 4
    for parts in ([offering, last], [offering + last], [offering[:head], offering[head:], last]):
        with connected(running) as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)
            assert all_from(connection).count(b"HTTP/1.1 200 OK") == 2


def test_nonsense_behind_a_request_takes_nobodys_answer(running: Running, lead: bytes) -> None:
    """The request is answered, and the connection ends."""
    with connected(running) as connection:
        connection.sendall(asking(lead) + b"non sense\r\n\r\n")
        got = all_from(connection)
    assert (got.count(b"HTTP/1.1 200 OK"), got.count(b"HTTP/1.1")) == (1, 1)
    assert not running.lines("bug")


LIVE = b"GET /livez HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize("sent", [[LIVE + b"\r\n", b"\r\n"], [LIVE + b"content-length: 9\r\n\r\n", b"a"]])
def test_what_comes_after_an_answer_keeps_no_connection(impatient: Running, sent: list[bytes]) -> None:
    """An empty line, or a part of a body that nobody wants: whoever then is silent is cut off."""
    with connected(impatient) as connection:
        for part in sent:
            connection.sendall(part)
            time.sleep(0.1)
        assert all_from(connection).startswith(b"HTTP/1.1 200 OK")


def test_what_stands_behind_a_body_is_no_header(running: Running) -> None:
    """A proxy looks at headers alone, so a trailer must not say the type of the body, nor whose key it is."""
    trailer = b"content-type: application/json\r\nconnection: close\r\n\r\n"
    with connected(running) as connection:
        connection.sendall(chunked("POST /v1/score HTTP/1.1", "host: x", "connection: close", trailer=trailer))
        assert all_from(connection).startswith(b"HTTP/1.1 415")


def test_what_stands_behind_a_body_fills_no_memory(running: Running) -> None:
    """However much of it comes, and nobody needs a key to send it."""
    lines = b"".join(b"a%d: b\r\n" % i for i in range(10_000))
    before = resident_mb(running)
    with connected(running) as connection:
        connection.sendall(chunked("POST /nowhere HTTP/1.1", "host: x", trailer=b""))
        for _ in range(200):
            connection.sendall(lines)
        assert resident_mb(running) - before < 50


def resident_mb(running: Running) -> float:
    """Memory of a service."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def test_who_takes_no_answers_is_cut_off(impatient: Running) -> None:
    """More was asked for than the network holds, and nobody reads: the rest is not kept for ever."""
    many = 1000
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", impatient.port))
        connection.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * many)
        time.sleep(2)
        assert all_from(connection).count(b"HTTP/1.1 200 OK") < many
