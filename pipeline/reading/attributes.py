"""What each column of leads and accounts is: its kind, its group, whether its past is known."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from features.columns import Attribute, Entity, Kind, columns_of_fields
from models.nearest import nearest
from pipeline import params
from pipeline.errors import Stop
from pipeline.params import Definition
from pipeline.reading.called import personal_field, personal_name
from pipeline.reading.kinds import kind_of
from pipeline.reading.naming import TABLE_OF, snake_case, tokens, unique, words
from pipeline.reading.tables import CONTRACT, OPTIONAL, OURS, row_labels
from pipeline.reading.texts import Clock, folded

TYPED_LEADS = (
    "lead_id",
    "created_at",
    "account_id",
    "converted",
    "outcome_refused",
    "refused_at",
    "value",
    "person_id",
    "row",
)
TEST_FLAGS = ("test", "is_test", "test_lead", "is_test_lead", "test_record")
INTENT_WORDS = words("budget authority need timeline")
BELOW_ZERO_NEVER = words("employees employee headcount staff revenue turnover amount age henkilosto")
"""Words of names whose numbers cannot be negative."""
CHANGES = words("change changes delta diff difference growth trend variance yoy mom qoq pct percent net balance")
"""Words of names whose numbers may be, whatever else is in the name."""
ID_WORDS = words("id number no nr index key uuid guid code")
DISTINCT_SHARE, DISTINCT_ROWS = 0.5, 50


AttributeList = list[Attribute]


def never_negative(attribute: Attribute) -> bool:
    """True of counts and sums of money by their name, but not of what became of them."""
    said = set(tokens(attribute.column))
    return attribute.kind == "numeric" and bool(BELOW_ZERO_NEVER & said) and not CHANGES & said


def to_json(attributes: AttributeList) -> list[dict[str, Any]]:
    """Plain objects, as attributes.json and the bundle hold them."""
    return [asdict(attribute) for attribute in attributes]


@dataclass
class Inferred:
    """The attributes found, and what was left out and why."""

    attributes: AttributeList = field(default_factory=list)
    other_fields: set[tuple[Entity, str]] = field(default_factory=set)
    """Fields of history that mean none of them."""
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
        if entity == "account" and not _led_to(tables):
            columns, why = [], dict.fromkeys(columns, "no lead has an account_id that leads to it")
            found.left_out = {**why, **found.left_out}
        pasts = _pasts(tables, entity, columns)
        for column in columns:
            _add(found, entity, column, tables, pasts.get(column), definition, clock)
        found.other_fields |= _others(found, entity, _fields(tables, entity), columns)
    _check_slices(definition, found)
    return found


def _led_to(tables: Mapping[str, pl.DataFrame]) -> bool:
    """Whether any lead names an account: else what accounts are is known of none, in training as in requests."""
    leads = tables["leads"]
    return "account_id" in leads.columns and leads["account_id"].null_count() < len(leads)


def _check_slices(definition: Definition, found: Inferred) -> None:
    """Raise Stop where figures are to be broken down by what is no attribute of categories."""
    kinds = {a.column: a.kind for a in found.attributes}
    for by, column in definition.slices:
        if column is not None and kinds.get(column) != "categorical":
            why = found.left_out.get(column) or (f"is {kinds[column]}" if column in kinds else "is not there")
            there = sorted(name for name, kind in kinds.items() if kind == "categorical")
            raise Stop(
                f"definition.slices.{by}: {column!r}: expected a column of categories, but {why}; there are "
                f"{', '.join(map(repr, there[:20]))}"
            )


def is_theirs(table: str, column: str) -> bool:
    """Whether a column of leads or accounts is neither of the contract nor one of ours."""
    return column not in (*CONTRACT[table], *OURS, *TEST_FLAGS)


def _columns(tables: Mapping[str, pl.DataFrame], entity: Entity) -> list[str]:
    """Columns of the table and fields that only history has, in alphabetical order: that of a file decides nothing."""
    name = TABLE_OF[entity]
    columns = [column for column in tables[name].columns if is_theirs(name, column)] if name in tables else []
    fields = _fields(tables, entity)
    known = columns_of_fields(fields, columns)
    more = [text for text in fields if text not in known and is_theirs(name, snake_case(text))]
    return sorted(columns + [text for text in more if not personal_field(text)])


def _others(found: Inferred, entity: Entity, fields: list[str], columns: list[str]) -> set[tuple[Entity, str]]:
    """The fields that mean no attribute."""
    mine = {a.column for a in found.attributes if a.entity == entity}
    meant = columns_of_fields(fields, columns)
    return {(entity, text) for text in fields if meant.get(text) not in mine}


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
        *OPTIONAL["leads"],
        *dropped,
        *(column for name in ("leads", "accounts") if name in tables for column in tables[name].columns),
    }
    declared = {} if definition.attributes == "auto" else definition.attributes
    for key, names, known in (("attributes", declared, attributes), ("exclude", definition.exclude, every)):
        for name in names:
            if name not in known and not (key == "exclude" and personal_name("leads", name)):
                why = ": it is personal and never used" if name in dropped or personal_name("leads", name) else ""
                raise Stop(
                    f"definition.{key}.{name}: no column of leads or accounts is called {name!r}{why};"
                    f" {nearest(name, sorted(known))}"
                )


def _add(
    found: Inferred,
    entity: Entity,
    column: str,
    tables: Mapping[str, pl.DataFrame],
    past: pl.Series | None,
    definition: Definition,
    clock: Clock,
) -> None:
    """`past`: the values that history gives, None without a row for it."""
    if column in definition.exclude:
        found.left_out[column] = "definition.exclude names it"
        return
    said = definition.attribute(column)
    if said == params.Attribute() and TABLE_OF[entity] in tables and column in row_labels(tables[TABLE_OF[entity]]):
        found.left_out[column] = "it numbers the rows, as pandas does"
        return
    if said.mutable and past is None:
        raise Stop(
            f"definition.attributes.{column}: is mutable, but the table history has no row for it; a CRM"
            " overwrites"
            " such a value in place, so it would tell the future. Give its history or put it in"
            " definition.exclude"
        )
    values = _values(tables, entity, column, past)
    kind, note = (said.kind, "") if said.kind else kind_of(column, values, clock)
    if kind is None:
        found.left_out[column] = note
        return
    found.warnings += [note] if note else []
    if said == params.Attribute() and _rather_an_id(found, column, kind, values):
        return
    taken = {*TYPED_LEADS, *(attribute.name for attribute in found.attributes)}
    name = snake_case(column)
    if entity == "account" and name in taken:
        name = f"account_{name}"
    group = said.group or ("intent" if INTENT_WORDS & set(tokens(column)) else "fit")
    found.attributes.append(Attribute(unique(name, taken), column, entity, kind, group, past is not None))


def _pasts(tables: Mapping[str, pl.DataFrame], entity: Entity, columns: Collection[str]) -> dict[str, pl.Series]:
    """The values that history gives of each column that has a row there."""
    history = tables.get("history")
    if history is None:
        return {}
    value = pl.col("value") if "value" in history.columns else pl.lit(None, pl.String).alias("value")
    mine = history.filter(folded(history["entity"]) == entity).select(pl.col("field").str.strip_chars(), value)
    meant = columns_of_fields(mine["field"].unique().drop_nulls(), columns)
    if not meant:
        return {}
    named = mine.with_columns(pl.col("field").replace_strict(meant, default=None, return_dtype=pl.String))
    parts = named.drop_nulls("field").partition_by("field", as_dict=True, maintain_order=True)
    return {str(column): part["value"] for (column,), part in parts.items()}


def _values(tables: Mapping[str, pl.DataFrame], entity: Entity, column: str, past: pl.Series | None) -> pl.Series:
    """All values of a column, now and in the past; text where there is a past."""
    table = tables.get(TABLE_OF[entity])
    now = table[column] if table is not None and column in table.columns else None
    if now is None or past is None:
        return now if now is not None else past if past is not None else pl.Series(column, [], dtype=pl.String)
    if now.dtype.is_nested() or now.dtype == pl.Binary:
        return now
    return pl.concat([now.cast(pl.String).alias(column), past.cast(pl.String).alias(column)])


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
