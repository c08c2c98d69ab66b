"""YAML as people write it: a key given twice is an error."""

from typing import Any

import yaml

from pipeline.errors import Stop


class Once(yaml.SafeLoader):
    """Plain data, and no key twice in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As SafeLoader does. Raises yaml.MarkedYAMLError for a key that is there already."""
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(text: str, place: str) -> Any:
    """The data of a YAML text. Raises Stop, which names the line of `place` where it is broken."""
    try:
        return yaml.load(text, Once)  # noqa: S506 # Once is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
        raise Stop(f"{place}: not YAML: {error.problem}{line}; mend the line or the one before it") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2025-13-01
        raise Stop(f"{place}: not YAML: {' '.join(str(error).split())[:200]}; mend it") from error
