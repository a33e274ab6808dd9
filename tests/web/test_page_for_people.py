"""What someone meets who is shown the page for the first time: a sample, doubts, one screen, a test
set of one's own, and a page that everybody can use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.web.conftest import ROOT, Opened
from tests.web.test_page import SEVEN

pytestmark = pytest.mark.slow
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"


# The sample


def test_a_sample_is_drawn_and_read_until_one_draws(page: Opened) -> None:
    page["#digit"].filter(has_text="3").wait_for()
    assert page["#clear"].is_disabled()
    assert page["#right"].is_disabled()
    page.draw([(150, 60), (150, 240)])
    assert page.text("#digit") == "1"
    page["#undo"].click()
    page.wait()
    assert page.text("#verdict") == "Nothing drawn yet"


def test_the_sample_grows_where_motion_is_welcome(browser: Browser, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(SHOWN)
    page.goto(url)
    page.locator("#digit", has_text="3").wait_for()
    page.wait_for_function("shown.length > 4")
    assert page.evaluate("new Set(shown).size") > 2
    context.close()


SHOWN = """window.shown = [];
addEventListener("DOMContentLoaded", () =>
  new MutationObserver(() => window.shown.push(document.querySelector("#verdict").textContent))
    .observe(document.querySelector("#verdict"), { childList: true }))"""


# Doubts


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"pred": 7, "conf": 0.93}, "93.0% sure"),
        ({"pred": 7, "conf": 0.41}, "Not sure: perhaps a 7 (41.0%)"),
        (
            {"pred": 7, "conf": 0.93, "sure": False, "second": 8},
            "Not sure: perhaps a 7 (93.0%), or an 8",
        ),
    ],
)
def test_doubts_are_shown_with_the_second_guess(
    page: Opened, answer: dict[str, object], words: str
) -> None:
    page.page.route("**/tasks/*", lambda route: route.fulfill(json=answer))
    page.through_api()
    page.draw(*SEVEN)
    assert page.text("#verdict") == words


def test_an_address_that_is_none_is_explained(page: Opened) -> None:
    page.draw(*SEVEN)
    page.page.get_by_label("Through the API").check(force=True)
    page.page.get_by_label("Task").fill("http://")
    page.through_api()
    assert page.text("#api-state").startswith("“http://” is not an address.")


def test_what_decides_is_tinted(page: Opened) -> None:
    page.draw(*SEVEN)
    page["#saliency"].check()
    page["#seen[aria-label$='what matters most is orange']"].wait_for()
    assert page.page.evaluate(TINTED) > 10
    page["#saliency"].uncheck()
    page.wait()
    assert page.page.evaluate(TINTED) == 0


TINTED = """() => {
  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  copy.drawImage(document.querySelector("#seen"), 0, 0);
  const { data } = copy.getImageData(0, 0, 28, 28);
  return data.filter((_, at) => at % 4 === 0 && data[at] - data[at + 2] > 20).length;
}"""


# A test set of one's own


def kept(opened: Opened, folder: Path) -> list[dict[str, Any]]:
    with opened.page.expect_download() as download:
        opened["#save"].click()
    path = folder / "digits.jsonl"
    download.value.save_as(path)
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_drawings_are_kept_with_what_they_were_meant_to_be(page: Opened, tmp_path: Path) -> None:
    page.draw(*SEVEN)
    page["#right"].click()
    page.wait()
    assert page.text("#verdict") == "Kept as a 7"
    page.draw(*SEVEN)
    page["#meant"].select_option("1")
    assert page.text("#kept-state") == "Kept as a 1. 2 drawings kept in this browser."
    page.page.reload()
    page["html[data-network]"].wait_for()
    found = kept(page, tmp_path)
    assert [(each["digit"], each["read"]) for each in found] == [(7, 7), (1, 7)]
    assert [len(stroke) for stroke in found[0]["strokes"]] == [3]
    page.page.on("dialog", lambda dialog: dialog.accept())
    page["#forget"].click()
    assert page["#save"].is_disabled()


def test_they_are_kept_until_the_page_closes_if_storage_is_denied(
    opened: Opened, url: str, tmp_path: Path
) -> None:
    opened.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })"
    )
    opened.open(url)
    opened.draw(*SEVEN)
    opened["#right"].click()
    assert "until you close the page" in opened.text("#kept-state")
    assert [each["digit"] for each in kept(opened, tmp_path)] == [7]


# Hands and pens


@pytest.fixture
def touched(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(url)
    page.locator("html[data-network=ready]").wait_for()
    yield page
    context.close()


def test_a_pen_draws_although_the_palm_came_first(touched: Page) -> None:
    box = touched.locator("#canvas").bounding_box()
    assert box
    session = touched.context.new_cdp_session(touched)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": box["x"] + x, "y": box["y"] + y, "id": 1} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def pen(kind: str, x: float, y: float) -> None:
        place = {"x": box["x"] + x, "y": box["y"] + y, "button": "left", "buttons": 1}
        session.send(
            "Input.dispatchMouseEvent",
            {"type": kind, **place, "pointerType": "pen", "clickCount": 1},
        )

    touch("touchStart", (250, 300))
    touch("touchMove", (200, 310))
    pen("mousePressed", 150, 60)
    touch("touchMove", (120, 320))
    for y in (120, 180, 240):
        pen("mouseMoved", 150, y)
    pen("mouseReleased", 150, 240)
    touch("touchEnd")
    touched.locator("#result[aria-busy=false]").wait_for()
    assert touched.locator("#digit").inner_text() == "1"


# One screen, for everybody


@pytest.mark.parametrize(
    ("width", "height"), [(360, 640), (740, 360), (768, 1024), (1280, 800), (640, 400), (320, 568)]
)
def test_all_that_one_needs_while_drawing_is_on_one_screen(
    opened: Opened, url: str, width: int, height: int
) -> None:
    opened.page.set_viewport_size({"width": width, "height": height})
    opened.open(url)
    for selector in ("#canvas", "#digit", "#verdict", "#bars", "#undo", "#clear"):
        box = opened[selector].bounding_box()
        assert box
        assert box["y"] >= 0, selector
        assert box["y"] + box["height"] <= height, selector
    opened.through_api("x" * 200)
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("scheme", "forced"), [("light", "none"), ("dark", "none"), ("light", "active")]
)
def test_axe_finds_nothing_to_object_to(
    opened: Opened,
    url: str,
    scheme: Literal["light", "dark"],
    forced: Literal["none", "active"],
) -> None:
    opened.page.emulate_media(color_scheme=scheme, forced_colors=forced)
    opened.page.context.route("**/axe.js", lambda route: route.fulfill(path=AXE))
    opened.open(url)
    opened.draw(*SEVEN)
    opened.page.add_script_tag(url="axe.js")
    assert opened.page.evaluate(VIOLATIONS) == []
    opened.through_api("wrong")
    assert opened.page.evaluate(VIOLATIONS) == []


VIOLATIONS = """async () => (await axe.run()).violations
  .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)"""
