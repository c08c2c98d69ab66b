"""Figures: drawn from arrays by matplotlib, written as inline SVG for the report and as PNG for MLflow.

Imported lazily by its callers: matplotlib takes most of a second. Colours are Okabe and Ito's, which people with
any colour vision can tell apart; lines differ in their dashes too.
"""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from features.arrays import Array, Floats
from models.bayes import bins, quantile_edges
from models.ranking import found, ranking, taken

INK, FAINT = "#1b2430", "#8a94a3"
COLOURS = {
    "model": "#0072b2",
    "logistic": "#d55e00",
    "naive_bayes": "#009e73",
    "points": "#cc79a7",
    "base_rate": "#7a7a7a",
}
DASHES = {"model": "-", "logistic": "--", "naive_bayes": "-.", "points": ":", "base_rate": ":"}
NAMES = {
    "model": "this model",
    "logistic": "logistic regression",
    "naive_bayes": "naive Bayes",
    "points": "hand-tuned points",
    "base_rate": "base rate",
}
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 10.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "leadscore",
}
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    **{colour: f"var(--{name.replace('_', '-')})" for name, colour in COLOURS.items()},
}
"""Colours that the page's light or dark theme decides in an inline SVG."""
WIDTH = 5.6
BAND_DRAWS = 2000
MOST_MONTHS = 12


def reliability(y: Floats, predictions: Mapping[str, Floats], seed: int, parts: int = 12) -> Figure:
    """What was promised against what came, with the range that chance allows a perfect model (95 %).

    y (n,) labels; predictions (n,) by name, the first being the model, which has the band and the histogram.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
        first = next(iter(predictions.values()))
        _consistency(above, first, parts, seed)
        tops = [_points(above, name, y, p, parts) for name, p in predictions.items()]
        top = min(1.0, 1.08 * max([*tops, 1e-3]))
        above.plot([0, top], [0, top], color=FAINT, linewidth=1, zorder=1)
        _roots(above, top)
        above.set_ylabel("converted")
        above.legend(loc="upper left")
        below.hist(first, bins=list(np.linspace(0, np.sqrt(top), 41) ** 2), color=_colour("model"), alpha=0.6)
        below.set_ylabel("examples")
        below.set_xlabel("predicted probability (square-root scale)")
        below.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        below.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(2))
        return figure


def _roots(axes: Axes, top: float) -> None:
    """Both axes from 0 to `top` by square root, which gives rare conversions room and still shows 0."""
    forth, back = (lambda x: np.sqrt(np.maximum(x, 0))), np.square
    ticks = [t for t in (0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1) if t <= top]
    ticks = ticks if len(ticks) > 2 else [0, top / 4, top]
    for axis in (axes.xaxis, axes.yaxis):
        axis.axes.set(**{f"{axis.axis_name}lim": (0, top)})
        getattr(axes, f"set_{axis.axis_name}scale")("function", functions=(forth, back))
        axis.set_ticks(ticks)
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))


def _consistency(axes: Axes, p: Floats, parts: int, seed: int) -> None:
    """Range of each bin's observed rate were labels drawn from the predictions themselves."""
    rng = np.random.default_rng(seed)
    part = bins(p, quantile_edges(p, parts))
    used, count = np.unique(part, return_counts=True)
    mean = np.array([p[part == k].mean() for k in used])
    drawn = rng.binomial(count, np.clip(mean, 0, 1), size=(BAND_DRAWS, len(used))) / count
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    axes.fill_between(mean, low, high, color=_colour("model"), alpha=0.18, linewidth=0, label="chance (95 %)")
    if len(used) == 1:
        axes.vlines(mean, low, high, color=_colour("model"), alpha=0.3)


def _points(axes: Axes, name: str, y: Floats, p: Floats, parts: int) -> float:
    part = bins(p, quantile_edges(p, parts))
    used = np.unique(part)
    expected = np.array([p[part == k].mean() for k in used])
    observed = np.array([y[part == k].mean() for k in used])
    marker = "o" if name == "model" else "s"
    axes.plot(
        expected, observed, _dash(name), marker=marker, markersize=4, color=_colour(name), label=_name(name)
    )
    return float(max(expected.max(), observed.max()))


def gain(y: Floats, predictions: Mapping[str, Floats]) -> Figure:
    """Share of the conversions found among the best-scored share of examples."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _single("best-scored share of examples", "share of conversions found")
        shares = np.linspace(0, 1, 201)
        for name, p in predictions.items():
            share = found(taken(ranking(y, p)), shares) / max(y.sum(), 1)
            axes.plot(shares, share, _dash(name), color=_colour(name), label=_name(name))
        axes.set(xlim=(0, 1), ylim=(0, 1.01))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(loc="lower right")
        return figure


def lift(y: Floats, predictions: Mapping[str, Floats]) -> Figure:
    """How many times the base rate converts among the best-scored share of examples."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _single("best-scored share of examples", "conversion rate over base rate")
        shares = np.linspace(0.01, 1, 100)
        for name, p in predictions.items():
            times = found(taken(ranking(y, p)), shares) / max(y.sum(), 1) / shares
            axes.plot(shares, times, _dash(name), color=_colour(name), label=_name(name))
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda times, _: f"{times:g}×"))
        axes.legend(loc="upper right")
        return figure


def bars(values: Mapping[str, float], xlabel: str, most: int = 20) -> Figure:
    """Horizontal bars, the largest first; at most `most`."""
    ordered = sorted(values.items(), key=lambda item: -item[1])[:most]
    with matplotlib.rc_context(STYLE):
        figure, axes = _single(xlabel, "", height=1.0 + 0.27 * max(len(ordered), 1))
        names = [name if len(name) <= 42 else f"{name[:41]}…" for name, _ in ordered]
        axes.barh(range(len(ordered)), [value for _, value in ordered], color=_colour("model"), height=0.7)
        axes.set_yticks(range(len(ordered)), [name.replace("$", r"\$") for name in names])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        return figure


def scores_by_label(y: Floats, p: Floats) -> Figure:
    """Distribution of the predictions, by log odds, of those that converted and those that did not."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _single("predicted probability (log odds scale)", "share of its class")
        q = np.clip(p, 1e-6, 1 - 1e-6)
        z = np.log(q / (1 - q))
        edges = np.linspace(z.min() - 0.05, z.max() + 0.05, 41).tolist()
        for label, name, colour in ((0, "did not convert", FAINT), (1, "converted", _colour("model"))):
            part = z[y == label]
            weights = np.full(len(part), 1 / max(len(part), 1))
            axes.hist(
                part, bins=edges, weights=weights, color=colour, alpha=0.55, label=f"{name} ({len(part):,})"
            )
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{100 / (1 + np.exp(-at)):.2g} %"))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(loc="upper right")
        return figure


def by_month(months: Sequence[str] | Array, y: Floats, p: Floats) -> Figure:
    """Conversion rate by month against the mean probability, with what chance allows around it (95 %).

    months (n,): texts that sort by time, like 2025-03. The last MOST_MONTHS of them are drawn wide apart.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = _single("", "conversion rate", height=3.2)
        names, month = np.unique(np.asarray(months), return_inverse=True)
        count = np.bincount(month)
        observed, expected = np.bincount(month, weights=y) / count, np.bincount(month, weights=p) / count
        spread = 1.96 * np.sqrt(np.bincount(month, weights=p * (1 - p))) / count
        at = np.arange(len(names))
        axes.errorbar(
            at, expected, yerr=np.stack([np.minimum(spread, expected), spread]), fmt="s", capsize=3,
            markersize=4, color=FAINT, label="predicted, and chance (95 %)",
        )  # fmt: skip
        axes.plot(at, observed, "o", markersize=6, color=_colour("model"), label="converted")
        every = -(-len(names) // MOST_MONTHS)
        axes.set_xticks(at[::every], [str(name) for name in names[::every]], rotation=45, ha="right")
        axes.set_ylim(bottom=0)
        axes.margins(y=0.25)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
        axes.legend(loc="upper left", ncols=2)
        return figure


def _single(xlabel: str, ylabel: str, height: float = 3.9) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def _colour(name: str) -> str:
    return COLOURS.get(name, FAINT)


def _dash(name: str) -> str:
    return DASHES.get(name, "-")


def _name(name: str) -> str:
    return NAMES.get(name, name)


def png(figure: Figure) -> bytes:
    """The same bytes for the same figure."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, name: str, says: str) -> str:
    """An <svg> element for a page whose other figures have other names; `says` is read to who cannot see it.

    Ids are prefixed by `name`, metadata is left out and colours are the page's.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(says)}" ', 1).strip()
