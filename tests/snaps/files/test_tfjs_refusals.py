"""TFJSWriter: what TensorFlow.js would not load, or answer otherwise, is refused with the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.testing import run_snap
from tests.tfjs.documents import (
    BIAS,
    DENSE,
    KERNEL,
    Document,
    changed,
    functional,
    layer,
    sequential,
    source,
    tensor,
    weight,
)

WEIGHTS = DENSE["weights"]


def refusal(project: Path, document: Document, quantize: str = "none") -> str:
    settings = {"folder": "web", "quantize": quantize}
    run = run_snap("TFJSWriter", settings, [document], on_error="route", project=project)
    assert run.output == []
    assert not (project / "web").exists()
    [error] = run.errors
    return f"{error['reason']}; {error['resolution']}"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "the model is described by null"),
        ({"topology": {"class_name": "Sequential"}}, "not by an object with class_name and config"),
        (
            {"topology": {"class_name": "Mine", "config": {}}},
            'the model is a "Mine", not Sequential',
        ),
        ({"topology": sequential()}, "the model 'network' has no layers"),
        ({"topology": sequential(layer("ReLU", "r"))}, "does not know the shape of its input"),
        ({"topology": sequential(source(4, sparse=True))}, "the input 'image'"),
        (
            {"topology": sequential({"class_name": "ReLU", "config": {}})},
            "a layer (ReLU) has no name",
        ),
        ({"topology": sequential("ReLU")}, 'a layer is described by "ReLU"'),
    ],
)
def test_a_document_that_is_not_a_model_is_refused(
    tmp_path: Path, document: Document, reason: str
) -> None:
    assert reason in refusal(tmp_path, document)


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        (layer("Sequential", "inner"), "the model 'inner' has no layers"),
        (layer("Masking", "mask"), "the layer 'mask' is a Masking, which cannot be written"),
        (layer("Lambda", "code"), "the layer 'code' is a Lambda"),
        (
            {**layer("Gate", "gate"), "module": "shop.layers"},
            "the layer 'gate' is a Gate of shop.layers, which is not a Keras layer",
        ),
        ({**layer("Gate", "gate"), "module": None}, "the layer 'gate' is a Gate of None"),
        (
            {**layer("Add", "add"), "module": "keras.src.ops.numpy"},
            "'add' is the operation Add of keras.src.ops.numpy, not a layer",
        ),
        (layer("ReLU", "r", negative_slope=0.1), "'r' (ReLU) has negative_slope 0.1"),
        (layer("ELU", "e", alpha=2.0), "has alpha 2.0, which TensorFlow.js does not know"),
        (layer("Conv2D", "c", groups=2), "has groups 2"),
        (layer("Conv2D", "c", data_format="channels_first"), 'data_format "channels_first"'),
        (layer("Conv1D", "c", padding="causal"), 'has padding "causal"'),
        (layer("UpSampling2D", "u", interpolation="bilinear"), 'interpolation "bilinear"'),
        (layer("GlobalAveragePooling2D", "g", keepdims=True), "has keepdims true"),
        (layer("Dense", "d", power=3), "has power 3"),
        (layer("Dense", "d", power=False), "has power false"),
        (layer("ReLU", "r", max_value="6"), 'has max_value "6"'),
        (layer("Dense", "d", units=0), "it computes with a whole number greater than 0 only"),
        (layer("ZeroPadding2D", "z", padding=[[1, 1], [1]]), "[[top, bottom], [left, right]]"),
        (layer("ZeroPadding2D", "z", padding=[[1, 1], [1, -1]]), "that are not negative"),
        (layer("Dense", "d"), "the settings of the layer 'd' (Dense) do not fit an input"),
        (layer("BatchNormalization", "b", axis=1), "it computes with the last axis only"),
        (layer("BatchNormalization", "b", axis=9), "it computes with the last axis only"),
        (layer("LayerNormalization", "n", axis=[0, 1]), "axes behind that of the batch"),
        (layer("Softmax", "s", axis=[1, 2]), "it computes with the last axis only"),
        (layer("Reshape", "r", target_shape=[5, -1]), "it computes with 32 numbers only"),
        (layer("Reshape", "r", target_shape=[-1, -1]), "with at most one -1 only"),
        (layer("Permute", "p", dims=[1, 2]), "each axis behind that of the batch, once"),
        (layer("PReLU", "p", shared_axes=[4]), "axes behind that of the batch"),
        (layer("Conv1D", "c", kernel_size=[3]), "computes it for 3 axes only"),
        (layer("Add", "a"), "is called with 1 input; TensorFlow.js takes two inputs or more"),
        (layer("Dense", "d e", units=3), "a name that TensorFlow.js does not take"),
        (source(4), "2 layers are named 'image'"),
        (layer("ReLU", "r", dtype="int32"), "computes in int32, and TensorFlow.js would"),
        (
            layer("SeparableConv2D", "s", strides=[2, 2], dilation_rate=[1, 2]),
            "has both strides and dilation_rate above 1",
        ),
        (layer("Dense", "d", activation="hard_sigmoid"), 'the activation "hard_sigmoid"'),
        (layer("Dense", "d", activation={"class_name": "f"}), "the activation {"),
    ],
)
def test_a_layer_or_setting_that_tensorflow_js_does_not_know(
    tmp_path: Path, strange: Document, reason: str
) -> None:
    document = {"topology": sequential(source(4, 4, 2), strange), "weights": []}
    assert reason in refusal(tmp_path, document)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (functional([tensor("image")], training=True), "'sum' is called with more than its inputs"),
        (functional(tensor("image"), tensor("image")), "'sum' is called with more than its inputs"),
        (functional([]), "'sum' is called with [], which is not a tensor"),
        (functional([3]), "'sum' is called with [3], which is not a tensor"),
    ],
)
def test_a_call_with_more_than_tensors(tmp_path: Path, document: Document, reason: str) -> None:
    assert reason in refusal(tmp_path, document)


def test_an_operation_is_named_before_the_way_in_which_it_is_called(tmp_path: Path) -> None:
    document = functional(tensor("image"), tensor("image"))
    document["topology"]["config"]["layers"][1]["module"] = "keras.src.ops.numpy"
    assert "'sum' is the operation Add of keras.src.ops.numpy" in refusal(tmp_path, document)


def test_an_input_of_other_things_than_numbers(tmp_path: Path) -> None:
    document = {"topology": sequential(source(4, dtype="bool"), layer("Flatten", "f"))}
    assert "the input 'image' takes values of the type bool" in refusal(tmp_path, document)


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ([["sum", 0, 0], ["sum", 0, 0]], "TensorFlow.js takes each only once; pass it through"),
        ([["sum", 1, 0]], "not all of them are outputs of its layers"),
        ([["other", 0, 0]], "not all of them are outputs of its layers"),
    ],
)
def test_outputs_that_tensorflow_js_does_not_take(
    tmp_path: Path, ends: list[Any], reason: str
) -> None:
    document = functional([tensor("image"), tensor("image")])
    document["topology"]["config"]["output_layers"] = ends
    assert reason in refusal(tmp_path, document)


def test_a_tensor_that_comes_from_nowhere(tmp_path: Path) -> None:
    document = functional([tensor("image"), tensor("lost")])
    assert "the inputs of the layers sum come from nowhere" in refusal(tmp_path, document)


def test_inputs_by_name(tmp_path: Path) -> None:
    document = functional(tensor("image"))
    document["topology"]["config"]["input_layers"] = {"a": ["image", 0, 0]}
    assert "the input_layers of the model are" in refusal(tmp_path, document)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (None, "the weights are null"),
        (["dense/kernel"], "the weights are"),
        (WEIGHTS[:1], "the weights do not fit the layers: without dense/bias"),
        ([*WEIGHTS, weight("x/y", [1])], "with the unknown x/y"),
        ([*WEIGHTS, WEIGHTS[0]], "some are given twice"),
        ([WEIGHTS[0], {**WEIGHTS[1], "data": "@"}], "'dense/bias' is not proper base64"),
        ([WEIGHTS[0], {**WEIGHTS[1], "data": 3}], "'dense/bias' is not proper base64"),
        ([WEIGHTS[0], {**WEIGHTS[1], "data": b"123"}], "of shape [3] has 3 bytes, not 12"),
        ([WEIGHTS[0], {**WEIGHTS[1], "shape": [4]}], "of shape [4] has 12 bytes, not 16"),
        ([WEIGHTS[0], {**WEIGHTS[1], "shape": "3"}], "'dense/bias' has the shape \"3\""),
        ([weight("dense/kernel", KERNEL), weight("dense/bias", BIAS * np.nan)], "holds NaN"),
        ([weight("dense/kernel", KERNEL), weight("dense/bias", BIAS * np.inf)], "holds Infinity"),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, weights: Any, reason: str) -> None:
    assert reason in refusal(tmp_path, {**DENSE, "weights": weights})


def test_a_weight_that_float16_cannot_hold(tmp_path: Path) -> None:
    weights = [WEIGHTS[0], weight("dense/bias", [1, -70000, 3])]
    reason = refusal(tmp_path, {**DENSE, "weights": weights}, "float16")
    assert "'dense/bias' holds -70000, and float16 ends at 65504; set quantize to none" in reason


def test_metadata_that_is_not_json_is_refused(tmp_path: Path) -> None:
    assert "surrogate" in refusal(tmp_path, {**DENSE, "metadata": {"name": "\ud800"}})


def test_a_wrong_setting_deep_in_a_network_is_named(tmp_path: Path) -> None:
    assert "'dense' (Dense) has rank 2" in refusal(tmp_path, changed("layers.1.config", rank=2))
