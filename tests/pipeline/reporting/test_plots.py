"""Figures: drawn without warnings from any fold, repeatable, fit to stand side by side in a page."""

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from features.arrays import Floats
from pipeline.reporting import charts, drawing, plots


def world(n: int, base: float = -3.0) -> tuple[Floats, dict[str, Floats]]:
    """Labels, and what three models made of them."""
    rng = np.random.default_rng(1)
    z = rng.normal(base, 1.2, n)
    p = 1 / (1 + np.exp(-z))
    y = (rng.random(n) < p).astype(float)
    return y, {"model": p, "logistic": np.clip(p * 1.2, 0, 1), "base_rate": np.full(n, 0.05)}


SLICES = [
    {"name": "$x_1^$ <b>", "observed_over_expected": 0.0, "interval": [0.0, 9.0]},
    {
        "name": "a very long name that nobody would read to its end",
        "observed_over_expected": 1.1,
        "interval": [0.9, 1.3],
    },
    {"name": "", "observed_over_expected": None, "interval": None},
]


def weeks(n: int) -> list[dict[str, Any]]:
    """Weeks as in reports/weekly.json; in one of them nobody was open."""
    some = {"taken": {"model": 3.0, "base_rate": 3.0}, "converted": {"model": 2.0, "base_rate": 0.4}}
    none = {"taken": {"model": 0.0, "base_rate": 0.0}, "converted": {"model": 0.0, "base_rate": 0.0}}
    return [
        {"at": f"2025-01-{1 + k:02}", "open": 40 * (k != 3), "converting": 2 * (k != 3), **(none if k == 3 else some)}
        for k in range(min(n, 30))
    ]


def figures(y: Floats, predictions: dict[str, Floats]) -> dict[str, plots.Figure]:
    """Every figure there is."""
    months = [f"2025-{1 + i % 12:02d}" for i in range(len(y))]
    return {
        "reliability": plots.reliability(y, predictions, np.arange(len(y)), 1),
        "gain": plots.gain(y, predictions),
        "lift": plots.lift(y, predictions),
        "labels": plots.scores_by_label(y, predictions["model"]),
        "months": plots.by_month(months, y, predictions["model"], np.arange(len(y))),
        "weeks": charts.precision_by_week(weeks(len(y)), ["model", "base_rate"]),
        "slices": charts.calibration_by_slice(SLICES),
    }


def test_no_two_lines_are_drawn_alike() -> None:
    """Whoever cannot go by colour goes by the dashes."""
    styles = [drawing.dash_of(name) for name in drawing.COLOURS]
    assert len({str(style) for style in styles}) == len(styles) == 5


@pytest.mark.parametrize("n", [1, 7, 2000])
@pytest.mark.parametrize("only", [None, 0.0, 1.0])
def test_any_fold_can_be_drawn(n: int, only: float | None) -> None:
    """One row, few rows, one class: every figure is drawn as SVG, without a warning."""
    y, predictions = world(n)
    y = y if only is None else np.full(n, only)
    for name, figure in figures(y, predictions).items():
        ElementTree.fromstring(drawing.svg(figure, name, name))  # noqa: S314 (our own)


def test_certain_and_empty_predictions_can_be_drawn() -> None:
    """Probabilities of 0 and 1 and empty lists do not break a figure."""
    y = np.array([0.0, 1.0, 0.0])
    drawing.png(plots.scores_by_label(y, y))
    drawing.png(plots.reliability(y, {"model": y}, np.arange(3), 1))
    drawing.png(charts.precision_by_week([], ["model"]))
    drawing.png(charts.calibration_by_slice([]))


def test_the_band_is_as_wide_as_looks_at_one_lead_make_it() -> None:
    """Ten looks at a lead are one trial: as if independent, many dots of a perfect model would lie outside."""
    rng, outside = np.random.default_rng(2), []
    for _ in range(20):
        right = rng.beta(2, 12, 600)
        lead = np.repeat(np.arange(600), 10)
        y, p = (rng.random(600) < right)[lead].astype(float), right[lead]
        axes = plots.reliability(y, {"model": p}, lead, 1).axes[0]
        band, (dots,) = axes.collections[0].get_paths()[0].vertices, [at for at in axes.lines if at.get_marker() == "o"]
        across, up = np.asarray(dots.get_data(), dtype=np.float64)
        sides = np.array([np.sort(np.unique(band[np.isclose(band[:, 0], x), 1]))[[0, -1]] for x in across])
        outside.append((up < sides[:, 0]) | (up > sides[:, 1]))
    assert 0.01 < np.mean(outside) < 0.12


def test_the_same_data_give_the_same_bytes() -> None:
    """No dates and no random ids: SVG and PNG are repeatable."""
    y, predictions = world(500)
    one, two = figures(y, predictions), figures(y, predictions)
    for name in one:
        assert drawing.svg(one[name], name, "") == drawing.svg(two[name], name, "")
        assert drawing.png(one[name]) == drawing.png(two[name])


def test_figures_stand_in_one_page() -> None:
    """Ids of two figures never collide, references stay whole, and nothing is loaded."""
    drawn = {name: drawing.svg(figure, name, "<says>") for name, figure in figures(*world(500)).items()}
    ids = [i for text in drawn.values() for i in re.findall(r'\bid="([^"]+)"', text)]
    assert len(ids) == len(set(ids))
    for text in drawn.values():
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(re.findall(r'\bid="([^"]+)"', text))
        assert not re.search(r"https?://", re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))
        assert 'aria-label="&lt;says&gt;"' in text


def test_figures_follow_the_pages_theme() -> None:
    """Ink and series colours are the page's variables, so that they are seen on dark paper too."""
    text = drawing.svg(plots.gain(*world(500)), "gain", "gain")
    assert {"var(--ink)", "var(--model)", "var(--logistic)"} <= set(re.findall(r"var\([^)]*\)", text))
    assert not [colour for colour in drawing.VARIABLES if colour in text]
