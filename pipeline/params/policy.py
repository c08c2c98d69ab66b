"""What is done with a probability, and how points are held against it."""

from typing import Literal

from pydantic import Field, model_validator

from models.points.when import LONGEST_D
from pipeline.params.section import Section


class NetBenefit(Section):
    """A call is worth its cost at or above the probability of cost over value."""

    call_cost: float = Field(gt=0)
    deal_value: float | None = Field(None, gt=0)
    """Null: the mean of the won deals."""


class Threshold(Section):
    """The probability at or above which a lead qualifies: one of three ways to say it."""

    keep: Literal["mql_volume"] | None = None
    """As many leads as qualified until now, by the points table or by the stage `mql`."""
    weekly_capacity: int | None = Field(None, ge=1)
    net_benefit: NetBenefit | None = None

    @model_validator(mode="after")
    def _one(self) -> "Threshold":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected one of keep, weekly_capacity and net_benefit, got {' and '.join(given) or 'none'}"
            )
        return self


class RouteRule(Section):
    """A lead comes into the route where all that is said holds."""

    route: str = Field(min_length=1)
    lift: float = Field(0, ge=0)
    """At least this many times the base rate."""
    deal: Literal["small", "large"] | None = None
    product_use: bool | None = None


ROUTES = (
    RouteRule(route="no_touch", lift=1, deal="small", product_use=True),
    RouteRule(route="high_touch", lift=1, deal="large", product_use=True),
    RouteRule(route="high_touch", lift=2),
    RouteRule(route="low_touch", lift=1),
    RouteRule(route="nurture", lift=0.5),
    RouteRule(route="recheck"),
)
"""A product that is used sells small deals by itself and makes a large one worth a person's time."""
PRODUCT_EVENTS = ("product_use", "product_usage", "trial_start", "trial", "trial_signup", "feature_use", "app_login")


class Policy(Section):
    """What is done with a probability."""

    grades: dict[str, float] = {"A": 4, "B": 2, "C": 1, "D": 0.5}
    """At least this lift over the base rate; whatever is below the last gets `rest`."""
    rest: str = "E"
    routes: list[RouteRule] = list(ROUTES)
    """The first rule that holds; the last holds for every lead."""
    leave: float = Field(0.8, gt=0, le=1)
    """A lead leaves its route below this share of the level at which it came in."""
    large_deal: float | None = Field(None, gt=0)
    """The value at or above which a deal is large; null: the mean of the won deals."""
    product_events: list[str] = list(PRODUCT_EVENTS)
    """Types of event that show that the product is used, or tried."""
    threshold: Threshold | None = None
    """Null: the volume of the points table is kept, where there is one; else there is no threshold."""
    scale: Literal["percentile", "continuity"] = "percentile"
    """What the score of 0 to 100 means: the percentile, or that the old threshold lets in the same volume."""
    mark: int | None = Field(None, ge=1, le=100)
    """The score of the threshold on the scale of continuity; null: the points table's threshold `mql`."""
    weekly_capacity: int | None = Field(None, ge=1)
    """How many leads a team can take a week; null: a tenth of those that come in."""

    @model_validator(mode="after")
    def _falling(self) -> "Policy":
        levels = list(self.grades.values())
        if sorted(set(levels), reverse=True) != levels or any(level <= 0 for level in levels):
            raise ValueError(f"grades must fall and be above 0, got {self.grades}")
        return self

    @model_validator(mode="after")
    def _every_lead(self) -> "Policy":
        last = self.routes[-1] if self.routes else None
        if last is None or last.lift > 0 or last.deal is not None or last.product_use is not None:
            raise ValueError(f"the last of routes must take every lead: only `route`, got {last}")
        return self


class Compare(Section):
    """How hand-tuned points are held against what happened and against the model."""

    tolerance_days: float = Field(1, ge=0, le=LONGEST_D)
    """A replayed MQL date agrees with the actual one when they are no further apart."""
    randomly_worked: str | None = None
    """A column of leads that is true of those who were worked whatever their points were."""
