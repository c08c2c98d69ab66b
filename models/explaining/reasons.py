"""What a feature's value means, in plain words of a language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from features.arrays import Floats
from features.columns import Column
from features.kernel import Matrix
from features.vocabulary import SENIORITIES
from models.explaining.words import LANGUAGES

LEAST = 0.005
"""What decays is nothing below it: 2.57e-05 mails say no more."""
SAME = {"decayed": "count"}
"""Measures that say the same of a thing as another: how often it happened."""
TELLS = {
    "events": ("count", "events.unknown"), "stages": ("stages_entered", "stages.unknown"),
    "account_leads": ("colleagues_known", "colleagues.unknown"),
}  # fmt: skip
"""By part of the record, a measure that is a number wherever the part is known, and what is said where it is not."""
GROUPS = ("fit", "engagement", "intent")
TITLES = frozenset({"seniority", "function", "colleagues_seniority"})
"""Measures whose texts are words of ours."""
Words = dict[str, str]
Phrase = Callable[[Words, Column, float, Sequence[str]], str]


@dataclass(frozen=True)
class Reason:
    """What one feature adds to a lead's raw score, in log odds, and what it says."""

    feature: str
    group: str
    contribution: float
    text: str


def reasons(matrix: Matrix, shares: Floats, row: int, most: int, language: str = "en") -> list[Reason]:
    """The features that move a row's score most, either way, strongest first.

    `shares`: contributions (k, kernel features). A fact is told once, by its strongest feature: how often it happened
    in another window, or the same words, is left out here and stays in the sums of `by_group`.
    """
    order = np.argsort(-np.abs(shares[row]), kind="stable")
    found: list[Reason] = []
    told: set[str | tuple[str, str, str]] = set()
    for j in order.tolist():
        column, share = matrix.columns[j], float(shares[row, j])
        if share == 0 or len(found) == most:
            break
        fact = (column.block, SAME.get(column.measure, column.measure), column.of)
        value = float(matrix.values[row, j])
        if isnan(value) and column.block in TELLS and _unknown(matrix, row, column.block):
            text = LANGUAGES[language][TELLS[column.block][1]]  # rather than that there was none
        else:
            text = say(column, value, matrix.levels.get(column.name, ()), language)
        if told.isdisjoint((fact, text)):
            told |= {fact, text}
            found.append(Reason(column.name, column.group, share, text))
    return found


def _unknown(matrix: Matrix, row: int, block: str) -> bool:
    place = next(j for j, column in enumerate(matrix.columns) if column.measure == TELLS[block][0])
    return isnan(matrix.values[row, place])


def by_group(matrix: Matrix, shares: Floats) -> dict[str, list[float]]:
    """What the features of each group add to the k rows' raw scores, of contributions (k, kernel features). Added one
    after another: a row has the same bits in any batch."""
    found = {}
    for group in GROUPS:
        own = [j for j, column in enumerate(matrix.columns) if column.group == group]
        found[group] = shares[:, own].cumsum(axis=1)[:, -1].tolist() if own else [0.0] * len(shares)
    return found


def say(column: Column, value: float, levels: Sequence[str] = (), language: str = "en") -> str:
    """One feature's value in plain words. NaN: not known, or never."""
    return _PHRASES.get(column.measure, _plain)(LANGUAGES[language], column, value, levels)


def _put(template: str, **values: str) -> str:
    """A template with its places filled: one after another in the template, never inside a name that was put in."""
    parts = template.split("{")
    return parts[0] + "".join(values[name] + rest for name, _, rest in (part.partition("}") for part in parts[1:]))


def _number(words: Words, value: float) -> str:
    """Thousands are parted from 10,000 on: a year is not 2,024."""
    whole = abs(value) >= 100 or value == round(value)
    text = f"{value:.3g}" if not whole else f"{value:,.0f}" if abs(value) >= 9_999.5 else f"{value:.0f}"
    return text.translate({ord(","): words["thousands"], ord("."): words["decimal"]})


def _window(words: Words, days: int) -> str:
    key = "window.all" if days == 0 else "window.day" if days == 1 else "window.days"
    return _put(words[key], n=str(days))


def _days(words: Words, value: float) -> str:
    key = "days.none" if value < 1 else "days.one" if round(value) == 1 else "days.many"
    return _put(words[key], n=_number(words, round(value)))


def _counted(words: Words, key: str, value: float, **more: str) -> str:
    """None, one or many of something."""
    end = "none" if value == 0 else "one" if value == 1 else "many"
    return _put(words[f"{key}.{end}"], n=_number(words, value), **more)


def _name(of: str) -> str:
    return of.replace("_", " ")


def _event(words: Words, of: str) -> str:
    """An event's name as a noun."""
    return words[of] if f"{of}.many" in words else _name(of)


def _events(words: Words, of: str) -> str:
    """The same in the plural, where the language has one."""
    return words.get(f"{of}.all", _name(of))


def _times(words: Words, of: str, value: float) -> str:
    n = max(round(value), 0)
    return _counted(words, of, n) if f"{of}.many" in words else _counted(words, "event", n, name=_name(of))


def _plain(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    name = _name(c.of or c.name.partition("_")[2])
    return _field(words, name, None if isnan(value) else _number(words, value))


def _field(words: Words, name: str, value: str | None) -> str:
    return _put(words["unknown"], name=name) if value is None else _put(words["field"], name=name, value=value)


def _text(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _field(words, _name(c.of), None if isnan(value) else levels[int(value)])


def _boolean(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _field(words, _name(c.of), None if isnan(value) else words["yes" if value else "no"])


def _count(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return f"{_times(words, c.of, value)} {_window(words, c.days)}"


def _decayed(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    shown = float(f"{value:.2g}") if value >= LEAST else 0.0
    return _put(words["decayed"], name=_events(words, c.of), value=_number(words, shown), n=str(c.days))


def _own_rate(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    pace = "more" if value > 0.1 else "less" if value < -0.1 else "same"
    return _put(words[f"pace.{pace}"], name=_events(words, c.of), window=_window(words, c.days))


def _value(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _put(words["value"], name=_events(words, c.of), value=_number(words, value), window=_window(words, c.days))


def _colleagues(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _put(words["colleagues"], what=_times(words, c.of, value), window=_window(words, c.days))


def _last(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    name = _event(words, c.of)
    return (
        _put(words["last.unknown"], name=name)
        if isnan(value)
        else _put(words["last"], name=name, days=_days(words, value))
    )


def _ago(key: str) -> Phrase:
    """Days since something, or that it never was."""

    def phrase(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
        name = _name(c.of)
        if isnan(value):
            return _put(words[f"{key}.unknown"], name=name)
        return _put(words[key], name=name, days=_days(words, value))

    return phrase


def _how_many(key: str) -> Phrase:
    """None, one or many, of a topic perhaps, in a window perhaps."""

    def phrase(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
        return _counted(words, key, value, name=_name(c.of), window=_window(words, c.days))

    return phrase


def _level(key: str, ours: Sequence[str] | None = None) -> Phrase:
    """A code's text; a text that is a word of ours is said in the language."""

    def phrase(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
        if isnan(value):
            return words[f"{key}.unknown"]
        text = (ours or levels)[int(value)]
        return _put(words[key], name=words[text] if key in TITLES else _name(text))

    return phrase


def _or_unknown(key: str, phrase: Phrase) -> Phrase:
    """NaN says that nobody knows."""
    return lambda words, c, value, levels: words[key] if isnan(value) else phrase(words, c, value, levels)


def _in_stage(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return words["stage.unknown"] if isnan(value) else _put(words["in_stage"], days=_days(words, value))


def _age(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _put(words["age"], days=_days(words, value))


def _life(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _put(words["life"], days=_days(words, value))


def _episode(words: Words, c: Column, value: float, levels: Sequence[str]) -> str:
    return _counted(words, "episode", 0 if isnan(value) else max(value, 0))


_EVENTS: dict[str, Phrase] = {
    "count": _count, "decayed": _decayed, "own_rate": _own_rate, "value": _value, "active_days": _how_many("active"),
    "topic": _how_many("topic"), "topics": _how_many("topics"),
}  # fmt: skip
_NEAR = ("colleagues_active", "colleagues_functions", "colleagues_known", "colleagues_won", "colleagues_lost")
_PHRASES: dict[str, Phrase] = {
    **{name: _or_unknown("events.unknown", phrase) for name, phrase in _EVENTS.items()},
    **{name: _or_unknown("colleagues.unknown", _how_many(name)) for name in _NEAR},
    "colleagues": _or_unknown("colleagues.unknown", _colleagues),
    "stages_entered": _or_unknown("stages.unknown", _how_many("stages")),
    "last": _last, "categorical": _text, "boolean": _boolean, "seniority": _level("seniority", SENIORITIES),
    "function": _level("function"), "last_topic": _level("last_topic"), "stage": _level("stage"),
    "colleagues_seniority": _level("colleagues_seniority", SENIORITIES), "stage_days": _ago("stage_days"),
    "colleagues_last": _ago("colleagues_last"), "colleagues_won_last": _ago("colleagues_won_last"),
    "colleagues_first": _ago("colleagues_first"),
    "in_stage_days": _in_stage, "age": _age,
    "life": _or_unknown("events.unknown", _life), "known_fields": _how_many("known_fields"), "episode": _episode,
}  # fmt: skip
