"""Turn a saved Keras model into plain data: its topology and its weights.

A Remote Python script. A document with a `model`, a `.keras` file as base64, becomes one with
`topology` (from Keras' `to_json`), `weights` (name, shape, and little-endian float32 as base64,
whatever the precision was) and `metadata`: the `input_shape` and the document's `labels`,
`accuracy`, `architecture` and `sure_above`. A weight is named layer/weight, or model/layer/weight
in a nested model. `probe` has what Keras answers to a few random inputs, with which the export can
be verified.
"""

import base64
import io
import json
import pathlib
import tempfile
import zipfile

import tensorflow_setup
from keras_file import described, file_content, keras_model

tensorflow_setup.ensure()

import numpy as np  # noqa: E402 - it comes with TensorFlow

MODELS = ("Sequential", "Functional")
COPIED = ("labels", "accuracy", "architecture", "sure_above")
"""Fields of the document that go into the metadata."""

PROBES = 4
"""Random inputs to verify an export with."""

exported = 0


# The file -------------------------------------------------------------------------------------


def load(text):
    """The Keras model in a base64 string. Raises ValueError if it does not hold a valid one."""
    content = file_content(text)
    refuse_custom_classes(configuration(content))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(content)
        return keras_model(path)


def configuration(content):
    """The topology in the archive, read before Keras builds anything from it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read("config.json"))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"The model is a zip archive, but not a .keras file: {error}.") from None


def refuse_custom_classes(topology):
    """Refuse custom models and layers by name; Keras would only say that it cannot find them."""
    if not isinstance(topology, dict) or topology.get("class_name") not in MODELS:
        raise ValueError(
            f"The model is {class_of(topology)}, not a Sequential or Functional model, so its"
            " file does not say which layers it calls in which order. Build it as"
            " keras.Sequential([...]) or keras.Model(inputs, outputs)."
        )
    for layer in layers_in(topology):
        module = str(layer.get("module") or "")
        if module.split(".")[0] != "keras":
            config = layer.get("config")
            name = config.get("name") if isinstance(config, dict) else None
            called = f"The layer '{name}'" if name else "A layer"
            raise ValueError(
                f"{called} is a {layer.get('class_name')}"
                f" ({layer.get('registered_name') or module or 'no module'}), which is not a layer"
                " of Keras, so TensorFlow.js does not know it. Use only Keras' own layers."
            )


def class_of(topology):
    found = topology.get("class_name") if isinstance(topology, dict) else None
    return f"a subclass of keras.Model ({found})" if isinstance(found, str) else described(topology)


def layers_in(topology):
    """All layers, including those of nested models."""
    config = topology.get("config") if isinstance(topology, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else None
    for layer in layers if isinstance(layers, list) else []:
        if isinstance(layer, dict):
            yield layer
            yield from layers_in(layer)


# Plain data -----------------------------------------------------------------------------------


def plain(model, document):
    """The document for the snap TFJSWriter."""
    return {
        "topology": json.loads(model.to_json()),
        "weights": [plain_weight(name, variable) for name, variable in named_weights(model, "")],
        "metadata": metadata(model, document),
        "probe": probe(model),
    }


def named_weights(model, prefix):
    for layer in model.layers:
        name = f"{prefix}{layer.name}/"
        if hasattr(layer, "layers"):
            yield from named_weights(layer, name)
        else:
            yield from ((name + variable.name, variable) for variable in layer.weights)


def plain_weight(name, variable):
    return {"name": name, **tensor(variable)}


def metadata(model, document):
    """What a page needs to know about the network; `labels` must match its output."""
    found = {name: document[name] for name in COPIED if document.get(name) is not None}
    # A Sequential model that was never built has neither shape.
    given, answered = (getattr(model, name, None) for name in ("input_shape", "output_shape"))
    labels = found.get("labels")
    if labels is not None and (not isinstance(labels, list) or answered != (None, len(labels))):
        raise ValueError(
            f"The model's output shape is {answered}, which does not match the labels {labels}."
        )
    if isinstance(given, tuple):  # it is a list if the model has several inputs
        found["input_shape"] = list(given[1:])
    return found


def probe(model):
    """Random inputs, and the model's outputs for them; null if an input has no definite shape."""
    if not model.built:
        return None
    shapes = [given.shape[1:] for given in model.inputs]
    if any(size is None for shape in shapes for size in shape):
        return None
    random = np.random.default_rng(1)
    inputs = [random.random((PROBES, *shape), dtype="float32") for shape in shapes]
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return {"inputs": list(map(tensor, inputs)), "outputs": list(map(tensor, outputs))}


def tensor(values):
    values = np.asarray(values).astype("<f4")
    return {
        "shape": list(values.shape),
        "data": base64.b64encode(values.tobytes()).decode("ascii"),
    }


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Does nothing."""


def snaplogic_process(row):
    global exported
    if "model" not in row:
        raise ValueError(
            "A document must have a 'model', as model_building.yaml saves it;"
            f" its fields are: {', '.join(map(repr, row)) or 'none'}."
        )
    exported += 1
    return plain(load(row["model"]), row)


def snaplogic_final():
    if not exported:
        raise ValueError("No model came: the file contains no document.")
