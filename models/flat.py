"""Nested mappings as one."""

from collections.abc import Mapping
from typing import Any


def flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """`{"train": {"bags": 5}}` as `{"train.bags": 5}`; an empty mapping is a value."""
    leaves: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            leaves |= flat(value, f"{before}{key}.")
        else:
            leaves[f"{before}{key}"] = value
    return leaves
