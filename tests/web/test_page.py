"""What the page shows and announces, with pointer and keyboard, when all works and when not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from tests.web.conftest import TOKEN, Opened

pytestmark = pytest.mark.slow
SEVEN = [[(90, 70), (210, 70), (150, 240)]]
THREE = [
    [
        (92, 70),
        (140, 50),
        (180, 78),
        (168, 122),
        (124, 142),
        (172, 158),
        (192, 198),
        (160, 242),
        (112, 250),
        (84, 226),
    ]
]
MAX_BYTES = 614_400


# Drawing


def test_the_answer_appears_while_drawing(page: Opened) -> None:
    box = page["#canvas"].bounding_box()
    assert box
    page.page.mouse.move(box["x"] + 150, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 150, box["y"] + 240, steps=5)
    page.wait()
    assert page.text("#digit") == "1"
    page.page.mouse.up()
    assert re.fullmatch(r"(over )?\d+\.\d% sure", page.text("#verdict"))
    assert re.fullmatch(r"in \d+(\.\d)? ms", page.text("#time"))
    assert len(page["#bars li"].all()) == 10
    assert "1" in page.text("#bars li.best .name")


def test_undo_takes_back_one_line_and_clear_all(page: Opened) -> None:
    assert page["#undo"].is_disabled()
    page.draw([(150, 60), (150, 240)], [(60, 150), (240, 150)])
    page["#undo"].click()
    page.wait()
    assert page.text("#digit") == "1"
    page["#clear"].click()
    page.wait()
    assert (page.text("#digit"), page.text("#verdict")) == ("–", "Nothing drawn yet")
    assert page["#clear"].is_disabled()
    assert page.page.evaluate("document.activeElement.id") == "canvas"


def test_clearing_can_be_undone_from_anywhere_but_a_field_of_text(page: Opened) -> None:
    page.draw([(150, 60), (150, 240)])
    page["#clear"].click()
    page["#saliency"].focus()
    page.page.keyboard.press("Control+z")
    page.wait()
    assert page.text("#digit") == "1"
    page.page.get_by_label("Through the API").check(force=True)
    page["#token"].press_sequentially("x")
    page.page.keyboard.press("Control+z")
    assert page["#clear"].is_enabled()
    assert page["#token"].input_value() == ""


def test_a_finger_can_draw(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(url)
    page.locator("html[data-network=ready]").wait_for()
    box = page.locator("#canvas").bounding_box()
    assert box
    session = context.new_cdp_session(page)
    for kind, y in (("touchStart", 60), ("touchMove", 120), ("touchMove", 240)):
        point = {"x": box["x"] + 150, "y": box["y"] + y}
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.locator("#bars li.best").wait_for()
    assert page.locator("#digit").inner_text() == "1"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("scrollY") == 0
    context.close()


def test_the_keyboard_can_draw_and_the_page_announces_it(page: Opened) -> None:
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.id") == "canvas"
    for key in ["ArrowUp"] * 6 + ["Space"] + ["ArrowDown"] * 12:
        keyboard.press(key)
    page.wait()
    assert page.text("#digit") == "1"
    page["#spoken"].filter(has_text="1, ").wait_for(state="attached")
    keyboard.press("Backspace")
    page["#spoken"].filter(has_text="Drawing undone").wait_for(state="attached")
    assert page["#undo"].is_disabled()


def test_the_tab_key_reaches_every_control(page: Opened) -> None:
    page.draw(*SEVEN)
    page["#right"].click()
    page.draw(*SEVEN)
    page["h1"].click()
    reached = []
    for _ in range(9):
        page.page.keyboard.press("Tab")
        reached.append(page.page.evaluate(FOCUSED))
    assert reached == [
        *("canvas", "undo", "clear", "right", "meant", "saliency", "browser", "save", "forget")
    ]
    assert page.page.evaluate(UNNAMED) == []


FOCUSED = "(({ id, value, localName }) => id || value || localName)(document.activeElement)"
UNNAMED = """() => Array.from(document.querySelectorAll("button, input, canvas"))
  .filter((each) => !(each.textContent.trim() || each.labels?.length || each.ariaLabel))
  .map((each) => each.outerHTML)"""


# Odd drawings


def test_a_single_dot_is_not_a_digit(page: Opened) -> None:
    page.draw([(150, 150)])
    page["#verdict"].filter(has_text="Only a dot so far").wait_for()
    assert page.text("#digit") == "–"
    assert page.text("#note") == "A single dot is not a digit. Draw a line."


def test_a_line_over_the_edge_ends_there_and_the_page_says_so(page: Opened) -> None:
    beyond = page["#canvas"].bounding_box()["width"] + 60  # type: ignore[index]
    page.draw([(150, 100), (150, beyond), (beyond, beyond), (beyond, 100), (200, 100)])
    assert page.text("#note") == "Part of the drawing is off the canvas. Only what you see is read."
    assert page.text("#digit") != "–"
    page["#clear"].click()
    page.wait()
    assert page.text("#note") == ""


# Through the API


def test_the_api_answers_with_its_best_digit_only_and_the_page_says_so(page: Opened) -> None:
    page.through_api()
    page.draw(*THREE)
    assert page.text("#digit") == "3"
    assert page["#bars li.unknown"].count() == 9
    assert "no figures for the other digits" in page.text("#bars-note")
    assert page.text("#time-api").endswith(" ms")
    page.page.get_by_label("In this browser").check(force=True)
    page.wait()
    assert page["#bars li.unknown"].count() == 0


def test_a_wrong_token_is_explained(page: Opened) -> None:
    page.draw(*SEVEN)
    page.through_api("wrong")
    assert page.text("#api-state") == (
        "The API sent an empty response (204), as it does when the token is wrong. Check the token."
    )
    assert page.text("#digit") == "–"
    page.through_api(TOKEN)
    assert (page.text("#digit"), page.text("#api-state")) == ("7", "The API is answering.")


def test_a_typed_token_is_used_without_a_further_key(page: Opened) -> None:
    page.draw(*SEVEN)
    page.page.get_by_label("Through the API").check(force=True)
    assert page.text("#time") == "Enter the token first."
    page.page.get_by_label("Token").press_sequentially(TOKEN)
    page["#api-state.good"].wait_for()
    assert page.text("#digit") == "7"


def test_the_reason_for_no_answer_is_shown_next_to_it(page: Opened) -> None:
    page.draw(*SEVEN)
    page.through_api("wrong")
    assert page.text("#verdict") == "No answer"
    assert page.text("#time").startswith("The API sent an empty response (204)")


def test_the_page_calls_only_its_own_server(page: Opened) -> None:
    page.draw(*SEVEN)
    page.page.get_by_label("Through the API").check(force=True)
    page.page.get_by_label("Task").fill("http://127.0.0.1:1/tasks/digits")
    page.through_api()
    assert "The page only calls its own server" in page.text("#api-state")


def test_without_a_token_the_api_is_not_called(page: Opened) -> None:
    page.draw(*SEVEN)
    page.page.get_by_label("Through the API").check(force=True)
    assert page.text("#api-state") == "Enter the token that the task was started with."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "The API does not answer. Is “engine serve” still running?"),
        ({"status": 503, "json": {}}, "is starting or overloaded (503)"),
        ({"status": 404, "json": {}}, "There is no task at /tasks/model_hosting (404)."),
        ({"status": 500, "json": {"reason": "no memory"}}, "could not answer (500): no memory"),
    ],
)
def test_a_failing_api_is_reported(page: Opened, answer: Any, message: str) -> None:
    def reply(route: Route) -> None:
        if answer is None:
            route.abort()
        else:
            route.fulfill(**answer)

    page.page.route("**/tasks/*", reply)
    page.draw(*SEVEN)
    page.through_api()
    assert message in page.text("#api-state")
    written = [line for line in page.console if "Failed to load resource" not in line]
    page.console[:] = written  # a page cannot suppress the browser's own message


def test_an_answer_of_another_kind_is_reported(page: Opened) -> None:
    page.page.route("**/tasks/*", lambda route: route.fulfill(json={"id": 7}))
    page.draw(*SEVEN)
    page.through_api()
    assert "without a digit in “pred”" in page.text("#api-state")


# Models and backends


def layers_model(shape: list[int | None], units: int) -> dict[str, Any]:
    size = units
    for each in shape:
        size *= each or 1
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, *shape], "name": "in"}},
        {"class_name": "Flatten", "config": {"name": "flat"}},
        {"class_name": "Dense", "config": {"units": units, "use_bias": False, "name": "out"}},
    ]
    weight = {"name": "out/kernel", "shape": [size // units, units], "dtype": "float32"}
    config = {"name": "tiny", "layers": layers}
    return {
        "format": "layers-model",
        "modelTopology": {
            "keras_version": "2.15.0",
            "backend": "tensorflow",
            "model_config": {"class_name": "Sequential", "config": config},
        },
        "weightsManifest": [{"paths": ["tiny.bin"], "weights": [weight]}],
    }


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"format": "none"}, "There is no model yet. “make web-demo” exports one"),
        ({"a": 1}, "model.json does not contain a layers model"),
        ("no JSON", "model.json is not valid JSON"),
        (
            layers_model([32, 32, 3], 10),
            "This model takes images of 32 × 32 × 3; the page draws 28 × 28 × 1.",
        ),
        (layers_model([28, 28, 1], 2), "This model's output shape is 2; the page shows ten"),
    ],
)
def test_a_model_that_cannot_be_used_is_reported(
    opened: Opened, url: str, description: Any, message: str
) -> None:
    text = description if isinstance(description, str) else json.dumps(description)
    opened.page.route("**/model/model.json", lambda route: route.fulfill(body=text))
    opened.page.route("**/tiny.bin", lambda route: route.fulfill(body=bytes(4 * 32 * 32 * 3 * 10)))
    opened.open(url)
    assert message in opened.text("#browser-state")
    opened.draw(*SEVEN)
    assert opened.text("#verdict") == "No network in this browser"
    opened.through_api()
    assert opened.text("#digit") == "7"


def test_a_truncated_model_is_reported(opened: Opened, url: str) -> None:
    opened.page.route("**/model/*.bin", lambda route: route.fulfill(body=b"\0" * 1000))
    opened.open(url)
    assert "The model could not be read (" in opened.text("#browser-state")


NO_WASM = "delete window.WebAssembly"
NO_WEBGL = "HTMLCanvasElement.prototype.getContext = ((get) => function (kind, ...rest) " + (
    "{ return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); }"
    ")(HTMLCanvasElement.prototype.getContext);"
)


def test_it_also_runs_without_webassembly_and_webgl(opened: Opened, url: str) -> None:
    opened.page.add_init_script(f"{NO_WASM}; {NO_WEBGL}")
    opened.open(url)
    assert opened.text("#browser-state") == (
        "Ready, running on plain JavaScript. WebAssembly is not available, so this is slower."
    )
    opened.draw(*SEVEN)
    assert opened.text("#digit") == "7"


def test_it_also_runs_if_the_webassembly_runtime_could_not_be_loaded(
    opened: Opened, url: str
) -> None:
    opened.page.add_init_script(NO_WEBGL)
    opened.page.route("**/*.wasm", lambda route: route.fulfill(body=b"no wasm"))
    opened.open(url)
    assert "running on plain JavaScript." in opened.text("#browser-state")
    opened.draw(*SEVEN)
    assert opened.text("#digit") == "7"


# Budgets


def test_it_loads_no_more_than_its_budget(opened: Opened, url: str) -> None:
    opened.open(url)
    assert opened.page.evaluate(LOADED) < MAX_BYTES


LOADED = (
    """() => performance.getEntries().reduce((sum, each) => sum + (each.encodedBodySize ?? 0), 0)"""
)


def test_it_loads_nothing_from_other_hosts(opened: Opened, url: str) -> None:
    hosts = set()
    opened.page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    opened.open(url)
    assert {f"http://{host}" for host in hosts if host} == {url}
