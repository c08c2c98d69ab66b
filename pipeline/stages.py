"""The stages by name, in order: each is the `main` of its module, which reads, calls one pure function and writes."""

from collections.abc import Callable
from importlib import import_module


def _main_of(name: str) -> Callable[[], None]:
    """Imports wait until a stage runs: one alone needs few of them."""

    def run() -> None:
        import_module(f"pipeline.{name}").main()

    return run


STAGES: dict[str, Callable[[], None]] = {
    name: _main_of(name)
    for name in (
        *("configure", "ingest", "validate", "label", "featurize", "screen", "points", "train"),
        *("evaluate", "audit", "compare", "funnel", "accounts", "publish", "define", "track"),
    )
}
