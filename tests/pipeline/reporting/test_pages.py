"""The pages that people read, in a real browser: nothing is asked for, all is drawn, and everybody can read them.

Every HTML file that dvc.yaml names is covered. The browser is the system's Chromium, driven by Playwright; axe-core
comes in a package. Without Chromium these tests are skipped, and say so.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
DESK, PHONE = {"width": 1000, "height": 900}, {"width": 375, "height": 800}
LEAST_TEXT = 12
"""Pixels."""


def pages_of_dvc() -> list[str]:
    """Every page that a stage writes for people; MLflow's copy of the report is the report with less."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].values()
    outs = [out if isinstance(out, str) else next(iter(out)) for stage in stages for out in stage.get("outs", ())]
    return sorted(out for out in outs if out.startswith("reports/") and out.endswith(".html"))


@dataclass
class Opened:
    """A page in the browser, and what it did on opening."""

    page: Page
    said: list[str] = field(default_factory=list)
    """Errors and whatever else it wrote to the console."""
    asked: list[str] = field(default_factory=list)
    """Addresses it asked for, itself first."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=pages_of_dvc())
def opened(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Opened]:
    """Each page of the small finished run."""
    path = report.parents[1] / request.param
    assert path.exists(), f"{request.param}: is not written by the fixture `report` of tests/conftest.py"
    found = read(browser, path)
    yield found
    found.page.close()


def read(browser: Browser, path: Path) -> Opened:
    """Open a page from its file, as a reader does."""
    found = Opened(browser.new_page(viewport=DESK))  # type: ignore[arg-type]
    found.page.on("console", lambda message: found.said.append(message.text))
    found.page.on("pageerror", lambda error: found.said.append(str(error)))
    found.page.on("request", lambda asked: found.asked.append(asked.url))
    found.page.goto(path.as_uri())
    return found


@pytest.fixture
def page(opened: Opened) -> Page:
    """The page as it is on a desk, by day, its details closed."""
    opened.page.set_viewport_size(DESK)  # type: ignore[arg-type]
    opened.page.emulate_media(color_scheme="light", media="screen")
    fold(opened.page, is_open=False)
    return opened.page


def fold(page: Page, *, is_open: bool) -> None:
    """Open or close all details."""
    page.evaluate("is => document.querySelectorAll('details').forEach(one => { one.open = is })", is_open)


def test_it_says_no_error_and_asks_for_nothing(opened: Opened) -> None:
    """Nothing but the file itself is loaded, and the console stays empty."""
    assert opened.said == []
    assert opened.asked == [opened.page.url]


DRAWN = """() => [...document.querySelectorAll('figure svg')].map(svg => {
  const box = svg.getBoundingClientRect()
  const parts = [...svg.querySelectorAll('text, path, use')].map(part => part.getBoundingClientRect())
  const texts = [...svg.querySelectorAll('text')].filter(text => {
    const own = text.getBoundingClientRect()
    return own.left < box.left - 2 || own.right > box.right + 2 || own.top < box.top - 2 || own.bottom > box.bottom + 2
  })
  return {
    width: box.width, height: box.height, right: box.right + scrollX, says: svg.getAttribute('aria-label') || '',
    parts: parts.filter(p => p.width + p.height).length, cut: texts.map(text => text.textContent)}
})"""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_charts_are_drawn(page: Page, size: dict[str, int]) -> None:
    """Each has a size and something in it, lies within the page, has none of its texts cut and says what it shows."""
    page.set_viewport_size(size)  # type: ignore[arg-type]
    charts: list[dict[str, Any]] = page.evaluate(DRAWN)
    if page.url.endswith("/report.html"):
        assert len(charts) >= 8
    for chart in charts:
        assert chart["width"] > 250, chart
        assert chart["height"] > 100, chart
        assert chart["parts"] > 10, chart
        assert chart["right"] <= size["width"], chart
        assert chart["cut"] == [], chart
        assert len(chart["says"]) > 40, chart


SMALL = """least => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) {
    const holder = walk.currentNode.parentElement
    if (!walk.currentNode.textContent.trim() || !holder.getClientRects().length) continue
    const scale = holder.getScreenCTM ? Math.hypot(holder.getScreenCTM().a, holder.getScreenCTM().b) : 1
    const size = parseFloat(getComputedStyle(holder).fontSize) * scale
    if (size < least - 0.01) found.push(`${size.toFixed(1)} px: ${walk.currentNode.textContent.trim()}`)
  }
  return found
}"""


def test_it_can_be_read_on_a_phone(page: Page) -> None:
    """375 pixels wide the page does not move sideways, and no text, of tables and pictures too, is under 12 pixels."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    fold(page, is_open=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(SMALL, LEAST_TEXT) == []


def test_all_of_it_is_reached_by_keyboard(page: Page) -> None:
    """The first stop leads to the content; tab goes through every link, table and summary; enter opens details."""
    fold(page, is_open=True)
    page.evaluate("document.activeElement.blur()")
    count = page.evaluate("document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length")
    stops = []
    for _ in range(count):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("""() => {
          const one = document.activeElement, all = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
          const box = one.getBoundingClientRect()
          return [all.indexOf(one), box.bottom > 0 && box.top < innerHeight]
        }"""))  # fmt: skip
    assert stops == [[k, True] for k in range(count)]
    assert page.locator("a").first.get_attribute("href") == "#content"
    fold(page, is_open=False)
    summary = page.locator("summary").first
    if summary.count():
        summary.focus()
        page.keyboard.press("Enter")
        assert page.locator("details").first.get_attribute("open") is not None


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["desk by day", "phone by night"])
def test_axe_finds_nothing(page: Page, scheme: str, size: dict[str, int]) -> None:
    """By axe-core, contrast among its rules, by day and by night, with all details open."""
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    fold(page, is_open=True)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["help"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_paper_is_white_and_shows_what_is_folded(page: Page) -> None:
    """Printed at night the page is still black on white, and details stand open."""
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = (
        "[...document.querySelectorAll('details > :not(summary)')].filter(one => !one.getBoundingClientRect().height)"
    )
    assert page.evaluate(f"{hidden}.length") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.skip')).display") == "none"


FAULTY = """<!doctype html><title>x</title><script>console.error("x")</script><img src="missing.png">
<p style="width: 60rem; font-size: 9px; color: #bbb; background: #fff">small and faint</p>
<figure><svg viewBox="0 0 100 50" style="width: 300px"><text x="90" y="20">cut off</text></svg></figure>
<div style="overflow: auto; width: 9rem"><p style="width: 40rem">moves sideways, and no key reaches it</p></div>"""


def test_planted_faults_are_found(browser: Browser, tmp_path: Path) -> None:
    """What these tests look for is seen where it is wrong."""
    (tmp_path / "faulty.html").write_text(FAULTY)
    found = read(browser, tmp_path / "faulty.html")
    assert "x" in found.said
    assert len(found.asked) == 2
    found.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert found.page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]
    assert found.page.evaluate(SMALL, LEAST_TEXT) == ["9.0 px: small and faint"]
    assert found.page.evaluate(DRAWN)[0]["cut"] == ["cut off"]
    rules = {one["id"] for one in Axe().run(found.page).response["violations"]}
    assert {"color-contrast", "image-alt", "html-has-lang", "scrollable-region-focusable"} <= rules
    found.page.close()
