"""Figures, drawn from arrays by matplotlib.

Imported lazily by its callers: matplotlib takes most of a second. `drawing.svg` and `drawing.png` write them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from features.arrays import Array, Floats, Ints
from models.judging.bins import bins, quantile_edges
from models.judging.metrics import logit
from models.judging.ranking import found, ranking, taken
from models.judging.slices import alike
from pipeline.reporting.drawing import FAINT, STYLE, colour_of, dash_of
from pipeline.reporting.wording import name_of

WIDTH = 4.6
"""Inches: on a phone, where a figure is about as wide in pixels as in points, its texts keep 12 px."""
BAND_DRAWS = 2000
MOST_MONTHS = 9
PARTS = 12
"""Dots of a reliability figure, of about as many examples each."""
BEST_SHARE = "best-scored share of examples"
PER_CENT = FuncFormatter(lambda share, _: f"{100 * share:.3g} %")
ROUND = np.array([0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99])
ABOVE: Any = {"loc": "outside upper left", "handlelength": 1.8, "columnspacing": 1.2}
"""A figure's legend over its axes, where no data is, from the figure's left edge on."""


def reliability(y: Floats, predictions: Mapping[str, Floats], lead: Ints, seed: int) -> Figure:
    """What was predicted against what happened, with the range that chance allows a perfect model (95 %).

    y (n,) labels; predictions (n,) by name, the first being the model, which has the band and the histogram; lead (n,)
    codes, because looks at one lead convert together.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
        first = next(iter(predictions.values()))
        _consistency(above, y, first, lead, seed)
        tops = [_points(above, name, y, p) for name, p in predictions.items()]
        top = min(1.0, 1.08 * max([*tops, 1e-3]))
        above.plot([0, top], [0, top], color=FAINT, linewidth=1, zorder=1)
        _roots(above, top)
        above.set_ylabel("converted")
        above.legend(loc="upper left")
        below.hist(first, bins=list(np.linspace(0, np.sqrt(top), 41) ** 2), color=colour_of("model"), alpha=0.6)
        below.set_ylabel("examples")
        below.set_xlabel("predicted probability (square-root scale)")
        below.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        below.yaxis.set_major_locator(MaxNLocator(2))
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
        axis.set_major_formatter(PER_CENT)


def _consistency(axes: Axes, y: Floats, p: Floats, lead: Ints, seed: int) -> None:
    """Range of each bin's observed rate were labels drawn from the predictions themselves, for as many rows as its
    looks are worth."""
    rng = np.random.default_rng(seed)
    part = bins(p, quantile_edges(p, PARTS))
    used, count = np.unique(part, return_counts=True)
    mean = np.array([p[part == k].mean() for k in used])
    worth = np.maximum(1, np.rint(count / alike(y, p, lead, part))).astype(np.int64)
    drawn = rng.binomial(worth, np.clip(mean, 0, 1), size=(BAND_DRAWS, len(used))) / worth
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    axes.fill_between(mean, low, high, color=colour_of("model"), alpha=0.18, linewidth=0, label="chance (95 %)")
    if len(used) == 1:
        axes.vlines(mean, low, high, color=colour_of("model"), alpha=0.3)


def _points(axes: Axes, name: str, y: Floats, p: Floats) -> float:
    part = bins(p, quantile_edges(p, PARTS))
    used = np.unique(part)
    expected = np.array([p[part == k].mean() for k in used])
    observed = np.array([y[part == k].mean() for k in used])
    marker = "o" if name == "model" else "s"
    axes.plot(
        expected,
        observed,
        linestyle=dash_of(name),
        marker=marker,
        markersize=4,
        color=colour_of(name),
        label=name_of(name),
    )
    return float(max(expected.max(), observed.max()))


def gain(y: Floats, predictions: Mapping[str, Floats]) -> Figure:
    """Share of the conversions found among the best-scored share of examples."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _single(BEST_SHARE, "share of conversions found")
        _curves(axes, y, predictions, np.linspace(0, 1, 201), per_share=False)
        axes.set(xlim=(0, 1), ylim=(0, 1.01))
        axes.yaxis.set_major_formatter(PER_CENT)
        axes.legend(loc="lower right")
        return figure


def lift(y: Floats, predictions: Mapping[str, Floats]) -> Figure:
    """How many times the base rate converts among the best-scored share of examples."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _single(BEST_SHARE, "conversion rate over base rate")
        _curves(axes, y, predictions, np.linspace(0.01, 1, 100), per_share=True)
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda times, _: f"{times:g}×"))
        axes.legend(loc="upper right")
        return figure


def _curves(axes: Axes, y: Floats, predictions: Mapping[str, Floats], shares: Floats, *, per_share: bool) -> None:
    for name, p in predictions.items():
        part = found(taken(ranking(y, p)), shares) / max(y.sum(), 1)
        line = part / shares if per_share else part
        axes.plot(shares, line, linestyle=dash_of(name), color=colour_of(name), label=name_of(name))
    axes.xaxis.set_major_formatter(PER_CENT)


def scores_by_label(y: Floats, p: Floats) -> Figure:
    """Distribution of the predictions, by log odds, of those that converted and those that did not."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _single("predicted probability (log odds scale)", "share of its class")
        z = logit(np.clip(p, 1e-5, 1 - 1e-5))
        edges = np.linspace(z.min() - 0.05, z.max() + 0.05, 41).tolist()
        for label, name, colour in ((0, "did not convert", FAINT), (1, "converted", colour_of("model"))):
            part = z[y == label]
            weights = np.full(len(part), 1 / max(len(part), 1))
            axes.hist(part, bins=edges, weights=weights, color=colour, alpha=0.55, label=f"{name} ({len(part):,})")
        ticks = ROUND[(logit(ROUND) >= edges[0]) & (logit(ROUND) <= edges[-1])]
        axes.set_xticks(logit(ticks), [f"{100 * tick:g} %" for tick in ticks])
        axes.yaxis.set_major_formatter(PER_CENT)
        figure.legend(**ABOVE)
        return figure


def by_month(months: Sequence[str] | Array, y: Floats, p: Floats, lead: Ints) -> Figure:
    """Conversion rate by month against the mean probability, with what chance allows around it (95 %).

    months (n,): texts that sort by time, like 2025-03. At most MOST_MONTHS of them are named. lead (n,): codes.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = _single("", "conversion rate", height=3.2)
        names, month = np.unique(np.asarray(months), return_inverse=True)
        count = np.bincount(month)
        observed, expected = np.bincount(month, weights=y) / count, np.bincount(month, weights=p) / count
        spread = 1.96 * np.sqrt(alike(y, p, lead, month) * np.bincount(month, weights=p * (1 - p))) / count
        at = np.arange(len(names))
        axes.errorbar(
            at, expected, yerr=np.stack([np.minimum(spread, expected), spread]), fmt="s", capsize=3,
            markersize=4, color=FAINT, label="predicted, and chance (95 %)",
        )  # fmt: skip
        axes.plot(at, observed, "o", markersize=6, color=colour_of("model"), label="converted")
        every = -(-len(names) // MOST_MONTHS)
        axes.set_xticks(at[::every], [str(name) for name in names[::every]], rotation=45, ha="right")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PER_CENT)
        figure.legend(**ABOVE)
        return figure


def _single(xlabel: str, ylabel: str, height: float = 3.5) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure, axes
