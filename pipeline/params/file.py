"""params.yaml as a file: all of its sections together, times in their zone, and words for each mistake."""

import copy
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from models.nearest import nearest
from pipeline.errors import Stop
from pipeline.params.definition import Definition
from pipeline.params.policy import Compare, Policy
from pipeline.params.section import Section
from pipeline.params.source import Source, Validate
from pipeline.params.training import Leaks, Split, Tracking, Train
from pipeline.yamls import read_yaml


class Params(Section):
    """All of params.yaml."""

    source: Source
    definition: Definition = Definition()
    split: Split = Split()
    validate_: Validate = Field(Validate(), alias="validate")
    train: Train = Train()
    leaks: Leaks = Leaks()
    policy: Policy = Policy()
    points: Path | None = None
    compare: Compare = Compare()
    tracking: Tracking = Tracking()

    @model_validator(mode="before")
    @classmethod
    def _in_zone(cls, given: Any) -> Any:
        """Instants without an offset are in source.timezone, as those of the tables are."""
        return localised(given) if isinstance(given, dict) else given


KINDS = ("literal[", "dict[")
"""Beginnings of what Pydantic says between two keys where a value may be of several kinds."""
SECTIONS = tuple((field.alias or name) for name, field in Params.model_fields.items())


def localised(given: dict[str, Any]) -> dict[str, Any]:
    """A copy of params.yaml's mapping in which naive instants have the offset of source.timezone."""
    source = given.get("source")
    name = source.get("timezone", "UTC") if isinstance(source, dict) else "UTC"
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        return given  # the field's own validator says what is wrong
    changed = copy.deepcopy(given)
    for place, key in ((("source",), "until"), (("split",), "test_from"), (("definition", "snapshots"), "at")):
        at: Any = changed
        for part in place:
            at = at.get(part) if isinstance(at, dict) else None
        if isinstance(at, dict) and key in at:
            value = at[key]
            at[key] = [_aware(v, zone) for v in value] if isinstance(value, list) else _aware(value, zone)
    return changed


def _aware(value: Any, zone: ZoneInfo) -> Any:
    """A YAML instant or text with an offset; what is no instant stays for the field's own validator."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=zone) if isinstance(value, datetime) and value.tzinfo is None else value


def parse_params(text: str, place: str) -> Params:
    """Params of a YAML text. Raises Stop, which names each wrong key of `place`."""
    given = read_yaml(text, place)
    if not isinstance(given, dict):
        came = "nothing" if given is None else f"a {type(given).__name__}"
        raise Stop(f"{place}: expected keys such as `source: {{kind: simulated}}`, got {came}")
    try:
        return Params.model_validate(given)
    except ValidationError as error:
        raise Stop("\n".join(_say(place, problem) for problem in error.errors())) from error


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Params of a file. Raises Stop where it cannot be read or is wrong."""
    try:
        return parse_params(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise Stop(f"{path}: cannot be read ({error.strerror}); run from the project's folder") from error
    except UnicodeDecodeError as error:
        raise Stop(f"{path}: expected UTF-8 text: {error.reason} at byte {error.start}") from error


def _nearest(parts: list[str]) -> str:
    """The keys that there are beside a wrong one, and which of them may have been meant."""
    model: Any = Params
    for part in parts[:-1]:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        model = model if field is None else _section_of(field.annotation)  # a part may be a number of a list
        if model is None:
            return "leave it out"
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return nearest(parts[-1], keys)


def _section_of(annotation: Any) -> Any:
    """The section that a field may hold, alone, in a list or under names; None where there is none."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_of(part)) is not None), None)


def _say(place: str, problem: Any) -> str:
    parts = [str(part) for part in problem["loc"]]
    key = ".".join(part for part in parts if not part.startswith(KINDS)) or "(top)"
    if problem["type"] == "extra_forbidden":
        return f"{place}: {key}: unknown key; {_nearest(parts)}"
    if problem["type"] == "missing":
        return f"{place}: {key}: is missing; give a value"
    if problem["type"] == "model_type":
        return f"{place}: {key}: expected keys and values under it, got {problem['input']!r}"
    if problem["type"] == "value_error":
        return f"{place}: {key}: {problem['ctx']['error']}"
    return f"{place}: {key}: {problem['msg']}, got {problem['input']!r}"
