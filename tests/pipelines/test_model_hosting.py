"""model_hosting.yaml and predict.py: which requests are answered, with what, and which are not."""

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import api
from engine.pipeline import load
from engine.sdk.results import BATCH_SIZE
from engine.testing import SnapRun, run_snap

HERE = Path(__file__).resolve().parent
PIPELINES = HERE.parents[1] / "pipelines"
HOSTING = PIPELINES / "model_hosting.yaml"
SMALL_MODEL = json.loads((HERE / "small_model.json").read_text())
"""Means of 4 x 4 grey values and one dense layer: 490 weights, right for 89 % of test images."""
ONE = json.loads((PIPELINES / "samples/one.json").read_text())
BLACK = [[0] * 28 for _ in range(28)]
THREE = {"pred": 3, "conf": 0.75, "second": 5, "sure": True}
COMPILED = base64.b64encode(b"\x1c\0\0\0TFL3").decode()
DROP = {"snaplogic_flag": "drop"}


class FakeNetwork:
    """Recognises the digit 3 in black images and the digit 7 in all others; perhaps it is a 5."""

    outputs = (10,)

    def __init__(self) -> None:
        self.calls: list[int] = []

    def run(self, images: Any) -> Any:
        assert images.dtype == np.float32
        assert images.shape[1:] == (28, 28, 1)
        self.calls.append(len(images))
        probabilities = np.zeros((len(images), 10), np.float32)
        white = images.max(axis=(1, 2, 3)) > 0
        probabilities[np.arange(len(images)), np.where(white, 7, 3)] = 0.75
        probabilities[:, 5] = 0.25
        return probabilities

    run_one = run


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
def ready(predictor: Any, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script after it got its model."""
    monkeypatch.setattr(predictor, "Network", lambda content: network)
    assert predictor.snaplogic_process({"litert": COMPILED, "model": "…"}) == DROP
    return predictor


def settings(label: str) -> dict[str, Any]:
    return dict(load(HOSTING).snaps[label].settings)


# The pipeline ---------------------------------------------------------------------------------


def test_the_pipeline_file_has_no_mistakes_and_no_warnings() -> None:
    assert api.check(HOSTING) == []


def authenticated(document: dict[str, Any], token: str = "open sesame") -> SnapRun:
    return run_snap("Filter", settings("authenticate"), [document], parameters={"token": token})


def test_a_request_with_the_token_passes() -> None:
    request = {"content": {"token": "open sesame", "params": {"image": BLACK}}}
    assert authenticated(request).output == [request]


@pytest.mark.parametrize(
    "request_document",
    [
        {},
        {"content": None},
        {"content": "open sesame"},
        {"content": ["open sesame"]},
        {"content": [{"token": "open sesame"}]},
        {"content": {}},
        {"content": {"token": None}},
        {"content": {"token": ""}},
        {"content": {"token": True}},
        {"content": {"token": "Open Sesame"}},
        {"content": {"token": "open sesame "}},
        {"content": {"token": ["open sesame"]}},
        {"content": {"token": {"token": "open sesame"}}},
        {"token": "open sesame", "authorization": "Bearer open sesame"},
        {"query": {"token": ["open sesame"]}},
    ],
)
def test_any_other_request_is_dropped_without_an_error(request_document: dict[str, Any]) -> None:
    result = authenticated(request_document)
    assert (result.output, result.dropped) == ([], 1)


def test_a_missing_token_is_not_the_string_null() -> None:
    assert authenticated({"content": {"token": None}}, token="null").output == []
    assert authenticated({}, token="null").output == []


def test_a_request_cannot_replace_the_model() -> None:
    content = {"params": {"image": BLACK, "litert": "…"}, "litert": "…", "model": "…"}
    extracted = run_snap("Mapper", settings("extract_params"), [{"content": content}])
    assert extracted.output == [{"image": BLACK}]


def test_the_response_contains_the_answer_and_allows_any_origin() -> None:
    answer = {"pred": 1, "conf": 0.5, "second": 7, "sure": False}
    prepared = run_snap("Mapper", settings("prepare_response"), [answer])
    assert prepared.output == [{"content": answer, "Access-Control-Allow-Origin": "*"}]


# The script -----------------------------------------------------------------------------------


def test_a_sample_is_answered_with_its_other_fields(ready: Any) -> None:
    answer = ready.snaplogic_process({"id": "a", "image": BLACK})
    assert answer == {**THREE, "id": "a"}


@pytest.mark.parametrize(("limit", "sure"), [(0.7, True), (0.75, True), (0.76, False), (1, False)])
def test_the_model_says_from_which_confidence_on_it_is_sure(
    ready: Any, limit: float, sure: bool
) -> None:
    ready.snaplogic_process({"litert": COMPILED, "sure_above": limit})
    assert ready.snaplogic_process({"image": BLACK})["sure"] is sure
    assert ready.snaplogic_process_batch([{"image": BLACK}])[0]["sure"] is sure


@pytest.mark.parametrize(
    ("limit", "described"), [("0.9", "a string"), (None, "null"), (True, "a boolean")]
)
def test_a_limit_that_is_not_a_number_is_refused(ready: Any, limit: Any, described: str) -> None:
    with pytest.raises(ValueError, match=f"'sure_above' must be a number, not {described}"):
        ready.snaplogic_process({"litert": COMPILED, "sure_above": limit})


def test_a_network_with_one_label_has_no_second_guess(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = type("Network", (), {"run_one": lambda self, images: np.ones((1, 1), np.float32)})()
    monkeypatch.setattr(ready, "load", lambda row: (only, ["digit"]))
    ready.snaplogic_process({"litert": "…"})
    assert ready.snaplogic_process({"image": BLACK})["second"] is None


def test_the_labels_of_the_model_are_the_answers(
    ready: Any, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "load", lambda row: (network, list("abcdefghij")))
    ready.snaplogic_process({"litert": "…"})
    answer = ready.snaplogic_process({"image": BLACK})
    assert (answer["pred"], answer["second"]) == ("d", "f")
    assert ready.snaplogic_process_batch([{"image": BLACK}])[0]["pred"] == "d"


def test_a_batch_is_answered_in_one_go_and_in_order(ready: Any, network: FakeNetwork) -> None:
    white = [[255] * 28] * 28
    rows = [{"id": n, "image": white if n % 3 else BLACK} for n in range(7)]
    answers = ready.snaplogic_process_batch(rows)
    assert answers == [ready.snaplogic_process(row) for row in rows]
    assert [answer["pred"] for answer in answers] == [3, 7, 7, 3, 7, 7, 3]
    assert network.calls[0] == 7


def test_a_batch_may_begin_with_the_model(ready: Any, network: FakeNetwork) -> None:
    ready.network = None
    answers = ready.snaplogic_process_batch([{"litert": COMPILED}, {"image": BLACK}])
    assert answers == [DROP, THREE]


def test_a_model_with_line_breaks_is_loaded(ready: Any) -> None:
    content = base64.encodebytes(b"\x1c\0\0\0TFL3" + bytes(100)).decode()
    assert content.count("\n") > 1
    assert ready.snaplogic_process({"litert": content}) == DROP


def test_a_sample_before_the_model_is_refused(predictor: Any) -> None:
    with pytest.raises(ValueError, match="came before the model, so it could not be answered"):
        predictor.snaplogic_process({"image": BLACK})
    with pytest.raises(ValueError, match="came before the model"):
        predictor.snaplogic_process_batch([{"image": BLACK}])


def test_a_document_of_neither_kind_is_refused(ready: Any) -> None:
    with pytest.raises(ValueError, match=r"must have an 'image' .* its fields are: 'picture'"):
        ready.snaplogic_process({"picture": BLACK})


ODD_IMAGES = [
    [[255] * 28] * 28,
    [255] * 784,
    [1.0] * 784,
    [1] * 784,
    [[[1]] * 28] * 28,
    [[1] * 28] * 28,
    [[255.0] * 28] * 28,
]


@pytest.mark.parametrize("image", ODD_IMAGES)
def test_an_image_may_be_rows_or_flat_and_to_255_or_to_1(predictor: Any, image: Any) -> None:
    assert (predictor.network_input(image) == np.ones((28, 28, 1), np.float32)).all()


@pytest.mark.parametrize("image", [*ODD_IMAGES, ONE["image"], [[2] + [0] * 27] * 28])
def test_testing_and_hosting_give_the_network_the_same_input(
    predictor: Any, model_tester: Any, image: Any
) -> None:
    assert np.array_equal(predictor.network_input(image), model_tester.network_input(image)[0])


REFUSED = [
    ([[0] * 28] * 27, "its shape is 27 x 28"),
    ([0] * 783, "its shape is 783"),
    ([28] * 28, "its shape is 28"),
    ([[BLACK]], "its shape is 1 x 1 x 28 x 28"),
    ([], "its shape is 0"),
    ([[0] * 28] * 27 + [[0] * 3], "28 rows of 3, 28 values"),
    ("AAAA", "must be a list of numbers, not a string"),
    (5, "must be a list of numbers, not a number"),
    (None, "must be a list of numbers, not null"),
    (["0" * 28] * 28, "must contain only numbers"),
    ([["0"] * 28] * 28, "must contain only numbers"),
    ([[True] * 28] * 28, "must contain only numbers"),
    ([[None] * 28] * 28, "must contain only numbers"),
    ([[2**70] * 28] * 28, "must contain only numbers"),
    ([[-1] * 28] * 28, "they are from -1 to -1"),
    ([[256] * 28] * 28, "they are from 256 to 256"),
    ([[math.nan] * 28] * 28, "they are from nan to nan"),
    ([[math.inf] * 28] * 28, "they are from inf to inf"),
    ([[0] * 1_000_000] * 28, "more than 100,000 values"),
    ([[]] * 1_000_000, "more than 100,000 values"),
    ([[[0] * 200_000]], "more than 100,000 values"),
]


@pytest.mark.parametrize(("image", "message"), REFUSED)
def test_an_invalid_image_is_refused_with_its_shape_or_range(
    ready: Any, network: FakeNetwork, image: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ready.snaplogic_process({"image": image})
    assert network.calls == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"model": "UEsDBBQ="}, r"has no field 'litert'.* Run model_building\.yaml again\."),
        ({"model": "UEsDBBQ=", "litert": None}, r"or it could not be compiled\. Run"),
        ({"litert": {"weights": []}}, "must be a base64 string, not an object"),
        ({"litert": 5}, "must be a base64 string, not a number"),
        ({"litert": "VEZMMw@@@"}, "'litert' is not valid base64"),
        ({"litert": ""}, "its 0 bytes do not have the identifier TFL3"),
        (
            {"litert": base64.b64encode(b"<html>").decode()},
            "its 6 bytes do not have the identifier TFL3",
        ),
    ],
)
def test_an_invalid_compiled_model_is_refused(
    predictor: Any, document: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        predictor.snaplogic_process(document)


def test_labels_that_do_not_match_the_network_are_refused(
    predictor: Any, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor, "Network", lambda content: network)
    for names in ([0, 1], "0123456789"):
        with pytest.raises(ValueError, match=r"shape is \(10,\), which does not match the labels"):
            predictor.snaplogic_process({"litert": COMPILED, "labels": names})


# With LiteRT, in the environment that hosting uses --------------------------------------------


@pytest.fixture(scope="module")
def predict() -> Callable[..., SnapRun]:
    def run(rows: list[dict[str, Any]], on_error: Any = "route") -> SnapRun:
        return run_snap(
            "RemotePythonScript", settings("predict"), rows, on_error=on_error, project=PIPELINES
        )

    run([SMALL_MODEL])  # installs the library if it is missing, which is shown
    return run


@pytest.mark.slow
def test_a_network_answers_the_same_one_by_one_and_in_batches(
    predict: Callable[..., SnapRun],
) -> None:
    shifted = [np.roll(ONE["image"], by, axis=1).tolist() for by in range(15)]
    alone = [ONE["image"]] * (BATCH_SIZE - 1 - len(shifted)) + shifted  # the model comes with them
    result = predict([SMALL_MODEL, *({"image": image} for image in alone + shifted)])
    assert (result.dropped, result.errors, result.shown) == (1, [], [])
    first = result.output[0]
    assert (first["pred"], first["sure"]) == (1, True)
    assert first["conf"] == pytest.approx(0.9526, abs=1e-4)
    one_by_one, batch = result.output[-30:-15], result.output[-15:]
    assert [answer["pred"] for answer in batch] == [answer["pred"] for answer in one_by_one]
    for found, wanted in zip(batch, one_by_one, strict=True):
        assert found["conf"] == pytest.approx(wanted["conf"], abs=1e-6)
    assert len({answer["conf"] for answer in one_by_one}) == len(shifted)


@pytest.mark.slow
def test_an_invalid_image_fails_without_the_others(predict: Callable[..., SnapRun]) -> None:
    rows = [{"id": n, "image": [] if n == 2 else ONE["image"]} for n in range(6)]
    result = predict([SMALL_MODEL, *rows])
    assert [answer["id"] for answer in result.output] == [0, 1, 3, 4, 5]
    [error] = result.errors
    assert error["original"]["id"] == 2
    assert "its shape is 0" in error["reason"]


@pytest.mark.slow
def test_half_a_model_is_an_error_not_a_crash(predict: Callable[..., SnapRun]) -> None:
    half = base64.b64decode(SMALL_MODEL["litert"])[:2000]
    result = predict([{"litert": base64.b64encode(half).decode()}])
    reason = result.errors[0]["reason"]
    assert "LiteRT cannot run the model: The model is not a valid" in reason
