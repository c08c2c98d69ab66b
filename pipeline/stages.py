"""The stages by name, in order. Each reads, calls one pure function and writes."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module

from pipeline import stage


def ingest() -> None:
    """Read the source, drop what is personal, write data/ingested."""
    from pipeline.ingest import ingest as run
    from pipeline.personal import id_key

    source, definition = stage.section("source"), stage.section("definition")
    with stage.speaking("ingest") as say:
        say("simulating the company" if source.kind == "simulated" else f"reading {source.path}")
        run(source, stage.INGESTED, datetime.now(UTC), id_key(), definition, stage.SIMULATED)


def validate() -> None:
    """Accept, refuse or exclude every row."""
    from pipeline.validate import validate as run

    stage.read_json(stage.INGESTED / "ingest.json")  # says what to do where there is none
    limit = stage.section("validate").max_quarantined_fraction
    source, definition = stage.section("source"), stage.section("definition")
    checked = run(stage.INGESTED, stage.TABLES, stage.QUARANTINE, stage.VALIDATION, source, definition, limit)
    with stage.speaking("validate") as say:
        for warning in checked.meta["warnings"]:
            say(f"warning: {warning}")
        for what, number in checked.meta["counts"].items():
            say(f"{what}: {number:,}")


def _main_of(name: str) -> Callable[[], None]:
    def run() -> None:
        import_module(f"pipeline.{name}").main()

    return run


STAGES: dict[str, Callable[[], None]] = {
    "configure": _main_of("configure"),
    "ingest": ingest,
    "validate": validate,
    "label": _main_of("label"),
    "featurize": _main_of("featurize"),
    "screen": _main_of("screen"),
    "points": _main_of("points"),
    "train": _main_of("train"),
    "evaluate": _main_of("evaluate"),
    "audit": _main_of("audit"),
    "compare": _main_of("compare"),
    "funnel": _main_of("funnel"),
    "accounts": _main_of("accounts"),
    "publish": _main_of("publish"),
    "define": _main_of("define"),
    "track": _main_of("track"),
}
