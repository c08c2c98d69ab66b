"""Rare texts together, where figures are broken down by texts."""

from collections.abc import Sequence

import polars as pl

OTHER, MISSING = "other", "(missing)"


def gathered(texts: pl.Series, most: int) -> tuple[pl.Series, int]:
    """The `most` frequent texts, the others as OTHER; and how many were merged. A single rarer one stays."""
    name = texts.name
    counts = texts.value_counts().sort("count", name, descending=[True, False])[name]
    if len(counts) <= most + 1:
        return texts, 0
    kept = counts.head(most).to_list()
    frame = texts.to_frame().select(pl.when(pl.col(name).is_in(kept)).then(pl.col(name)).otherwise(pl.lit(OTHER)))
    return frame.to_series(), len(counts) - most


def ordered(texts: pl.Series, in_order: bool) -> Sequence[str]:
    """Texts once each: in their own order, or the most frequent first, with OTHER at the end."""
    if in_order:
        names = sorted(texts.unique().to_list())
    else:
        names = texts.value_counts().sort("count", texts.name, descending=[True, False])[texts.name].to_list()
    return [n for n in names if n != OTHER] + [n for n in names if n == OTHER]
