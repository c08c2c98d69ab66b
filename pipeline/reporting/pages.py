"""What the pages share: templates, style, and figures that carry their exact values."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.reporting import wording

TEMPLATES = Path(__file__).parent / "templates"


def page_environment(*sheets: str) -> Environment:
    """Of every page's templates: texts are escaped, an unknown name is an error, figures carry their exact values.
    `sheets`: of style, after the one that all share."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(
        percent=wording.percent, number=wording.number, count=wording.count, span=wording.span,
        day=wording.day, name=wording.name_of, fact=fact, between=between, trusted=Markup,
    )  # fmt: skip
    style = "".join((TEMPLATES / sheet).read_text(encoding="utf-8") for sheet in ("page.css", *sheets))
    environment.globals["style"] = Markup(style)  # noqa: S704 (our own files)
    return environment


def fact(value: float | None, key: str, style: str = "count", digits: int = 0) -> Markup:
    """A figure as it is read, with its exact value and its name beside it, by which it can be found and checked."""
    if value is None:
        return Markup(wording.UNKNOWN)  # noqa: S704 (a dash)
    text = wording.count(value) if style == "count" else getattr(wording, style)(value, digits)
    return Markup('<data data-key="{}" value="{}">{}</data>').format(key, repr(value), text)


def between(pair: Any, key: str, style: str = "count", digits: int = 0) -> Markup:
    """An interval, both ends as facts: `<key>.low` and `<key>.high`; a dash where there is none."""
    if not pair:
        return Markup(wording.UNKNOWN)  # noqa: S704 (a dash)
    low, high = (fact(end, f"{key}.{name}", style, digits) for end, name in zip(pair, ("low", "high"), strict=True))
    return Markup("{} to {}").format(low, high)


def unbroken(page: str) -> str:
    """The page with no line break between a number and its per cent sign, whoever wrote the two."""
    return re.sub(r"(?<=\d) %", "\u00a0%", page)
