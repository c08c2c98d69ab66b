"""What the leak checks found: one reading of it for the run, reports/leaks.json and the report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline import stage
from pipeline.errors import Stop


@dataclass(frozen=True)
class Check:
    """One check and its outcome, in plain types."""

    name: str
    said: str
    """What was looked at and what came, in a sentence. For one that does not apply: why."""
    applies: bool = True
    problems: Sequence[str] = ()
    """Each stops the run: what, where, and what to do. Worst first."""
    warnings: Sequence[str] = ()
    """Suspicious, but no proof."""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """passed, failed or does not apply."""
        return ("failed" if self.problems else "passed") if self.applies else "does not apply"


def to_json(checks: Sequence[Check]) -> dict[str, Any]:
    """reports/leaks.json: `result`, and each check in the order it ran."""
    failed = any(check.problems for check in checks)
    found = [{**asdict(check), "result": check.result} for check in checks]
    return {"result": "failed" if failed else "passed", "checks": found}


def of_json(stored: Mapping[str, Any]) -> list[Check]:
    """The inverse of `to_json`."""
    return [Check(**{k: v for k, v in check.items() if k != "result"}) for check in stored["checks"]]


def conclude(checks: Sequence[Check], path: Path, before: Sequence[Check] = ()) -> None:
    """Write what was found, here and `before`, to `path`, and say the warnings. Raises Stop, with reports/leaks.json
    written, where a check failed."""
    problems = [f"- {problem}" for check in checks for problem in check.problems]
    stage.write_json(to_json([*before, *checks]), stage.LEAKS if problems else path)
    if problems:
        names = ", ".join(check.name for check in checks if check.problems)
        raise Stop("\n".join([f"a leak, by {names} (all of it in {stage.LEAKS}):", *problems]))
    with stage.speaking("leaks") as say:
        for warning in (warning for check in checks for warning in check.warnings):
            say(f"warning: {warning}")
