"""What is made of the few texts that come again and again, worked out once."""

from collections.abc import Callable
from typing import TypeVar

Made = TypeVar("Made")
MOST = 1024
"""Texts remembered, and the letters of each: callers must not fill the memory. Others are worked out anew each time."""


class Remembered(dict[str, Made]):
    """A pure function of a text, asked for as `remembered[text]`. Threads may share one."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> Made:
        made = self._make(text)
        if len(self) < MOST and len(text) <= MOST:
            self[text] = made
        return made
