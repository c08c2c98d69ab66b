"""reports/lead-definition.html: the page on which marketing and sales agree, in a language, from definition.json."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.explaining.words import LANGUAGES
from models.policy.routing import PRODUCT_DAYS
from pipeline.agreement.language import PAGES
from pipeline.reporting.pages import page_environment, unbroken
from pipeline.reporting.wording import UNKNOWN


def render(figures: Mapping[str, Any], language: str) -> str:
    """The page. Texts are escaped; nothing is loaded from anywhere and no script runs."""
    template = page_environment("definition.css").get_template("definition.html")
    return unbroken(template.render(d=figures, say=Page(language), lang=language, days=PRODUCT_DAYS))


class Page:
    """Words and numbers of a language, as the template asks for them."""

    def __init__(self, language: str) -> None:
        self.words, self.marks = PAGES[language], LANGUAGES[language]

    def __call__(self, key: str, **given: Any) -> str:
        """The words of a key with what is given put in its places."""
        return self.words[key].format(**given)

    def name(self, key: str) -> str:
        """A name that has words of its own (a criterion's, a role's), else as people wrote it."""
        known = self.words.get(key) if key in ("target_group", "decision_maker", "buying_stage", "theme") else None
        return known or self.marks.get(key) or key.replace("_", " ")

    def route(self, name: str) -> str:
        """A route's name in words, else as people called it."""
        return self.words.get(f"route.{name}", name.replace("_", " "))

    def events(self, names: Sequence[str]) -> str:
        """Types of event in words."""
        return ", ".join(self.marks.get(name, name.replace("_", " ")) for name in names)

    def count(self, value: float | None) -> str:
        """12,345."""
        return UNKNOWN if value is None else f"{value:,.0f}".replace(",", self.marks["thousands"])

    def number(self, value: float | None, digits: int = 1) -> str:
        """With the decimal mark of the language."""
        if value is None:
            return UNKNOWN
        text = f"{value:,.{digits}f}".replace(",", " ").replace(".", self.marks["decimal"])
        return text.replace(" ", self.marks["thousands"])

    def percent(self, share: float | None, digits: int = 1) -> str:
        """0.0412 is 4.1 %. The space does not break."""
        return UNKNOWN if share is None else f"{self.number(100 * share, digits)}\u00a0%"

    def share(self, pair: Any) -> str:
        """An interval of shares."""
        if not pair:
            return ""
        return f"{self.number(100 * pair[0])} {self('to')} {self.percent(pair[1])}"

    def day(self, day: str) -> str:
        """A date of ISO 8601 as the language writes it."""
        year, month, of_month = (int(part) for part in day.split("-"))
        return self("day", iso=day, d=of_month, m=month, y=year)

    def span(self, pair: Any, digits: int = 1) -> str:
        """An interval of numbers."""
        return f"{self.number(pair[0], digits)} {self('to')} {self.number(pair[1], digits)}" if pair else ""

    def people(self, name: str) -> str:
        """1 person, 2 people, 4+ people."""
        return self("person.one") if name == "1" else self("person.many", n=name)

    def key(self, key: str) -> str:
        """What a change was of, in words: criteria.theme.when is “criterion theme: check”."""
        first, *rest = key.split(".")
        if first == "criteria" and rest:
            *names, last = rest if rest[-1] in ("words", "when") and len(rest) > 1 else [*rest, ""]
            of = self("key.criteria", name=self.name(".".join(names)))
            return f"{of}: {self(f'key.{last}')}" if last else of
        told = [self.words.get(f"key.{part}", part) for part in rest]
        return " ".join([self.words.get(f"key.{first}", first), *told])

    def value(self, value: Any) -> str:
        """A value that changed."""
        if value is None or value in ([], {}, ""):
            return self("nothing")
        if isinstance(value, bool):
            return self.marks["yes" if value else "no"]
        if isinstance(value, int | float):
            return self.number(value, 0 if float(value).is_integer() else 4)
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
