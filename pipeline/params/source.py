"""Where the tables come from, and how many of their rows may be refused."""

from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from pipeline.params.section import Section


class Simulated(Section):
    """How large an imagined company, and of which kind."""

    leads: int = Field(20_000, ge=1)
    seed: int = Field(1, ge=0)
    world: str = "company"


class Source(Section):
    """Where the lead tables come from and how their text is read."""

    kind: Literal["simulated", "tables"]
    path: Path = Path("data/source")
    timezone: str = "UTC"
    until: datetime | None = None
    columns: dict[str, str] = {}
    """Ours to theirs: `{lead_id: "Prospect ID"}`."""
    na_values: list[str] = []
    separator: str = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    """The thousands separator; by default there is none. A space also stands for a narrow or a no-break space."""
    encoding: str = "utf-8"
    date_format: str | None = None
    """strptime pattern of every time column, or `excel` for serial dates; default ISO 8601."""
    simulated: Simulated = Simulated()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {name!r}; expected a name like Europe/Helsinki") from error
        return name

    @field_validator("separator")
    @classmethod
    def _one_byte(cls, mark: str) -> str:
        if len(mark) != 1 or not mark.isascii() or mark in '"\r\n\0':
            raise ValueError(f"expected one character of ASCII such as ; or a tab, and no quote, got {mark!r}")
        return mark

    @model_validator(mode="after")
    def _two_marks(self) -> "Source":
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; expected two marks")
        return self

    @field_validator("date_format")
    @classmethod
    def _pattern(cls, form: str | None) -> str | None:
        if form is not None and form != "excel" and "%" not in form:
            raise ValueError(f'expected a pattern such as "%d.%m.%Y %H:%M", or excel, got {form!r}')
        return form

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError as error:
            raise ValueError(f"no encoding is called {name!r}; expected one like utf-8 or cp1252") from error
        return name


class Validate(Section):
    """How many refused rows are too many."""

    max_quarantined_fraction: float = Field(0.02, ge=0, le=1)
