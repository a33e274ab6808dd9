"""The topology of a Keras 3 model in the words of TensorFlow.js, which are those of Keras 2.

Keras 3 says `batch_shape`, TensorFlow.js wants `batch_input_shape`; the one describes the tensors
that a layer is called with, the other names layer, call and output in nested lists; precision is an
object of its own there and a word here. What has no counterpart is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.sdk import DataError, Value, excerpt
from snaps.files.shared.tfjs_layers import (
    kind_of,
    known_kinds,
    refused,
    translated_settings,
    weights_of,
)


class Topology(msgspec.Struct, frozen=True):
    """What `modelTopology.model_config` says, and the weights by name.

    `weights` leads from the name in Keras (`conv2d/kernel`) to that in TensorFlow.js, in the order
    of the layers.
    """

    model_config: dict[str, Value]
    weights: Mapping[str, str]


def translated(topology: Value) -> Topology:
    """What Keras' `to_json` gives, parsed. Raises DataError for what TensorFlow.js cannot be."""
    class_name, config = _class_and_config(topology, "the model")
    if class_name not in ("Sequential", "Functional"):
        raise refused(
            f"the model is a {excerpt(class_name)}, not Sequential or Functional",
            "build it of layers alone: keras.Sequential([...]) or keras.Model(inputs, outputs)",
        )
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers:
        raise refused("the model has no layers", "build it before it is saved")
    written: dict[str, Value] = {"name": config.get("name", "model")}
    if class_name == "Sequential":
        written["layers"] = _sequence(layers)
    else:
        written["layers"] = [_layer(layer) | _calls(layer) for layer in layers]
        for ends in ("input_layers", "output_layers"):
            written[ends] = _ends(config.get(ends), ends)
    return Topology({"class_name": class_name, "config": written}, _weights(layers))


def _class_and_config(value: Value, what: str) -> tuple[str, Mapping[str, Value]]:
    if isinstance(value, Mapping):
        class_name, config = value.get("class_name"), value.get("config")
        if isinstance(class_name, str) and isinstance(config, Mapping):
            return class_name, config
    raise refused(
        f"{what} is described by {excerpt(value)}, not by an object with class_name and config",
        "give what model.to_json() of Keras 3 gives, parsed",
    )


def _sequence(layers: Sequence[Value]) -> list[dict[str, Value]]:
    written = [_layer(layer) for layer in layers]
    if written[0]["class_name"] != "InputLayer":
        raise refused(
            "the model does not know the shape of its input",
            "put keras.Input(shape) before its first layer",
        )
    return written


def _layer(layer: Value) -> dict[str, Value]:
    class_name, config = _class_and_config(layer, "a layer")
    name = config.get("name")
    if not isinstance(name, str) or not name:
        raise refused(f"a layer ({class_name}) has no name", "give each layer a name")
    _refuse_foreign(name, class_name, layer)
    if class_name == "InputLayer":
        settings = _input(name, config)
    else:
        settings = translated_settings(name, class_name, config)
    return {"class_name": class_name, "config": settings}


def _refuse_foreign(name: str, class_name: str, layer: Mapping[str, Value]) -> None:
    """Whatever is no layer of Keras' own that TensorFlow.js has too."""
    module = str(layer.get("module"))
    if class_name in ("Sequential", "Functional", "Model"):
        raise refused(
            f"{name!r} is a model within the model",
            "add its layers to the model one by one",
        )
    if module.split(".")[0] != "keras":
        raise refused(
            f"the layer {name!r} is a {class_name} of {module}, which is no layer of Keras",
            "build the network of Keras' own layers",
        )
    if module != "keras.layers":
        raise refused(
            f"{name!r} is the operation {class_name} of {module}, not a layer",
            "use a layer in its place, such as keras.layers.Add for +",
        )
    if class_name != "InputLayer" and kind_of(class_name) is None:
        raise refused(
            f"the layer {name!r} is a {class_name}, which cannot be written for TensorFlow.js",
            f"use one of {known_kinds()}",
        )


def _input(name: str, config: Mapping[str, Value]) -> dict[str, Value]:
    shape = config.get("batch_shape")
    if not isinstance(shape, list) or config.get("sparse") or config.get("ragged"):
        raise refused(
            f"the input {name!r} has the shape {excerpt(shape)}, or is sparse or ragged",
            "give it a shape of numbers: keras.Input((28, 28, 1))",
        )
    return {
        "name": name,
        "batch_input_shape": shape,
        "dtype": _input_type(config.get("dtype")),
        "sparse": False,
    }


def _input_type(policy: Value) -> str:
    """`int32` for whole numbers, else `float32`, whatever precision Keras was to compute in."""
    if isinstance(policy, Mapping):
        policy = policy.get("config", {}).get("name")
    return "int32" if "int" in str(policy) else "float32"


def _calls(layer: Mapping[str, Value]) -> dict[str, Value]:
    name = layer["config"]["name"]
    nodes = layer.get("inbound_nodes")
    if not isinstance(nodes, list):
        nodes = []
    return {"name": name, "inbound_nodes": [_call(name, node) for node in nodes]}


def _call(name: str, node: Value) -> list[list[Value]]:
    """One call of a layer: the tensors that it is given, as [layer, call, output, {}]."""
    arguments = node.get("args") if isinstance(node, Mapping) else None
    named = node.get("kwargs") or {} if isinstance(node, Mapping) else {}
    if not isinstance(arguments, list) or len(arguments) != 1 or any(named.values()):
        raise refused(
            f"the layer {name!r} is called with more than its inputs: {excerpt(node, 200)}",
            "call it with a tensor or a list of tensors alone",
        )
    [inputs] = arguments
    try:
        tensors = inputs if isinstance(inputs, list) else [inputs]
        return [[*tensor["config"]["keras_history"], {}] for tensor in tensors]
    except (KeyError, TypeError):
        raise refused(
            f"the layer {name!r} is called with {excerpt(inputs, 200)}, which is no tensor",
            "call it with a tensor or a list of tensors",
        ) from None


def _ends(ends: Value, key: str) -> list[Any]:
    """The inputs or outputs of the model: a list of [layer, call, output], also for one alone."""
    if isinstance(ends, list) and ends:
        alone = isinstance(ends[0], str)
        return [ends] if alone else ends
    raise refused(
        f"the {key} of the model are {excerpt(ends)}, not a list",
        "build it as keras.Model(input, output), or with lists of them",
    )


def _weights(layers: Sequence[Mapping[str, Value]]) -> dict[str, str]:
    names: dict[str, str] = {}
    for layer in layers:
        if layer["class_name"] == "InputLayer":
            continue
        name = layer["config"]["name"]
        for weight in weights_of(layer["class_name"], layer["config"]):
            names[f"{name}/{weight.keras}"] = f"{name}/{weight.tfjs}"
    return names


def check_weights(topology: Topology, given: Sequence[str]) -> None:
    """Raises DataError unless these are the weights that the layers have, each once."""
    missing = [name for name in topology.weights if name not in given]
    strange = [name for name in given if name not in topology.weights]
    if missing or strange or len(set(given)) != len(given):
        raise _wrong_weights(missing, strange)


def _wrong_weights(missing: Sequence[str], strange: Sequence[str]) -> DataError:
    told = [
        f"{words} {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"
        for words, names in (("without", missing), ("with the unknown", strange))
        if names
    ]
    return refused(
        f"the weights do not fit the layers: {' and '.join(told) or 'some come twice'}",
        "give each weight of each layer once, named layer/weight, such as conv2d/kernel",
    )
