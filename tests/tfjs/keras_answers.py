"""What Keras answers: a Remote Python script for the tests.

A document describes a model of one layer (`class_name`, `settings`, `shapes` of its inputs, their
`dtype` and `scale`), or names a `network` of the module networks. It is answered with what the
pipeline's script makes of the model (`topology`, `weights`), with `given` inputs, and with what
Keras answers to them (`expected`); or with what Keras says against it (`error`).
"""

from typing import Any

import export_web_model
import keras
import networks
import numpy as np
import tensorflow as tf
import tensorflow_setup

tensorflow_setup.use_all_cores()
COUNT = 3


def snaplogic_process(row: dict[str, Any]) -> dict[str, Any]:
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(7)
    try:
        model = built(row)
        given = [inputs(model_input, random, row.get("scale", 1)) for model_input in model.inputs]
        networks.train(model, random)
        answers = model(given if len(given) > 1 else given[0], training=False)
    except (ValueError, TypeError, IndexError, tf.errors.InvalidArgumentError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    answers = answers if isinstance(answers, list) else [answers]
    return {
        **export_web_model.plain(model, {}),
        "given": [values.tolist() for values in given],
        "expected": [answer.numpy().tolist() for answer in answers],
    }


def inputs(model_input: Any, random: np.random.Generator, scale: float) -> Any:
    """A few inputs: whole numbers to 2, or numbers of both signs."""
    sides = [COUNT, *(5 if side is None else side for side in model_input.shape[1:])]
    if "int" in model_input.dtype:
        return random.integers(0, 3, sides).astype(np.int32)
    return random.normal(0, scale, sides).astype(np.float32)


def built(row: dict[str, Any]) -> Any:
    if "network" in row:
        return getattr(networks, row["network"])()
    layer = getattr(keras.layers, row["class_name"])(**row["settings"])
    inputs = [keras.Input(shape, dtype=row["dtype"]) for shape in row["shapes"]]
    output = layer(inputs if len(inputs) > 1 else inputs[0])
    # To reshape it, the export must know the shape of the layer's output.
    return keras.Model(inputs, [output, keras.layers.Reshape((-1, 1))(output)])
