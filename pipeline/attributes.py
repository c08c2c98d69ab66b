"""What each column of leads and accounts is: its kind, its group, whether its past is known."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import polars as pl

from pipeline.errors import Stop
from pipeline.naming import snake_case, tokens, unique, words
from pipeline.params import Attribute, Definition, Group
from pipeline.personal import personal_field, personal_name
from pipeline.tables import OPTIONAL, OURS, REQUIRED
from pipeline.texts import (
    ISO_DAY,
    ISO_FIXED,
    ISO_LOCAL,
    Clock,
    folded,
    read_booleans,
    read_numbers,
    read_times,
)

Entity = Literal["lead", "account"]
Kind = Literal["numeric", "boolean", "categorical", "text"]
TABLE_OF: dict[Entity, str] = {"lead": "leads", "account": "accounts"}

TYPED_LEADS = (
    "lead_id",
    "created_at",
    "account_id",
    "converted",
    "outcome_refused",
    "value",
    "person_id",
    "row",
)
TEST_FLAGS = ("test", "is_test", "test_lead", "is_test_lead", "test_record")
INTENT_WORDS = words("budget authority need timeline")
TITLE_WORDS = words("title titles jobtitle position role designation titteli tehtavanimike yrkestitel")
BELOW_ZERO_NEVER = words("employees employee headcount staff revenue turnover amount age henkilosto")
"""Words of names whose numbers cannot be negative."""
ID_WORDS = words("id number no nr index key uuid guid code")
MOST = 0.98
"""With at least this share of numbers, more than FEW distinct, a column is numeric: the rest are mistakes."""
FEW = 20
DISTINCT_SHARE, DISTINCT_ROWS = 0.5, 50


@dataclass(frozen=True)
class AttributeInfo:
    """One attribute: `column` is its name in the input and the typed tables, `name` in features."""

    name: str
    column: str
    entity: Entity
    kind: Kind
    group: Group = "fit"
    mutable: bool = False
    has_history: bool = False

    @property
    def never_negative(self) -> bool:
        """True of counts and sums of money by their name."""
        return self.kind == "numeric" and bool(BELOW_ZERO_NEVER & set(tokens(self.column)))


AttributeList = list[AttributeInfo]


def to_json(attributes: AttributeList) -> list[dict[str, Any]]:
    """Plain objects, as attributes.json and the bundle hold them."""
    return [asdict(attribute) for attribute in attributes]


def from_json(objects: Iterable[Mapping[str, Any]]) -> AttributeList:
    """The inverse of to_json."""
    return [AttributeInfo(**item) for item in objects]


@dataclass
class Inferred:
    """The attributes found, and what was left out and why."""

    attributes: AttributeList = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def infer(
    tables: Mapping[str, pl.DataFrame], definition: Definition, clock: Clock, dropped: Collection[str]
) -> Inferred:
    """The attributes of raw tables. `dropped`: columns that ingest took out as personal.

    Raises Stop where the definition names a column that is not there, or a mutable one has no history.
    """
    found = Inferred()
    there = {entity: _columns(tables, entity) for entity in TABLE_OF}
    _check_named(definition, there, tables, dropped)
    for entity, columns in there.items():
        for column in columns:
            _add(found, entity, column, tables, definition, clock)
    return found


def _columns(tables: Mapping[str, pl.DataFrame], entity: Entity) -> list[str]:
    """Columns of the table, then fields that only history has."""
    name = TABLE_OF[entity]
    reserved = {*REQUIRED[name], *OPTIONAL[name], *OURS, "_broken", *TEST_FLAGS}
    columns = [column for column in tables[name].columns if column not in reserved] if name in tables else []
    known = {snake_case(column) for column in columns} | reserved
    fields = _fields(tables, entity)
    return columns + [text for text in fields if snake_case(text) not in known and not personal_field(text)]


def _fields(tables: Mapping[str, pl.DataFrame], entity: Entity) -> list[str]:
    history = tables.get("history")
    if history is None:
        return []
    mine = history.filter(folded(history["entity"]) == entity)["field"].str.strip_chars()
    return sorted(set(mine.drop_nulls()) - {""})


def _check_named(
    definition: Definition,
    there: Mapping[Entity, list[str]],
    tables: Mapping[str, pl.DataFrame],
    dropped: Collection[str],
) -> None:
    """Raise Stop for a name in the definition that no column has."""
    attributes = [column for columns in there.values() for column in columns]
    every = {
        *attributes,
        *dropped,
        *(column for name in ("leads", "accounts") if name in tables for column in tables[name].columns),
    }
    declared = {} if definition.attributes == "auto" else definition.attributes
    for key, names, known in (("attributes", declared, attributes), ("exclude", definition.exclude, every)):
        for name in names:
            if name not in known and not (key == "exclude" and personal_name("leads", name)):
                close = difflib.get_close_matches(name, sorted(known), 3, 0.5) or sorted(known)[:20]
                why = (
                    ": it is personal and never used"
                    if name in dropped or personal_name("leads", name)
                    else ""
                )
                raise Stop(
                    f"definition.{key}.{name}: no column of leads or accounts is called {name!r}{why};"
                    f" there are {', '.join(map(repr, close))}"
                )


def _add(
    found: Inferred,
    entity: Entity,
    column: str,
    tables: Mapping[str, pl.DataFrame],
    definition: Definition,
    clock: Clock,
) -> None:
    if column in definition.exclude:
        found.left_out[column] = "definition.exclude names it"
        return
    said = definition.attribute(column)
    past = _past(tables, entity, column)
    if said.mutable and past is None:
        raise Stop(
            f"definition.attributes.{column}: is mutable, but the table history has no row for it; a CRM"
            " overwrites"
            " such a value in place, so it would tell the future. Give its history or put it in"
            " definition.exclude"
        )
    values = _values(tables, entity, column, past)
    kind = said.kind or _kind(found, column, values, clock)
    if kind is None or (said == Attribute() and _rather_an_id(found, column, kind, values)):
        return
    taken = {*TYPED_LEADS, *(attribute.name for attribute in found.attributes)}
    name = snake_case(column)
    if entity == "account" and name in taken:
        name = f"account_{name}"
    group = said.group or ("intent" if INTENT_WORDS & set(tokens(column)) else "fit")
    found.attributes.append(
        AttributeInfo(unique(name, taken), column, entity, kind, group, said.mutable, past is not None)
    )


def _past(tables: Mapping[str, pl.DataFrame], entity: Entity, column: str) -> pl.Series | None:
    """The values that history gives, or None without a row for it."""
    history = tables.get("history")
    if history is None:
        return None
    of_field = history["field"].str.strip_chars()
    mine = history.filter(
        (folded(history["entity"]) == entity) & ((of_field == column) | _same(of_field, column))
    )
    if not mine.height:
        return None
    return mine["value"] if "value" in mine.columns else pl.Series([None] * mine.height, dtype=pl.String)


def _same(fields: pl.Series, column: str) -> pl.Series:
    spellings = [text for text in fields.unique().drop_nulls() if snake_case(text) == snake_case(column)]
    return fields.is_in(spellings)


def _values(
    tables: Mapping[str, pl.DataFrame], entity: Entity, column: str, past: pl.Series | None
) -> pl.Series:
    """All values of a column, now and in the past; text where there is a past."""
    table = tables.get(TABLE_OF[entity])
    now = table[column] if table is not None and column in table.columns else None
    if now is None or past is None:
        return (
            now if now is not None else past if past is not None else pl.Series(column, [], dtype=pl.String)
        )
    if now.dtype.is_nested() or now.dtype == pl.Binary:
        return now
    return pl.concat([now.cast(pl.String).alias(column), past.cast(pl.String).alias(column)])


def _kind(found: Inferred, column: str, values: pl.Series, clock: Clock) -> Kind | None:
    """The kind of a column, or None with a note why it is left out."""
    known = values.drop_nulls()
    if not len(known):
        found.left_out[column] = "every value is missing"
    elif values.dtype.is_nested() or values.dtype == pl.Binary or values.dtype == pl.Object:
        found.left_out[column] = f"cells of the type {values.dtype} are not read"
    elif known.len() == values.len() and known.n_unique() == 1:
        found.left_out[column] = "it has a single value"
    elif values.dtype.is_temporal() or _dates(known, clock):
        found.left_out[column] = "dates are not read as attributes: make an age or a stage of it"
    else:
        return _of_values(found, column, known, clock)
    return None


def _dates(known: pl.Series, clock: Clock) -> bool:
    if known.dtype != pl.String:
        return False
    text = known.str.strip_chars()
    iso = text.str.contains(f"{ISO_DAY}|{ISO_LOCAL}|{ISO_FIXED}")
    if bool(iso.all()):
        return True
    return clock.date_format not in (None, "excel") and read_times(known, clock).null_count() == 0


def _of_values(found: Inferred, column: str, known: pl.Series, clock: Clock) -> Kind:
    if known.dtype == pl.Boolean or read_booleans(known).null_count() == 0:
        return "boolean"
    if known.dtype.is_numeric():
        return "numeric"
    numbers = read_numbers(known, clock.decimal)
    bad = numbers.null_count()
    if not _padded(known):
        if not bad:
            return "numeric"
        if bad <= (1 - MOST) * len(known) and numbers.n_unique() > FEW:
            found.warnings.append(f"{column}: read as numeric, {bad} of {len(known)} values are no numbers")
            return "numeric"
    return "text" if TITLE_WORDS & set(tokens(column)) else "categorical"


def _padded(known: pl.Series) -> bool:
    """True of codes such as 00120: whole numbers that begin with a 0."""
    return bool(known.str.contains(r"^\s*0\d+\s*$").any())


def _rather_an_id(found: Inferred, column: str, kind: Kind, values: pl.Series) -> bool:
    """Note and leave out categories that hardly repeat, and numbers that all differ under an id's name."""
    known = values.drop_nulls()
    rows, distinct = len(known), known.n_unique()
    category = kind == "categorical" and distinct > DISTINCT_SHARE * rows
    number = kind == "numeric" and distinct == rows and bool(ID_WORDS & set(tokens(column)))
    if rows <= DISTINCT_ROWS or not (category or number):
        return False
    found.left_out[column] = f"{distinct} of its {rows} values differ: rather an id than an attribute"
    return True


READERS: dict[Kind, Callable[[pl.Series, Clock], pl.Series]] = {
    "numeric": lambda values, clock: read_numbers(values, clock.decimal),
    "boolean": lambda values, _: read_booleans(values),
    "categorical": lambda values, _: _stripped(values),
    "text": lambda values, _: _stripped(values),
}


def read_values(values: pl.Series, kind: Kind, clock: Clock) -> pl.Series:
    """The values of an attribute by its kind: Float64, Boolean or String; null where empty or unreadable."""
    return READERS[kind](values, clock).alias(values.name)


def _stripped(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        return pl.Series(values.name, [None] * len(values), pl.String)
    if values.dtype.is_float():
        numbers = values.fill_nan(None)
        whole = pl.select(pl.lit(numbers == numbers.round()).fill_null(True).all()).item()
        values = (
            numbers.cast(pl.Int64, strict=False) if whole and numbers.is_infinite().sum() == 0 else numbers
        )
    text = values.cast(pl.String).str.strip_chars()
    return text.set(text == "", None) if len(text) else text
