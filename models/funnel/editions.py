"""What changed between two editions of a definition, and which number the new one has."""

from collections.abc import Mapping
from typing import Any

from models.flat import flat


def edition(agreed: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """`edition` from 1, `agreed`, and `changes` since the edition before, each `key, before, after` (None: not there).

    `previous`: what this returned for the last run. The same agreement keeps its number and its list of changes.
    """
    if previous is None:
        return {"edition": 1, "agreed": dict(agreed), "changes": []}
    old, new = flat(previous["agreed"]), flat(agreed)
    if old == new:
        return {"edition": previous["edition"], "agreed": dict(agreed), "changes": previous["changes"]}
    changes = [
        {"key": key, "before": old.get(key), "after": new.get(key)}
        for key in dict.fromkeys([*new, *old])
        if old.get(key) != new.get(key)
    ]
    return {"edition": previous["edition"] + 1, "agreed": dict(agreed), "changes": changes}
