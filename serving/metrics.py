"""What the service counts, for Prometheus. Labels are names of ours, never anything of a lead."""

import os
from collections import Counter as Tally
from collections.abc import Sequence
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from models.bundle.folder import Bundle
from serving.answers import Answer
from serving.problems import Problem
from serving.supervisor import SHARED

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Of one process, or of all workers where they share a folder."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self._requests = Counter(
            "leadscore_requests", "Requests by route and status.", ["route", "status"], registry=own
        )
        self._seconds = Histogram("leadscore_request_seconds", "Seconds until a request was answered.", ["route"],
                                  buckets=BUCKETS, registry=own)  # fmt: skip
        self._scores = Counter(
            "leadscore_scores", "Scored leads by grade and model.", ["grade", "version"], registry=own
        )
        self._unscored = Counter("leadscore_unscored", "Leads without a score, by status.", ["status"], registry=own)
        self._missing = Counter("leadscore_missing_inputs", "Inputs that were not given.", ["input"], registry=own)
        self._model = Gauge("leadscore_model_info", "1 for the model that is served.", ["version", "digest"],
                            registry=own, multiprocess_mode="livemax")  # fmt: skip
        self._request = cache(self._requests.labels)
        self._second = cache(self._seconds.labels)
        self._score = cache(self._scores.labels)
        self._lack = cache(self._missing.labels)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._request(route, str(status)).inc()
        self._second(route).observe(seconds)

    def answers(self, found: Sequence[Answer | Problem]) -> None:
        """Count answered leads, those answered together in one go; no problems."""
        answered = [one for one in found if not isinstance(one, Problem)]
        scored = [one for one in answered if one["status"] == "scored"]
        for status, many in Tally(one["status"] for one in answered if one["status"] != "scored").items():
            self._unscored.labels(status).inc(many)
        for (grade, version), many in Tally((one["grade"], one["model_version"]) for one in scored).items():
            self._score(grade, version).inc(many)
        missing = (w["place"] for one in scored for w in one["warnings"] if w["code"] == "missing")
        for place, many in Tally(missing).items():
            self._lack(place).inc(many)

    def model(self, now: Bundle, before: Bundle | None) -> None:
        """Another model is served."""
        if before is not None:
            self._model.labels(before.version, before.digest).set(0)
        self._model.labels(now.version, now.digest).set(1)

    def text(self) -> bytes:
        """Prometheus' text format."""
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        whole = CollectorRegistry()
        multiprocess.MultiProcessCollector(whole)  # type: ignore[no-untyped-call]
        return generate_latest(whole)
