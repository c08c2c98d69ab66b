"""The figures of a rendered report, read as a person's browser has them."""

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

Facts = dict[str, float]


@dataclass
class Figure:
    """One figure: its name, its exact value, and as it is written."""

    key: str
    value: float
    text: str = ""


class Figures(HTMLParser):
    """Every <data> of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Figure] = []
        self.open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A figure begins."""
        given = dict(attrs)
        if tag == "data":
            self.found.append(Figure(str(given["data-key"]), float(str(given["value"]))))
            self.open = True

    def handle_data(self, data: str) -> None:
        """As it is written."""
        if self.open:
            self.found[-1].text += data

    def handle_endtag(self, tag: str) -> None:
        """A figure ends."""
        self.open = self.open and tag != "data"


def facts_of(page: Path) -> Facts:
    """Exact values by name; a figure that stands in two places is the same in both."""
    facts: Facts = {}
    for figure in Figures(page.read_text(encoding="utf-8")).found:
        assert facts.setdefault(figure.key, figure.value) == figure.value, figure.key
    return facts


def agree(facts: Facts, prefix: str, found: dict[str, float | None], least: int = 1) -> None:
    """Every figure that begins with `prefix` is the one found by the rest of its name; there are `least` of them."""
    shown = {key.removeprefix(prefix): value for key, value in facts.items() if key.startswith(prefix)}
    assert len(shown) >= least, prefix
    assert shown == pytest.approx({name: found[name] for name in shown}, rel=1e-9, abs=1e-12)


def ends(spans: dict[str, tuple[float, float]]) -> dict[str, float | None]:
    """Intervals as the page names their ends."""
    return {f"{name}.{end}": pair[k] for name, pair in spans.items() for k, end in enumerate(("low", "high"))}
