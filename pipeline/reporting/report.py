"""reports/report.html: one page, without a network, that says how good the model is and what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from models.judging.slices import off
from pipeline.leaks.findings import Check
from pipeline.reporting import quarter
from pipeline.reporting.pages import page_environment, unbroken
from pipeline.reporting.summary import rivals
from pipeline.reporting.verdict import cautions, headline, verdict

MOST_FEATURES = 20
"""Features that get a bar."""
GROUPS = {
    "fit": "fit: who they are",
    "engagement": "engagement: how active they are",
    "intent": "intent: buying signals",
}
PARTS = {
    "weeks": "Week by week, with a team of fixed capacity",
    "calibration": "Can the probabilities be taken at their word?",
    "gain": "Gain and lift",
    "points": "Who comes in and who goes out, against the points",
    "matters": "What matters",
    "leads": "Example leads, with their reasons",
    "stability": "Does it hold in every month, age, source and segment?",
    "policy": "Thresholds and weekly volumes",
    "funnel": "The funnel",
    "accounts": "Accounts and their buying groups",
    "quality": "Data quality",
    "leaks": "Leak checks",
    "limits": "Limits and warnings",
    "model": "The model and its folds",
}
"""The sections after the verdict, in the order of reading. Each has a template of its name, with what stands below the
heading; one that says nothing, for want of its content, is left out with its heading."""


@dataclass(frozen=True)
class Figure:
    """A picture; `svg` is an <svg> element of drawing.svg and is trusted, unlike every other text here."""

    title: str
    caption: str
    """Says how to read it."""
    svg: str
    name: str
    """By which a template asks for it."""


@dataclass(frozen=True)
class Feature:
    """A feature as the kernel makes it, or an attribute as the table gives it."""

    name: str
    group: str
    kind: str
    note: str = ""


@dataclass(frozen=True)
class Refused:
    """One example of a quarantined row."""

    table: str
    row: int
    """Its place in the input, from 0."""
    code: str
    reason: str


@dataclass(frozen=True)
class ReportContent:
    """All that the page says, in plain types: `asdict` of it is JSON. Only the first two are needed."""

    title: str
    metrics: Mapping[str, Any]
    """reports/metrics.json: `test`, `test_one_per_lead`, `validation`, `baselines.<name>`, `truth`."""
    subtitle: str = ""
    """What is predicted: “won within 90 days, of the leads that were open”."""
    intervals: Mapping[str, Any] = field(default_factory=dict)
    """reports/intervals.json: `test`, `baselines.<name>`, `difference.<name>`, each metric → (low, high)."""
    warnings: tuple[str, ...] = ()
    """Besides those that follow from the metrics."""
    figures: tuple[Figure, ...] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    """Feature → mean absolute contribution in log odds. The group is what the name starts with."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Feature → what it measures, in plain words."""
    belief: Mapping[str, float] = field(default_factory=dict)
    """Attribute → how far the gains of its splits counted, in [0, 1]."""
    leads: tuple[Mapping[str, Any], ...] = ()
    """Of portraits.portraits."""
    outcome: str = "conversions"
    """What conversions are called: deals, where leads are won."""
    features: tuple[Feature, ...] = ()
    quality: Mapping[str, Any] = field(default_factory=dict)
    """reports/validation.json: table → `read`, `accepted`, `quarantined` and `excluded` by code."""
    refused: tuple[Refused, ...] = ()
    """A few rows of each code."""
    personal: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Table → column that was dropped as personal → why."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Column that is no feature → why."""
    leaks: tuple[Check, ...] = ()
    """reports/leaks.json: every check that the run passed, or that does not apply to its data."""
    folds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Fold → `examples`, `leads`, `converting_leads`, `as_of` [first, last] or None; immature among them."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else to know of the model: digest, trees, versions, times."""
    calibration: Mapping[str, Any] = field(default_factory=dict)
    """The chosen one: `kind` and `coefficients`."""
    candidates: Mapping[str, float] = field(default_factory=dict)
    """Calibration kind → cross-validated log loss."""
    weekly: Mapping[str, Any] = field(default_factory=dict)
    """reports/weekly.json: `kind`, and `reason` where there are no weeks."""
    slices: Mapping[str, Any] = field(default_factory=dict)
    """reports/calibration.json: `test` and `by`."""
    links: Mapping[str, str] = field(default_factory=dict)
    """What another page is about → its file, beside this one: {"What a lead is": "lead-definition.html"}."""
    points: Mapping[str, Any] = field(default_factory=dict)
    """reports/points.json: how hand-tuned points compare."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """reports/policy.json: threshold, weekly volumes, whether expected values add up."""
    funnel: Mapping[str, Any] = field(default_factory=dict)
    """reports/funnel.json, or `reason` where there is no funnel."""
    accounts: Mapping[str, Any] = field(default_factory=dict)
    """reports/accounts.json, or `reason` where accounts have no probability."""


def render_report(content: ReportContent) -> str:
    """The page. Texts are escaped; nothing is loaded from anywhere."""
    environment = page_environment()
    told = _told(content)
    parts = [
        (name, title, Markup(body))  # noqa: S704 (our own template's)
        for name, title in PARTS.items()
        if (body := environment.get_template(f"{name}.html").render(told).strip())
    ]
    return unbroken(environment.get_template("report.html").render(told, parts=parts))


def without_leads(content: ReportContent) -> ReportContent:
    """The same for the tracking store, which others read than those who may look at leads: nothing of a single one,
    or of a single account."""
    return replace(content, leads=(), accounts={k: v for k, v in content.accounts.items() if k != "accounts"})


def _told(content: ReportContent) -> dict[str, Any]:
    """What the templates speak of."""
    found = quarter.quarter(content.metrics, content.intervals)
    first = [quarter.said(found, content.outcome)] if found else []
    groups = {f"group.{name}": value for name, value in by_group(content.importance).items()}
    words = {f"group.{name}": text for name, text in GROUPS.items()}
    return {
        "content": content,
        "points": content.points,
        "policy": content.policy,
        "pictures": {figure.name: figure for figure in content.figures},
        "verdict": [*first, headline(content.metrics, content.intervals), *verdict(content.metrics, content.intervals)],
        "how": quarter.how(found, content.metrics["weekly"]) if found else "",
        "tiles": quarter.tiles(content.metrics, content.intervals, content.outcome),
        "warnings": [*content.warnings, *cautions(content.metrics, content.intervals)],
        "models": _models(content),
        "slices": sum(len(slicing["slices"]) for slicing in content.slices.get("by", {}).values()),
        "off": _off(content.slices),
        "weekly": _weekly(content),
        "groups": [(label, "", *rest) for label, _, *rest in _bars(groups, words)],
        "features": _bars(content.importance, content.words)[:MOST_FEATURES],
        "silent": [content.words.get(name, name) for name, believed in content.belief.items() if believed == 0],
    }


def _models(content: ReportContent) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Name, metrics and intervals of the model and of each baseline."""
    spans = content.intervals.get("baselines", {})
    others = [(name, content.metrics["baselines"][name], spans.get(name, {})) for name in rivals(content.metrics)]
    return [("model", content.metrics["test"], content.intervals.get("test", {})), *others]


def _weekly(content: ReportContent) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """The same of the weekly replay; none where there is none."""
    found, spans = content.metrics.get("weekly", {}), content.intervals.get("weekly", {})
    names = ["model", *rivals(content.metrics)]
    return [(name, found[name], spans.get(name, {})) for name in names if name in found]


def _off(slices: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The slices that chance does not explain, and by what they are sliced."""
    every = [(by, row) for by, slicing in slices.get("by", {}).items() for row in slicing["slices"]]
    return [one for one, is_off in zip(every, off([row for _, row in every]), strict=True) if is_off]


def by_group(importance: Mapping[str, float]) -> dict[str, float]:
    """Sum of the mean absolute contributions of each group's features."""
    found: dict[str, float] = {}
    for name, value in importance.items():
        group = name.split("_", 1)[0]
        found[group] = found.get(group, 0.0) + value
    return found


def _bars(values: Mapping[str, float], words: Mapping[str, str]) -> list[tuple[str, str, str, float, float]]:
    """Words, name, key, value and share of the largest, the largest first. Without words the name stands alone."""
    top = max(values.values(), default=0.0) or 1.0
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return [
        (words.get(name, name), name if words.get(name, name) != name else "", f"matters.{name}", value, value / top)
        for name, value in ordered
    ]
