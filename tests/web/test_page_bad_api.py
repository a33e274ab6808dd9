"""The page and an API that is slow, missing, or answers nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Route

from tests.web.conftest import Opened
from tests.web.test_page import SEVEN

pytestmark = pytest.mark.slow


def test_a_slow_api_is_waited_for_and_the_page_says_so(page: Opened) -> None:
    held: list[Route] = []
    page.page.route("**/tasks/*", lambda route: held.append(route))
    page.draw(*SEVEN)
    page.ask_api()
    page.shows("#verdict", "Waiting for the API …")
    held[0].fulfill(json={"pred": 7, "conf": 0.98})
    page.wait()
    assert page.text("#verdict") == "98.0% sure"


def test_what_arrives_for_a_drawing_that_is_gone_is_not_shown(page: Opened) -> None:
    held: list[Route] = []
    page.page.route("**/tasks/*", lambda route: held.append(route))
    page.draw(*SEVEN)
    page.ask_api()
    page.shows("#verdict", "Waiting for the API …")
    page["#clear"].click()
    held[0].fulfill(status=500, json={"reason": "too late"})
    page.wait()
    page.shows("#api-state", "too late")
    assert page.text("#verdict") == "Nothing drawn yet"
    page.console[:] = [each for each in page.console if "Failed to load resource" not in each]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "null",
        "[7]",
        '"7"',
        '{"pred": "7", "conf": 0.9}',
        '{"pred": 7, "conf": "0.9"}',
        '{"pred": 7, "conf": 1.5}',
        '{"pred": 7, "conf": true}',
        '{"pred": 10, "conf": 0.9}',
        '{"pred": 7.5, "conf": 0.9}',
        '{"pred": 7}',
    ],
)
def test_nonsense_of_the_api_is_reported(page: Opened, body: str) -> None:
    page.page.route("**/tasks/*", lambda route: route.fulfill(body=body))
    page.draw(*SEVEN)
    page.through_api()
    assert "without a digit in “pred”" in page.text("#api-state")
    assert page.text("#digit") == "–"


def test_nonsense_in_what_is_optional_is_left_out(page: Opened) -> None:
    answer = {"pred": 7, "conf": 0.95, "sure": "no", "second": "8"}
    page.page.route("**/tasks/*", lambda route: route.fulfill(json=answer))
    page.draw(*SEVEN)
    page.through_api()
    assert page.text("#verdict") == "95.0% sure"


@pytest.mark.parametrize(
    "why", [{"reason": "no room " * 2000}, {"error": {"a": 1}}, [], "x" * 9000]
)
def test_a_long_or_odd_reason_does_not_fill_the_page(page: Opened, why: Any) -> None:
    page.page.set_viewport_size({"width": 360, "height": 640})
    page.page.route("**/tasks/*", lambda route: route.fulfill(status=500, json=why))
    page.draw(*SEVEN)
    page.through_api()
    said = page.text("#api-state")
    assert said.startswith("The API could not answer (500)")
    assert len(said) < 300
    assert "[object" not in said
    page.page.evaluate("scrollTo(0, 0)")
    words = page["#verdict"].bounding_box()
    canvas = page["#canvas"].bounding_box()
    assert words
    assert canvas
    assert words["y"] >= 0
    assert canvas["y"] + canvas["height"] <= 640
    page.console[:] = [each for each in page.console if "Failed to load resource" not in each]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("", "Enter the path of the task, such as /tasks/model_hosting."),
        ("http://", "“http://” is not an address."),
        ("javascript:alert(1)", "The page only calls its own server, not javascript:alert(1)."),
        ("/" + "x" * 5000, "There is no task at /xxx"),
        ("/", "There is no task at /"),
    ],
)
def test_an_address_of_no_task_is_explained(page: Opened, task: str, message: str) -> None:
    page.draw(*SEVEN)
    page.page.get_by_label("Through the API").check(force=True)
    page["#task"].fill(task)
    page.through_api()
    page.shows("#api-state", message)
    assert len(page.text("#api-state")) < 400
    page.console[:] = [each for each in page.console if "Failed to load resource" not in each]
