"""The topology of a Keras 3 model in the words of TensorFlow.js, which are those of Keras 2.

Keras 3 says `batch_shape`, TensorFlow.js wants `batch_input_shape`; the one describes the tensors
that a layer is called with, the other names layer, call and output in nested lists; precision is an
object of its own there and a word here. What has no counterpart is refused.

A model is translated layer by layer in the order in which the tensors come, so that the shape of
each is known. A model within the model stays one; its layers and weights are called `inner/dense`,
because TensorFlow.js looks a weight up by a name that no other weight of the whole model has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.sdk import DataError, Value, excerpt
from snaps.files.shared.tfjs_graph import Graph, Tensor, subtraction
from snaps.files.shared.tfjs_layers import (
    Flow,
    kind_of,
    known_kinds,
    refused,
    translated_layer,
    weights_of,
)

MODELS = ("Sequential", "Functional")
NAME = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._]*")
FLOATS = ("float16", "bfloat16", "float32", "float64")


class Topology(msgspec.Struct, frozen=True):
    """What `modelTopology.model_config` says, and the weights by name.

    `weights` leads from the name in Keras (`conv2d/kernel`) to that in TensorFlow.js, in the order
    of the layers.
    """

    model_config: dict[str, Value]
    weights: Mapping[str, str]


class Part(msgspec.Struct, frozen=True):
    """A layer, or a model within the model, as it is written."""

    class_name: str
    config: dict[str, Value]
    outputs: list[Flow]
    weights: Mapping[str, str] = {}

    @property
    def entry(self) -> dict[str, Value]:
        return {"class_name": self.class_name, "config": self.config}


def translated(topology: Value) -> Topology:
    """What Keras' `to_json` gives, parsed. Raises DataError for what TensorFlow.js cannot be."""
    class_name, config = _class_and_config(topology, "the model")
    if class_name not in MODELS:
        raise refused(
            f"the model is a {excerpt(class_name)}, not Sequential or Functional",
            "build it of layers alone: keras.Sequential([...]) or keras.Model(inputs, outputs)",
        )
    model = _model(class_name, config, "", str(config.get("name", "model")))
    return Topology(model.entry, model.weights)


def _class_and_config(value: Value, what: str) -> tuple[str, Mapping[str, Value]]:
    if isinstance(value, Mapping):
        class_name, config = value.get("class_name"), value.get("config")
        if isinstance(class_name, str) and isinstance(config, Mapping):
            return class_name, config
    raise refused(
        f"{what} is described by {excerpt(value)}, not by an object with class_name and config",
        "give what model.to_json() of Keras 3 gives, parsed",
    )


def _model(class_name: str, config: Mapping[str, Value], prefix: str, name: str) -> Part:
    """`prefix` stands before the names of the layers; that of the model itself is `name`."""
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers:
        raise refused(f"the model {name!r} has no layers", "build it before it is saved")
    names = Counter(_name(layer) for layer in layers)
    for layer in layers:
        _refuse_foreign(_name(layer), layer["class_name"], layer)
    [(most, count)] = names.most_common(1)
    if count > 1:
        raise refused(f"{count} layers are named {most!r}", "give each layer a name of its own")
    if class_name == "Sequential":
        return _sequence(layers, prefix, name)
    return _functional(config, layers, prefix, name)


def _sequence(layers: Sequence[Value], prefix: str, name: str) -> Part:
    if layers[0]["class_name"] != "InputLayer":
        raise refused(
            f"the model {name!r} does not know the shape of its input",
            "put keras.Input(shape) before its first layer",
        )
    parts: list[Part] = []
    for layer in layers:
        parts.append(_part(layer, prefix, parts[-1].outputs if parts else []))
    config: dict[str, Value] = {"name": name, "layers": [part.entry for part in parts]}
    return Part("Sequential", config, parts[-1].outputs, _weights_of_all(parts))


def _functional(
    config: Mapping[str, Value], layers: Sequence[Value], prefix: str, name: str
) -> Part:
    by_name = {_name(layer): layer for layer in layers}
    ends = {key: _ends(config, key, by_name) for key in ("input_layers", "output_layers")}
    graph = Graph({called: _calls(layer) for called, layer in by_name.items()})
    parts: dict[str, Part] = {}
    outputs: dict[Tensor, Flow] = {}
    for called, call, tensors in graph.calls_in_order():
        part = _part(by_name[called], prefix, [outputs[tensor] for tensor in tensors])
        if parts.setdefault(called, part).config != part.config:
            raise refused(
                f"the layer {called!r} is called with inputs of different shapes; "
                "TensorFlow.js would need different settings for each",
                "use a layer of its own for each of the inputs",
            )
        if part.class_name in MODELS:
            graph.count_from(called, 1)  # TensorFlow.js counts the model itself as a call
        outputs |= {Tensor(called, call, place): flow for place, flow in enumerate(part.outputs)}
    entries: list[dict[str, Value]] = []
    for called, layer in by_name.items():  # in the order in which the loader goes through them
        if called not in parts:
            raise refused(f"the layer {called!r} is never called", "leave it out of the model")
        nodes = graph.nodes(called, prefix)
        entry = parts[called].entry | {"name": prefix + called, "inbound_nodes": nodes}
        entries += subtraction(entry) if layer["class_name"] == "Subtract" else [entry]
    written: dict[str, Value] = {"name": name, "layers": entries}
    for key, tensors in ends.items():
        _check_ends(key, tensors, outputs)
        written[key] = [graph.reference(tensor, prefix) for tensor in tensors]
    flows = [outputs[tensor] for tensor in ends["output_layers"]]
    return Part("Functional", written, flows, _weights_of_all(parts.values()))


def _ends(
    config: Mapping[str, Value], key: str, layers: Mapping[str, Mapping[str, Value]]
) -> list[Tensor]:
    """The inputs or outputs of the model: in Keras [layer, call, output], or a list of them."""
    ends: Any = config.get(key)
    try:
        tensors = [Tensor(*end) for end in ([ends] if isinstance(ends[0], str) else ends)]
    except (TypeError, KeyError, IndexError):
        raise refused(
            f"the {key} of the model are {excerpt(ends)}, not a list",
            "build it as keras.Model(input, output), or with lists of them",
        ) from None
    # Keras counts a functional model itself as a call here, though not in `keras_history`.
    functional = {name for name, layer in layers.items() if layer["class_name"] == "Functional"}
    return [end._replace(call=end.call - (end.layer in functional)) for end in tensors]


def _check_ends(key: str, ends: Sequence[Tensor], outputs: Mapping[Tensor, Flow]) -> None:
    shown = excerpt([list(end) for end in ends])
    if any(end not in outputs for end in ends):
        raise refused(
            f"the {key} of the model are {shown}, and not all of them are outputs of its layers",
            "give what model.to_json() of Keras 3 gives, parsed",
        )
    if len(set(ends)) != len(ends):
        raise refused(
            f"the {key} of the model are {shown}, and TensorFlow.js takes each only once",
            "pass it through keras.layers.Identity() for the second time",
        )


def _weights_of_all(parts: Iterable[Part]) -> dict[str, str]:
    return {keras: tfjs for part in parts for keras, tfjs in part.weights.items()}


def _name(layer: Value) -> str:
    class_name, config = _class_and_config(layer, "a layer")
    name = config.get("name")
    if not isinstance(name, str) or not name:
        raise refused(f"a layer ({class_name}) has no name", "give each layer a name")
    if not NAME.fullmatch(name):
        raise refused(
            f"the layer {name!r} ({class_name}) has a name that TensorFlow.js does not take",
            "name it with ASCII letters, digits, and _ - . behind the first of them",
        )
    return name


def _part(layer: Value, prefix: str, inputs: Sequence[Flow]) -> Part:
    class_name, config = _class_and_config(layer, "a layer")
    name = _name(layer)
    if class_name in MODELS:
        return _model(class_name, config, f"{prefix}{name}/", prefix + name)
    if class_name == "InputLayer":
        written = _input(name, config)
        flow = Flow(tuple(written["batch_input_shape"]), written["dtype"] == "int32")
        return Part(class_name, {"name": prefix + name, **written}, [flow])
    _refuse_whole_numbers(name, class_name, config)
    made = translated_layer(name, class_name, config, inputs)
    weights = {
        f"{prefix}{name}/{weight.keras}": f"{prefix}{name}/{weight.tfjs}"
        for weight in weights_of(class_name, config)
    }
    settings = {"name": prefix + name, **made.settings}
    return Part(made.class_name, settings, [made.output], weights)


def _refuse_foreign(name: str, class_name: str, layer: Mapping[str, Value]) -> None:
    """Whatever is not a layer of Keras' own that TensorFlow.js has too."""
    if class_name in MODELS:
        return
    module = str(layer.get("module"))
    if module.split(".")[0] != "keras":
        raise refused(
            f"the layer {name!r} is a {class_name} of {module}, which is not a Keras layer",
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


def _refuse_whole_numbers(name: str, class_name: str, config: Mapping[str, Value]) -> None:
    policy = _policy(config.get("dtype"))
    if policy.removeprefix("mixed_") not in FLOATS:
        raise refused(
            f"the layer {name!r} ({class_name}) computes in {policy}, and TensorFlow.js would "
            "compute in float32",
            "build the network without this dtype",
        )


def _input(name: str, config: Mapping[str, Value]) -> dict[str, Any]:
    shape = config.get("batch_shape")
    sides = isinstance(shape, list) and all(
        side is None or (type(side) is int and side > 0) for side in shape
    )
    if not sides or config.get("sparse") or config.get("ragged"):
        raise refused(
            f"the input {name!r} has the shape {excerpt(shape)}, or is sparse or ragged",
            "give it a shape of numbers: keras.Input((28, 28, 1))",
        )
    return {
        "batch_input_shape": shape,
        "dtype": _input_type(name, config.get("dtype")),
        "sparse": False,
    }


def _input_type(name: str, policy: Value) -> str:
    """`int32` for whole numbers, else `float32`, whatever precision Keras was to compute in."""
    dtype = _policy(policy)
    if dtype.removeprefix("mixed_") in FLOATS:
        return "float32"
    if re.fullmatch(r"u?int(8|16|32|64)", dtype):
        return "int32"
    raise refused(
        f"the input {name!r} takes values of the type {dtype}, which TensorFlow.js would take as "
        "numbers",
        "give the model an input of numbers",
    )


def _policy(policy: Value) -> str:
    if isinstance(policy, Mapping):
        config = policy.get("config")
        policy = config.get("name") if isinstance(config, Mapping) else None
    return "float32" if policy is None else str(policy)


def _calls(layer: Mapping[str, Value]) -> list[list[Tensor]]:
    """The tensors of each call of a layer."""
    nodes = layer.get("inbound_nodes")
    if layer["class_name"] == "InputLayer":
        return [[]]
    return [_call(_name(layer), node) for node in nodes] if isinstance(nodes, list) else []


def _call(name: str, node: Value) -> list[Tensor]:
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
        found = [Tensor(*tensor["config"]["keras_history"]) for tensor in tensors]
    except (KeyError, TypeError):
        found = []
    if not found:
        raise refused(
            f"the layer {name!r} is called with {excerpt(inputs, 200)}, which is not a tensor",
            "call it with a tensor or a list of tensors",
        )
    return found


def check_weights(topology: Topology, given: Sequence[str]) -> None:
    """Raises DataError unless these are the weights that the layers have, each once."""
    missing = [name for name in topology.weights if name not in given]
    strange = [name for name in given if name not in topology.weights]
    if missing or strange or len(set(given)) != len(given):
        raise _wrong_weights(missing, strange)


def _wrong_weights(missing: Sequence[str], strange: Sequence[str]) -> DataError:
    parts = [
        f"{words} {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"
        for words, names in (("without", missing), ("with the unknown", strange))
        if names
    ]
    return refused(
        f"the weights do not fit the layers: {' and '.join(parts) or 'some are given twice'}",
        "give each weight of each layer once, named layer/weight, such as conv2d/kernel",
    )
