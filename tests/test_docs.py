"""The documentation is true: its links lead somewhere, its code works, each command has a place.

The commands themselves are run in tests/pipeline/test_dvc.py, in the order of the pages, in a project with a run.
"""

import re
from pathlib import Path

import pytest
from documented import DOCS, ROOT, code, commands, page

from features import own
from features.plan import plan_of_json
from pipeline import stage
from pipeline.cli import app

PAGES = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))


def headings(path: Path) -> set[str]:
    """Anchors of a page's headings, as Markdown makes them."""
    found = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Pages, their parts and pictures that are linked to exist."""
    for target, anchor in re.findall(r"\]\(([^)#:]+)(?:#([^)]+))?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file(), target
        assert not anchor or anchor in headings(path.parent / target), anchor


def test_every_block_of_commands_is_run() -> None:
    """A page with commands is among those that are run."""
    assert {name for name in PAGES if commands(page(name))} == set(DOCS)


def test_every_command_is_documented() -> None:
    """Each command that `leadscore --help` lists is in the README or in docs."""
    told = (ROOT / "README.md").read_text(encoding="utf-8") + "".join(map(page, PAGES))
    shown = [c.name or str(getattr(c.callback, "__name__", "")) for c in app.registered_commands if not c.hidden]
    for name in [*shown, *(str(group.name) for group in app.registered_groups)]:
        assert re.search(rf"leadscore {name}\b", told), name


def test_the_feature_of_the_guide_works(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ten lines, at the end of features/own.py, give a feature."""
    (lines,) = code(page("data-scientist"))
    monkeypatch.setitem(own.OWN, "engagement_week_share", next(iter(own.OWN.values())))  # taken out again at the end
    exec(lines, vars(own))  # noqa: S102 - the documentation's own code
    plan = plan_of_json(stage.read_json(finished_run / stage.PLAN))
    assert "share of all activity in the last week" in [column.of for column in plan.features]
    assert len(lines.splitlines()) <= 10
