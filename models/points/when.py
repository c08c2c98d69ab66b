"""The tests of a table of points as people write them (contract section 8): typed, frozen, strict about their keys."""

from collections.abc import Iterator
from typing import Annotated, Any, Union

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic import model_validator as checks

LONGEST_D = 36_500
"""A hundred years: a longer horizon or age is a slip of the hand, and overflows a clock in microseconds."""


class Part(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _plain(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"expected a text, a number or true or false, got {value!r}; put a text in quotes")
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Plain = Annotated[Any, AfterValidator(_plain)]
Days = Annotated[float, Field(gt=0, le=LONGEST_D)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]


class Values(Part):
    """What a value must be; of several keys all must hold. A missing value meets only `known: false`."""

    eq: Plain | None = None
    in_: Annotated[tuple[Plain, ...], Field(min_length=1)] | None = Field(None, alias="in")
    contains: Names | None = None
    """Any of these is part of the text, whatever the case."""
    between: tuple[float, float] | None = None
    """Both ends are in."""
    gt: float | None = None
    lt: float | None = None
    known: bool | None = None

    @checks(mode="after")
    def _some(self) -> "Values":
        if self.between is not None and self.between[0] > self.between[1]:
            raise ValueError(f"between: {self.between[0]:g} is above {self.between[1]:g}; give the lower end first")
        if all(getattr(self, name) is None for name in Values.model_fields):
            raise ValueError(f"expected one of {', '.join(OPERATORS)} beside it")
        return self


OPERATORS = tuple(field.alias or name for name, field in Values.model_fields.items())


class FieldTest(Values):
    """An attribute of the lead or its account, as it was known."""

    field: str


def _values(given: Any) -> Any:
    if isinstance(given, dict | Values):
        return given
    return {"in" if isinstance(given, list | tuple) else "eq": given}


ValuesOf = Annotated[Values, BeforeValidator(_values)]


class EventTest(Part):
    """At least `at_least` events of these types; an event counts while its age is less than `within_days`."""

    event: Names
    topic: ValuesOf | None = None
    value: ValuesOf | None = None
    at_least: int = Field(1, ge=1)
    within_days: Days | None = None


class Silence(Part):
    """The last known event (of the types `of`, or of any) is at least so old; without one, the lead is."""

    no_event_for_days: Days
    of: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()


class All(Part):
    """Every part holds."""

    all: list["Test"] = Field(min_length=1)


class Some(Part):
    """A part holds."""

    any: list["Test"] = Field(min_length=1)


class Not(Part):
    """The part does not hold."""

    not_: "Test" = Field(alias="not")


KINDS: dict[str, type[Part]] = {
    "field": FieldTest,
    "event": EventTest,
    "no_event_for_days": Silence,
    "all": All,
    "any": Some,
    "not": Not,
}


def _kind(given: Any) -> str | None:
    """The tag of the key that says which test it is."""
    there = given if isinstance(given, dict) else [key for key, kind in KINDS.items() if isinstance(given, kind)]
    return next((f"<{key}>" for key in KINDS if key in there), None)


Test = Annotated[
    Union[  # noqa: UP007 # the names below are forward references
        Annotated[FieldTest, Tag("<field>")],
        Annotated[EventTest, Tag("<event>")],
        Annotated[Silence, Tag("<no_event_for_days>")],
        Annotated[All, Tag("<all>")],
        Annotated[Some, Tag("<any>")],
        Annotated[Not, Tag("<not>")],
    ],
    Discriminator(_kind),
]
for _part in (All, Some, Not):
    _part.model_rebuild()


def leaves(test: Any) -> Iterator[Any]:
    """The tests that have no parts, in the order in which they are written."""
    match test:
        case All():
            parts = test.all
        case Some():
            parts = test.any
        case Not():
            parts = [test.not_]
        case _:
            yield test
            return
    for part in parts:
        yield from leaves(part)
