"""What the numbers say, in words: for the top of the report, before any table."""

from collections.abc import Mapping

from pipeline.judging.rivals import RIVALS, Intervals, Metrics, standing
from pipeline.reporting.wording import count, name_of, number, percent, span, turns

FEW = 200
"""Fewer converting test examples than this earn a caution."""


def headline(metrics: Metrics, intervals: Intervals) -> str:
    """One sentence: what a team gets that works by the model week by week; without weeks, how probabilities compare."""
    return _weekly(metrics, intervals) or compared(metrics, intervals)


def compared(metrics: Metrics, intervals: Intervals) -> str:
    """One sentence: against whom the model's log loss is better, worse or not clearly different."""
    said = _standings({rival: standing(metrics, intervals, rival) for rival in RIVALS})
    return f"The model's probabilities are {said}." if said else "There was nothing to compare with."


def _weekly(metrics: Metrics, intervals: Intervals) -> str:
    weekly, spans = metrics.get("weekly", {}), intervals.get("weekly", {})
    mine = weekly.get("model", {})
    if mine.get("precision") is None:
        return ""
    pair = spans.get("model", {}).get("precision")
    said = _standings({rival: _standing_of_weeks(weekly, spans, rival) for rival in RIVALS})
    best, every = ("leads created", "leads") if "created" in weekly else ("open leads", "open leads")
    return (
        f"Of the {count(weekly['capacity'])} best {best} {turns(weekly)} of the test, each taken once,"
        f" {percent(mine['precision'])} converted{f' ({span(pair, percent)})' if pair else ''},"
        f" {number(mine['lift'], 1)} times as many as of all {every}{f': {said}' if said else ''}."
    )


def _standing_of_weeks(weekly: Metrics, spans: Intervals, rival: str) -> str | None:
    """better, level or worse than a baseline in what was taken and converted. None: unknown."""
    mine, theirs = weekly["model"]["precision"], weekly.get(rival, {}).get("precision")
    if theirs is None:
        return None
    low, high = spans.get("difference", {}).get(rival, {}).get("precision") or (mine - theirs,) * 2
    return "better" if low > 0 else "worse" if high < 0 else "level"


def _standings(outcomes: Mapping[str, str | None]) -> str:
    """Whom it is better than, not clearly different from and worse than; nothing where nothing is known."""
    words = {"better": "better than", "level": "not clearly different from", "worse": "worse than"}
    found = {key: [_the(rival) for rival, outcome in outcomes.items() if outcome == key] for key in words}
    return ", ".join(f"{words[key]} {_list(names)}" for key, names in found.items() if names)


def verdict(metrics: Metrics, intervals: Intervals) -> list[str]:
    """A few sentences, each with its numbers."""
    sentences = [
        compared(metrics, intervals) if _weekly(metrics, intervals) else "",
        _best(metrics, intervals),
        _loss(metrics, intervals),
        _promise(metrics, intervals),
        _captured(metrics),
        _attainable(metrics),
    ]
    return [sentence for sentence in sentences if sentence]


def _best(metrics: Metrics, intervals: Intervals) -> str:
    test = metrics["test"]
    if test.get("precision_at_10pct") is None or not test.get("base_rate"):
        return ""
    pair = intervals.get("test", {}).get("precision_at_10pct")
    others = [
        f"{percent(theirs['precision_at_10pct'])} for {name_of(rival)}"
        for rival in RIVALS[:-1]
        if (theirs := metrics.get("baselines", {}).get(rival, {})).get("precision_at_10pct") is not None
    ]
    return (
        f"Of the best-scored tenth of examples, {percent(test['precision_at_10pct'])} converted"
        f"{f' ({span(pair, percent)})' if pair else ''}, {number(test['lift_at_10pct'], 1)} times the base"
        f" rate of {percent(test['base_rate'])}{f'; {_list(others)}' if others else ''}."
    )


def _loss(metrics: Metrics, intervals: Intervals) -> str:
    mine = metrics["test"].get("log_loss")
    said = []
    for rival in ("base_rate", "logistic"):
        theirs = metrics.get("baselines", {}).get(rival, {}).get("log_loss")
        if mine is not None and theirs:
            pair = intervals.get("difference", {}).get(rival, {}).get("log_loss")
            way, less = ("below", [-pair[1], -pair[0]] if pair else []) if mine <= theirs else ("above", pair)
            part = f" ({span([end / theirs for end in less], percent)})" if pair else ""
            said.append(f"{percent(abs(1 - mine / theirs))} {way} that of {_the(rival)}{part}")
    return f"Its log loss, {number(mine, 4)}, is {' and '.join(said)}." if said else ""


def _promise(metrics: Metrics, intervals: Intervals) -> str:
    ratio = metrics["test"].get("observed_over_expected")
    if ratio is None:
        return ""
    pair = intervals.get("test", {}).get("observed_over_expected")
    came = f"For every 100 conversions predicted, {100 * ratio:.0f} happened"
    if not pair:
        return f"{came}."
    low, high = pair
    slope = intervals.get("test", {}).get("calibration_slope") or (1, 1)
    fair = "overall the probabilities can be taken at their word"
    fair += "" if slope[0] <= 1 <= slope[1] else ", single ones less so: see the calibration slope"
    off = f"overall the probabilities are too {'high' if ratio < 1 else 'low'}"
    between = span([100 * low, 100 * high], lambda share: number(share, 1))
    return f"{came} ({between}): {fair if low <= 1 <= high else off}."


def _captured(metrics: Metrics) -> str:
    truth = metrics.get("truth", {})
    if truth.get("captured") is None:
        return ""
    other = truth.get("captured_by_logistic")
    than = f"; logistic regression captured {percent(other, 0)}" if other is not None else ""
    return (
        "The company is simulated, so the exact probabilities are known. Of the improvement in log loss that they"
        f" allow, the model captured {percent(truth['captured'], 0)}{than}."
    )


def _attainable(metrics: Metrics) -> str:
    """What each choice of the weeks is worth, whatever came of it."""
    said = metrics.get("truth", {}).get("weekly", {})
    shares = {name: own["precision"] for name, own in said.items() if own["precision"] is not None}
    if not {"model", "attainable"} <= shares.keys():
        return ""
    others = [f"{percent(shares[rival])} by {name_of(rival)}" for rival in RIVALS[:-1] if rival in shares]
    ways = _list([*others, f"{percent(shares['attainable'])} by the exact probabilities themselves"])
    mine = percent(shares["model"])
    return f"Luck apart, {mine} of the leads that the model takes each week convert; if taken otherwise, {ways}."


def cautions(metrics: Metrics, intervals: Intervals) -> list[str]:
    """What in the numbers asks for care."""
    test = metrics["test"]
    return [
        *_worse(metrics, intervals),
        *_few(test),
        *_uncalibrated(test, metrics.get("test_one_per_lead", {}), intervals),
    ]


def _worse(metrics: Metrics, intervals: Intervals) -> list[str]:
    return [
        f"Its log loss is worse than that of {_the(rival)}: do not use it before this is understood."
        for rival in RIVALS
        if standing(metrics, intervals, rival) == "worse"
    ]


def _few(test: Metrics) -> list[str]:
    positives = test.get("positives")
    if positives is None or positives >= FEW:
        return []
    return [f"Only {positives:g} test examples converted, so every figure here is uncertain; see its interval."]


def _uncalibrated(test: Metrics, single: Metrics, intervals: Intervals) -> list[str]:
    """`single`: of one example a lead, because looks at one lead are not independent, as a perfect model's null is."""
    said = []
    low, high = intervals.get("test", {}).get("observed_over_expected") or (1, 1)
    if not low <= 1 <= high:
        said.append(
            f"Actual conversions are {number(test['observed_over_expected'], 2)} times those predicted, and chance does"
            " not explain it: the conversion rate has shifted since training, or what is recorded has."
        )
    pair = intervals.get("test", {}).get("calibration_slope") or (1, 1)
    if not pair[0] <= 1 <= pair[1]:
        way = "extreme: high ones are too high, low ones too low"
        if pair[0] > 1:
            way = "timid: high ones are too low, low ones too high"
        said.append(
            f"The calibration slope is {number(test['calibration_slope'], 2)} ({span(pair, lambda x: number(x, 2))}),"
            f" and chance does not explain it: probabilities are too {way}."
        )
    error, null = single.get("smooth_ece"), single.get("smooth_ece_null_p95")
    if error is not None and null is not None and error > null:
        said.append(
            f"With one example of each lead the smooth calibration error is {number(error, 4)}, above"
            f" {number(null, 4)}, below which 95\u00a0% of perfect models score: see the calibration figure for where"
            " the probabilities are off."
        )
    return said


def _the(rival: str) -> str:
    return "the base rate" if rival == "base_rate" else name_of(rival)


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
