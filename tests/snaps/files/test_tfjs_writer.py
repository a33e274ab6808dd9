"""TFJSWriter: the files that it writes, and what it refuses.

The layers and what they answer are compared with Keras in tests/pipelines, which needs TensorFlow.
"""

from __future__ import annotations

import json
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from engine.errors import ConfigurationError, EngineError, ExecutionError
from engine.testing import run_snap
from snaps.files.tfjs_writer import TFJSWriter
from tests.tfjs.documents import (
    BIAS,
    DENSE,
    KERNEL,
    RANDOM,
    Document,
    changed,
    functional,
    layer,
    sequential,
    source,
    tensor,
    weight,
)
from tests.tfjs.loading import WEB, answers


def write(project: Path, document: Document, **settings: Any) -> Document:
    settings = {"folder": "web", **settings}
    [result] = run_snap("TFJSWriter", settings, [document], project=project).output
    return dict(result)


def model_of(project: Path) -> Any:
    return json.loads((project / "web/model.json").read_text())


def config_of(project: Path, index: int) -> Any:
    return model_of(project)["modelTopology"]["model_config"]["config"]["layers"][index]["config"]


@pytest.mark.parametrize(
    ("quantize", "tolerance", "size"),
    [("none", 1e-6, 60), ("float16", 3e-3, 30), ("uint8", 0.05, 24)],
)
def test_tensorflow_js_answers_as_the_numbers_say(
    tmp_path: Path, quantize: str, tolerance: float, size: int
) -> None:
    result = write(tmp_path, DENSE, quantize=quantize)
    assert result["weight_bytes"] == size
    given = RANDOM.random((5, 4))
    answered = answers(tmp_path / "web", given.tolist())
    expected = np.maximum(given @ KERNEL + BIAS, 0)
    assert np.abs(np.array(answered["outputs"][0]) - expected).max() < tolerance
    assert answered["metadata"] == DENSE["metadata"]


def test_more_than_four_mebibytes_are_cut_into_shards(tmp_path: Path) -> None:
    kernel = RANDOM.normal(0, 1, (1100, 1000)).astype("f4")
    result = write(
        tmp_path,
        {
            "topology": sequential(
                source(1100), layer("Dense", "dense", units=1000, use_bias=False)
            ),
            "weights": [weight("dense/kernel", kernel)],
        },
    )
    names = ["group1-shard1of2.bin", "group1-shard2of2.bin"]
    assert result["shards"] == names
    contents = [(tmp_path / "web" / name).read_bytes() for name in names]
    assert [len(content) for content in contents] == [4 * 2**20, 4_400_000 - 4 * 2**20]
    assert b"".join(contents) == kernel.tobytes()
    [output] = answers(tmp_path / "web", np.eye(1100)[1095:].tolist())["outputs"]
    assert np.array_equal(np.array(output, "f4"), kernel[1095:])


def test_weights_may_come_as_bytes_and_in_any_order(tmp_path: Path) -> None:
    weights = [
        {"name": "dense/bias", "shape": [3], "data": BIAS.tobytes()},
        {"name": "dense/kernel", "shape": [4, 3], "data": KERNEL.tobytes()},
    ]
    write(tmp_path, {**DENSE, "weights": weights})
    assert (tmp_path / "web/group1-shard1of1.bin").read_bytes() == KERNEL.tobytes() + BIAS.tobytes()
    entries = model_of(tmp_path)["weightsManifest"][0]["weights"]
    assert [entry["name"] for entry in entries] == ["dense/kernel", "dense/bias"]


def test_weights_have_the_names_that_tensorflow_js_looks_for(tmp_path: Path) -> None:
    layers = [
        layer("DepthwiseConv2D", "wide", kernel_size=[1, 1], use_bias=False),
        layer("BatchNormalization", "even", scale=True, center=True),
        layer("BatchNormalization", "bare", scale=False, center=False),
    ]
    names = [
        "wide/kernel",
        *(f"even/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")),
        *(f"bare/{name}" for name in ("moving_mean", "moving_variance")),
    ]
    weights = [weight(name, np.ones((1, 1, 2, 1) if "kernel" in name else 2)) for name in names]
    write(tmp_path, {"topology": sequential(source(2, 2, 2), *layers), "weights": weights})
    entries = model_of(tmp_path)["weightsManifest"][0]["weights"]
    assert [entry["name"] for entry in entries] == ["wide/depthwise_kernel", *names[1:]]


def test_the_precision_of_the_training_is_undone(tmp_path: Path) -> None:
    write(tmp_path, DENSE)
    assert [config_of(tmp_path, index)["dtype"] for index in (0, 1)] == ["float32", "float32"]


def test_an_integer_input_keeps_its_type(tmp_path: Path) -> None:
    topology = sequential(source(4, dtype="int32"), layer("Flatten", "flat"))
    write(tmp_path, {"topology": topology, "weights": []})
    assert config_of(tmp_path, 0)["dtype"] == "int32"


def test_a_model_without_weights_has_no_shards(tmp_path: Path) -> None:
    result = write(tmp_path, {"topology": sequential(source(4), layer("ReLU", "r")), "weights": []})
    assert result["shards"] == []
    assert answers(tmp_path / "web", [[1, -2, 3, -4]])["outputs"] == [[[1, 0, 3, 0]]]


def test_what_matters_in_training_only_is_left_out(tmp_path: Path) -> None:
    document = changed("layers.1.config", kernel_initializer={"class_name": "HeNormal"}, seed=3)
    write(tmp_path, document)
    assert set(config_of(tmp_path, 1)) == {"name", "trainable", "dtype", "units", "activation"}


def test_calls_of_a_functional_model_become_nested_lists(tmp_path: Path) -> None:
    write(tmp_path, functional([tensor("image"), tensor("image")], mask=None))
    config = model_of(tmp_path)["modelTopology"]["model_config"]["config"]
    assert config["layers"][1]["inbound_nodes"] == [[["image", 0, 0, {}], ["image", 0, 0, {}]]]
    assert config["input_layers"] == [["image", 0, 0]]
    assert config["output_layers"] == [["sum", 0, 0]]
    assert answers(tmp_path / "web", [[1, 2, 3, 4]])["outputs"] == [[[2, 4, 6, 8]]]


def test_calls_are_numbered_in_the_order_in_which_tensorflow_js_reaches_them(
    tmp_path: Path,
) -> None:
    """Listed before the input of its first call, the second call of the layer is reached first."""
    shared = {
        **layer("ReLU", "shared"),
        "inbound_nodes": [{"args": [tensor("negated")]}, {"args": [tensor("image")]}],
    }
    negated = {
        **layer("Rescaling", "negated", scale=-1, offset=0),
        "inbound_nodes": [{"args": [tensor("image")]}],
    }
    config = {
        "name": "network",
        "layers": [source(4), shared, negated],
        "input_layers": ["image", 0, 0],
        "output_layers": [["shared", 0, 0], ["shared", 1, 0]],
    }
    topology = {"class_name": "Functional", "config": config}
    write(tmp_path, {"topology": topology, "weights": []})
    outputs = answers(tmp_path / "web", [[1, -2, 3, -4]])["outputs"]
    assert outputs == [[[0, 2, 0, 4]], [[1, 0, 3, 0]]]


def test_numbers_of_a_parsed_file_stay_numbers(tmp_path: Path) -> None:
    rescaling = layer("Rescaling", "half", scale=Decimal("0.5"), offset=Decimal("1.25"))
    document = {
        "topology": sequential(source(2), rescaling),
        "weights": [],
        "metadata": {"accuracy": Decimal("0.75")},
    }
    write(tmp_path, document)
    answered = answers(tmp_path / "web", [[1, -2]])
    assert answered["outputs"] == [[[1.75, 0.25]]]
    assert answered["metadata"] == {"accuracy": 0.75}


def test_weights_of_models_within_the_model_keep_apart(tmp_path: Path) -> None:
    def inner(name: str) -> Document:
        dense = layer("Dense", "dense", units=1, use_bias=False)
        return {**sequential(source(1), dense), "module": "keras"} | {
            "config": {"name": name, "layers": [source(1), dense]}
        }

    document = {
        "topology": sequential(source(1), inner("one"), inner("two")),
        "weights": [weight("one/dense/kernel", [[3]]), weight("two/dense/kernel", [[5]])],
    }
    write(tmp_path, document)
    assert answers(tmp_path / "web", [[2]])["outputs"] == [[[30]]]


def test_float16_is_rounded_to_the_nearest_even_as_everywhere(tmp_path: Path) -> None:
    values = np.concatenate([RANDOM.normal(0, 1, 500), [0, 65504, -6e-8, 1e-9, 1 + 2**-11]])
    write(tmp_path, one_weight(values), quantize="float16")
    content = (tmp_path / "web/group1-shard1of1.bin").read_bytes()
    assert content == values.astype("<f4").astype("<f2").tobytes()


@pytest.mark.parametrize(
    "values", [[-1.0, 0.0, 0.0, 0.7], [0.2, 0.3, 0.4, 0.6], [-3.0, -2.0, -2.0, -1.0], [0.5] * 4]
)
def test_uint8_is_at_most_half_a_step_off_and_keeps_zero(tmp_path: Path, values: Any) -> None:
    write(tmp_path, one_weight(values), quantize="uint8")
    [entry] = model_of(tmp_path)["weightsManifest"][0]["weights"]
    steps = np.frombuffer((tmp_path / "web/group1-shard1of1.bin").read_bytes(), np.uint8)
    scale = entry["quantization"]["scale"]
    found = steps * scale + entry["quantization"]["min"]
    assert np.abs(found - np.array(values)).max() <= scale * 0.51
    assert (found[np.array(values) == 0] == 0).all()


def one_weight(values: Any) -> Document:
    kernel = np.asarray(values).reshape(-1, 1)
    dense = layer("Dense", "dense", units=1, use_bias=False)
    topology = sequential(source(len(kernel)), dense)
    return {"topology": topology, "weights": [weight("dense/kernel", kernel)]}


def test_shards_that_the_new_model_does_not_name_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    old = ["group1-shard1of2.bin", "group1-shard2of2.bin"]
    for name in [*old, "other.bin", "group1-shard1of9.bin"]:
        (folder / name).write_bytes(b"old")
    (tmp_path / "group1-shard1of3.bin").write_bytes(b"outside")
    manifest = [{"paths": [*old, "other.bin", "../group1-shard1of3.bin", "gone.bin"]}]
    (folder / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    result = write(tmp_path, DENSE)
    assert result["result"] == "overwritten"
    assert result["removed"] == old
    left = {path.name for path in folder.iterdir()}
    assert left == {"model.json", "group1-shard1of1.bin", "other.bin", "group1-shard1of9.bin"}
    assert (tmp_path / "group1-shard1of3.bin").exists()


@pytest.mark.parametrize("old", ["no JSON", "[]", '{"format": "none"}', '{"weightsManifest": [3]}'])
def test_a_file_that_is_not_a_model_is_overwritten(tmp_path: Path, old: str) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/model.json").write_text(old)
    assert write(tmp_path, DENSE)["removed"] == []
    assert model_of(tmp_path)["format"] == "layers-model"


def test_a_model_that_is_refused_leaves_the_earlier_export_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, DENSE)
    before = {path.name: path.read_bytes() for path in (tmp_path / "web").iterdir()}
    with pytest.raises(ExecutionError, match="dense/bias"):
        write(tmp_path, {**DENSE, "weights": [weight("dense/kernel", KERNEL)]})
    assert {path.name: path.read_bytes() for path in (tmp_path / "web").iterdir()} == before


def test_a_file_that_cannot_be_written_leaves_no_trace_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "web/model.json").mkdir(parents=True)
    with pytest.raises(ExecutionError, match="it is a folder"):
        write(tmp_path, DENSE)
    assert [path.name for path in (tmp_path / "web").iterdir()] == ["model.json"]


@pytest.mark.parametrize("moment", ["before", "in the first commit"])
def test_an_interrupted_export_leaves_the_earlier_one_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Interrupted(TFJSWriter):
        def process(self, document: Document) -> Document:
            if moment == "before":
                self.interrupt()
            else:
                monkeypatch.setattr(os, "fsync", lambda _: self.interrupt())
            return super().process(document)

    write(tmp_path, DENSE)
    before = {path.name: path.read_bytes() for path in (tmp_path / "web").iterdir()}
    settings = {"folder": "web", "quantize": "float16"}
    with pytest.raises(EngineError, match="the run was stopped"):
        run_snap(Interrupted, settings, [DENSE], project=tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "web").iterdir()} == before


def test_folder_and_quantisation_may_come_from_the_document(tmp_path: Path) -> None:
    document = {**DENSE, "place": "here/there", "as": "float16"}
    write(tmp_path, document, folder="= $place", quantize="= $as")
    assert (tmp_path / "here/there/group1-shard1of1.bin").stat().st_size == 30


def test_another_quantisation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="one of none, float16, uint8, got 'float8'"):
        write(tmp_path, DENSE, quantize="float8")
    with pytest.raises(ExecutionError, match="expected one of none, float16, uint8, got 'float8'"):
        write(tmp_path, DENSE, quantize="= 'float8'")


def test_a_model_can_be_written_to_a_remote_folder() -> None:
    for quantize, size in (("none", 60), ("float16", 30)):
        write(Path("/"), DENSE, folder="memory://models/web", quantize=quantize)
        files = fsspec.filesystem("memory")
        assert files.size("/models/web/group1-shard1of1.bin") == size


# verify


def probed(outputs: Any) -> Document:
    given = RANDOM.normal(0, 1, (2, 4)).astype("f4")
    correct = np.maximum(given @ KERNEL + BIAS, 0)
    tensors = {"inputs": [weight("", given)], "outputs": [weight("", outputs(correct))]}
    return {**DENSE, "probe": tensors}


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="TensorFlow.js runs in Node")


@needs_node
@pytest.mark.parametrize("quantize", ["none", "float16", "uint8"])
def test_a_verified_model_computes_what_keras_does(tmp_path: Path, quantize: str) -> None:
    result = write(tmp_path, probed(np.array), verify=True, node_folder=str(WEB), quantize=quantize)
    assert result["largest_difference"] <= {"none": 1e-6, "float16": 1e-2, "uint8": 0.1}[quantize]
    assert model_of(tmp_path)["format"] == "layers-model"


@needs_node
def test_a_model_that_computes_something_else_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match=r"TensorFlow\.js does not compute what Keras does"):
        write(tmp_path, probed(lambda correct: correct + 1), verify=True, node_folder=str(WEB))
    with pytest.raises(ExecutionError, match=r"TensorFlow\.js does not compute what Keras does"):
        write(tmp_path, probed(np.transpose), verify=True, node_folder=str(WEB))
    assert not (tmp_path / "web").exists()


@pytest.mark.parametrize(
    "probe",
    [None, {}, {"inputs": []}, {"inputs": [{"shape": [2], "data": "AAAA"}]}, {"inputs": [3]}],
)
def test_a_model_without_a_probe_cannot_be_verified(tmp_path: Path, probe: Any) -> None:
    with pytest.raises(ExecutionError, match=r"the model cannot be verified: `probe\.inputs` is"):
        write(tmp_path, {**DENSE, "probe": probe}, verify=True)


@needs_node
def test_tensorflow_js_must_be_installed_to_verify(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match=r"Node does not find from"):
        write(tmp_path, probed(np.array), verify=True)


def test_node_must_be_installed_to_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExecutionError, match="verify needs Node, which cannot be started"):
        write(tmp_path, probed(np.array), verify=True)
