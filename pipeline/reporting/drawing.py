"""How figures look, and how they are written: inline SVG for the report, PNG for MLflow.

Colours are Okabe and Ito's, which people with any colour vision can tell apart; lines differ in dashes too.
"""

import io
import re
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK, FAINT = "#1b2430", "#8a94a3"
LONGEST = 22
"""Letters of a name in a figure."""
COLOURS = {
    "model": "#0072b2",
    "logistic": "#d55e00",
    "naive_bayes": "#009e73",
    "points": "#cc79a7",
    "base_rate": "#7a7a7a",
}
DASHES: dict[str, Any] = {
    "model": "-",
    "logistic": "--",
    "naive_bayes": "-.",
    "points": ":",
    "base_rate": (0, (6, 1.5, 1, 1.5, 1, 1.5)),
}
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 11.7,
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
    **dict.fromkeys(("axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"), "medium"),
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


def colour_of(name: str) -> str:
    """One colour a model, the same in every figure."""
    return COLOURS.get(name, FAINT)


def dash_of(name: str) -> Any:
    """One line style a model, for those who cannot go by colour."""
    return DASHES.get(name, "-")


def short(text: str) -> str:
    """A name as a figure has room for it; a dollar begins no formula."""
    text = text.strip()
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…").replace("$", r"\$")


def png(figure: Figure) -> bytes:
    """The same bytes for the same figure."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, name: str, says: str) -> str:
    """An <svg> element for a page whose other figures have other names; `says` is read to those who cannot see it.

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
