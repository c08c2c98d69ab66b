"""Columns and types of event that are accepted by the rules and are probably not what they are taken for.

Each finding is one line for all columns that it is of, with what to do. Nothing is changed.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from features.columns import slug
from features.vocabulary import ENGAGEMENT, INTENT, SELLER
from pipeline.attributes import TABLE_OF, AttributeInfo, AttributeList
from pipeline.naming import tokens, words
from pipeline.params import Definition
from pipeline.texts import read_numbers

ROWS = 50
"""Fewer known values than this agree by chance."""
MOST = 0.98
"""This share of values of a form makes a column of that form: the rest are mistakes."""
CLOCK = 0.999
"""A number whose correlation with the creation of its lead is further from 0 tells the time and nothing else."""
LONG, DISTINCT = 40, 20
"""Letters of the middle value, and different values, from which on texts are rather written freely."""
SHOWN = 12
OVERWRITTEN = words("owner status stage substatus rating score grade last latest modified updated next tags")
"""Words in names of fields that a CRM overwrites in place."""
OURS_DID = words("sent outbound dialed dialled logged task assigned sequence cadence call calls outreach")
"""Words in names of events that one's own people make."""


def doubts(
    tables: Mapping[str, pl.DataFrame], attributes: AttributeList, definition: Definition, decimal: str
) -> list[str]:
    """What in the accepted rows is worth a look, in a line each. `tables` are typed, as `attributes` say."""
    own = [a for a in attributes if definition.attribute(a.column).kind is None]
    found = [
        *_decimals(tables, own, decimal),
        *_free(tables, own),
        *_clocks(tables, attributes),
        *_same(tables, attributes),
        *_overwritten(attributes, definition),
    ]
    return found + (_events(tables["events"], definition) if "events" in tables else [])


def _decimals(tables: Mapping[str, pl.DataFrame], attributes: AttributeList, decimal: str) -> list[str]:
    other = "," if decimal == "." else "."
    named = [a for a in attributes if a.kind == "categorical" and _numbers(_values(tables, a), other)]
    if not named:
        return []
    return [
        f"{_list(named)}: numbers with the decimal mark “{other}”, so each is taken as a name; write them with "
        f"“{decimal}”, or set source.decimal"
    ]


def _numbers(values: pl.Series, decimal: str) -> bool:
    known = values.drop_nulls()
    return len(known) >= ROWS and read_numbers(known, decimal).count() >= MOST * len(known)


def _free(tables: Mapping[str, pl.DataFrame], attributes: AttributeList) -> list[str]:
    named = [a for a in attributes if a.kind == "categorical" and _is_free(_values(tables, a))]
    if not named:
        return []
    return [
        f"{_list(named)}: long texts of which each is taken as a name, not read; put them in definition.exclude, "
        "or make a category of what they say"
    ]


def _is_free(values: pl.Series) -> bool:
    length = values.drop_nulls().str.len_chars().median()
    return values.n_unique() > DISTINCT and isinstance(length, float) and length > LONG


def _clocks(tables: Mapping[str, pl.DataFrame], attributes: AttributeList) -> list[str]:
    created = tables["leads"]["created_at"]
    numeric = [a for a in attributes if a.entity == "lead" and a.kind == "numeric" and not a.has_history]
    named = [a for a in numeric if _tells_time(created, _values(tables, a))]
    if not named:
        return []
    return [
        f"{_list(named)}: goes with the lead's creation alone, as an age at the time of the export or a running number "
        "does; at another time it means another thing: put it in definition.exclude"
    ]


def _tells_time(created: pl.Series, values: pl.Series) -> bool:
    both = pl.DataFrame({"at": created.dt.epoch("us"), "x": values}).drop_nulls()
    if len(both) < ROWS or both["x"].n_unique() <= DISTINCT or both["at"].n_unique() <= DISTINCT:
        return False
    ranks = both.select(pl.all().rank()).to_numpy()  # Spearman's: a running number rises, though not evenly
    return bool(abs(np.corrcoef(ranks.T)[0, 1]) > CLOCK)


def _same(tables: Mapping[str, pl.DataFrame], attributes: AttributeList) -> list[str]:
    """Columns that part the rows of a table alike: the values of one are names for those of the other."""
    found = []
    for entity, name in TABLE_OF.items():
        own = [a for a in attributes if a.entity == entity and not a.has_history]
        if name in tables and len(tables[name]) >= ROWS:
            alike: dict[bytes, list[AttributeInfo]] = {}
            for a in own:
                alike.setdefault(_parting(tables[name][a.column]), []).append(a)
            found += [group for group in alike.values() if len(group) > 1]
    return [f"{_list(group)}: say the same of every row; keep one, and put the others in definition.exclude"
            for group in found]  # fmt: skip


def _parting(values: pl.Series) -> bytes:
    """For each row the first that has the same value: alike for columns that differ in nothing but names."""
    first = values.to_frame("x").with_row_index("row").select(pl.col("row").first().over("x"))
    return first.to_series().to_numpy().tobytes()


def _overwritten(attributes: AttributeList, definition: Definition) -> list[str]:
    named = [
        a for a in attributes
        if not a.has_history and OVERWRITTEN & {*tokens(a.column)}
        and "mutable" not in definition.attribute(a.column).model_fields_set
    ]  # fmt: skip
    if not named:
        return []
    return [
        f"{_list(named)}: by the name a field that a CRM overwrites in place, and what stands there today would tell "
        "the future of an old lead; it is used as if known from the lead's creation on. Give its history, put it in "
        "definition.exclude, or say that it never changes: definition.attributes: "
        f"{{{named[0].column}: {{mutable: false}}}}"
    ]


def _events(events: pl.DataFrame, definition: Definition) -> list[str]:
    """Types that nobody named, here or in the vocabulary, the most frequent first."""
    counts = events["type"].drop_nulls().value_counts().sort("count", "type", descending=[True, False])["type"]
    known = ENGAGEMENT | INTENT | SELLER
    unnamed = [name for name in counts.to_list() if name not in definition.events and slug(name) not in known]
    unnamed = [name for name in unnamed if name != definition.conversion.event]
    ours = [name for name in unnamed if OURS_DID & {*tokens(name)}]
    found = []
    if ours:
        found.append(
            f"events: by the name your own people did {_some(ours)}; taken as the lead's engagement it would feed "
            f"high scores with the attention that they bring. Say so: definition.events: {{{_quoted(ours[0])}: seller}}"
        )
    if others := [name for name in unnamed if name not in ours]:
        found.append(
            f"events: taken as engagement, because nobody said otherwise: {_some(others)}. Where one shows that "
            f"somebody wants to buy: definition.events: {{{_quoted(others[0])}: intent}} (or seller, or ignore)"
        )
    return found


def _values(tables: Mapping[str, pl.DataFrame], a: AttributeInfo) -> pl.Series:
    table = tables.get(TABLE_OF[a.entity])
    return pl.Series([], dtype=pl.String) if table is None else table[a.column]


def _list(attributes: Sequence[AttributeInfo]) -> str:
    return _some([f"{TABLE_OF[a.entity]}.{a.column}" for a in attributes])


def _some(names: Iterable[str]) -> str:
    names = [*names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _quoted(name: str) -> str:
    return f'"{name}"'
