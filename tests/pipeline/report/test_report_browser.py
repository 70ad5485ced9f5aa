"""The page of a report in a real browser: it is drawn, it plays, it is worked by keys, and no text in it acts.

Needs Chromium (the Debian package `chromium`) and playwright (the extra `dev`), which drives it.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.schema import Event
from manifests.storage import Place, open_place
from parley.testing import make_corpus
from parley.testing.timelines import make_timed
from pipeline.report.report import write_report
from tests.pipeline.report.reported import MARKUP, many, reported, rows

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install playwright==1.65.2")

FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Sight:
    """A page that is open in the browser, with what it complained of and what it asked for."""

    def __init__(self, tab: Any, file: Path) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        self.asked: list[str] = []
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.goto(file.as_uri())

    def text(self, place: str) -> str:
        return str(self.tab.locator(place).inner_text())

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def until(self, condition: str) -> None:
        """Wait until the condition holds. Not `wait_for_function`, whose `eval` the page's policy forbids."""
        for _ in range(200):
            if self.tab.evaluate(condition):
                return
            self.tab.wait_for_timeout(50)
        raise AssertionError(f"never: {condition}")


@pytest.fixture
def sight(browser: Any, page: Path) -> Iterator[Sight]:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    seen = Sight(tab, page)
    yield seen
    assert seen.complaints == []
    tab.close()


def test_every_part_is_drawn_and_nothing_is_loaded(sight: Sight) -> None:
    assert sight.text("h1") == "rivers" and "45 %" in sight.text("#summary")
    assert "error_rate" in sight.text("#flow") and sight.tab.locator("#flow .leaf").count() == 4
    assert sight.tab.locator("#error-tables table").count() == 3
    assert sight.tab.locator("#measures .card").count() >= 5
    assert "Not recorded" in sight.text("#cost")
    assert sight.text("#found") == "11 rows" and sight.tab.locator(".item").count() == 11
    assert len(sight.asked) == 1, "the page itself"


def test_markup_in_texts_does_nothing(sight: Sight, page: Path) -> None:
    sight.tab.locator("#filters [name=q]").fill("onerror")
    sight.until("document.getElementById('found').textContent === '1 of 11 rows'")
    assert MARKUP in sight.text("#dialogue") and sight.text("#dialogue code") == MARKUP
    assert sight.tab.locator("img").count() == 0 and sight.tab.title() == "Report of rivers"


def test_no_text_can_be_made_markup(browser: Any, page: Path) -> None:
    """The policy itself: what an error in our script would do is refused."""
    tab = browser.new_page()
    tab.goto(page.as_uri())
    refused = tab.evaluate(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch (error) { return true } })()"
    )
    ran = tab.evaluate(
        "(() => { const s = document.createElement('script'); try { s.textContent = 'window.ran = 1'; "
        "document.body.append(s) } catch (error) {} return window.ran === 1 })()"
    )
    assert refused and not ran
    tab.close()


@pytest.mark.parametrize("clips", ["beside", "inside"])
def test_turns_are_heard(browser: Any, corpus: Place, tmp_path: Path, clips: Any) -> None:
    write_report(corpus, open_place(tmp_path / "p.html"), clips=clips)
    tab = browser.new_page()
    sight = Sight(tab, tmp_path / "p.html")
    tab.evaluate(
        "document.getElementById('audio').addEventListener('ended', () => { window.heard = (window.heard || 0) + 1 })"
    )
    tab.locator("#turn-0 .play").click()
    sight.until("document.getElementById('audio').currentTime > 0.2")
    assert tab.locator("#turn-0 .play").get_attribute("aria-label") == "Pause turn 1"
    sight.until("window.heard === 1")
    tab.locator("#play-all").click()
    sight.until("document.querySelector('#turn-1').classList.contains('current')")
    sight.until("window.heard === 3")
    box = tab.locator("#turn-1 .seek").bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 5)
    sight.until("document.getElementById('audio').currentTime > 1.4")
    assert sight.complaints == []
    tab.close()


def test_filters_choose(sight: Sight) -> None:
    form = sight.tab.locator("#filters")
    for name, value, found in (("status", "rejected", "5"), ("reason", "no_voice", "1"), ("language", "zh", "3")):
        form.locator(f"[name={name}]").select_option(value)
        sight.until(f"document.getElementById('found').textContent === '{found} of 11 rows'")
        form.locator("button").click()
        sight.until("document.getElementById('found').textContent === '11 rows'")
    form.locator("[name=voice]").fill("en-user-2")
    sight.until("document.getElementById('found').textContent === '1 of 11 rows'")
    form.locator("button").click()
    form.locator("[name=b]").check()
    sight.until("document.getElementById('dialogue').textContent.includes('made-00000004')")
    assert sight.text("#found") == "1 of 11 rows"
    form.locator("[name=q]").fill("nothing is like this")
    sight.until("document.getElementById('found').textContent === '0 of 11 rows'")
    assert "Clear a filter" in sight.text("#dialogue")
    form.locator("button").click()
    form.locator("[name=order]").select_option("worst")
    sight.until("document.querySelector('#item-0')?.textContent.includes('30.0 %')")


def test_a_reason_in_the_flow_shows_its_rows(sight: Sight) -> None:
    leaf = sight.tab.locator("#flow .leaf", has_text="error_rate")
    leaf.focus()
    sight.press("Enter")
    assert sight.text("#found") == "4 of 11 rows"
    assert sight.tab.evaluate("document.activeElement.id") == "list"


def test_the_keyboard_is_enough(sight: Sight) -> None:
    chosen = "#list [aria-selected=true]"
    sight.press("j", "j")
    assert sight.tab.locator(chosen).get_attribute("id") == "item-2"
    assert sight.tab.locator("#list").get_attribute("aria-activedescendant") == "item-2"
    assert sight.tab.evaluate("document.activeElement.id") == "list"
    sight.press("k", "ArrowDown", "ArrowDown", "ArrowUp")
    assert sight.tab.locator(chosen).get_attribute("id") == "item-2"
    sight.press("ArrowRight")
    assert "current" in str(sight.tab.locator("#turn-1").get_attribute("class"))
    sight.press("Space")
    sight.until("document.getElementById('audio').currentTime > 0 && !document.getElementById('audio').paused")
    sight.press("Space")
    assert sight.tab.evaluate("document.getElementById('audio').paused")
    sight.press("End")
    assert sight.tab.locator(chosen).get_attribute("id") == "item-10"
    sight.press("/")
    sight.tab.keyboard.type("j k ?")
    assert sight.tab.locator("#filters [name=q]").input_value() == "j k ?", "a field takes its keys"
    sight.press("Escape", "?")
    assert sight.tab.locator("#help").is_visible()
    sight.press("Escape")
    assert not sight.tab.locator("#help").is_visible()


def test_focus_is_seen(sight: Sight) -> None:
    for _ in range(3):
        sight.press("Tab")
        outline = sight.tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_the_slider_tells_what_a_limit_keeps(sight: Sight) -> None:
    told = "#told-wer"
    assert sight.text(told).startswith("10.0 % keeps 4 rows (±0)")
    sight.tab.locator("#limit-wer").focus()
    sight.press("End")
    assert "keeps 6 rows (+2)" in sight.text(told)
    sight.press("Home")
    assert "0.0 % keeps 1 row (−3)" in sight.text(told)
    sight.tab.locator("#limits button", has_text="10.0 %").click()
    assert sight.text(told).startswith("10.0 % keeps 4 rows (±0)")


def test_differences_are_told_without_color(sight: Sight) -> None:
    sight.tab.locator("#item-2").click()
    first = sight.tab.locator("#turn-0 .cell.s").first
    assert first.locator(".letter").inner_text() == "S"
    assert "heard quux" in str(first.get_attribute("title"))
    assert sight.tab.locator("#turn-0 .take").count() == 2, "attempts stand side by side"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_and_the_button_between(browser: Any, page: Path, scheme: Any) -> None:
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(page.as_uri())

    def brightness() -> int:
        return int(tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g)[0]"))

    first = brightness()
    assert (first > 200) == (scheme == "light")
    tab.locator("#theme").click()
    assert (brightness() > 200) != (first > 200)
    tab.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_its_screen(browser: Any, page: Path, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 740})
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    tab.locator("#item-2").click()
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    tab.close()


def test_a_timeline_is_drawn_and_leads_to_its_turns(browser: Any, tmp_path: Path) -> None:
    row = make_timed()
    assert row.timeline is not None
    marked = Event("stop", "agent", 5500, 5600, 1, MARKUP)
    timeline = replace(row.timeline, profile=MARKUP, events=(*row.timeline.events, marked))
    corpus = reported(tmp_path / "rivers", [replace(row, timeline=timeline), *rows()[5:]])
    write_report(corpus, open_place(tmp_path / "out"))
    tab = browser.new_page(viewport={"width": 375, "height": 800})
    seen = Sight(tab, tmp_path / "out" / "report.html")
    assert tab.locator(".lanes .spoken").count() == 3 and tab.locator(".lanes .cut").count() == 1
    assert "backchannel" in seen.text(".signs") and "both speak" in seen.text(".signs")
    assert "0.05" in seen.text("#times") and tab.locator("#offsets svg").count() == 1
    tab.locator(".lanes .spoken.agent").first.click()
    assert tab.locator(".turn.current h4").inner_text() == "agent"
    tab.locator(".timeline summary").click()
    assert "<img" in seen.text(".timeline table") and tab.locator(".timeline img").count() == 0
    assert tab.evaluate("document.documentElement.scrollWidth") == 375
    assert tab.title() == "Report of rivers" and seen.complaints == []
    tab.close()


def test_an_empty_corpus(browser: Any, tmp_path: Path) -> None:
    write_report(make_corpus(tmp_path / "c", []), open_place(tmp_path / "p.html"))
    tab = browser.new_page()
    sight = Sight(tab, tmp_path / "p.html")
    assert sight.text("#found") == "0 rows" and sight.complaints == []
    sight.press("j", "Space", "End", "p")
    assert sight.complaints == []
    tab.close()


def test_thousands_of_rows_scroll(browser: Any, tmp_path: Path) -> None:
    """docs/report.md has the figures of ten thousand; here: few items exist at any time."""
    corpus = reported(tmp_path / "c", many(1000))
    write_report(corpus, open_place(tmp_path / "p.html"), rows=1000, clips="none")
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    sight = Sight(tab, tmp_path / "p.html")
    items = tab.evaluate(
        """async () => {
          const list = document.getElementById('list');
          list.scrollIntoView();
          const seen = [];
          for (let part = 0; part <= 50; part += 1) {
            list.scrollTop = (part / 50) * list.scrollHeight;
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            seen.push(document.querySelectorAll('.item').length);
          }
          return seen;
        }"""
    )
    assert max(items) < 40
    assert "item-999" in str(tab.locator(".item").last.get_attribute("id"))
    assert sight.text("#found") == "1,000 rows"
    tab.close()
