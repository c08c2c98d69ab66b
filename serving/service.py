"""The parts of a running service, as `app.state.service` holds them."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from models.errors import DamagedBundle
from serving.logs import note
from serving.metrics import Metrics
from serving.security import Guard
from serving.settings import Settings
from serving.store import Served, Store
from serving.waiting import Queue


@dataclass
class Service:
    """Made once a process by `create_app`."""

    settings: Settings
    store: Store
    guard: Guard
    metrics: Metrics
    queue: Queue
    threads: ThreadPoolExecutor | None = None
    """While the application runs: for batches and large requests."""
    draining: bool = False
    """Told to stop: clients are sent away, each with its answer."""
    apart: dict[str, int] = field(default_factory=lambda: {"batch": 0, "large": 0})
    """Batches and large requests that wait or run in threads of their own."""
    arriving: int = 0
    """Batches whose bodies are being read."""

    @staticmethod
    def of(settings: Settings) -> "Service":
        """With no model yet. Raises KeysUnreadable."""
        store, metrics = Store(settings), Metrics()
        queue = Queue(store, metrics.answers, settings.capacity, settings.timeout_s)
        return Service(settings, store, Guard(settings.keys), metrics, queue)

    @contextmanager
    def working(self) -> Iterator[None]:
        """With threads: batches leave one of them for large requests."""
        threads = self.threads = ThreadPoolExecutor(self.settings.batch_capacity + 1, "apart")
        try:
            yield
        finally:
            threads.shutdown(wait=False)
            self.threads = None

    def load(self) -> Served:
        """Verify the bundle and serve it. Raises DamagedBundle, and then the model before it goes on."""
        before = self.store.current
        model = self.store.load()
        self.metrics.model(model.bundle, None if before is None else before.bundle)
        note("model", model_version=model.bundle.version, digest=model.bundle.digest)
        return model

    async def reload(self) -> None:
        """What SIGHUP asks for: without a word to the clients, and without an end if the bundle is damaged."""
        try:
            await asyncio.to_thread(self.load)
        except DamagedBundle as error:
            note("bundle refused", "error", why=str(error), pid=os.getpid())
