"""Recognise the digits on images with the model that the building pipeline has saved.

A Remote Python script. Two kinds of document come in, in any order. One with a `model` brings the
network. One with an `image` is a sample: 28 rows of 28 grey values (or all 784 in one list), white
digit on black, from 0 to 255 or, if none is above 1, from 0 to 1. It is answered with `pred`, the
label, and `conf`, its probability; its other fields go along. Samples that come before the model
are kept and answered with it.
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
            f" this one has the shape {' x '.join(map(str, values.shape)) or 'of one number'}."
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise ValueError(
            "The image must have numbers from 0 to 255 (or from 0 to 1);"
            f" this one has {values.min():g} to {values.max():g}."
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
            f"The image must have rows of one length; this one has {len(image)} rows of"
            f" {', '.join(map(str, lengths))} values."
        ) from None
    if values.dtype.kind not in "iuf" and values.size:
        raise ValueError("The image must have numbers only.")
    return values.astype(np.float64)


def answer(image, others):
    """The sample's other fields, after the label and the probability of it."""
    probabilities = predict(image)
    best = int(probabilities.argmax())
    return {"pred": labels[best], "conf": float(probabilities[best]), **others}


# The model ------------------------------------------------------------------------------------


def load(document):
    """A function that gives the probabilities of the labels for one image, and the labels."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(file_content(document["model"]))
        model = keras_model(path)
    if tuple(model.input_shape) != (None, *SHAPE):
        raise ValueError(
            f"The model takes inputs of the shape {model.input_shape}, not of (None, 28, 28, 1)."
        )
    names = document.get("labels", list(range(10)))
    if not isinstance(names, list) or tuple(model.output_shape) != (None, len(names)):
        raise ValueError(
            f"The model answers in the shape {model.output_shape}, which does not fit the"
            f" labels {names}."
        )
    return compiled(model), names


def compiled(model):
    """One graph for one image: far quicker than `model.predict`, which is made for many."""
    import tensorflow as tf

    function = tf.function(lambda batch: model(batch, training=False), autograph=False)
    graph = function.get_concrete_function(tf.TensorSpec((1, *SHAPE), tf.float32))
    return lambda image: graph(tf.constant(image)).numpy()[0]


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Nothing: the session opens with the model."""


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
            f" it); this one has {', '.join(map(repr, row)) or 'nothing'}."
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
            f"No model has come, so {len(kept)} samples stay without an answer. The model is a"
            " document with the field 'model'; model_building.yaml saves one."
        )
