"""Figures of the weekly replay and of the calibration by slice, drawn as those of plots.py."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from pipeline.reporting.drawing import FAINT, STYLE, colour_of, dash_of, short
from pipeline.reporting.plots import ABOVE, PER_CENT, WIDTH
from pipeline.reporting.wording import name_of

MOST_WEEKS = 8
FURTHEST = 3.0
"""Observed over expected is drawn up to this; an interval that goes on ends in an arrow."""


def precision_by_week(weeks: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Figure:
    """Share of the leads picked in each week that converted, by name, and of all that were open.

    `weeks` as in reports/weekly.json.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
        axes = figure.subplots()
        axes.set_ylabel("converted, of those picked")
        at = np.arange(len(weeks))
        for name in names:
            taken, won = (np.array([week[key][name] for week in weeks]) for key in ("taken", "converted"))
            share = won / np.where(taken > 0, taken, np.nan)
            mark = "o" if name == "model" else ""
            axes.plot(
                at, share, linestyle=dash_of(name), marker=mark, markersize=4,
                color=colour_of(name), label=name_of(name),
            )  # fmt: skip
        there, won = (np.array([week[key] for week in weeks], float) for key in ("open", "converting"))
        share = won / np.where(there > 0, there, np.nan)
        axes.plot(at, share, linestyle=dash_of("base_rate"), color=FAINT, label="all open leads")
        every = max(1, -(-len(weeks) // MOST_WEEKS))
        axes.set_xticks(at[::every], [str(week["at"])[:10] for week in weeks[::every]], rotation=45, ha="right")
        axes.set_ylim(0, None)
        axes.yaxis.set_major_formatter(PER_CENT)
        figure.legend(**ABOVE, ncols=2)
        return figure


def calibration_by_slice(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Observed over expected of each slice with its interval; 1 is right. `rows`: `slices` of calibration.json."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.1 + 0.26 * max(len(rows), 1)), layout="constrained")
        axes = figure.subplots()
        axes.set_xlabel("observed / expected")
        axes.axvline(1, color=FAINT, linewidth=1)
        _spans(axes, rows)
        axes.set_yticks(range(len(rows)), [short(row["name"]) for row in rows])
        axes.set_xlim(0, FURTHEST)
        axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
        axes.grid(visible=False, axis="y")
        return figure


def _spans(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for k, row in enumerate(rows):
        low, high = row["interval"] or (np.nan, np.nan)
        axes.hlines(k, low, min(high, FURTHEST), color=colour_of("model"), linewidth=1.4, alpha=0.7)
        if high > FURTHEST:
            axes.plot(FURTHEST, k, ">", markersize=4, color=colour_of("model"), clip_on=False)
        ratio = row["observed_over_expected"]
        if ratio is not None and ratio <= FURTHEST:
            axes.plot(ratio, k, "o", markersize=4, color=colour_of("model"))
