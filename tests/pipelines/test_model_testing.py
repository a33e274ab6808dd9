"""test_model.py: samples and the model in any order; images of valid and invalid shapes."""

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ONE = Path(__file__).resolve().parents[2] / "pipelines/samples/one.json"
BLACK = [[0] * 28 for _ in range(28)]
DROP = {"snaplogic_flag": "drop"}


@pytest.fixture
def tester(model_tester: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, with a model that is sure of the digit 3."""
    sure = np.zeros(10)
    sure[3] = 0.75
    monkeypatch.setattr(model_tester, "load", lambda row: (lambda image: sure, list(range(10))))
    return model_tester


def test_the_model_is_dropped_and_the_next_sample_answered(tester: Any) -> None:
    assert tester.snaplogic_process({"model": "…"}) == [DROP]
    answer = tester.snaplogic_process({"label": 3, "image": BLACK})
    assert answer == {"pred": 3, "conf": 0.75, "label": 3}
    assert tester.snaplogic_final() is None


def test_samples_before_the_model_are_kept_and_answered_in_order(tester: Any) -> None:
    assert tester.snaplogic_process({"id": "a", "image": BLACK}) is None
    assert tester.snaplogic_process({"id": "b", "image": BLACK}) is None
    drop, *answers = tester.snaplogic_process({"model": "…"})
    assert drop == DROP
    assert [answer["id"] for answer in answers] == ["a", "b"]


def test_input_without_a_model_is_an_error(tester: Any) -> None:
    tester.snaplogic_process({"image": BLACK})
    with pytest.raises(ValueError, match="No model came, so 1 samples could not be answered"):
        tester.snaplogic_final()


def test_a_document_of_neither_kind_is_refused(tester: Any) -> None:
    with pytest.raises(ValueError, match=r"must have an 'image' .* its fields are: 'picture'"):
        tester.snaplogic_process({"picture": BLACK})


def test_the_sample_file_is_a_readable_image_of_a_one(model_tester: Any) -> None:
    sample = json.loads(ONE.read_text())
    assert sample["label"] == 1
    assert model_tester.network_input(sample["image"]).shape == (1, 28, 28, 1)
    lines = ONE.read_text().splitlines()
    assert sum(line.count(",") >= 27 for line in lines) == 28


@pytest.mark.parametrize(
    "image", [[[255] * 28] * 28, [255] * 784, [1.0] * 784, [[[1]] * 28] * 28, [[1] * 28] * 28]
)
def test_an_image_may_be_rows_or_flat_and_to_255_or_to_1(model_tester: Any, image: Any) -> None:
    assert (model_tester.network_input(image) == np.ones((1, 28, 28, 1))).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([[0] * 28] * 27, "its shape is 27 x 28"),
        ([0] * 783, "its shape is 783"),
        ([[BLACK]], "its shape is 1 x 1 x 28 x 28"),
        ([], "its shape is 0"),
        ([[0] * 28] * 27 + [[0] * 3], "28 rows of 3, 28 values"),
        ("AAAA", "must be a list of numbers, not a string"),
        (None, "must be a list of numbers, not null"),
        ([["0"] * 28] * 28, "must contain only numbers"),
        ([[True] * 28] * 28, "must contain only numbers"),
        ([[None] * 28] * 28, "must contain only numbers"),
        ([[-1] * 28] * 28, "they are from -1 to -1"),
        ([[256] * 28] * 28, "they are from 256 to 256"),
        ([[math.nan] * 28] * 28, "they are from nan to nan"),
    ],
)
def test_an_invalid_image_is_refused_with_its_shape_or_range(
    model_tester: Any, image: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model_tester.snaplogic_process({"image": image})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (None, "must be a base64 string, not null"),
        ({"weights": []}, "must be a base64 string, not an object"),
        ("UEsDB@@@", "not valid base64"),
        ("UEsDBBQ", "not valid base64"),
        ("", "its 0 bytes are not a zip archive"),
        (base64.b64encode(b"<html>").decode(), "its 6 bytes are not a zip archive"),
    ],
)
def test_an_invalid_model_is_refused(model_tester: Any, model: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model_tester.snaplogic_process({"model": model})
