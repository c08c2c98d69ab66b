"""What a lead and a conversion are, and what of a lead is looked at."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from features.columns import Group, Kind
from features.vocabulary import YES
from models.points.criteria import criteria_of
from models.points.when import LONGEST_D
from pipeline.params.section import Section

EventGroup = Literal["intent", "engagement", "seller", "ignore"]


class Conversion(Section):
    """What counts as converted: a stage entered, or an event, within a horizon in days."""

    stage: str | None = None
    event: str | None = None
    within_days: float = Field(90, gt=0, le=LONGEST_D)
    repeats: bool = False

    @model_validator(mode="before")
    @classmethod
    def _default_stage(cls, given: Any) -> Any:
        if isinstance(given, dict) and "stage" not in given and "event" not in given:
            return {**given, "stage": "won"}
        return given

    @model_validator(mode="after")
    def _one_kind(self) -> "Conversion":
        if (self.stage is None) == (self.event is None):
            raise ValueError(f"expected either stage or event, got stage {self.stage!r} and event {self.event!r}")
        if self.repeats and self.event is None:
            raise ValueError("repeats needs an event: a stage closes its lead")
        return self


class Snapshots(Section):
    """When a lead is looked at: at ages in days since its opening, or at fixed instants."""

    ages_days: list[Annotated[float, Field(ge=0, le=LONGEST_D)]] = [0, 1, 3, 7, 14, 21, 30, 45, 60, 90]
    at: list[datetime] = []

    @model_validator(mode="after")
    def _sorted(self) -> "Snapshots":
        if not self.at and not self.ages_days:
            raise ValueError("expected ages_days or at; both are empty")
        if sorted(set(self.ages_days)) != list(self.ages_days):
            raise ValueError(f"ages_days must increase, got {self.ages_days}")
        return self


class Attribute(Section):
    """How a column is read; what is left out is inferred."""

    kind: Kind | None = None
    group: Group | None = None
    mutable: bool = False


class Slices(Section):
    """Columns of categories by which figures are broken down; null: the first that has a well-known name."""

    source: str | None = None
    campaign: str | None = None
    segment: str | None = None


class Definition(Section):
    """What marketing and sales agree a lead and a conversion are."""

    conversion: Conversion = Conversion(stage="won")
    terminal: list[str] = ["won", "lost", "disqualified"]
    reopens: list[str] = ["recycled"]
    snapshots: Snapshots = Snapshots()
    attributes: Literal["auto"] | dict[str, Attribute] = "auto"
    exclude: list[str] = []
    slices: Slices = Slices()
    events: dict[str, EventGroup] = {}
    criteria: dict[str, Any] = {}
    """Name to words, or to `words` and `when`, as models/points/criteria.py reads them."""
    language: Literal["en", "fi", "sv"] = "en"
    """Of the page on which marketing and sales agree."""
    horizons: list[Annotated[float, Field(gt=0, le=LONGEST_D)]] = []
    """Days within which probabilities are given, rising to conversion.within_days; empty: that one alone."""
    positive: list[str] = sorted(YES)
    """Texts of `converted` (case folded) that mean yes."""

    @model_validator(mode="after")
    def _rising(self) -> "Definition":
        days, last = self.horizons, self.conversion.within_days
        if sorted(set(days)) != days:
            raise ValueError(f"horizons must rise, got {days}")
        if days and days[-1] != last:
            raise ValueError(f"the last of horizons must be conversion.within_days, {last:g}, got {days}")
        return self

    @field_validator("criteria")
    @classmethod
    def _readable(cls, given: dict[str, Any]) -> dict[str, Any]:
        criteria_of(given)
        return given

    def attribute(self, name: str) -> Attribute:
        """What the user said of a column; nothing said is an empty Attribute."""
        return Attribute() if self.attributes == "auto" else self.attributes.get(name, Attribute())
