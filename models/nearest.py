"""What a name that is not there may have been meant to be."""

import difflib
from collections.abc import Iterable

SHOWN = 20
"""At most this many names are listed."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Which of the names may have been meant, else those that there are."""
    names = [*names]
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, names[:SHOWN])) or 'none'}"
