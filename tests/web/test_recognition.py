"""Digits drawn on the page by hand, and MNIST images given to the network in the browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.testing import run_snap
from tests.environments import DIGITS, ROOT
from tests.web.conftest import Opened
from tests.web.handwriting import Drawing, drawings

HERE = Path(__file__).parent
DRAWINGS = list(drawings())
MIN_RECOGNISED = 0.95
RUN_ALL = """async (images) => {
  const network = await (await import("./page.js")).networkReady;
  const grey = (image) => Float32Array.from(image, (value) => value / 255);
  return images.map((image) => Array.from(network.probabilities(grey(image))));
}"""


def test_there_are_enough_drawings_of_every_digit() -> None:
    assert len(DRAWINGS) >= 50
    assert {drawing.digit for drawing in DRAWINGS} == set(range(10))
    assert all(
        0 <= value <= 300
        for drawing in DRAWINGS
        for stroke in drawing.strokes
        for point in stroke
        for value in point
    )


@pytest.mark.slow
def test_nearly_all_digits_are_recognised_in_the_browser(opened: Opened, url: str) -> None:
    opened.open(url)
    assert_recognised([(drawing, read(opened, drawing)) for drawing in DRAWINGS])
    assert "It runs on WebAssembly" in opened.text("#browser-state")


@pytest.mark.slow
def test_nearly_all_digits_are_recognised_through_the_api(opened: Opened, url: str) -> None:
    opened.open(url)
    opened.through_api()
    assert_recognised([(drawing, read(opened, drawing)) for drawing in DRAWINGS])
    assert opened.text("#api-state") == "The API answers."


def read(opened: Opened, drawing: Drawing) -> str:
    if opened["#clear"].is_enabled():
        opened["#clear"].click()
    opened.draw(*drawing.strokes)
    return opened.text("#digit")


def assert_recognised(answers: list[tuple[Drawing, str]]) -> None:
    wrong = [
        f"{drawing.digit} of hand {drawing.hand} at {drawing.place} read as {answer}"
        for drawing, answer in answers
        if answer != str(drawing.digit)
    ]
    assert len(wrong) <= (1 - MIN_RECOGNISED) * len(answers), "\n".join(wrong)


@pytest.mark.slow
def test_mnist_images_get_the_same_probabilities_as_in_keras(
    opened: Opened, url: str, model: Path
) -> None:
    images = np.load(HERE / "mnist_test_200.npz")["images"]
    expected = probabilities_of_keras(model, images.tolist())
    opened.open(f"{url}/float32/")
    found = np.array(opened.page.evaluate(RUN_ALL, images.reshape(200, 784).tolist()))
    assert found.shape == (200, 10)
    assert np.abs(found - expected).max() <= 1e-4
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.slow
def test_half_precision_changes_no_class(opened: Opened, url: str) -> None:
    images = np.load(HERE / "mnist_test_200.npz")["images"].reshape(200, 784).tolist()
    found = []
    for address in (url, f"{url}/float32/"):
        opened.open(address)
        found.append(np.array(opened.page.evaluate(RUN_ALL, images)))
    half, full = found
    assert (half.argmax(axis=1) == full.argmax(axis=1)).all()
    assert 0 < np.abs(half - full).max() < 0.01


def probabilities_of_keras(model: Path, images: list[Any]) -> Any:
    settings = {"script": "tests/web/keras_probabilities.py", **DIGITS}
    given = [json.loads(model.read_text()), {"images": images}]
    [answer] = run_snap("RemotePythonScript", settings, given, project=ROOT).output
    return np.array(answer["probabilities"])
