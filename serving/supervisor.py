"""Several workers on one socket: started, started again when they die, told what we are told."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from serving.settings import PREFIX, Settings

SOCKET = f"{PREFIX}SOCKET"
"""Number of the inherited file that a worker listens on."""
PARENT = f"{PREFIX}SUPERVISOR"
"""Our process id: a worker that takes a new bundle tells us, and we tell the others."""
KEYED = f"{PREFIX}KEYED"
"""Set where there was a file of keys: a worker that finds none opens nothing."""
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Folder where the workers keep their counts, so that each can tell all; and a mark of each that is ready."""
READY = "ready-"
STOPPING = "stopping"
"""Mark there that all workers stop, not one."""
LOOK_S = 0.05
"""Between two looks at the workers."""
PAUSE_S = 1.0
"""Between two starts of a worker that dies young."""


class Supervisor:
    """Of one socket. Signals are noted by their handlers and heeded between two looks: a worker that is being started
    when one comes is known by then."""

    def __init__(self, settings: Settings, sock: socket.socket, shared: Path) -> None:
        self._settings, self._socket, self._shared = settings, sock, shared
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._born: dict[int, float] = {}
        self._untold: set[int] = set()
        """Places of workers that a new bundle has not been said to."""
        self._stops = 0
        """How often we were told to stop."""
        self._failed = False
        self._keyed = False

    def run(self) -> int:
        """Until told to stop; 1 where a worker could not start at all."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        while not (self._stops or self._failed):
            for place in range(self._settings.workers):
                self._look(place)
            time.sleep(LOOK_S)
        (self._shared / STOPPING).touch()
        self._socket.close()  # the workers have it, too; when the last of them closes it, nobody waits in vain
        told = -1
        while any(worker.poll() is None for worker in self._workers.values()):
            if self._stops > told:  # the second time they stop at once
                self._tell(signal.SIGTERM)
                told = self._stops
            time.sleep(LOOK_S)
        return 1 if self._failed else 0

    def _look(self, place: int) -> None:
        """See that a worker is there, and that it knows of a new bundle."""
        worker = self._workers.get(place)
        if worker is None:
            self._start(place)
        elif worker.poll() is not None:
            self._again(place, worker)
        elif place in self._untold and self._is_ready(worker):
            self._untold.discard(place)
            worker.send_signal(signal.SIGHUP)

    def _is_ready(self, worker: subprocess.Popen[bytes]) -> bool:
        """Before it is, SIGHUP would end it; and it may have read the bundle before the new one came."""
        return (self._shared / f"{READY}{worker.pid}").exists()

    def _again(self, place: int, worker: subprocess.Popen[bytes]) -> None:
        """Start a dead worker again, after a pause where it died young; none where none ever was ready, for none
        would be."""
        for left in self._shared.glob(f"gauge_live*_{worker.pid}.db"):
            left.unlink(missing_ok=True)
        if not any(self._shared.glob(f"{READY}*")):
            self._failed = True
        elif time.monotonic() - self._born[place] >= PAUSE_S:
            self._start(place)

    def _start(self, place: int) -> None:
        if self._stops or self._failed:
            return
        number = self._socket.fileno()
        self._keyed = self._keyed or self._settings.keys.exists()
        env = {**os.environ, **environment(self._settings), SOCKET: str(number), PARENT: str(os.getpid()),
               SHARED: str(self._shared), **({KEYED: "1"} if self._keyed else {})}  # fmt: skip
        self._born[place] = time.monotonic()
        self._workers[place] = subprocess.Popen([sys.executable, "-m", "serving"], env=env, pass_fds=(number,))

    def _stop(self, *_: object) -> None:
        self._stops += 1

    def _reload(self, *_: object) -> None:
        self._untold.update(range(self._settings.workers))

    def _tell(self, number: int) -> None:
        for worker in self._workers.values():
            if worker.poll() is None:
                worker.send_signal(number)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as variables."""
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.model_dump().items()}


def run(settings: Settings, sock: socket.socket) -> int:
    """Several workers; their counts lie in a folder of their own while they run."""
    with tempfile.TemporaryDirectory(prefix="leadscore-") as shared:
        return Supervisor(settings, sock, Path(shared)).run()
