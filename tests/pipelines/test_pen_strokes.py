"""pen_strokes.py: the same image of a drawing as the page makes of it."""

from typing import Any

import numpy as np
import pytest

from tests.pipelines.conftest import load_script
from tests.web.real_strokes import images_of_page

DRAWINGS = {
    "a seven": [[[90, 70], [210, 70], [150, 240]], [[110, 150], [190, 140]]],
    "a wide line": [[[0, 5], [300, 5]]],
    "a small circle": [[[9, 5], [7, 7], [5, 5], [7, 3], [9, 5]]],
    "a dot": [[[40, 40]]],
    "a dot and a line": [[[5, 5]], [[100, 20], [100, 20], [100, 220]]],
    "an empty stroke": [[], [[10, 10], [20, 40]]],
    "far to the left": [[[0, 0], [0, 100], [0, 0], [0, 100]], [[80, 0], [90, 5]]],
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_script_makes_the_image_that_the_page_makes(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    strokes: Any = DRAWINGS[name]
    found = load_script("pen_strokes", monkeypatch).to_mnist(strokes)
    [expected] = images_of_page([strokes])
    assert (found.shape, found.dtype) == ((28, 28, 1), np.float32)
    assert np.abs(found[..., 0] - expected).max() < 1e-6
