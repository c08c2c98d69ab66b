"""Several workers on one socket: started, started again when they die, told what we are told."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from serving.settings import PREFIX, Settings

SOCKET = f"{PREFIX}SOCKET"
"""Number of the inherited file that a worker listens on."""
PARENT = f"{PREFIX}SUPERVISOR"
"""Our process id: a worker that takes a new bundle tells us, and we tell the others."""
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Folder where the workers keep their counts, so that each can tell all; and a mark of each that is ready."""
READY = "ready-"
STOPPING = "stopping"
"""Mark there that all workers stop, not one."""
PAUSE_S = 1.0
"""Between two starts of a worker that dies young."""


class Supervisor:
    """Of one socket."""

    def __init__(self, settings: Settings, sock: socket.socket, shared: Path) -> None:
        self._settings, self._socket, self._shared = settings, sock, shared
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._born: dict[int, float] = {}
        self._stopping = False

    def run(self) -> int:
        """Until told to stop; 1 where a worker could not start at all."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._tell)
        for place in range(self._settings.workers):
            self._start(place)
        while not self._stopping:
            time.sleep(0.1)
            for place, worker in list(self._workers.items()):
                if worker.poll() is not None and not self._stopping and not self._again(place, worker):
                    self._stop(signal.SIGTERM, None)
        codes = [worker.wait() for worker in self._workers.values()]
        return 1 if any(code == 1 for code in codes) else 0

    def _again(self, place: int, worker: subprocess.Popen[bytes]) -> bool:
        """Start a dead worker again; False where none ever was ready, so that none would be."""
        for left in self._shared.glob(f"gauge_live*_{worker.pid}.db"):
            left.unlink(missing_ok=True)
        if not any(self._shared.glob(f"{READY}*")):
            return False
        if time.monotonic() - self._born[place] < PAUSE_S:
            time.sleep(PAUSE_S)
        self._start(place)
        return True

    def _start(self, place: int) -> None:
        number = self._socket.fileno()
        env = {**os.environ, **environment(self._settings), SOCKET: str(number), PARENT: str(os.getpid()),
               SHARED: str(self._shared)}  # fmt: skip
        self._born[place] = time.monotonic()
        self._workers[place] = subprocess.Popen([sys.executable, "-m", "serving"], env=env, pass_fds=(number,))

    def _stop(self, _: int, frame: FrameType | None) -> None:
        self._stopping = True
        (self._shared / STOPPING).touch()
        self._socket.close()  # the workers have it, too; when the last of them closes it, nobody waits in vain
        self._tell(signal.SIGTERM, frame)

    def _tell(self, number: int, _: FrameType | None) -> None:
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
