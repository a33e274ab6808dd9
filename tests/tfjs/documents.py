"""Models as documents for TFJSWriter, written by hand."""

import base64
import copy
from typing import Any

import numpy as np

Document = dict[str, Any]
RANDOM = np.random.default_rng(3)
POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_bfloat16"}}


def layer(class_name: str, name: str, **config: Any) -> Document:
    config = {"name": name, "trainable": True, "dtype": POLICY, **config}
    return {"module": "keras.layers", "class_name": class_name, "config": config}


def source(*shape: int, **config: Any) -> Document:
    return layer("InputLayer", "image", batch_shape=[None, *shape], **config)


def sequential(*layers: Any) -> Document:
    return {"class_name": "Sequential", "config": {"name": "network", "layers": list(layers)}}


def weight(name: str, values: Any) -> Document:
    values = np.asarray(values, "<f4")
    data = base64.b64encode(values.tobytes()).decode()
    return {"name": name, "shape": list(values.shape), "data": data}


KERNEL = RANDOM.normal(0, 1, (4, 3)).astype("f4")
BIAS = np.array([0.1, -0.2, 0.3], "f4")
DENSE: Document = {
    "topology": sequential(source(4), layer("Dense", "dense", units=3, activation="relu")),
    "weights": [weight("dense/kernel", KERNEL), weight("dense/bias", BIAS)],
    "metadata": {"labels": ["a", "b", "c"], "accuracy": 0.5},
}


def tensor(name: str) -> Document:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def functional(*args: Any, **kwargs: Any) -> Document:
    """An input, and a layer that is called with these arguments."""
    start = {**source(4), "inbound_nodes": []}
    end = {**layer("Add", "sum"), "inbound_nodes": [{"args": list(args), "kwargs": kwargs}]}
    ends = {"input_layers": ["image", 0, 0], "output_layers": [["sum", 0, 0]]}
    config = {"name": "network", "layers": [start, end], **ends}
    return {"topology": {"class_name": "Functional", "config": config}, "weights": []}


def changed(place: str, **values: Any) -> Document:
    """The dense network with other values at a place of its topology's config."""
    document: Document = copy.deepcopy(DENSE)
    found: Any = document["topology"]["config"]
    for step in place.split("."):
        found = found[int(step) if step.isdigit() else step]
    found.update(values)
    return document
