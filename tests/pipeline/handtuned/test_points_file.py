"""A mistake in a table of points is an error that names the rule and the key, before anything runs."""

# ruff: noqa: E501 # a mistake and what is said of it on one line
from pathlib import Path

import pytest

from pipeline import configure, stage
from pipeline.errors import Stop
from pipeline.handtuned.file import load_points, parse_points

GOOD = "{id: a, when: {event: x}, points: 5}"


def said(text: str) -> str:
    """What the error says."""
    with pytest.raises(Stop) as stopped:
        parse_points(text, "p.yaml", "UTC")
    return str(stopped.value)


WRONG = [
    ("rules: [{id: a, when: {event: x}, point: 5}]", "p.yaml: rule a: point: unknown key; did you mean 'points'?"),
    ("rules: [{id: a, when: {event: x}}]", "p.yaml: rule a: points: is missing; give a number"),
    ("rules: [{when: {event: x}, points: 5}]", "p.yaml: rule number 1: id: is missing"),
    (f"rules: [{GOOD}, {GOOD}]", "p.yaml: rule a: id: is given twice"),
    ("rules: [{id: a, when: {event: x, atleast: 2}, points: 5}]", "rule a: when.atleast: unknown key; did you mean 'at_l"),
    ("rules: [{id: a, when: {not: {any: [{field: x, eqq: 1}]}}, points: 5}]", "rule a: when.not.any.0.eqq: unknown key"),
    ("rules: [{id: a, when: {event: x, topic: {has: 1}}, points: 5}]", "rule a: when.topic.has: unknown key; there are 'eq'"),
    ("rules: [{id: a, when: {feild: x, eq: 1}, points: 5}]", "rule a: when: expected a test with one of the keys field"),
    ("rules: [{id: a, when: {field: x}, points: 5}]", "rule a: when: expected one of eq, in, contains"),
    ("rules: [{id: a, when: {field: x, between: [9, 1]}, points: 5}]", "rule a: when: between: 9 is above 1"),
    ("rules: [{id: a, when: {field: x, eq: 2025-01-01}, points: 5}]", "rule a: when.eq: expected a text, a number or"),
    ("rules: [{id: a, when: {event: x}, points: 5, decay: {percent: 10}}]", "rule a: decay: every_days: is missing"),
    ("rules: [{id: a, when: {event: x}, points: 5, decay: {every_days: 9}}]", "rule a: decay: percent: is missing"),
    ("rules: [{id: a, when: {event: x}, points: 5, decay: {}}]", "rule a: decay: every_days: expected percent and"),
    ("rules: [{id: a, when: {event: x}, points: 5, decay: {percent: 120, every_days: 1}}]", "rule a: decay.percent: "),
    ("rules: [{id: a, when: {event: x, within_days: 0}, points: 5}]", "rule a: when.within_days: "),
    ("rules: [{id: a, when: {field: x, eq: 1}, points: 5, each: true}]", "rule a: each: needs exactly one event test"),
    ("rules: [{id: a, when: {any: [{event: x}, {event: y}]}, points: 5, each: true}]", "rule a: each: needs exactly"),
    ("rules: [{id: a, when: {event: x}, points: 5, max_per_day: 5}]", "rule a: max_per_day: bounds what the events"),
    ("rules: [{id: a, when: {event: x}, points: 5, from: 2025-02-01, until: 2025-01-01}]", "rule a: until: 2025-01-01"),
    ("rules: [{id: a, when: {event: x}, points: 5, from: spring}]", "rule a: from: expected a date or an ISO 8601 time"),
    ("rules: [{id: a, when: {event: x}, points: many}]", "rule a: points: "),
    (f"rules: [{GOOD}]\ncaps: {{fit: [0, 5]}}", "p.yaml: caps.fit: no rule has this group; there are 'points'"),
    (f"rules: [{GOOD}]\ncaps: {{points: [9, 5]}}", "p.yaml: caps.points: the ends overlap: at least 9, at most 5"),
    (f"rules: [{GOOD}]\nthresholds: {{mlq: 5}}", "p.yaml: thresholds.mlq: no rule has this group; did you mean 'mql'?"),
    (f"rules: [{GOOD}]\nthresholds: {{mql: 6}}", "p.yaml: thresholds.mql: nobody can reach 6: rules and caps give 5"),
    (f"rules: [{GOOD}]\ncaps: {{points: [0, 3]}}\nthresholds: {{points: 4}}", "thresholds.points: nobody can reach 4"),
    ("rules: [{id: a, group: Fit, when: {event: x}, points: 5}, {id: b, group: fit, when: {event: x}, points: 5}]",
     "rule b: group: 'fit' and 'Fit' differ only in case"),
    ("rules: [{id: a, group: mql, when: {event: x}, points: 5}]", "rule a: group: mql stands for the sum"),
    (f"rules: [{GOOD}]\nexclude: [{{field: x, equals: 1}}]", "p.yaml: exclude.0.equals: unknown key"),
    (f"rules: [{GOOD}]\nthreshold: {{mql: 3}}", "p.yaml: threshold: unknown key; did you mean 'thresholds'?"),
    ("rules: []", "p.yaml: rules: "),
    ("- a", "p.yaml: expected keys such as"),
    ("rules: [", "p.yaml: not YAML"),
    ("rules: [{id: a, id: b, when: {event: x}, points: 5}]", "the key 'id' is given twice"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_named(text: str, words: str) -> None:
    """Which rule, which key, what was expected."""
    assert words in said(text)


def test_every_mistake_is_named_at_once() -> None:
    """Not one after another."""
    both = said("rules: [{id: a, when: {event: x}, point: 5}, {id: b, when: {event: x}, points: x}]")
    assert "rule a: point:" in both
    assert "rule b: points:" in both


def test_an_auto_qualifying_rule_needs_no_points() -> None:
    """It may have none."""
    assert parse_points("rules: [{id: 1, when: {event: x}, auto_qualify: true}]", "p", "UTC").rules[0].points is None


def test_dates_are_in_the_zone_of_the_source() -> None:
    """A date is its midnight there; an instant with an offset stays."""
    text = "rules: [{id: a, when: {event: x}, points: 5, from: 2025-07-01, until: 2025-08-01T00:00:00Z}]"
    rule = parse_points(text, "p", "Europe/Helsinki").rules[0]
    assert rule.from_ is not None
    assert rule.until is not None
    assert rule.from_.isoformat() == "2025-07-01T00:00:00+03:00"
    assert rule.until.isoformat() == "2025-08-01T00:00:00+00:00"


def test_configure_stops_at_a_wrong_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any data are read; and a table that is right reads back as it was."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("source: {kind: simulated}\npoints: p.yaml\n")
    with pytest.raises(Stop, match=r"p\.yaml: cannot be read"):
        configure.main()
    Path("p.yaml").write_text("rules: [{id: a, when: {event: x}}]")
    with pytest.raises(Stop, match="rule a: points"):
        configure.main()
    assert not stage.SETTINGS.exists()
    Path("p.yaml").write_text(
        "rules: [{id: a, when: {not: {field: x, in: [1, a]}}, points: 5, from: 2025-01-01}]\nthresholds: {mql: 5}"
    )
    configure.main()
    from pipeline.handtuned.inputs import read_table

    assert read_table() == load_points(Path("p.yaml"), "UTC")


def test_a_table_for_another_source_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who brings tables and keeps the simulated company's points runs without them, and is told."""
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(f"rules: [{GOOD}]\nsources: [simulated]")
    for kind, there in (("simulated", True), ("tables", False)):
        Path("params.yaml").write_text(f"source: {{kind: {kind}}}\npoints: p.yaml\n")
        configure.main()
        assert (stage.read_json(stage.POINTS_TABLE) is not None) == there
        assert ("no points are replayed" in " ".join(capsys.readouterr().err.split())) != there
