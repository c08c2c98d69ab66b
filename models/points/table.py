"""A table of hand-tuned points as people write it (contract section 8): rules, caps, thresholds."""

from collections.abc import Iterator
from datetime import date, datetime
from math import inf
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo
from pydantic import model_validator as checks

from models.nearest import nearest
from models.points.when import All, Days, EventTest, Part, Test

TOTAL = "mql"
"""The threshold of this name is for the sum over all groups."""


def _named(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _instant(value: Any, info: ValidationInfo) -> Any:
    """A date is its midnight; an instant without an offset is in the zone of the context."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"expected a date or an ISO 8601 time, got {value!r}") from error
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=info.context["zone"] if info.context else None)
    return value


Instant = Annotated[datetime, BeforeValidator(_instant)]
Name = Annotated[str, BeforeValidator(_named), Field(min_length=1)]


class Decay(Part):
    """`percent` of the original points go at each full period of the event's age; or all at `expires_days`."""

    percent: float | None = Field(None, gt=0, le=100)
    every_days: Days | None = None
    expires_days: Days | None = None

    @checks(mode="after")
    def _whole(self) -> "Decay":
        if self.percent is not None and self.every_days is None:
            raise ValueError(f"every_days: is missing; after how many days are {self.percent:g} percent taken away?")
        if self.every_days is not None and self.percent is None:
            raise ValueError(f"percent: is missing; what share is taken away every {self.every_days:g} days?")
        if self.percent is None and self.expires_days is None:
            raise ValueError("every_days: expected percent and every_days, or expires_days; none is given")
        return self


class Rule(Part):
    """Points for what a test says of a lead at an instant."""

    id: Name
    group: Name = "points"
    when: Test
    points: float | None = None
    each: bool = False
    """Points for every event that counts, not once."""
    max: float | None = None
    """The rule gives no more; of negative points, no less: the sign may be left out."""
    max_per_day: float | None = None
    """The same of what the events of one calendar day (in source.timezone) give."""
    decay: Decay | None = None
    auto_qualify: bool = False
    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None
    """The rule holds from `from` on and before `until`."""

    @checks(mode="after")
    def _fits(self) -> "Rule":
        if self.points is None and not self.auto_qualify:
            raise ValueError("points: is missing; give a number")
        for key in ("max", "max_per_day"):
            if getattr(self, key) == 0:
                raise ValueError(f"{key}: is 0, so the rule could never give a point; leave the rule out")
        if self.max_per_day is not None and not self.each:
            raise ValueError("max_per_day: bounds what the events of a day give, so it needs each: true")
        for key in ("each", "decay"):
            if getattr(self, key) and len(list(self.own_events())) != 1:
                raise ValueError(
                    f"{key}: needs exactly one event test in when (alone or below all), found"
                    f" {len(list(self.own_events()))}; write `event: [one, other]`, or a rule for each"
                )
        if self.from_ and self.until and self.from_ >= self.until:
            raise ValueError(f"until: {self.until.isoformat()} is not after from, {self.from_.isoformat()}")
        return self

    def parts(self) -> Iterator[Any]:
        """The tests that all must hold."""
        waiting = [self.when]
        while waiting:
            test = waiting.pop(0)
            if isinstance(test, All):
                waiting = [*test.all, *waiting]
            else:
                yield test

    def own_events(self) -> Iterator[EventTest]:
        """The event tests among them: whose events `each` and `decay` speak of."""
        return (test for test in self.parts() if isinstance(test, EventTest))

    def most(self) -> float:
        """No lead gets more from this rule."""
        points = self.points or 0.0
        if points <= 0:
            return 0.0
        if self.max is not None:
            return abs(self.max) if self.each else min(points, abs(self.max))
        return inf if self.each else points


class PointsTable(Part):
    """All of points.yaml."""

    rules: list[Rule] = Field(min_length=1)
    caps: dict[str, tuple[float | None, float | None]] = Field({})
    """By group; null is an open end."""
    exclude: list[Test] = Field([])
    """A lead that one of these holds of does not qualify."""
    thresholds: dict[str, float] = Field({})
    sources: list[str] = Field([])
    """Kinds of source that the table is for; runs on others do without it, and say so. None: for any."""

    @checks(mode="after")
    def _fits(self) -> "PointsTable":
        for problem in (*self._rules_clash(), *self._caps_clash(), *self._out_of_reach()):
            raise ValueError(problem)
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """In the order of their first rule."""
        return tuple(dict.fromkeys(rule.group for rule in self.rules))

    def cap(self, group: str) -> tuple[float, float]:
        """Least and most of a group."""
        low, high = self.caps.get(group, (None, None))
        return -inf if low is None else low, inf if high is None else high

    def most(self, group: str) -> float:
        """More points than this nobody has in a group. What excludes what is not considered."""
        low, high = self.cap(group)
        return min(max(sum(rule.most() for rule in self.rules if rule.group == group), low), high)

    def _rules_clash(self) -> Iterator[str]:
        ids: set[str] = set()
        groups: dict[str, str] = {}
        for rule in self.rules:
            if rule.id in ids:
                yield f"rule {rule.id}: id: is given twice; give each rule its own"
            if rule.group == TOTAL:
                yield f"rule {rule.id}: group: {TOTAL} stands for the sum of all groups; give another name"
            if groups.setdefault(rule.group.casefold(), rule.group) != rule.group:
                other = groups[rule.group.casefold()]
                yield f"rule {rule.id}: group: {rule.group!r} and {other!r} differ only in case; write one of them"
            ids.add(rule.id)

    def _caps_clash(self) -> Iterator[str]:
        for group in self.caps:
            if group not in self.groups:
                yield f"caps.{group}: no rule has this group; {nearest(group, self.groups)}"
            low, high = self.cap(group)
            if low > high:
                yield f"caps.{group}: the ends overlap: at least {low:g}, at most {high:g}; give the lower end first"

    def _out_of_reach(self) -> Iterator[str]:
        names = (TOTAL, *self.groups)
        for name, threshold in self.thresholds.items():
            if name not in names:
                yield f"thresholds.{name}: no rule has this group; {nearest(name, names)}"
                continue
            most = sum(map(self.most, self.groups)) if name == TOTAL else self.most(name)
            if threshold > most:
                yield f"thresholds.{name}: nobody can reach {threshold:g}: rules and caps give {most:g} at most"
