"""Columns and event types that pass the rules and are probably not what they are taken for.

Each finding is one line for all the columns it concerns, with what to do. Nothing is changed.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from math import isnan

import numpy as np
import polars as pl

from features.columns import Attribute, slug
from features.titles import read_title
from features.vocabulary import ENGAGEMENT, INTENT, SELLER
from pipeline.params import Definition
from pipeline.reading.attributes import AttributeList
from pipeline.reading.naming import TABLE_OF, tokens, words

ROWS = 50
"""Fewer known values than this agree by chance."""
CLOCK = 0.9
"""A number whose rank correlation with the creation of its lead is further from 0 tells the time and little else."""
LONG, DISTINCT = 40, 20
"""Length of the median value, and number of different values, at or above which a column is probably free text."""
UNREAD = 0.6
"""A larger share of different titles without a seniority earns a remark."""
HALF = 0.5
"""A larger share of filled cells without a row of history earns a remark."""
SHOWN = 12
OVERWRITTEN = words(
    "owner status stage substatus rating score grade last latest modified updated next tags times count counts "
    "associated recent close visits views pageviews sessions activities submissions conversions deals"
)
"""Words in names of fields that a CRM overwrites in place."""
OURS_DID = words("sent outbound dialed dialled logged task assigned sequence cadence call calls outreach")
"""Words in names of events that one's own people make."""
WISHES = words("pricing price prices demo trial quote proposal checkout buy purchase contract meeting booked")
"""Words in names of events that show that somebody wants to buy."""


def doubts(tables: Mapping[str, pl.DataFrame], attributes: AttributeList, definition: Definition) -> list[str]:
    """What in the accepted rows is worth a look, in a line each. `tables` are typed, as `attributes` say."""
    own = [a for a in attributes if definition.attribute(a.column).kind is None]
    found = [
        *_free(tables, own),
        *_clocks(tables, attributes),
        *_same(tables, attributes),
        *_overwritten(attributes, definition),
        *_sparse(tables, attributes),
        *_titles(tables, own),
    ]
    return found + (_events(tables["events"], definition) if "events" in tables else [])


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
        f"{_list(named)}: follows the lead's creation, as do an age at the time of the export, days since the last "
        "contact or a running number; at another time it means something else: put it in definition.exclude"
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
            alike: dict[bytes, list[Attribute]] = {}
            for a in own:
                alike.setdefault(_parting(tables[name][a.column]), []).append(a)
            found += [group for group in alike.values() if len(group) > 1]
    return [f"{_list(group)}: tell the same rows apart; keep one, and put the others in definition.exclude"
            for group in found]  # fmt: skip


def _parting(values: pl.Series) -> bytes:
    """For each row the first that has the same value: alike for columns that differ in nothing but names. Numbers are
    told apart by their order: those whose values all differ part the rows alike, and say different things."""
    if values.dtype.is_numeric():
        rank = values.rank("dense").fill_null(0)
        down = pl.select(pl.when(rank > 0).then(rank.max() + 1 - rank).otherwise(0)).to_series()  # type: ignore[operator]
        return min(one.cast(pl.Int64).to_numpy().tobytes() for one in (rank, down))
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


def _sparse(tables: Mapping[str, pl.DataFrame], attributes: AttributeList) -> list[str]:
    """Fields with history whose table has values for many more than have a row of it, which then count for nothing."""
    found = []
    for a in attributes:
        if not a.has_history or TABLE_OF[a.entity] not in tables or a.column not in tables[TABLE_OF[a.entity]].columns:
            continue
        table, history = tables[TABLE_OF[a.entity]], tables["history"]
        rows = history.filter((pl.col("entity") == a.entity) & (pl.col("field") == a.column))["id"].unique()
        filled = table.filter(pl.col(a.column).is_not_null())[f"{a.entity}_id"]
        bare = int((~filled.is_in(rows.implode())).sum())
        if bare > HALF * len(filled):
            found.append(
                f"{_list([a])}: {bare} of {len(filled)} rows with a value have no row in history, so they count as "
                "unknown. If history holds changes only, add what was there before: a row at the creation"
            )
    return found


def _titles(tables: Mapping[str, pl.DataFrame], attributes: AttributeList) -> list[str]:
    """Titles in a language that is not read, or columns that hold no titles."""
    found = []
    for a in attributes:
        titles = _values(tables, a).drop_nulls().unique() if a.kind == "text" else ()
        unread = sum(isnan(read_title(title)[0]) for title in titles)
        if len(titles) >= DISTINCT and unread > UNREAD * len(titles):
            found.append(
                f"{_list([a])}: {unread} of {len(titles)} titles name no seniority that is known; English, Finnish, "
                "Swedish and German are read. If it holds no titles: definition.attributes: "
                f"{{{a.column}: {{kind: categorical}}}}"
            )
    return found


def _events(events: pl.DataFrame, definition: Definition) -> list[str]:
    """Types that nobody named, here or in the vocabulary, the most frequent first."""
    there = events["type"].unique().drop_nulls().to_list()
    wrong = [name for name in definition.events if name not in there]
    counts = events["type"].drop_nulls().value_counts().sort("count", "type", descending=[True, False])["type"]
    known = ENGAGEMENT | INTENT | SELLER
    unnamed = [name for name in counts.to_list() if name not in definition.events and slug(name) not in known]
    unnamed = [name for name in unnamed if name != definition.conversion.event]
    ours = [name for name in unnamed if OURS_DID & {*tokens(name)}]
    wish = [name for name in unnamed if name not in ours and WISHES & {*tokens(name)}]
    found = [f"definition.events: no event is of the type {_quoted(name)}{_near(name, there)}" for name in wrong]
    if wish:
        found.append(
            f"events: the names suggest that somebody wants to buy: {_some(wish)}; counted as engagement until you say "
            f"otherwise: definition.events: {{{_quoted(wish[0])}: intent}}"
        )
    if ours:
        found.append(
            f"events: the names suggest that your own people did {_some(ours)}; counted as the lead's engagement, the "
            f"attention that a high score brings would raise it further. Say so: "
            f"definition.events: {{{_quoted(ours[0])}: seller}}"
        )
    if others := [name for name in unnamed if name not in ours + wish]:
        found.append(
            f"events: counted as engagement until you say otherwise: {_some(others)}. Where one shows that "
            f"somebody wants to buy: definition.events: {{{_quoted(others[0])}: intent}} (or seller, or ignore)"
        )
    return found


def _values(tables: Mapping[str, pl.DataFrame], a: Attribute) -> pl.Series:
    table = tables.get(TABLE_OF[a.entity])
    return pl.Series([], dtype=pl.String) if table is None else table[a.column]


def _list(attributes: Sequence[Attribute]) -> str:
    return _some([f"{TABLE_OF[a.entity]}.{a.column}" for a in attributes])


def _some(names: Iterable[str]) -> str:
    names = [*names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _near(name: str, there: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, there, 1)
    return f"; did you mean {_quoted(near[0])}?" if near else ""


def _quoted(name: str) -> str:
    return f'"{name}"'
