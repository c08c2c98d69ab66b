"""The report: words before tables, hostile text harmless, nothing from the network."""

import json
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from models.judging import bootstrap, metrics
from models.policy.routing import Rule
from pipeline.leaks.findings import Check
from pipeline.reporting import drawing, plots
from pipeline.reporting.report import PARTS, Feature, Figure, Refused, ReportContent, by_group, render_report
from pipeline.reporting.summary import summary_table
from pipeline.reporting.verdict import cautions, headline, verdict
from pipeline.reporting.wording import count, number, percent

HOSTILE = '<script>alert("x")</script><img src=https://evil.example/x>'
VOID = {"meta", "br", "img", "hr", "input", "link"}


FEW = {"leads": 3, "converted": 1, "rate": 1 / 3, "value": 9.0}
SWAP = {
    "groups": {"stay": FEW, "in": FEW, "out": {"leads": 0, "converted": 0, "rate": None, "value": None}},
    "difference": {"rate": {"in_less_out": 0.1, "interval": [0.02, 0.2]}, "value": None},
}
POINTS = {
    "table": HOSTILE,
    "rules": {"examples": 9, "held": {HOSTILE: 0, "b": 3}},
    "reconciliation": {
        "leads": 9, "agree": 3, "agreeing": 1 / 3, "earlier": 1, "later": 1, "only_replay": 2, "only_actual": 2,
        "tolerance_days": 1.0,
    },
    "swap": {
        **SWAP, "fresh_leads": 20, "volume": 3, "threshold": 0.1, "by_month": {},
        "by_source": {HOSTILE: SWAP["groups"]},
        "randomly_worked": {**SWAP, "difference": {"rate": None, "value": None}},
    },
}  # fmt: skip


class Page(HTMLParser):
    """Tags that are open, and what the page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.values: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what it would load."""
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        self.values += [value or "" for name, value in attrs if not name.startswith(("xmlns", "aria-", "data-"))]
        self.loads += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes the tag that was opened last."""
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def content() -> ReportContent:
    """Every part of a page, hostile wherever text can be."""
    rng = np.random.default_rng(1)
    z = rng.normal(-3, 1.3, 4000)
    p, group = 1 / (1 + np.exp(-z)), np.arange(4000) // 4
    y = (rng.random(4000) < p).astype(float)
    others = {"logistic": 1 / (1 + np.exp(-z - rng.normal(0, 1, 4000))), "base_rate": np.full(4000, y.mean())}
    baselines = {name: metrics.scores(y, q, null_draws=5) for name, q in others.items()}
    own, apart = bootstrap.compare(y, {"model": p, **others}, "model", group, 1, 50)
    calibration = drawing.svg(plots.reliability(y, {"model": p}, group, 1), "a", HOSTILE)
    return ReportContent(
        title=f"Lead conversion {HOSTILE}",
        metrics={
            "test": metrics.scores(y, p, null_draws=5),
            "test_one_per_lead": metrics.scores(y[::4], p[::4], null_draws=5),
            "baselines": baselines,
            "truth": {"captured": 0.84, "captured_by_logistic": 0.7},
        },
        intervals={
            "test": own["model"],
            "baselines": {name: own[name] for name in others},
            "difference": apart,
        },
        warnings=(f"a warning {HOSTILE}",),
        figures=(
            Figure("Calibration", HOSTILE, calibration, "scores"),
            Figure("Gain", "", drawing.svg(plots.gain(y, {"model": p, **others}), "b", "gain"), "gain"),
        ),
        points=POINTS,
        importance={f"fit_{HOSTILE}": 0.2, "intent_pricing_view_7d": 0.5, "intent_demo": 0.25},
        belief={f"fit_{HOSTILE}": 0.0, "fit_vague": 0.4},
        features=(Feature(HOSTILE, "fit", "categorical", HOSTILE),),
        quality={
            "leads": {
                "read": 100, "accepted": 97, "quarantined": {"duplicate_id": 2}, "excluded": {"objected": 1},
            }
        },
        refused=(Refused("leads", 17, "duplicate_id", HOSTILE),),
        personal={"leads": {"email": "mail address"}},
        left_out={"Tags": HOSTILE},
        leaks=(
            Check("single features", f"Of 9 features {HOSTILE} tells most."),
            Check("scores without the future", "Does not apply.", applies=False),
        ),
        folds={
            "train": {"examples": 9, "leads": 3, "converting_leads": 1, "as_of": None},
            "immature": {"examples": 2},
        },
        facts={"version": "3f2a9b11c0de"},
        calibration={"kind": "platt", "coefficients": [-0.1, 0.9]},
        candidates={"none": 0.1651, "platt": 0.1649},
    )  # fmt: skip


def test_fields_in_which_nothing_was_found_are_named(content: ReportContent) -> None:
    """Those that no member believed at all, and no others; without any nothing is said of it."""
    text = render_report(content)
    section = text[text.index("Fields in which nothing was found") :][:600]
    assert "fit_&lt;script" in section
    assert "fit_vague" not in section
    assert "Fields in which nothing" not in render_report(replace(content, belief={"fit_vague": 0.4}))


def test_the_page_is_whole_and_loads_nothing(content: ReportContent) -> None:
    """Every tag is closed; no script, no handler, no reference but within the page."""
    text = render_report(content)
    page = Page(text)
    assert page.open == []
    assert not page.tags & {"script", "link", "iframe", "img", "object"}
    assert all(load.startswith("#") for load in page.loads)
    assert set(re.findall(r"https?://[\w.]+", text)) == {"http://www.w3.org", "https://evil.example"}
    assert "http" not in "".join(page.values)
    assert not re.search(r"url\((?!#)|@import", text)
    assert "default-src 'none'" in text


def test_hostile_text_is_shown_not_run(content: ReportContent) -> None:
    """Names, reasons and captions of the data are escaped wherever they stand."""
    text = render_report(content)
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") >= 8


def test_the_content_is_plain(content: ReportContent) -> None:
    """What fills the page can be written as JSON."""
    json.dumps(asdict(content), allow_nan=False)


def test_the_least_content_makes_a_page(content: ReportContent) -> None:
    """A title and metrics are enough, and a fold of one class still gives a page."""
    assert Page(render_report(ReportContent("x", {"test": content.metrics["test"]}))).open == []
    empty = metrics.scores(np.empty(0), np.empty(0))
    one = metrics.scores(np.zeros(5), np.full(5, 0.1), null_draws=2)
    for scores in (empty, one):
        text = render_report(ReportContent("x", {"test": scores, "baselines": {"logistic": scores}}))
        assert "None" not in text
        assert "nan" not in text


def test_the_same_content_gives_the_same_page(content: ReportContent) -> None:
    """No clock, no random ids."""
    assert render_report(content) == render_report(replace(content))


def test_the_verdict_comes_first_and_says_the_numbers(content: ReportContent) -> None:
    """Whom it beats, by how much, whether its sum can be believed, and what share it captured."""
    assert headline(content.metrics, content.intervals) == (
        "The model's probabilities are better than logistic regression and the base rate."
    )
    best, loss, promise, captured = verdict(content.metrics, content.intervals)
    assert percent(content.metrics["test"]["precision_at_10pct"]) in best
    assert "below that of the base rate (" in loss
    assert "taken at their word" in promise
    assert f"captured {percent(0.84, 0)}" in captured
    text = render_report(content)
    assert text.index("are better than") < text.index("<table")


def with_weeks(content: ReportContent) -> ReportContent:
    """The same with a weekly replay and a diagnosis of the calibration."""
    one = {"precision": 0.31, "lift": 6.2, "value": 120_000.0, "auc_within_week": 0.8, "auc_age_0": None}
    others = {"logistic": {**one, "precision": 0.3}, "base_rate": {**one, "precision": 0.05, "value": None}}
    weekly = {"weeks": 19, "capacity": 20.0, "open": 812.4, "base_rate_of_open": 0.05, "model": one, **others}
    apart = {"logistic": {"precision": (-0.02, 0.04)}, "base_rate": {"precision": (0.2, 0.3)}}
    spans = {"model": {"precision": (0.26, 0.36)}, "difference": apart}
    row = {"name": HOSTILE, "n": 900, "positives": 0, "observed": 0.0, "expected": 0.01, "observed_over_expected": 0.0,
           "interval": [0.0, 0.41], "chance": 0.001, "smooth_ece": 0.01, "smooth_ece_null_p95": 0.02}  # fmt: skip
    whole = {"value": 1.0, "interval": (0.9, 1.1)}
    names = (
        "calibration_slope",
        "calibration_intercept",
        "observed_over_expected",
        "smooth_ece",
        "smooth_ece_null_p95",
    )
    return replace(
        content,
        metrics={**content.metrics, "weekly": weekly},
        intervals={**content.intervals, "weekly": spans},
        weekly={"kind": "weeks", "weeks": []},
        slices={"test": dict.fromkeys(names, whole),
                "by": {"source": {"column": HOSTILE, "merged": 7, "slices": [row]}}},
    )  # fmt: skip


def test_what_the_best_of_each_week_are_worth_is_said_luck_apart(content: ReportContent) -> None:
    """With the most there is to reach, where the exact truth is known; else not a word of it."""
    shares = {"model": 0.441, "logistic": 0.411, "points": 0.18, "base_rate": 0.034, "attainable": 0.493}
    weekly = {name: {"precision": share, "lift": 2.0} for name, share in shares.items()}
    said = verdict({**content.metrics, "truth": {"captured": None, "weekly": weekly}}, content.intervals)[-1]
    assert said == (
        "Luck apart, 44.1\u00a0% of the leads that the model takes each week convert; if taken otherwise,"
        " 18.0\u00a0% by hand-tuned points, 41.1\u00a0% by logistic regression and 49.3\u00a0% by the exact"
        " probabilities themselves."
    )
    nobody = {name: {"precision": None, "lift": None} for name in shares}
    for truth in ({"captured": 0.8}, {"captured": 0.8, "weekly": nobody}):
        told = verdict({**content.metrics, "truth": truth}, content.intervals)
        assert not any("Luck apart" in sentence for sentence in told)


def test_the_weekly_truth_comes_first(content: ReportContent) -> None:
    """What the best leads of each week came to heads page and screen, with the model's standing; log loss follows."""
    more = with_weeks(content)
    said = headline(more.metrics, more.intervals)
    assert said.startswith(
        "Of the 20 best open leads on each of the 19 Mondays of the test, each taken once, 31.0\u00a0% converted"
    )
    assert said.endswith("better than the base rate, not clearly different from logistic regression.")
    assert verdict(more.metrics, more.intervals)[0].startswith("The model's probabilities are better than")
    text = render_report(more)
    assert Page(text).open == []
    assert "<script" not in text
    body = text[text.index("</nav>") :]
    assert body.index(PARTS["weeks"]) < body.index(PARTS["calibration"]) < body.index(PARTS["stability"])
    assert "120,000" in text
    assert "7 rarer values are merged" in text
    assert list(summary_table(more.metrics).columns[1].cells) == [percent(p) for p in (0.31, 0.3, 0.05)]


def test_no_weeks_are_explained(content: ReportContent) -> None:
    """Flat data have no weeks, and the page says so; leads ranked at their creation are said to be."""
    why = replace(content, weekly={"kind": "none", "reason": "without dates there are no weeks", "weeks": []})
    assert "There is no weekly replay: without dates there are no weeks." in render_report(why)
    created = replace(with_weeks(content), weekly={"kind": "created", "weeks": []})
    assert "because these data know nothing later" in render_report(created)


def test_instants_that_may_be_months_apart_are_no_weeks(content: ReportContent) -> None:
    """Where people are looked at at fixed instants, page and screen say so, and nothing is scaled to a quarter."""
    usual = with_weeks(content)
    at = {"instants": 3, **{name: value for name, value in usual.metrics["weekly"].items() if name != "weeks"}}
    more = replace(usual, metrics={**usual.metrics, "weekly": at}, weekly={"kind": "instants", "weeks": []})
    assert "at each of the 3 instants of the test, each taken once, 31.0\u00a0% converted" in render_report(more)
    said = render_report(replace(more, metrics={**more.metrics, "weekly": {**at, "instants": 1, "capacity": 2357.0}}))
    assert "Of the 2,357 best open leads at the one instant of the test" in said
    assert "At the one instant of\ndefinition.snapshots.at in the test, the open leads are ranked." in said
    assert not re.search("per quarter|Monday", said)
    assert summary_table(more.metrics).columns[1].header == "best 20 each time"


def test_leads_ranked_at_their_creation_are_no_open_ones(content: ReportContent) -> None:
    """Where outcomes alone are known, leads created in a week are picked from: nobody says that they were open."""
    usual = with_weeks(content)
    weekly = {"created": 100.0, **{name: value for name, value in usual.metrics["weekly"].items() if name != "open"}}
    more = replace(usual, metrics={**usual.metrics, "weekly": weekly}, weekly={"kind": "created", "weeks": []})
    said = " ".join(render_report(more).split())
    assert "Of the 20 best leads created in each of the 19 weeks of the test, each taken once" in said
    assert not re.search("Monday(?! of the test, the leads created)|best open leads|of all open leads", said)


def scores(log_loss: float, **more: Any) -> dict[str, Any]:
    """Metrics of one model."""
    return {"log_loss": log_loss, **more}


def test_a_worse_model_is_said_to_be_worse() -> None:
    """A model that loses is not praised: headline and caution say so; an interval over 0 is no win."""
    found = {"test": scores(0.3), "baselines": {"logistic": scores(0.2), "base_rate": scores(0.31)}}
    spans = {"difference": {"base_rate": {"log_loss": (-0.03, 0.01)}}}
    said = headline(found, spans)
    assert "not clearly different from the base rate" in said
    assert "worse than logistic regression" in said
    assert any("worse than that of logistic regression" in caution for caution in cautions(found, spans))
    assert "above that of logistic regression" in verdict(found, spans)[0]
    spans = {"difference": {"logistic": {"log_loss": (-0.01, 0.14)}}}
    assert "50.0\u00a0% above that of logistic regression (−5.0\u00a0% to 70.0\u00a0%)" in verdict(found, spans)[0]


def test_a_shift_and_few_conversions_are_cautioned() -> None:
    """An interval of observed over expected without 1, and few positives, are said."""
    found = {"test": scores(0.3, observed_over_expected=0.6, positives=40)}
    said = cautions(found, {"test": {"observed_over_expected": (0.5, 0.7)}})
    assert len(said) == 2
    assert "Only 40" in said[0]
    assert "0.60" in said[1]
    assert cautions({"test": scores(0.3, positives=900)}, {}) == []
    told = " ".join(verdict(found, {"test": {"observed_over_expected": (0.5, 0.9)}}))
    assert "For every 100 conversions predicted, 60 happened (50.0 to 90.0)" in told


@pytest.mark.parametrize(
    ("slope", "pair", "word"), [(1.2, (1.1, 1.3), "timid"), (0.8, (0.7, 0.9), "extreme"), (1.1, (0.9, 1.3), "")]
)
def test_a_slope_that_chance_does_not_explain_is_cautioned(slope: float, pair: tuple[float, float], word: str) -> None:
    """Above 1 probabilities are too timid, below it too extreme; an interval that holds 1 says nothing."""
    said = cautions({"test": scores(0.3, calibration_slope=slope)}, {"test": {"calibration_slope": pair}})
    assert len(said) == (word != "")
    assert all(word in caution and number(slope, 2) in caution for caution in said)


def test_the_smooth_error_is_cautioned_by_one_example_a_lead() -> None:
    """The null takes examples for independent, which ten looks at a lead are not: they alone say nothing."""
    off, fine = {"smooth_ece": 0.02, "smooth_ece_null_p95": 0.01}, {"smooth_ece": 0.009, "smooth_ece_null_p95": 0.01}
    assert cautions({"test": scores(0.3, **off), "test_one_per_lead": scores(0.3, **fine)}, {}) == []
    (said,) = cautions({"test": scores(0.3, **fine), "test_one_per_lead": scores(0.3, **off)}, {})
    assert "0.0200" in said
    assert "0.0100" in said


def test_groups_add_up_their_features() -> None:
    """A group's weight is the sum over its features."""
    assert by_group({"fit_a": 0.1, "fit_b": 0.2, "intent_c": 0.4}) == pytest.approx({"fit": 0.3, "intent": 0.4})


def test_the_screen_table_has_a_row_a_model(content: ReportContent) -> None:
    """The model first, then each baseline that there is; what is unknown is a dash."""
    table = summary_table(content.metrics)
    assert list(table.columns[0].cells) == ["this model", "logistic regression", "base rate"]
    assert list(summary_table({"test": {}}).columns[1].cells) == ["–"]


def test_numbers_are_written_for_reading() -> None:
    """A true minus sign, no minus before zero, no break before the per cent sign, a dash for the unknown."""
    assert [number(x, 2) for x in (-0.001, -1.5, 2, None)] == ["0.00", "−1.50", "2.00", "–"]
    assert percent(0.0412) == "4.1\u00a0%"
    assert [count(x) for x in (-1234.4, -0.2, None)] == ["−1,234", "0", "–"]


def test_every_leak_check_is_on_the_page_with_its_result(content: ReportContent) -> None:
    """Those that do not apply to the data say so."""
    page = render_report(content)
    assert f"{PARTS['leaks']}</a></h2>" in page
    assert re.search(r"single features</th><td>passed", page)
    assert re.search(r"scores without the future</th><td>does not apply", page)


def test_other_pages_are_named_where_there_are_some(content: ReportContent) -> None:
    """A page beside this one is linked by its file's name."""
    assert '<a href="lead-definition.html">the definition</a>' in render_report(
        replace(content, links={"the definition": "lead-definition.html"})
    )
    assert "Beside this page" not in render_report(content)


def test_slices_that_miss_one_are_named(content: ReportContent) -> None:
    """A slice that chance does not explain is said; the reader need not look for it."""
    page = render_report(with_weeks(content))
    assert re.search(r"than chance explains: <data[^>]*>1</data> of <data[^>]*>1</data> parts", page)


def test_a_number_and_its_per_cent_sign_stay_together(content: ReportContent) -> None:
    """Whoever wrote them, template, caption or table, no line ends between the two."""
    text = re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", render_report(with_weeks(content)), flags=re.DOTALL)
    assert "95\u00a0% interval" in text
    assert not re.findall(r".{9}\d %", text)


@pytest.mark.parametrize("low", [-0.3, -0.1, 0.02])
def test_a_swap_that_loses_is_not_said_to_win(content: ReportContent, low: float) -> None:
    """The difference is said with its sign, and chance explains it where the interval holds 0, on either side."""
    rate = {"in_less_out": low + 0.1, "interval": [low, low + 0.2]}
    swap = {**POINTS["swap"], "difference": {"rate": rate, "value": None}}
    text = render_report(replace(content, points={**POINTS, "swap": swap}))
    told = re.sub(r"<[^>]*>|\s+", " ", text[text.index("Rate of those that come in") :])
    assert f"go out: {number(100 * low + 10, 1)} percentage points" in told.replace("  ", " ")
    assert ("chance alone may explain it" in told[:300]) == (low < 0 < low + 0.2)


def test_the_report_says_what_the_routes_are(content: ReportContent) -> None:
    """The rules in order, each with what it asks: who meets the best lead under "no touch" is told why."""
    routes = (
        Rule("no_touch", 1, "small", True),
        Rule("high_touch", 2),
        Rule("own_way", 0.5, "large"),
        Rule("recheck", 0),
    )
    policy = {"threshold": None, "left_out": "", "weeks": 2, "above": None, "grades": {}, "routes": {},
              "rules": [asdict(rule) for rule in routes]}  # fmt: skip
    text = re.sub(r"<[^>]*>", "", render_report(replace(content, policy=policy)))
    assert (
        "the first that fits: no touch from 1.0 times the base rate on, if the product is used, and the deal is small;"
        " high touch from 2.0 times the base rate on; own way from 0.5 times the base rate on, if the deal is large;"
        " recheck for all others."
    ) in text
