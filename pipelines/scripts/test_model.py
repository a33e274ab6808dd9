"""Recognise the digits in images with the model that model_building.yaml saved.

A Remote Python script. Two kinds of document come in, in any order. A document with a `model`
contains the network. A document with an `image` is a sample: 28 rows of 28 grey values (or all 784
in one list), a white digit on black, from 0 to 255 or, if no value is above 1, from 0 to 1. The
answer has `pred`, the label, `conf`, its probability, and the sample's other fields. Samples that
come before the model are kept, and answered when it comes.
"""

import pathlib
import tempfile

import tensorflow_setup
from keras_file import described, file_content, keras_model
from snaplogic.tool import SLTool as slt  # noqa: N813

tensorflow_setup.ensure()

import numpy as np  # noqa: E402 - it comes with TensorFlow

SHAPE = (28, 28, 1)

predict = None
labels = []
kept = []


# Samples --------------------------------------------------------------------------------------


def network_input(image):
    """The image as float32 from 0 to 1, of shape (1, 28, 28, 1)."""
    values = grey_values(image)
    if values.shape not in ((28, 28), SHAPE, (784,)):
        raise ValueError(
            "The image must be 28 rows of 28 numbers, or 784 numbers in one list;"
            f" its shape is {' x '.join(map(str, values.shape)) or 'a single number'}."
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise ValueError(
            "The numbers of the image must be from 0 to 255 (or from 0 to 1);"
            f" they are from {values.min():g} to {values.max():g}."
        )
    scaled = values / 255 if values.max() > 1 else values
    return scaled.astype(np.float32).reshape(1, *SHAPE)


def grey_values(image):
    if not isinstance(image, list):
        raise ValueError(f"The image must be a list of numbers, not {described(image)}.")
    try:
        values = np.array(image)
    except ValueError:
        lengths = sorted({len(row) if isinstance(row, list) else 1 for row in image})
        raise ValueError(
            f"All rows of the image must have the same length; it has {len(image)} rows of"
            f" {', '.join(map(str, lengths))} values."
        ) from None
    if values.dtype.kind not in "iuf" and values.size:
        raise ValueError("The image must contain only numbers.")
    return values.astype(np.float64)


def answer(image, others):
    """The label, its probability, and the sample's other fields."""
    probabilities = predict(image)
    best = int(probabilities.argmax())
    return {"pred": labels[best], "conf": float(probabilities[best]), **others}


# The model ------------------------------------------------------------------------------------


def load(document):
    """A function from an image to the probabilities of the labels, and the labels."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(file_content(document["model"]))
        model = keras_model(path)
    if tuple(model.input_shape) != (None, *SHAPE):
        raise ValueError(
            f"The model's input shape is {model.input_shape}; it must be (None, 28, 28, 1)."
        )
    names = document.get("labels", list(range(10)))
    if not isinstance(names, list) or tuple(model.output_shape) != (None, len(names)):
        raise ValueError(
            f"The model's output shape is {model.output_shape}, which does not match the labels"
            f" {names}."
        )
    return compiled(model), names


def compiled(model):
    """A graph for one image: much faster than `model.predict`, which is made for many."""
    import tensorflow as tf

    function = tf.function(lambda batch: model(batch, training=False), autograph=False)
    graph = function.get_concrete_function(tf.TensorSpec((1, *SHAPE), tf.float32))
    return lambda image: graph(tf.constant(image)).numpy()[0]


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Does nothing: the model comes with a document."""


def snaplogic_process(row):
    global predict, labels
    if "model" in row:
        predict, labels = load(row)
        answers = [answer(*sample) for sample in kept]
        kept.clear()
        return [slt.get_drop_doc(), *answers]
    if "image" not in row:
        raise ValueError(
            "A document must have an 'image' (a sample) or a 'model' (as model_building.yaml saves"
            f" it); its fields are: {', '.join(map(repr, row)) or 'none'}."
        )
    image = network_input(row["image"])
    others = {name: value for name, value in row.items() if name != "image"}
    if predict is None:
        kept.append((image, others))
        return None
    return answer(image, others)


def snaplogic_final():
    if predict is None:
        raise ValueError(
            f"No model came, so {len(kept)} samples could not be answered. The model is a document"
            " with the field 'model'; model_building.yaml saves one."
        )
