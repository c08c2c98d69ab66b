"""Codes of categories, back to their texts."""

from collections.abc import Sequence

from features.arrays import Floats


def texts(codes: Floats, levels: Sequence[str]) -> list[str | None]:
    """The text of each code into `levels`, (k,); None where it is NaN."""
    return [None if code != code else levels[int(code)] for code in codes.tolist()]
