"""What a feature's value means, in plain words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats
from features.columns import Column
from features.kernel import Matrix
from features.vocabulary import ENGAGEMENT_TOTAL, INTENT_TOTAL, OTHER, SCANNER, SENIORITIES

WORDS = {
    "page_view": ("viewed {n} page", "viewed {n} pages"),
    "pricing_view": ("viewed pricing once", "viewed pricing {n} times"),
    "mail_open": ("opened {n} mail", "opened {n} mails"),
    "mail_click": ("clicked in {n} mail", "clicked in mails {n} times"),
    "download": ("downloaded {n} file", "downloaded {n} files"),
    "webinar": ("took part in {n} webinar", "took part in {n} webinars"),
    "demo_request": ("asked for a demo once", "asked for a demo {n} times"),
    "trial_start": ("started a trial once", "started a trial {n} times"),
    "product_use": ("used the product once", "used the product {n} times"),
    SCANNER: ("{n} click of a mail scanner", "{n} clicks of a mail scanner"),
    OTHER: ("{n} other event", "{n} other events"),
    ENGAGEMENT_TOTAL: ("{n} sign of engagement", "{n} signs of engagement"),
    INTENT_TOTAL: ("{n} sign of intent", "{n} signs of intent"),
}
NEVER = {
    "page_view": "viewed no page", "pricing_view": "did not view pricing", "mail_open": "opened no mail",
    "mail_click": "clicked in no mail", "download": "downloaded nothing", "webinar": "took part in no webinar",
    "demo_request": "asked for no demo", "trial_start": "started no trial", "product_use": "did not use the product",
    ENGAGEMENT_TOTAL: "no sign of engagement", INTENT_TOTAL: "no sign of intent",
}  # fmt: skip


Phrase = Callable[[Column, float, Sequence[str]], str]


@dataclass(frozen=True)
class Reason:
    """What one feature adds to a lead's raw score, in log odds, and what it says."""

    feature: str
    group: str
    contribution: float
    text: str


def reasons(matrix: Matrix, shares: Floats, row: int, most: int) -> list[Reason]:
    """The features that move a row's score most, either way, strongest first.

    `shares`: contributions (k, kernel features). Features that say the same thing are not told apart.
    """
    order = np.argsort(-np.abs(shares[row]), kind="stable")
    found: list[Reason] = []
    for j in order:
        column, share = matrix.columns[j], float(shares[row, j])
        if share == 0 or len(found) == most:
            break
        text = say(column, float(matrix.values[row, j]), matrix.levels.get(column.name, ()))
        if all(text != reason.text for reason in found):
            found.append(Reason(column.name, column.group, share, text))
    return found


def say(column: Column, value: float, levels: Sequence[str] = ()) -> str:
    """One feature's value in plain words. NaN: not known, or never."""
    return _PHRASES.get(column.measure, _plain)(column, value, levels)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def _window(days: int) -> str:
    return "in the last day" if days == 1 else f"in the last {days} days" if days else "so far"


def _name(of: str) -> str:
    return of.replace("_", " ")


def _times(of: str, value: float) -> str:
    n = round(value)
    if n == 0:
        return NEVER.get(of, f"no {_name(of)}")
    once, often = WORDS.get(of, (f"{{n}} {_name(of)}", f"{{n}} times {_name(of)}"))
    return (once if n == 1 else often).replace("{n}", str(n), 1)


def _days(value: float) -> str:
    return "less than a day" if value < 1 else "1 day" if round(value) == 1 else f"{value:,.0f} days"


def _plain(c: Column, value: float, levels: Sequence[str]) -> str:
    name = _name(c.of or c.name.partition("_")[2])
    return f"{name} is not known" if np.isnan(value) else f"{name}: {_number(value)}"


def _count(c: Column, value: float, levels: Sequence[str]) -> str:
    return "events are not known" if np.isnan(value) else f"{_times(c.of, value)} {_window(c.days)}"


def _last(c: Column, value: float, levels: Sequence[str]) -> str:
    what = {ENGAGEMENT_TOTAL: "sign of engagement", INTENT_TOTAL: "sign of intent"}.get(c.of, _name(c.of))
    return f"no {what} that we know of" if np.isnan(value) else f"last {what} {_days(value)} ago"


def _decayed(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "events are not known"
    return f"recent weight of {_name(c.of)}: {_number(value)} (halves every {c.days} days)"


def _own_rate(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "events are not known"
    pace = "more often than" if value > 0.1 else "less often than" if value < -0.1 else "as often as"
    return f"{_name(c.of)} {pace} usual for this person {_window(c.days)}"


def _text(c: Column, value: float, levels: Sequence[str]) -> str:
    return f"{_name(c.of)} is not known" if np.isnan(value) else f"{_name(c.of)}: {levels[int(value)]}"


def _boolean(c: Column, value: float, levels: Sequence[str]) -> str:
    return f"{_name(c.of)} is not known" if np.isnan(value) else f"{_name(c.of)}: {'yes' if value else 'no'}"


def _seniority(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no seniority in the title" if np.isnan(value) else f"title of a {SENIORITIES[int(value)]}"


def _function(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no function in the title" if np.isnan(value) else f"works in {levels[int(value)]}"


def _value(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "events are not known"
    return f"{_name(c.of)} worth {_number(value)} {_window(c.days)}"


def _active(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "events are not known"
    return f"active on {_number(value)} day{'s' * (value != 1)} {_window(c.days)}"


def _topic(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "events are not known"
    n = round(value)
    return f"{'nothing' if n == 0 else 'once' if n == 1 else f'{n} times'} about {_name(c.of)} {_window(c.days)}"


def _topics(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "events are not known"
    return f"{_number(value)} topic{'s' * (value != 1)} {_window(c.days)}"


def _last_topic(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no topic yet" if np.isnan(value) else f"last topic: {_name(levels[int(value)])}"


def _stage_days(c: Column, value: float, levels: Sequence[str]) -> str:
    return f"never {_name(c.of)}" if np.isnan(value) else f"became {_name(c.of)} {_days(value)} ago"


def _stage(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no stage yet" if np.isnan(value) else f"stage: {_name(levels[int(value)])}"


def _in_stage(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no stage yet" if np.isnan(value) else f"{_days(value)} in its stage"


def _colleagues(c: Column, value: float, levels: Sequence[str]) -> str:
    return "colleagues are not known" if np.isnan(value) else f"colleagues: {_times(c.of, value)} {_window(c.days)}"


def _colleagues_last(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no sign of colleagues" if np.isnan(value) else f"colleagues last active {_days(value)} ago"


def _counted(one: str, many: str) -> Phrase:
    def phrase(c: Column, value: float, levels: Sequence[str]) -> str:
        if np.isnan(value):
            return "colleagues are not known"
        return (one if value == 1 else many).format(n="no" if value == 0 else _number(value)) + (
            f" {_window(c.days)}" if c.days else ""
        )

    return phrase


def _highest(c: Column, value: float, levels: Sequence[str]) -> str:
    if np.isnan(value):
        return "no colleague with a known title is active"
    return f"a {SENIORITIES[int(value)]} of the account is active"


def _won_last(c: Column, value: float, levels: Sequence[str]) -> str:
    return "no colleague has converted" if np.isnan(value) else f"a colleague converted {_days(value)} ago"


def _first(c: Column, value: float, levels: Sequence[str]) -> str:
    return "colleagues are not known" if np.isnan(value) else f"the account's first lead came {_days(value)} ago"


def _age(c: Column, value: float, levels: Sequence[str]) -> str:
    return f"{_days(value)} old"


def _known(c: Column, value: float, levels: Sequence[str]) -> str:
    return f"{_number(value)} fields are known"


def _stages_entered(c: Column, value: float, levels: Sequence[str]) -> str:
    return "stages are not known" if np.isnan(value) else f"{_number(value)} stage{'s' * (value != 1)} so far"


def _episode(c: Column, value: float, levels: Sequence[str]) -> str:
    return "never closed before" if not value > 0 else f"opened again {_number(value)} time{'s' * (value != 1)}"


_PHRASES: dict[str, Phrase] = {
    "count": _count, "last": _last, "decayed": _decayed, "own_rate": _own_rate, "categorical": _text,
    "boolean": _boolean, "seniority": _seniority, "function": _function, "value": _value, "active_days": _active,
    "topic": _topic, "topics": _topics, "last_topic": _last_topic, "stage_days": _stage_days, "stage": _stage,
    "in_stage_days": _in_stage, "stages_entered": _stages_entered, "colleagues": _colleagues,
    "colleagues_last": _colleagues_last, "colleagues_active": _counted("{n} colleague active", "{n} colleagues active"),
    "colleagues_functions": _counted("{n} function of the account active", "{n} functions of the account active"),
    "colleagues_seniority": _highest, "colleagues_known": _counted("{n} colleague known", "{n} colleagues known"),
    "colleagues_won": _counted("{n} colleague converted before", "{n} colleagues converted before"),
    "colleagues_lost": _counted("{n} colleague was lost before", "{n} colleagues were lost before"),
    "colleagues_won_last": _won_last, "colleagues_first": _first,
    "age": _age, "known_fields": _known, "episode": _episode,
}  # fmt: skip
