"""Digits that people wrote, drawn on the page; and images given to the network in the browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Browser

from engine.pipeline import load
from engine.testing import run_snap
from tests.environments import DIGITS, ROOT
from tests.web.conftest import Opened
from tests.web.real_strokes import PLACES, Drawing, drawings, images_of_page, placed

HERE = Path(__file__).parent
MIN_RECOGNISED = 0.98
SAMPLE = 25
"""One of so many drawings is drawn with the pointer, which takes a while."""
READ_STROKES = """async (drawings) => {
  const { networkReady, toMnist } = await import("./page.js");
  const network = await networkReady;
  const read = (strokes) => Array.from(network.probabilities(toMnist(strokes)));
  const { userDefinedMetadata } = await (await fetch("model/model.json")).json();
  return { sureAbove: userDefinedMetadata.sure_above, probabilities: drawings.map(read) };
}"""
READ_IMAGES = """async (images) => {
  const network = await (await import("./page.js")).networkReady;
  const grey = (image) => Float32Array.from(image, (value) => value / 255);
  return images.map((image) => Array.from(network.probabilities(grey(image))));
}"""


# Handwriting ----------------------------------------------------------------------------------


class Reading(NamedTuple):
    """For every drawing: which digit was read, whether that is right, and whether it is sure."""

    digits: Any
    is_right: Any
    is_sure: Any


@pytest.fixture(scope="module")
def written() -> list[Drawing]:
    return drawings()


@pytest.fixture(scope="module")
def here(written: list[Drawing], browser: Browser, url: str) -> Reading:
    """What the page reads in the browser."""
    page = browser.new_page()
    page.goto(url)
    found = page.evaluate(READ_STROKES, [drawing.strokes for drawing in written])
    page.close()
    probabilities = np.array(found["probabilities"])
    digits = probabilities.argmax(axis=1)
    is_sure = probabilities.max(axis=1) >= found["sureAbove"]
    return Reading(digits, digits == meant(written), is_sure)


@pytest.fixture(scope="module")
def there(written: list[Drawing], model: Path) -> Reading:
    """What the script behind the API reads in the images that the page sends."""
    images = np.rint(255 * images_of_page([drawing.strokes for drawing in written])).astype(int)
    settings = dict(load(ROOT / "pipelines/model_hosting.yaml").snaps["predict"].settings)
    given = [json.loads(model.read_text()), *({"image": image} for image in images.tolist())]
    answers = run_snap("RemotePythonScript", settings, given, project=ROOT / "pipelines").output
    digits = np.array([answer["pred"] for answer in answers])
    return Reading(
        digits, digits == meant(written), np.array([answer["sure"] for answer in answers])
    )


def meant(written: list[Drawing]) -> Any:
    return np.array([drawing.digit for drawing in written])


def test_a_drawing_is_the_same_image_wherever_and_however_large_it_is() -> None:
    strokes = drawings()[::50]
    alone, *others = (
        images_of_page([placed(each.strokes, place) for each in strokes]) for place in PLACES
    )
    assert max(np.abs(alone - other).max() for other in others) < 1e-5


@pytest.mark.slow
def test_nearly_all_that_people_write_is_read(here: Reading, there: Reading) -> None:
    assert here.is_right.mean() >= MIN_RECOGNISED
    assert there.is_right.mean() >= MIN_RECOGNISED


@pytest.mark.slow
def test_browser_and_api_read_alike(here: Reading, there: Reading) -> None:
    assert abs(here.is_right.mean() - there.is_right.mean()) <= 0.003
    assert (here.digits == there.digits).mean() >= 0.995
    assert (here.is_sure == there.is_sure).mean() >= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["here", "there"])
def test_what_is_wrong_is_seldom_sure_and_what_is_right_nearly_always(
    mode: str, request: pytest.FixtureRequest
) -> None:
    reading: Reading = request.getfixturevalue(mode)
    assert not reading.is_right.all()
    assert reading.is_sure[~reading.is_right].mean() <= 0.5
    assert reading.is_sure[reading.is_right].mean() >= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("through_api", [False, True], ids=["in the browser", "through the API"])
def test_what_the_pointer_draws_is_read(
    opened: Opened, url: str, written: list[Drawing], through_api: bool
) -> None:
    opened.open(url)
    if through_api:
        opened.through_api()
    wrong = []
    for drawing in written[::SAMPLE]:
        answer = read(opened, drawing)
        if answer != str(drawing.digit):
            wrong.append(f"{drawing.digit} of {drawing.writer}, {drawing.place}, read as {answer}")
    assert len(wrong) <= 1, "\n".join(wrong)
    assert through_api or "running on WebAssembly" in opened.text("#browser-state")


def read(opened: Opened, drawing: Drawing) -> str:
    if opened["#clear"].is_enabled():
        opened["#clear"].click()
    opened.draw(*drawing.strokes)
    return opened.text("#digit")


# Images of MNIST ------------------------------------------------------------------------------


@pytest.mark.slow
def test_mnist_images_get_the_same_probabilities_as_in_keras(
    opened: Opened, url: str, model: Path
) -> None:
    images = np.load(HERE / "mnist_test_200.npz")["images"]
    expected = probabilities_of_keras(model, images.tolist())
    opened.open(f"{url}/float32/")
    found = np.array(opened.page.evaluate(READ_IMAGES, images.reshape(200, 784).tolist()))
    assert found.shape == (200, 10)
    assert np.abs(found - expected).max() <= 1e-4
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.slow
def test_half_precision_changes_no_class(opened: Opened, url: str) -> None:
    images = np.load(HERE / "mnist_test_200.npz")["images"].reshape(200, 784).tolist()
    found = []
    for address in (url, f"{url}/float32/"):
        opened.open(address)
        found.append(np.array(opened.page.evaluate(READ_IMAGES, images)))
    half, full = found
    assert (half.argmax(axis=1) == full.argmax(axis=1)).all()
    assert 0 < np.abs(half - full).max() < 0.01


def probabilities_of_keras(model: Path, images: list[Any]) -> Any:
    settings = {"script": "tests/web/keras_probabilities.py", **DIGITS}
    given = [json.loads(model.read_text()), {"images": images}]
    [answer] = run_snap("RemotePythonScript", settings, given, project=ROOT).output
    return np.array(answer["probabilities"])
