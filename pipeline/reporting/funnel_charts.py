"""Figures of the funnel and of the accounts, drawn from reports/funnel.json and reports/accounts.json."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from features.arrays import Floats
from pipeline.reporting.drawing import COLOURS, DASHES, FAINT, STYLE, colour_of, short
from pipeline.reporting.plots import ABOVE, PER_CENT, WIDTH

MOST_LINES = len(COLOURS)
ENDS = {"closed": "closing", "converted": "conversion"}
"""What the two ways out of a funnel are called on its figure."""


def pictures(funnel: Mapping[str, Any], accounts: Mapping[str, Any]) -> dict[str, Figure]:
    """By name; none where there is nothing to draw."""
    found: dict[str, Figure] = {}
    if "steps" in funnel:
        found["funnel_reached"] = reached(funnel["stages"])
        found["funnel_ends"] = curves({said: funnel[name]["curve"] for said, name in ENDS.items()}, bands=True)
        for by, sliced in funnel["cohorts"].items():
            rows = [row for row in sliced["cohorts"] if len(_known(row["whole"]["curve"])) > 1]
            rows = rows[-MOST_LINES:] if by == "month" else rows[:MOST_LINES]
            if len(rows) > 1:
                found[f"funnel_{by}"] = curves({row["name"]: row["whole"]["curve"] for row in rows}, bands=False)
    if "reliability" in accounts.get("test", {}):
        found["accounts"] = reliability(accounts["test"]["reliability"])
    return found


def reached(stages: Sequence[Mapping[str, Any]]) -> Figure:
    """A bar a stage: the share that came to it or beyond in time, with its interval."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.3 + 0.42 * (len(stages) + 1)), layout="constrained")
        axes = figure.subplots()
        shares = [1.0, *(_number(row["reached"]["share"]) for row in stages)]
        axes.barh(range(len(shares)), shares, color=colour_of("model"), alpha=0.75, height=0.62)
        for k, row in enumerate(stages, start=1):
            if row["reached"]["interval"]:
                axes.hlines(k, *row["reached"]["interval"], color=colour_of("logistic"), linewidth=2.4)
        axes.set_yticks(range(len(shares)), ["started", *(short(row["stage"]) for row in stages)])
        axes.set_ylim(len(shares) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("reached the stage or beyond")
        axes.xaxis.set_major_formatter(PER_CENT)
        axes.grid(visible=False, axis="y")
        return figure


def curves(lines: Mapping[str, Mapping[str, Sequence[float | None]]], *, bands: bool) -> Figure:
    """Shares by day, a line each as far as can be told."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
        axes = figure.subplots()
        for name, (kind, curve) in zip(lines, zip(COLOURS, lines.values(), strict=False), strict=True):
            day, share, low, high = (_column(curve, key) for key in ("day", "share", "low", "high"))
            axes.plot(day, share, linestyle=DASHES[kind], color=COLOURS[kind], label=short(name))
            if bands:
                axes.fill_between(day, low, high, color=COLOURS[kind], alpha=0.2, linewidth=0)
        _days(axes)
        figure.legend(**ABOVE, ncols=2)
        return figure


def _days(axes: Axes) -> None:
    axes.set_xlabel("days since the start")
    axes.set_xlim(0, None)
    axes.set_ylim(0, None)
    axes.yaxis.set_major_formatter(PER_CENT)


def reliability(by_model: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Predicted against actual, by tenths of the looks; the diagonal is right."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
        axes = figure.subplots()
        names = {"model": ("this model", "model"), "independent": ("as if leads were independent", "logistic")}
        top = 1.06 * max(max(row["expected"], row["observed"]) for name in names for row in by_model[name])
        axes.plot([0, top], [0, top], color=FAINT, linewidth=1)
        for name, (said, colour) in names.items():
            x, y = (np.array([row[key] for row in by_model[name]]) for key in ("expected", "observed"))
            axes.plot(x, y, linestyle=DASHES[colour], marker="o", markersize=4, color=COLOURS[colour], label=said)
            if name == "model" and all(row["interval"] for row in by_model[name]):
                axes.vlines(
                    x, *np.array([row["interval"] for row in by_model[name]]).T, color=COLOURS[colour], alpha=0.6
                )
        axes.set_xlim(0, top)
        axes.set_ylim(0, None)
        axes.set_xlabel("predicted")
        axes.set_ylabel("accounts that converted")
        axes.xaxis.set_major_formatter(PER_CENT)
        axes.yaxis.set_major_formatter(PER_CENT)
        figure.legend(**ABOVE, ncols=2)
        return figure


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _column(curve: Mapping[str, Sequence[float | None]], key: str) -> Floats:
    return np.array([_number(x) for x in curve[key]], dtype=np.float64)


def _known(curve: Mapping[str, Sequence[float | None]]) -> list[float]:
    return [x for x in curve["share"] if x is not None]
