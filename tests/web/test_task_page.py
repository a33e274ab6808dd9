"""The page that calls the tasks of a server, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.tasks.conftest import Served, servers

DESCRIBED = Path(__file__).parents[1] / "tasks" / "described"

PATIENCE = 240_000
"""Milliseconds for the page to show something."""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with servers(tmp_path_factory.mktemp("page")) as serve:
        files = sorted(DESCRIBED.glob("*.task.yaml"))
        yield serve(*files, environment={"ORDERS_TOKEN": "right"})


def test_a_person_can_call_the_tasks(browser: Browser, tasks: Served) -> None:
    page = browser.new_page()
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", note)
    page.goto(f"{tasks.url}/openapi")
    orders = page.locator("section").filter(has_text="/tasks/orders")
    body = orders.get_by_label("Body")
    expect(body).to_have_value(re.compile('"lines"'), timeout=PATIENCE)
    body.fill('{"id": "a", "lines": [{"count": 2, "price": 1.5}]}')
    orders.get_by_role("button", name="Send").click()
    expect(orders.locator("pre")).to_contain_text("401", timeout=PATIENCE)
    page.get_by_label("Bearer token").fill("right")
    orders.get_by_role("button", name="Send").click()
    expect(orders.locator("pre")).to_contain_text('"total":3.0', timeout=PATIENCE)
    report = page.locator("section").filter(has_text="/tasks/report")
    report.get_by_label("lines").fill("<b>7</b>")
    report.get_by_role("button", name="Send").click()
    expect(report.locator("pre")).to_contain_text('"lines":"<b>7</b>"', timeout=PATIENCE)
    words = page.locator("section").filter(has_text="/tasks/words")
    words.get_by_label("Body").fill('{"words": [{"n": 1}, {"n": 2}]}')
    words.get_by_role("button", name="Send").click()
    expect(words.locator("pre")).to_contain_text('{"n":2}', timeout=PATIENCE)
    assert not [text for text in said if "Content Security Policy" in text or "Error" in text]
    page.close()
