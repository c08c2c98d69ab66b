"""Parameters: complete defaults, frozen, and a typo is named."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipeline.errors import Stop
from pipeline.params import Params, load_params, parse_params

ROOT = Path(__file__).parents[2]
CONTRACT = """
source:
  kind: simulated
  path: data/source
  timezone: UTC
definition:
  conversion: {stage: won, within_days: 90}
  terminal: [won, lost, disqualified]
  reopens: [recycled]
  snapshots: {ages_days: [0, 1, 3, 7, 14, 21, 30, 45, 60, 90]}
  attributes: {industry: {kind: categorical, group: fit}, employees: {kind: numeric}, status: {mutable: true}}
  exclude: []
  events: {pricing_view: intent, page_view: engagement, sales_call: seller}
  criteria: {target: "software houses, 50 to 250 people"}
split: {test_fraction: 0.25, calibration_fraction: 0.15}
validate: {max_quarantined_fraction: 0.02}
train: {seed: 7}
policy: {}
points: points.yaml
"""


def test_only_the_kind_is_needed() -> None:
    """Every other key has the default that the contract and params.yaml write down, but for the table of points."""
    least = parse_params("source: {kind: simulated}", "p")
    ours = load_params(ROOT / "params.yaml")
    plain = ours.definition.model_copy(update={"criteria": {}})
    assert least == ours.model_copy(update={"points": None, "definition": plain})
    assert least == Params.model_validate({"source": {"kind": "simulated"}})


def test_the_contracts_example_is_understood() -> None:
    """Its defaults are ours; the keys that it sets besides are read."""
    given, least = parse_params(CONTRACT, "p"), parse_params("source: {kind: simulated}", "p")
    for name in ("source", "split", "validate_", "train", "policy"):
        assert getattr(given, name) == getattr(least, name)
    kept = {"attributes", "events", "criteria"}
    assert given.definition.model_dump(exclude=kept) == least.definition.model_dump(exclude=kept)
    assert given.definition.attribute("status").mutable
    assert given.definition.attribute("never_heard_of").kind is None
    assert given.points == Path("points.yaml")


@pytest.mark.parametrize("kind", ["database", "salesforce", "hubspot", "dynamics", "pipedrive", "odoo"])
def test_a_kind_that_is_not_built_is_named(kind: str) -> None:
    """The contract's other sources are not built yet: the message names the key and those there are."""
    with pytest.raises(Stop, match=rf"source\.kind: .*'simulated' or 'tables'.*'{kind}'"):
        parse_params(f"source: {{kind: {kind}}}", "p")


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("params.yaml")), ids=lambda path: path.parent.name)
def test_the_examples_are_understood(path: Path) -> None:
    """Every parameter file under examples/ parses."""
    assert load_params(path).source.kind == "tables"


def test_parameters_are_frozen() -> None:
    """Nobody changes a parameter on the way."""
    params = parse_params("source: {kind: simulated}", "p")
    for section, name in ((params, "source"), (params.train, "seed"), (params.definition.conversion, "stage")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, name, 1)


def test_a_conversion_is_a_stage_unless_an_event_is_named() -> None:
    """`won` by default; an event takes its place, and only an event may repeat."""
    params = parse_params("source: {kind: tables}\ndefinition: {conversion: {within_days: 30}}", "p")
    assert params.definition.conversion.stage == "won"
    params = parse_params("source: {kind: tables}\ndefinition: {conversion: {event: buy, repeats: true}}", "p")
    assert (params.definition.conversion.stage, params.definition.conversion.event) == (None, "buy")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"trian": {}}, ["trian: unknown key"]),
        ({"train": {"num_leafs": 3}}, ["train.num_leafs: unknown key"]),
        ({"source": {"kind": "tables", "simulated": {"lead": 3}}}, ["source.simulated.lead: unknown key"]),
        ({"definition": {"attributes": {"size": {"sort": "numeric"}}}}, ["definition.attributes", "size.sort"]),
        ({"train": {"num_leaves": 1}}, ["train.num_leaves", "2", "got 1"]),
        ({"train": {"learning_rate": 1.5}}, ["train.learning_rate", "got 1.5"]),
        ({"train": {"lambda_l1": float("inf")}}, ["train.lambda_l1", "finite"]),
        ({"train": {"seed": "seven"}}, ["train.seed", "integer", "'seven'"]),
        ({"train": None}, ["train: expected keys", "None"]),
        ({"split": {"test_fraction": 1}}, ["split.test_fraction", "less than 1", "got 1"]),
        ({"split": {"test_from": "soon"}}, ["split.test_from", "'soon'"]),
        ({"validate": {"max_quarantined_fraction": 2}}, ["validate.max_quarantined_fraction", "got 2"]),
        ({"definition": {"conversion": {"within_days": 0}}}, ["definition.conversion.within_days", "got 0"]),
        ({"definition": {"conversion": {"within_days": 1e12}}}, ["definition.conversion.within_days", "36500"]),
        ({"definition": {"conversion": {"within_days": float("nan")}}}, ["within_days", "finite"]),
        ({"definition": {"conversion": {"stage": "a", "event": "b"}}}, ["definition.conversion", "'a'", "'b'"]),
        ({"definition": {"conversion": {"repeats": True}}}, ["definition.conversion", "repeats needs an event"]),
        ({"definition": {"horizons": [60, 30, 90]}}, ["definition: horizons must rise", "[60.0, 30.0, 90.0]"]),
        ({"definition": {"horizons": [30, 30, 90]}}, ["definition: horizons must rise"]),
        ({"definition": {"horizons": [30, 60]}}, ["the last of horizons must be conversion.within_days, 90", "60"]),
        ({"definition": {"horizons": [0, 90]}}, ["definition.horizons.0", "greater than 0"]),
        ({"definition": {"snapshots": {"ages_days": [0, 7, 3]}}}, ["definition.snapshots", "increase"]),
        ({"definition": {"snapshots": {"ages_days": []}}}, ["definition.snapshots", "empty"]),
        ({"definition": {"events": {"call": "sales"}}}, ["definition.events.call", "'seller'", "'sales'"]),
        ({"policy": {"grades": {"A": 1, "B": 2}}}, ["policy: grades must fall"]),
        ({"policy": {"grades": {"A": float("nan")}}}, ["policy.grades.A", "finite"]),
        ({"source": {"kind": "tables", "timezone": "Helsinki"}}, ["source.timezone", "Europe/Helsinki"]),
        ({"source": {"kind": "tables", "encoding": "cp9999"}}, ["source.encoding", "cp9999", "cp1252"]),
        ({"source": {"kind": "tables", "separator": ";;"}}, ["source.separator", "one character", "';;'"]),
        ({"source": {"kind": "tables", "separator": "ä"}}, ["source.separator", "ASCII"]),
        ({"source": {"kind": "tables", "separator": "\n"}}, ["source.separator", "one character"]),
        ({"source": {"kind": "tables", "decimal": ";"}}, ["source.decimal", "';'"]),
        ({"policy": {"threshold": {"weekly_capcity": 9}}}, ["policy.threshold.weekly_capcity", "'weekly_capacity'?"]),
        ({"policy": {"routes": [{"route": "x", "lft": 2}]}}, ["policy.routes.0.lft", "did you mean 'lift'?"]),
        ({"definition": {"attributes": {"size": {"knd": 1}}}}, ["definition.attributes.size.knd", "mean 'kind'?"]),
    ],
)
def test_a_wrong_key_or_value_is_named(more: dict[str, Any], words: list[str]) -> None:
    """The message says the file, the whole key, what was expected and what came."""
    text = yaml.safe_dump({"source": {"kind": "simulated"}, **more}, allow_unicode=True)
    with pytest.raises(Stop) as error:
        parse_params(text, "params.yaml")
    assert str(error.value).startswith("params.yaml: ")
    for word in words:
        assert word in str(error.value)


def test_all_mistakes_are_said_at_once() -> None:
    """A line each, so that one run is enough to mend them."""
    with pytest.raises(Stop) as error:
        parse_params("source: {kind: simulated, pth: x}\ntrain: {bags: 1}\n", "p")
    assert [line.split(":")[1].strip() for line in str(error.value).splitlines()] == ["source.pth", "train.bags"]


@pytest.mark.parametrize("mark", [",", ";", "|", "\t", " "])
def test_separators_of_exports(mark: str) -> None:
    """Commas, semicolons, bars, tabs and spaces part columns."""
    assert parse_params(yaml.safe_dump({"source": {"kind": "tables", "separator": mark}}), "p").source.separator == mark


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("source: {kind: tables\ntrain: [", ["not YAML", "line 2"]),
        ("source:\n\tkind: tables", ["not YAML", "line 2", "'\\t'"]),
        ("source: {kind: simulated}\nsource: {kind: tables}", ["'source' is given twice", "line 2"]),
        ("source: {kind: tables, until: 2025-13-01}", ["not YAML", "month"]),
        ("source: !!python/object:os.system {}", ["not YAML"]),
        ("", ["expected keys", "got nothing"]),
        ("- a", ["expected keys", "got a list"]),
        ("{a: 1}: b", ["not YAML"]),
    ],
)
def test_broken_yaml_is_told_with_its_line(text: str, words: list[str]) -> None:
    """What is no YAML, or no mapping, is said in one line, and nothing in it is run."""
    with pytest.raises(Stop) as error:
        parse_params(text, "params.yaml")
    assert len(str(error.value).splitlines()) == 1
    for word in ["params.yaml: ", *words]:
        assert word in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, a folder, and other bytes than UTF-8."""
    for make, words in (
        (lambda path: None, "cannot be read"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: (path.rmdir(), path.write_bytes(b"source: \xe4")), "expected UTF-8"),
    ):
        make(tmp_path / "params.yaml")
        with pytest.raises(Stop, match=words):
            load_params(tmp_path / "params.yaml")


def test_instants_without_an_offset_are_in_the_time_zone_of_the_source() -> None:
    """source.until, split.test_from and definition.snapshots.at mean what the tables' times mean."""
    text = """
source: {kind: tables, timezone: Europe/Helsinki, until: 2025-01-01}
split: {test_from: 2024-06-01 12:00:00}
definition: {snapshots: {at: ["2024-01-01", 2024-02-01T00:00:00Z]}}
"""
    params = parse_params(text, "params.yaml")
    assert params.source.until == datetime(2024, 12, 31, 22, tzinfo=UTC)
    assert params.split.test_from == datetime(2024, 6, 1, 9, tzinfo=UTC)
    assert params.definition.snapshots.at == [
        datetime(2023, 12, 31, 22, tzinfo=UTC),
        datetime(2024, 2, 1, tzinfo=UTC),
    ]
