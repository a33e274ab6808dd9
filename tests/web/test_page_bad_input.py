"""Odd drawings, odd hands, and a browser that does not do as it should."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from tests.web.conftest import FLAGS, Opened
from tests.web.test_page import SEVEN

pytestmark = pytest.mark.slow


# Drawings


def test_two_digits_are_remarked_on(page: Opened) -> None:
    page.draw([(60, 60), (60, 240)], [(220, 60), (220, 240)])
    assert page.text("#note") == "Two digits? Draw one at a time."
    page["#undo"].click()
    page.wait()
    assert page.text("#note") == ""


def test_a_four_of_two_lines_is_one_digit(page: Opened) -> None:
    page.draw([(110, 60), (90, 160), (220, 160)], [(180, 60), (180, 250)])
    assert (page.text("#digit"), page.text("#note")) == ("4", "")


def test_a_letter_gets_an_answer_and_no_error(page: Opened) -> None:
    page.draw([(60, 250), (150, 40), (240, 250)], [(95, 170), (205, 170)])
    assert page.text("#digit") in set("0123456789")


def test_a_line_is_not_called_a_dot_while_it_begins(page: Opened) -> None:
    box = page["#canvas"].bounding_box()
    assert box
    page.page.evaluate(SAID)
    page.page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.page.mouse.down()
    page.wait()
    page.page.mouse.move(box["x"] + 100, box["y"] + 240, steps=4)
    page.page.mouse.up()
    page.shows("#digit", "1")
    page.wait()
    assert not [each for each in page.page.evaluate("window.said") if "othing" in each]


SAID = """() => {
  window.said = [];
  const verdict = document.querySelector("#verdict");
  new MutationObserver(() => window.said.push(verdict.textContent))
    .observe(verdict, { childList: true });
}"""


def test_thousands_of_points_do_not_pile_up(page: Opened) -> None:
    box = page["#canvas"].bounding_box()
    assert box
    page.page.evaluate(JITTER, [box["x"] + 150, box["y"] + 150])
    page["#right:enabled"].wait_for()
    page["#right"].click()
    line = page.page.evaluate("localStorage.getItem('snapline-digits')")
    assert sum(map(len, json.loads(line)["strokes"])) < 300


JITTER = """([x, y]) => {
  const canvas = document.querySelector("#canvas");
  canvas.setPointerCapture = () => {};
  const send = (type, clientX, clientY) => canvas.dispatchEvent(new PointerEvent(type,
    { pointerId: 1, pointerType: "mouse", button: 0, clientX, clientY, bubbles: true }));
  send("pointerdown", x, y);
  for (let at = 0; at < 3000; at++) send("pointermove", x + 0.03 * at, y + 0.01 * at);
  send("pointerup", x + 90, y + 30);
}"""


def test_resizing_in_mid_stroke_keeps_the_line_under_the_pointer(page: Opened) -> None:
    page.page.set_viewport_size({"width": 400, "height": 800})
    page.page.evaluate("new Promise(requestAnimationFrame)")
    box = page["#canvas"].bounding_box()
    assert box
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.2 * box["width"])
    page.page.mouse.down()
    page.page.set_viewport_size({"width": 1200, "height": 900})
    page.page.evaluate("new Promise(requestAnimationFrame)")
    box = page["#canvas"].bounding_box()
    assert box
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["width"])
    page.page.mouse.up()
    page.wait()
    assert page.text("#digit") == "1"


def test_undo_in_mid_stroke_ends_the_stroke(page: Opened) -> None:
    box = page["#canvas"].bounding_box()
    assert box
    page.page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 100, box["y"] + 200)
    page.page.keyboard.press("Control+z")
    page.page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.page.mouse.up()
    page.wait()
    assert page["#clear"].is_disabled()
    assert page["#undo"].is_disabled()


# Hands, pens and keys


def test_only_the_first_of_several_fingers_draws(page: Opened) -> None:
    send = pointers(page)
    send("pointerdown", 1, "touch", 150, 60)
    send("pointerdown", 2, "touch", 40, 60)
    send("pointermove", 2, "touch", 40, 240)
    send("pointermove", 1, "touch", 150, 240)
    send("pointerup", 2, "touch", 40, 240)
    send("pointerup", 1, "touch", 150, 240)
    page.shows("#digit", "1")
    assert page.text("#note") == ""


def test_a_palm_draws_nothing_while_the_pen_hovers(page: Opened) -> None:
    send = pointers(page)
    send("pointermove", 1, "pen", 150, 60)
    send("pointerdown", 2, "touch", 250, 280)
    send("pointermove", 2, "touch", 200, 290)
    assert page["#clear"].is_disabled()
    send("pointerdown", 1, "pen", 150, 60)
    send("pointermove", 1, "pen", 150, 240)
    send("pointerup", 1, "pen", 150, 240)
    page.shows("#digit", "1")


def pointers(page: Opened) -> Callable[..., Any]:
    """A function that sends a pointer event to the canvas, at a place in its own units."""
    page.page.evaluate("document.querySelector('#canvas').setPointerCapture = () => {}")

    def send(kind: str, pointer: int, of: str, x: float, y: float) -> None:
        page.page.evaluate(POINTER, [kind, pointer, of, x, y])

    return send


POINTER = """([kind, pointerId, pointerType, x, y]) => {
  const canvas = document.querySelector("#canvas");
  const box = canvas.getBoundingClientRect();
  const clientX = box.left + (x * box.width) / 300;
  const clientY = box.top + (y * box.width) / 300;
  canvas.dispatchEvent(new PointerEvent(kind,
    { pointerId, pointerType, button: 0, bubbles: true, clientX, clientY }));
}"""


def test_the_space_key_does_not_take_the_line_from_the_pointer(page: Opened) -> None:
    box = page["#canvas"].bounding_box()
    assert box
    page["#canvas"].focus()
    page.page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 100, box["y"] + 150)
    page.page.keyboard.press("Space")
    page.page.mouse.move(box["x"] + 100, box["y"] + 240)
    page.page.mouse.up()
    page.wait()
    assert page.text("#digit") == "1"
    page["#undo"].click()
    page.wait()
    assert page["#clear"].is_disabled()


@pytest.mark.parametrize(
    "key",
    [{"key": "я", "code": "KeyZ"}, {"key": "Z", "code": "KeyZ"}, {"key": "z", "code": "KeyY"}],
)
def test_undo_works_on_keyboards_of_other_scripts(page: Opened, key: dict[str, str]) -> None:
    page.draw(*SEVEN)
    page.page.evaluate(PRESS, {**key, "ctrlKey": True, "bubbles": True})
    page["#clear:disabled"].wait_for()


PRESS = "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', key))"


def test_a_browser_that_fills_in_the_token_presses_keys_without_a_name(page: Opened) -> None:
    page.page.get_by_label("Through the API").check(force=True)
    page.page.evaluate(
        "document.querySelector('#token').dispatchEvent(new Event('keydown', {bubbles: true}))"
    )
    assert page.console == []


def test_the_keyboard_can_choose_which_digit_was_meant(page: Opened) -> None:
    page.draw(*SEVEN)
    page["#meant"].focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    assert page["#save"].is_disabled()
    page.page.keyboard.press("Enter")
    page.shows("#kept-state", "Kept as a 1. 1 drawing kept in this browser.")
    page.draw(*SEVEN)
    page["#meant"].focus()
    page.page.keyboard.press("8")
    page.page.keyboard.press("Tab")
    page.shows("#kept-state", "Kept as an 8. 2 drawings kept in this browser.")
    assert page["#meant"].input_value() == ""


# Browsers


def test_a_drawing_can_begin_before_the_network_is_there(opened: Opened, url: str) -> None:
    held: list[Route] = []
    opened.page.route("**/model/*.bin", lambda route: held.append(route))
    opened.page.goto(url)
    opened["#canvas"].wait_for()
    opened.page.wait_for_function("document.querySelector('#meant').options.length > 10")
    opened.draw(*SEVEN)
    assert opened.text("#verdict") == "Loading the network …"
    for route in held:
        route.continue_()
    opened["html[data-network=ready]"].wait_for()
    opened.shows("#digit", "7")


def test_a_tab_in_the_background_reads_when_it_is_shown_again(page: Opened) -> None:
    page.draw(*SEVEN)
    page["#saliency"].check()
    page.page.evaluate(TO_BACKGROUND)
    page.page.evaluate(POINTER, ["pointerdown", 1, "mouse", 60, 60])
    page.page.evaluate(POINTER, ["pointermove", 1, "mouse", 60, 240])
    page.page.evaluate(POINTER, ["pointerup", 1, "mouse", 60, 240])
    page.page.evaluate(PAST_ITS_TIMERS)
    page["#right"].click()
    assert page["#save"].is_disabled()
    page.page.evaluate("window.held.forEach((each) => each(performance.now()))")
    page.wait()
    assert page["#right"].is_enabled()
    assert page.console == []


PAST_ITS_TIMERS = "new Promise((done) => setTimeout(done, 400))"
TO_BACKGROUND = """() => {
  document.querySelector("#canvas").setPointerCapture = () => {};
  window.held = [];
  window.requestAnimationFrame = (step) => window.held.push(step);
}"""


def test_two_tabs_keep_their_drawings_together(page: Opened, url: str) -> None:
    other = Opened(page.page.context.new_page())
    other.page.set_default_timeout(240_000)
    other.open(url)
    for each in (page, other, page):
        each.draw(*SEVEN)
        each["#right"].click()
    for each in (page, other):
        each.shows("#kept-state", "3 drawings kept in this browser.")
    assert other.console == []


def test_what_is_no_drawing_in_the_storage_is_left_out(opened: Opened, url: str) -> None:
    opened.page.add_init_script(
        "localStorage.setItem('snapline-digits', 'null\\n{\"strokes\": 1}\\nx')"
    )
    opened.open(url)
    assert opened["#save"].is_disabled()


def test_when_there_is_no_room_for_drawings_the_page_says_so(opened: Opened, url: str) -> None:
    opened.page.add_init_script(
        "localStorage.setItem('snapline-digits', '{\"strokes\": []}\\n'.repeat(2000))"
    )
    opened.open(url)
    opened.draw(*SEVEN)
    opened["#right"].click()
    opened.shows("#note", "There is no room for more drawings.")
    assert "2000 drawings kept" in opened.text("#kept-state")


@pytest.mark.parametrize(("width", "height"), [(360, 640), (740, 360), (768, 1024), (1280, 800)])
def test_text_of_twice_the_size_fits(
    browser: Browser, chromium: str, url: str, width: int, height: int
) -> None:
    launched = browser.browser_type.launch(
        executable_path=chromium, args=[*FLAGS, "--blink-settings=defaultFontSize=32"]
    )
    page = launched.new_page(viewport={"width": width, "height": height})
    page.goto(url)
    page.locator("html[data-network=ready]").wait_for()
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == 32
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    launched.close()
