"""reports/report.html: one page, without a network, that says how good the model is and what it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import wording
from pipeline.findings import Check
from pipeline.summary import rivals
from pipeline.verdict import cautions, headline, verdict

TEMPLATES = Path(__file__).parent / "templates"
MOST_FEATURES = 20
"""Features that get a bar."""
GROUPS = {
    "fit": "fit: who they are",
    "engagement": "engagement: how active",
    "intent": "intent: signs of buying",
}


@dataclass(frozen=True)
class Figure:
    """A picture; `svg` is an <svg> element of drawing.svg and is trusted, unlike every other text here."""

    title: str
    caption: str
    svg: str


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
    points: Mapping[str, Any] = field(default_factory=dict)
    """reports/points.json: how hand-tuned points compare."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """reports/policy.json: threshold, weekly volumes, whether expected values add up."""


def render_report(content: ReportContent) -> str:
    """The page. Texts are escaped; nothing is loaded from anywhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(
        percent=wording.percent, number=wording.number, count=wording.count, span=wording.span,
        day=wording.day, name=wording.name_of,
    )  # fmt: skip
    return environment.get_template(
        "report.html"
    ).render(
        content=content,
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        figures=[(figure, Markup(figure.svg)) for figure in content.figures],  # noqa: S704 (drawing.svg's)
        headline=headline(content.metrics, content.intervals),
        verdict=verdict(content.metrics, content.intervals),
        warnings=[*content.warnings, *cautions(content.metrics, content.intervals)],
        models=_models(content),
        weekly=_weekly(content),
        groups=_bars({GROUPS.get(name, name): value for name, value in by_group(content.importance).items()}),
        features=_bars(content.importance)[:MOST_FEATURES],
        percent=wording.percent,
        number=wording.number,
        money=lambda value, _: wording.count(value),
    )


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


def by_group(importance: Mapping[str, float]) -> dict[str, float]:
    """Sum of the mean absolute contributions of each group's features."""
    found: dict[str, float] = {}
    for name, value in importance.items():
        group = name.split("_", 1)[0]
        found[group] = found.get(group, 0.0) + value
    return found


def _bars(values: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Name, value and share of the largest, the largest first."""
    top = max(values.values(), default=0.0) or 1.0
    return [(name, value, value / top) for name, value in sorted(values.items(), key=lambda item: -item[1])]
