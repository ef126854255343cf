"""The page in a real browser: by keyboard, light and dark, narrow and wide, printed, hostile."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from prefectx import settings, testing
from prefectx.inspection.project import Project
from prefectx.monitoring.summary import RunSummary, TaskSummary
from prefectx.reports import collect, write_page
from tests.reports import journals
from tests.reports.test_page import HOSTILE, hostile


def written(folder: Path, run: RunSummary | None = None) -> Path:
    with settings.override(root=str(folder), mode="cache"):
        write_page(collect(Project(), run), str(folder / "report.html"))
    testing.reset()
    return folder / "report.html"


@pytest.fixture(scope="module")
def busy(tmp_path_factory) -> Path:
    """The page of ten thousand calls in four processes, some of which failed."""
    folder = tmp_path_factory.mktemp("busy")
    journals.write(folder, journals.large(10_000, failed=30))
    (folder / "working").mkdir()
    return written(folder)


@pytest.fixture(scope="module")
def bad(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    hostile(folder)
    return written(folder, RunSummary(HOSTILE, tasks={HOSTILE: TaskSummary(failed=1)}))


@contextmanager
def opened(browser, path: Path, **options):
    """Open a page; nothing may be asked for but the page, and nothing may go wrong in it."""
    context = browser.new_context(**options)
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    try:
        yield page
    finally:
        context.close()
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_and_is_legible(browser, busy, width, scheme):
    size = {"width": width, "height": 900}
    with opened(browser, busy, viewport=size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        colours = page.evaluate(CONTRASTS)
        assert min(colours.values()) >= 4.5, colours
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, dark[4:-1].split(","))) < 200) == (scheme == "dark")


# The ratio of luminances of text and what is behind it, as WCAG has it.
CONTRASTS = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const [r, g, b] = numbers(text).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0.5) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = {};
  for (const name of ["h1", "p.soft", "nav a", ".tile dd", ".bad", "pre", ".command", "td.n", "th",
    "button", "small.soft", "#lanes .label"]) {
    const element = document.querySelector(name);
    if (!element) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    found[name] = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  }
  return found;
}"""


def test_the_switch_of_light_and_dark(browser, busy):
    with opened(browser, busy, color_scheme="light") as page:
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
        page.get_by_role("button", name="Light").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == before


def test_the_timeline_by_keyboard(browser, busy):
    with opened(browser, busy) as page:
        assert 500 < page.locator("#lanes rect").count() <= 6000
        assert page.locator("#lanes .label").count() == 4
        page.focus("#lanes")
        page.keyboard.press("ArrowRight")
        first = page.inner_text("#call")
        assert "clean" in first
        page.keyboard.press("ArrowRight")
        second = page.inner_text("#call")
        assert second != first
        page.keyboard.press("ArrowLeft")
        assert page.inner_text("#call") == first
        page.keyboard.press("ArrowDown")
        assert page.inner_text("#call") != first
        narrow = page.evaluate("document.querySelector('#lanes .inner').offsetWidth")
        page.keyboard.press("+")
        wide = page.evaluate("document.querySelector('#lanes .inner').offsetWidth")
        assert wide == pytest.approx(2 * narrow, abs=2)
        page.keyboard.press("0")
        assert page.evaluate("document.querySelector('#lanes .inner').offsetWidth") == narrow
        failed = page.locator("#lanes rect.cf").first
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = false; })")
        failed.click(force=True)
        page.focus("#lanes")
        page.keyboard.press("Enter")
        page.wait_for_selector("#failure-0[open]")


def test_everything_is_reached_by_tab(browser, busy):
    with opened(browser, busy) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reached = set()
        for _ in range(120):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.id || document.activeElement.tagName")
            )
        assert {"theme", "session", "lanes", "search", "of-task", "of-status", "next"} <= reached
        assert "SUMMARY" in reached
        without_name = page.evaluate(
            "[...document.querySelectorAll('button, input, select, [role]')].filter((each) =>"
            " !(each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length))"
            ".map((each) => each.outerHTML.slice(0, 80))"
        )
        assert without_name == []


def test_the_list_of_outputs(browser, busy):
    with opened(browser, busy) as page:
        assert page.inner_text("#which") == "1 to 20 of 10,000"
        page.click("#next")
        assert page.inner_text("#which") == "21 to 40 of 10,000"
        page.fill("#search", "measure/station-000123")
        assert page.inner_text("#which") == "1 to 1 of 1"
        assert "station-000123.json" in page.inner_text("#list tbody")
        page.fill("#search", "")
        page.select_option("#of-task", "measure")
        assert page.inner_text("#which") == "1 to 20 of 5,000"
        page.select_option("#of-task", "")
        page.click("#list button[data-sort=size]")
        assert page.get_attribute("#list th:nth-child(4)", "aria-sort") == "descending"
        largest = page.inner_text("#largest tbody tr:first-child code")
        assert page.inner_text("#list tbody tr:first-child code") == largest
        page.fill("#search", "no such output")
        assert page.inner_text("#which") == "None"


def test_hostile_text_does_nothing(browser, bad):
    with opened(browser, bad, viewport={"width": 400, "height": 900}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.focus("#lanes")
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "End", "Home"):
            page.keyboard.press(key)
        page.fill("#search", "onerror")
        assert "onerror=alert(1)" in page.inner_text("#list tbody")
        assert page.locator("img:not([src^='data:image/'])").count() == 0
        assert page.locator("[onerror], [onload]").count() == 0
        page.wait_for_timeout(200)


def test_it_prints(browser, busy, tmp_path):
    with opened(browser, busy, color_scheme="dark") as page:
        page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
        content = (tmp_path / "report.pdf").read_bytes()
        assert content.startswith(b"%PDF")
        assert 2 <= content.count(b"/Type /Page\n") + content.count(b"/Type /Page/") <= 40
        # Afterwards it looks as before.
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert sum(map(int, dark[4:-1].split(","))) < 200
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        assert not page.is_visible("nav")
        assert page.locator("details:not([open])").count() == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")


def test_without_scripts_the_tables_are_there(browser, busy):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(busy.as_uri())
    text = page.inner_text("body")
    context.close()
    assert "10,000" in text
    assert "The timeline is drawn by a script." in text
    assert "ValueError: row" in text
