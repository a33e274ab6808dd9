"""Take a saved Keras model apart: its topology and its weights as plain data.

A Remote Python script: it stands alone, because only its text is sent to the executor. A document
with a `model`, a `.keras` file as base64, becomes one with `topology` (what Keras' `to_json` says),
`weights` (name, shape, and little-endian float32 as base64, whatever the precision was) and
`metadata`: the `input_shape` and what the document says of `labels`, `accuracy`, `architecture`.
"""

import base64
import binascii
import contextlib
import io
import json
import os
import pathlib
import platform
import tempfile
import zipfile

from snaplogic.tool import SLTool as slt  # noqa: N813

LINUX_PC = (platform.system(), platform.machine()) == ("Linux", "x86_64")
slt.ensure("tensorflow-cpu" if LINUX_PC else "tensorflow")

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


def file_content(text):
    """What the base64 text holds, which must be a `.keras` file: a zip archive."""
    if not isinstance(text, str):
        raise ValueError(f"The model must be a base64 text, not {described(text)}.")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"The model is not proper base64: {error}.") from None
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(
            f"The model is not a whole .keras file: its {len(content):,} bytes are no zip archive."
        )
    return content


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


def keras_model(path):
    """Keras' safe mode refuses layers that carry code, so a model file cannot run any."""
    with quiet_start():
        import keras
        import tensorflow  # noqa: F401 - while it is quiet
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"The model is not a .keras file that Keras can load: {error}") from error


@contextlib.contextmanager
def quiet_start():
    """TensorFlow tells of its start on the error stream, whatever its log level; not to us."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stream = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)


def described(value):
    kinds = {str: "a text", dict: "an object", bool: "a truth value", type(None): "nothing"}
    return kinds.get(type(value), f"a {type(value).__name__}")


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
