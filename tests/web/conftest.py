"""The page as `make web` built it, in Chromium, with the hosted pipeline.

The network is the one in digits.json.gz, which `model_building.yaml` trained with architecture=fast
and defaults otherwise. So these tests cover the page, the export and the hosting, but no training.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.tasks.conftest import Serve, servers

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "web/dist"
TOKEN = "open-sesame"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def need(fulfilled: object, remedy: str) -> None:
    """Skip the test if something is missing; in CI, fail instead."""
    if fulfilled:
        return
    if os.environ.get("CI"):
        pytest.fail(remedy)
    pytest.skip(remedy)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    need(found, "Chromium is missing, so the page cannot be tested: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file, as the pipelines read it."""
    path = tmp_path_factory.mktemp("model") / "digits.json"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "digits.json.gz").read_bytes()))
    return path


def export(model: Path, folder: Path, quantize: str) -> None:
    command = [sys.executable, "-m", "engine", "run", "pipelines/export_web_model.yaml"]
    for parameter in (f"model={model}", f"folder={folder}", f"quantize={quantize}"):
        command += ["--param", parameter]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="session")
def site(chromium: str, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with the model in half precision; in full precision at /float32/."""
    need((DIST / "page.js").is_file(), "The page is not built. Run `make web`, which needs npm.")
    folder = tmp_path_factory.mktemp("site") / "page"
    shutil.copytree(DIST, folder, ignore=shutil.ignore_patterns("model"))
    shutil.copytree(folder, folder / "float32")
    export(model, folder / "model", "float16")
    export(model, folder / "float32/model", "none")
    return folder


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    with servers(tmp_path_factory.mktemp("servers")) as started:
        yield started


@pytest.fixture(scope="session")
def url(start: Serve, site: Path, model: Path) -> str:
    """The URL of the page; `engine serve` hosts it and the task."""
    hosting = ROOT / "pipelines/model_hosting.yaml"
    served = start(
        hosting, "--param", f"token={TOKEN}", "--param", f"model={model}", "--site", site
    )
    return served.url


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


class Opened:
    """The page in a browser, and the messages in its console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        page.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))

    def __getitem__(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def text(self, selector: str) -> str:
        return self[selector].inner_text()

    def open(self, url: str) -> None:
        self.page.goto(url)
        self["html[data-network]"].wait_for()

    def draw(self, *strokes: Sequence[Sequence[float]]) -> None:
        """Draw with the mouse; points are relative to the canvas' upper left corner."""
        box = self["#canvas"].bounding_box()
        assert box
        for stroke in strokes:
            for number, (x, y) in enumerate(stroke):
                self.page.mouse.move(box["x"] + x, box["y"] + y)
                if number == 0:
                    self.page.mouse.down()
            self.page.mouse.up()
        self.wait()

    def wait(self) -> None:
        """Wait until the drawing has been read."""
        self["#result[aria-busy=false]"].wait_for()

    def shows(self, selector: str, text: str) -> None:
        """Wait until an element contains the text."""
        self[selector].filter(has_text=text).wait_for(state="attached")

    def ask_api(self, token: str = TOKEN) -> None:
        """Have drawings read by the API, and do not wait for it."""
        self.page.get_by_label("Through the API").check(force=True)
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_label("Token").press("Tab")

    def through_api(self, token: str = TOKEN) -> None:
        self.ask_api(token)
        self.wait()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """A page that must not write anything to the console."""
    context = browser.new_context(
        viewport={"width": 1200, "height": 900}, reduced_motion="reduce", accept_downloads=True
    )
    page = context.new_page()
    page.set_default_timeout(240_000)
    opened = Opened(page)
    yield opened
    context.close()
    assert opened.console == []


@pytest.fixture
def page(opened: Opened, url: str) -> Opened:
    opened.open(url)
    return opened
