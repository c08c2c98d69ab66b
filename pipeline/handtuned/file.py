"""points.yaml read into a typed table; a mistake is an error that names the rule and the key."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from models.nearest import nearest
from models.points.table import Decay, PointsTable, Rule
from models.points.when import KINDS, OPERATORS
from pipeline.errors import Stop
from pipeline.yamls import read_yaml

TAGS = {f"<{key}>": kind for key, kind in KINDS.items()}
"""What pydantic puts after the key of a test, to say which kind it took it for."""


def load_points(path: Path, timezone: str) -> PointsTable:
    """The table of a file. Raises Stop where it cannot be read or is wrong."""
    try:
        return parse_points(path.read_text(encoding="utf-8-sig"), str(path), timezone)
    except OSError as error:
        raise Stop(f"{path}: cannot be read ({error.strerror}); set points to your table of points") from error
    except UnicodeDecodeError as error:
        raise Stop(f"{path}: expected UTF-8 text: {error.reason} at byte {error.start}") from error


def parse_points(text: str, place: str, timezone: str) -> PointsTable:
    """The table of a YAML text. Raises Stop, which names each wrong key of `place`."""
    given = read_yaml(text, place)
    if not isinstance(given, dict):
        came = "nothing" if given is None else f"a {type(given).__name__}"
        raise Stop(f"{place}: expected keys such as `rules: [{{id: …, when: …, points: …}}]`, got {came}")
    try:
        return PointsTable.model_validate(given, context={"zone": ZoneInfo(timezone)})
    except ValidationError as error:
        raise Stop("\n".join(f"{place}: {_say(given, problem)}" for problem in error.errors())) from error


def _say(given: dict[str, Any], problem: Any) -> str:
    where, keys = _place(given, problem["loc"])
    key = ".".join(keys)
    came = problem["input"]
    match problem["type"]:
        case "value_error":
            said, at_once = str(problem["ctx"]["error"]), not keys and not where
            return said if at_once else f"{where}{f'{key}: ' if key else ''}{said}"
        case "extra_forbidden":
            return f"{where}{key}: unknown key; {nearest(keys[-1], _keys_beside(problem['loc']))}"
        case "missing":
            return f"{where}{key}: is missing; give a value"
        case "union_tag_not_found":
            return f"{where}{key}: expected a test with one of the keys {', '.join(KINDS)}, got {came!r}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{where}{key}: expected keys and values, got {came!r}"
    return f"{where}{key or '(top)'}: {problem['msg']}, got {came!r}"


def _place(given: dict[str, Any], loc: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """The rule by its id (by its number, from 1, without one), and the keys below it as they were written."""
    rest, where = list(loc), ""
    if len(rest) > 1 and rest[0] == "rules" and isinstance(rest[1], int):
        rule = given["rules"][rest[1]]
        name = rule.get("id") if isinstance(rule, dict) else None
        where = f"rule {name if name is not None else f'number {rest[1] + 1}'}: "
        rest = rest[2:]
    return where, [str(part) for part in rest if part not in TAGS]


def _keys_beside(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that there are where an unknown one was."""
    owner = str(loc[-2]) if len(loc) > 1 else ""
    if owner in ("topic", "value"):
        return OPERATORS
    model = TAGS.get(owner) or (Decay if owner == "decay" else PointsTable if not owner else Rule)
    return tuple(field.alias or name for name, field in model.model_fields.items())
