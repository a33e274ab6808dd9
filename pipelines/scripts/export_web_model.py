"""Take a saved Keras model apart: its topology and its weights as plain data.

A Remote Python script. A document with a `model`, a `.keras` file as base64, becomes one with
`topology` (what Keras' `to_json` says), `weights` (name, shape, and little-endian float32 as
base64, whatever the precision was) and `metadata`: the `input_shape` and what the document says of
`labels`, `accuracy`, `architecture`.
"""

import base64
import io
import json
import pathlib
import tempfile
import zipfile

import tensorflow_setup
from keras_file import file_content, keras_model

tensorflow_setup.ensure()

import numpy as np  # noqa: E402 - it comes with TensorFlow

TOLD = ("labels", "accuracy", "architecture")

exported = 0


# The file -------------------------------------------------------------------------------------


def load(text):
    """The Keras model in a base64 text. A ValueError says what is wrong with the text."""
    content = file_content(text)
    refuse_own_layers(configuration(content))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(content)
        return keras_model(path)


def configuration(content):
    """The topology that lies in the archive, read before any of it is built."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return json.loads(archive.read("config.json"))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"The model is a zip archive, but no .keras file: {error}.") from None


def refuse_own_layers(topology):
    """Keras would only say that it cannot find their class."""
    for layer in layers_in(topology):
        module = str(layer.get("module") or "")
        if module.split(".")[0] != "keras":
            name = layer.get("config", {}).get("name")
            raise ValueError(
                f"The layer '{name}' is a {layer.get('class_name')} of"
                f" {layer.get('registered_name') or module or 'nowhere'}, which is no layer of"
                " Keras; TensorFlow.js does not know it. Build the network of Keras' own layers."
            )


def layers_in(topology):
    """All layers, those of models within the model too."""
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
        "weights": [
            plain_weight(f"{layer.name}/{variable.name}", variable)
            for layer in model.layers
            for variable in layer.weights
        ],
        "metadata": metadata(model, document),
    }


def plain_weight(name, variable):
    values = np.asarray(variable).astype("<f4")
    return {
        "name": name,
        "shape": list(values.shape),
        "data": base64.b64encode(values.tobytes()).decode("ascii"),
    }


def metadata(model, document):
    """What a page wants to know of the network, `labels` checked against its answers."""
    told = {name: document[name] for name in TOLD if document.get(name) is not None}
    labels = told.get("labels")
    if labels is not None and (
        not isinstance(labels, list) or tuple(model.output_shape) != (None, len(labels))
    ):
        raise ValueError(
            f"The model answers in the shape {model.output_shape}, which does not fit the labels"
            f" {labels}."
        )
    if isinstance(model.input_shape, tuple):  # a list of them if the model has several inputs
        told["input_shape"] = list(model.input_shape[1:])
    return told


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Nothing: there is nothing to get ready."""


def snaplogic_process(row):
    global exported
    if "model" not in row:
        raise ValueError(
            "A document must have a 'model', as model_building.yaml saves it;"
            f" this one has {', '.join(map(repr, row)) or 'nothing'}."
        )
    exported += 1
    return plain(load(row["model"]), row)


def snaplogic_final():
    if not exported:
        raise ValueError("No model has come: the file holds no document.")
