"""The shared definition: the page and its figures, and what a change of the criteria would do."""
# ruff: noqa: E501 # rows of tables on one line

import re
import shutil
import string
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from features.plan import plan_of_json
from models.policy.policy import Policy
from pipeline import define, stage
from pipeline.agreement import trying
from pipeline.agreement.definition_page import Page, render
from pipeline.agreement.language import PAGES
from pipeline.agreement.meeting import population
from pipeline.agreement.outcomes import who_decides
from pipeline.assembly.matrices import matrix_of
from pipeline.cli import app
from pipeline.params import Definition
from pipeline.policy.forecast import forecast

EVIL = '<script>alert("x")</script>'
CRITERIA: list[list[Any]] = [
    ["target_group", {"words": EVIL, "when": "employees between 50 and 500"}],
    ["buying_stage", {"when": {"event": "pricing_view", "within_days": 30}}],
    [f"chemistry{EVIL}", "pleasant"],
]
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def defined(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with the forecast of stage publish, criteria, and what stage define made of them."""
    root = tmp_path_factory.mktemp("definition") / "run"
    shutil.copytree(finished_run, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        policy = Policy.of_json(stage.read_json(stage.BUNDLE / "policy.json"))
        plan, examples = plan_of_json(stage.read_json(stage.PLAN)), stage.read_table(stage.EXAMPLES)
        matrix = matrix_of(stage.read_table(stage.FEATURES).filter(examples["mature"]), plan.features)
        figures = forecast(
            policy, stage.read_table(stage.PREDICTIONS), matrix, stage.read_tables(), stage.section(Definition), 1
        )
        stage.write_json(figures, stage.POLICY_FIGURES)
        stage.write_json({"criteria": CRITERIA, "language": "en"}, stage.AGREED)
        stage.DEFINITION.unlink(missing_ok=True)
        define.main()
    return root


@pytest.fixture(autouse=True)
def _there(defined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test changes a copy of its own."""
    shutil.copytree(defined, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")


@pytest.fixture
def figures() -> dict[str, Any]:
    """reports/definition.json of the first run."""
    found: dict[str, Any] = stage.read_json(stage.DEFINITION)
    return found


class Outline(HTMLParser):
    """Checks that tags are closed in order, and keeps headings, header cells and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.bare = 0
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of an opening tag."""
        self.seen.add(tag)
        self.bare += tag == "th" and "scope" not in dict(attrs)
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Of a closing tag."""
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", PAGES)
def test_the_page_is_well_formed_and_says_what_people_wrote_as_text(figures: dict[str, Any], language: str) -> None:
    """Tags are closed, headings in order, cells have a scope; a script in the words is words; nothing is loaded."""
    page = render(figures, language)
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.bare == 0
    assert outline.seen & {"script", "img", "link", "iframe"} == set()
    assert "&lt;script&gt;" in page
    assert "//" not in page
    assert f'lang="{language}"' in page
    assert page.count("<h2") == 8


def test_the_figures_add_up(figures: dict[str, Any]) -> None:
    """With and without a criterion are all the leads, and so are all, some and none of them."""
    parts = figures["criteria"]["by_met"].values()
    for key in ("n", "converted"):
        assert sum(part[key] for part in parts) == figures["overall"][key]
        for one in figures["criteria"]["each"][:2]:
            assert one["weight"]["met"][key] + one["weight"]["unmet"][key] == figures["overall"][key]
    assert [one["name"] for one in figures["criteria"]["each"]] == [name for name, _ in CRITERIA]
    assert figures["criteria"]["each"][2]["weight"] is None


def test_a_criterion_is_recounted_from_the_tables(figures: dict[str, Any]) -> None:
    """employees between 50 and 500, as it was known at the age at which leads are looked at."""
    tables = stage.read_tables()
    people = population(stage.read_table(stage.EXAMPLES), tables["leads"])
    past = tables["history"].filter((pl.col("entity") == "account") & (pl.col("field") == "employees"))
    rows = people.rows.join(tables["leads"].select("lead_id", "account_id"), on="lead_id")
    known = rows.join(past, left_on="account_id", right_on="id").filter(pl.col("changed_at") <= pl.col("as_of"))
    last = known.sort("changed_at", "row").group_by("lead_id").last()
    assert (
        last["value"].cast(pl.Float64).is_between(50, 500).sum() == figures["criteria"]["each"][0]["weight"]["met"]["n"]
    )


def test_each_lead_is_counted_once_and_none_whose_outcome_is_open() -> None:
    """At one age for all."""
    examples = stage.read_table(stage.EXAMPLES)
    people = population(examples, stage.read_tables()["leads"])
    assert people.rows["lead_id"].is_unique().all()
    assert people.rows["mature"].all()
    assert set(people.rows["age_days"]) == {people.age_days} == {14.0}


def test_without_dates_each_lead_counts_as_it_is() -> None:
    """Flat data have no ages."""
    nothing = pl.Series([None, None], dtype=pl.Datetime("us", "UTC"))
    examples = pl.DataFrame({"lead_id": ["a", "b"], "as_of": nothing, "age_days": pl.Series([None, None], dtype=pl.Float64),
                             "label": [0.0, 1.0], "mature": [True, True]})  # fmt: skip
    people = population(examples, pl.DataFrame({"lead_id": ["a", "b"]}))
    assert (len(people.rows), people.age_days, people.weeks) == (2, None, None)


def test_the_next_version_says_what_changed(figures: dict[str, Any]) -> None:
    """A run on the same agreement keeps the version; another criterion makes a new one, whose changes are named."""
    define.main()
    assert stage.read_json(stage.DEFINITION) == figures
    stage.write_json({"criteria": [["theme", "integration"], *CRITERIA[1:]], "language": "fi"}, stage.AGREED)
    define.main()
    found = stage.read_json(stage.DEFINITION)["edition"]
    assert found["edition"] == 2
    assert {one["key"] for one in found["changes"]} == {
        f"criteria.{name}.{key}" for name in ("theme", "target_group") for key in ("words", "when")
    } - {"criteria.theme.when"}
    assert "kriteeri Teema: sanat" in stage.DEFINITION_PAGE.read_text()


@pytest.mark.parametrize("spelling", ["MQL", "Marketing Qualified Lead"])
def test_stages_are_counted_by_any_spelling(figures: dict[str, Any], spelling: str) -> None:
    """The page names the stage as the CRM does, and says how many leads came to it."""
    tables = stage.read_tables()
    renamed = tables["stages"].with_columns(pl.col("stage").replace({"mql": spelling, "sql": "SQL"}))
    stage.write_table(renamed, stage.TABLES / "stages.parquet")
    define.main()
    page, of = stage.DEFINITION_PAGE.read_text(), Page("en").count(figures["leads"])
    for name, was in ((spelling, "mql"), ("SQL", "sql")):
        assert figures["stages"][was] > 0
        assert f"{figures['stages'][was]} of {of} leads came to the stage “{name}”" in page


def test_titles_are_those_of_the_plan_whatever_they_are_called(figures: dict[str, Any]) -> None:
    """A column `position` tells who decides as `job_title` does."""
    assert figures["deciders"]["roles"]
    for path in (stage.PLAN, stage.TABLES / "attributes.json"):
        path.write_text(path.read_text().replace("job_title", "position"))
    leads = stage.read_table(stage.TABLES / "leads.parquet").rename({"job_title": "position"})
    stage.write_table(leads, stage.TABLES / "leads.parquet")
    define.main()
    assert stage.read_json(stage.DEFINITION)["deciders"] == figures["deciders"]


def test_who_decides_leaves_out_refused_outcomes(figures: dict[str, Any]) -> None:
    """A lead whose outcome row was refused counts as little as one that is not there: it is no account lost."""
    path = stage.TABLES / "leads.parquet"
    leads = stage.read_table(path).with_columns(outcome_refused=pl.int_range(pl.len()) % 3 == 0)
    found = []
    for rows in (leads, leads.filter(~pl.col("outcome_refused"))):
        stage.write_table(rows, path)
        args = stage.read_tables(), plan_of_json(stage.read_json(stage.PLAN)), stage.section(Definition)
        found.append(who_decides(*args, stage.read_until(), figures["age_days"]))
    assert found[0] == found[1] != figures["deciders"]


def test_no_criteria_are_said_to_be_none(figures: dict[str, Any]) -> None:
    """The page stands without them."""
    bare = {**figures, "criteria": {"each": [], "by_met": {}}, "deciders": {"left_out": "x"}, "topics": [],
            "expected": {"threshold": None, "score_at_threshold": None, "left_out": "x"}}  # fmt: skip
    assert "No criteria are written down yet" in render(bare, "en")


def test_a_criterion_of_what_is_not_there_is_not_checked(
    figures: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on, the page says why, what may have been meant is named, the others keep their weight; and a line
    can be tried in its place."""
    stage.write_json({"criteria": [["size", {"when": "employes > 5"}], *CRITERIA], "language": "en"}, stage.AGREED)
    define.main()
    size, *others = stage.read_json(stage.DEFINITION)["criteria"]["each"]
    assert size["weight"] is None
    assert "did you mean 'employees'" in size["doubt"]
    assert "definition.criteria.size cannot be checked" in capsys.readouterr().err
    assert "Cannot be checked on these data" in stage.DEFINITION_PAGE.read_text()
    assert [one["weight"] for one in others] == [one["weight"] for one in figures["criteria"]["each"]]
    said = "\n".join(trying.lines(trying.run("employees > 5", "size"), 3))
    assert "size cannot be checked and counts for nothing here" in said


@pytest.mark.parametrize("language", PAGES)
def test_every_language_says_the_same(language: str) -> None:
    """The same keys, with the same places, and no empty text."""

    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert set(PAGES[language]) == set(PAGES["en"])
    for key, text in PAGES[language].items():
        assert text.strip()
        if key != "day":
            assert places(text) == places(PAGES["en"][key]), key


def test_numbers_are_written_as_the_language_does() -> None:
    """Decimal comma and a space that does not break."""
    assert (Page("fi").percent(0.0412), Page("sv").count(12345), Page("en").number(1234.5)) == (
        "4,1\u00a0%",
        "12\u00a0345",
        "1,234.5",
    )
    assert Page("fi").day("2025-04-01") == "1.4.2025"


def _try(*words: str) -> Any:
    return CliRunner().invoke(app, ["definition", "try", *words])


def test_a_criterion_that_everyone_meets_moves_nobody() -> None:
    """Planted: nothing changes, for sure."""
    found = trying.run("employees known or employees unknown")
    assert len(found.leads) == 0
    assert {v.value for v in found.trial.change.values()} <= {0.0, None}


def test_what_goes_out_is_what_no_longer_meets_it() -> None:
    """Dropping every criterion lets everyone in; the list and the volumes agree."""
    found = trying.run(None, drop="target_group")
    past = found.leads.filter(pl.col("is") == "past")
    assert set(past["change"]) == {"in"}
    moved = found.trial.change["leads_a_week"].value
    assert moved is not None
    np.testing.assert_allclose(moved * (found.people.weeks or 0), len(past))
    assert found.trial.moved["in"].value == pytest.approx(past["converted"].mean())
    assert past["value"].sum() > 0
    said = list(trying.lines(found, 1))
    assert any(
        line.startswith(f"Of the leads whose outcome is known {len(past):,} come in; of these ") for line in said
    )
    assert "Of the leads whose outcome is known 0 go out." in said
    assert found.leads.filter(pl.col("is") == "open")["converted"].null_count() == len(found.leads) - len(past)


def test_the_command_shows_and_lists(tmp_path: Path) -> None:
    """Figures with intervals, ids of leads that are open now, and a file of all."""
    out = tmp_path / "moved.csv"
    result = _try("employees between 20 and 900", "--replace", "target_group", "--csv", str(out))
    assert result.exit_code == 0, result.output
    assert "leads a week" in result.output
    assert 'when: "employees between 20 and 900"' in result.output
    listed = pl.read_csv(out)
    assert listed.columns == list(trying.COLUMNS)
    opened = listed.filter(pl.col("is") == "open")["lead_id"].to_list()
    assert opened
    assert opened[0] in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["employes > 5"], "at character 1: no column of leads .* did you mean 'employees'"),
        (["employees > 5 and event pricing_vew"], "at character 19: no event is a 'pricing_vew'"),
        (["employees contains 5"], "at character 1: employees holds numbers"),
        (["employees >"], "at character 12: expected a number"),
        (["employees > 5", "--replace", "target"], "--replace 'target': no criterion .* did you mean 'target_group'"),
        ([], "give a criterion such as"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_words_and_exits_with_1(words: list[str], said: str) -> None:
    """The place in the line, and what may have been meant."""
    result = _try(*words)
    assert result.exit_code == 1
    assert re.search(said, result.output, re.DOTALL), result.output
    assert "Traceback" not in result.output
