"""params.yaml, read once into typed, frozen objects. A typo is an error that names the key."""

import copy
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.columns import Group, Kind
from features.vocabulary import YES
from models.nearest import nearest
from models.points.criteria import criteria_of
from models.points.when import LONGEST_D
from pipeline.errors import Stop
from pipeline.yamls import read_yaml

EventGroup = Literal["intent", "engagement", "seller", "ignore"]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """Frozen and strict about its keys; a number is a number, not .nan or .inf."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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


class Split(Section):
    """Folds by time, or without dates by a hash of the id or in file order."""

    test_fraction: Fraction = 0.25
    calibration_fraction: Fraction = 0.15
    test_from: datetime | None = None
    order: Literal["time", "file"] = "time"


class Validate(Section):
    """How many refused rows are too many."""

    max_quarantined_fraction: float = Field(0.02, ge=0, le=1)


class Train(Section):
    """The booster's settings and the size of its bag."""

    seed: int = Field(7, ge=0)
    least_converting: int = Field(30, ge=2)
    """The run stops where fewer leads that converted are known when the test begins."""
    bags: int = Field(5, ge=2, le=50)
    num_leaves: int = Field(16, ge=2, le=256)
    max_depth: int = Field(5, ge=1, le=63)
    learning_rate: float = Field(0.12, gt=0, le=1)
    max_rounds: int = Field(600, ge=1)
    early_stopping_rounds: int = Field(40, ge=1)
    feature_fraction: float = Field(0.72, gt=0, le=1)
    bagging_fraction: float = Field(0.97, gt=0, le=1)
    min_data_in_leaf: int = Field(27, ge=1)
    lambda_l1: float = Field(0.92, ge=0)
    lambda_l2: float = Field(1.66, ge=0)
    masked_fraction: float = Field(0.2, ge=0, lt=1)
    threads: int = Field(2, ge=1)
    soft_labels: bool = True
    """Learn what a first model says of a lead some days later, not the bare outcome (models/learning/soft.py)."""
    refresh_intercept: bool = False
    """Shift the probabilities by what the early conversions of recent leads say (models/learning/refresh.py)."""


class Leaks(Section):
    """What is too good to be true, and what may be all the same."""

    allow: list[str] = []
    """Columns, event types or stages (or features by name) that were known in time, however much they tell."""
    feature_auc: float = Field(0.9, gt=0.5, le=1)
    """A single feature above this stops the run, in either direction; …"""
    missing_auc: float = Field(0.75, gt=0.5, le=1)
    """… as does one whose being missing is above this, …"""
    level_odds: float = Field(25, gt=1)
    """Leads that share a value, or have any, stop the run where most of them convert, at more than so many times the
    odds of the others, …"""
    test_auc: float = Field(0.95, gt=0.5, le=1)
    """… and a model above this on the test fold."""
    examples: int = Field(200, ge=1, le=10_000)
    """Examples whose features and scores are made again from what was known."""


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


class Tracking(Section):
    """Where MLflow files the runs."""

    experiment: str = "leadscore"
    model: str = "lead-conversion"
    required: bool = False
    """True: a run that cannot be tracked fails."""


class Params(Section):
    """All of params.yaml."""

    source: Source
    definition: Definition = Definition()
    split: Split = Split()
    validate_: Validate = Field(Validate(), alias="validate")
    train: Train = Train()
    leaks: Leaks = Leaks()
    policy: Policy = Policy()
    points: Path | None = None
    compare: Compare = Compare()
    tracking: Tracking = Tracking()

    @model_validator(mode="before")
    @classmethod
    def _in_zone(cls, given: Any) -> Any:
        """Instants without an offset are in source.timezone, as those of the tables are."""
        return localised(given) if isinstance(given, dict) else given


SECTIONS = tuple((field.alias or name) for name, field in Params.model_fields.items())


def localised(given: dict[str, Any]) -> dict[str, Any]:
    """A copy of params.yaml's mapping in which naive instants have the offset of source.timezone."""
    source = given.get("source")
    name = source.get("timezone", "UTC") if isinstance(source, dict) else "UTC"
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        return given  # the field's own validator says what is wrong
    changed = copy.deepcopy(given)
    for place, key in ((("source",), "until"), (("split",), "test_from"), (("definition", "snapshots"), "at")):
        at: Any = changed
        for part in place:
            at = at.get(part) if isinstance(at, dict) else None
        if isinstance(at, dict) and key in at:
            value = at[key]
            at[key] = [_aware(v, zone) for v in value] if isinstance(value, list) else _aware(value, zone)
    return changed


def _aware(value: Any, zone: ZoneInfo) -> Any:
    """A YAML instant or text with an offset; what is no instant stays for the field's own validator."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=zone) if isinstance(value, datetime) and value.tzinfo is None else value


def parse_params(text: str, place: str) -> Params:
    """Params of a YAML text. Raises Stop, which names each wrong key of `place`."""
    given = read_yaml(text, place)
    if not isinstance(given, dict):
        came = "nothing" if given is None else f"a {type(given).__name__}"
        raise Stop(f"{place}: expected keys such as `source: {{kind: simulated}}`, got {came}")
    try:
        return Params.model_validate(given)
    except ValidationError as error:
        raise Stop("\n".join(_say(place, problem) for problem in error.errors())) from error


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Params of a file. Raises Stop where it cannot be read or is wrong."""
    try:
        return parse_params(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise Stop(f"{path}: cannot be read ({error.strerror}); run from the project's folder") from error
    except UnicodeDecodeError as error:
        raise Stop(f"{path}: expected UTF-8 text: {error.reason} at byte {error.start}") from error


def _nearest(parts: list[str]) -> str:
    """The keys that there are beside a wrong one, and which of them may have been meant."""
    model: Any = Params
    for part in parts[:-1]:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        model = None if field is None else field.annotation
        if not hasattr(model, "model_fields"):
            return "leave it out"
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return nearest(parts[-1], keys)


def _say(place: str, problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(top)"
    if problem["type"] == "extra_forbidden":
        return f"{place}: {key}: unknown key; {_nearest([str(part) for part in problem['loc']])}"
    if problem["type"] == "missing":
        return f"{place}: {key}: is missing; give a value"
    if problem["type"] == "model_type":
        return f"{place}: {key}: expected keys and values under it, got {problem['input']!r}"
    if problem["type"] == "value_error":
        return f"{place}: {key}: {problem['ctx']['error']}"
    return f"{place}: {key}: {problem['msg']}, got {problem['input']!r}"
