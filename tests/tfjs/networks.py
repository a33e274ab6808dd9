"""Networks to be exported: a Remote Python script for the tests.

A document with the `name` of a network is answered with its `.keras` file as base64 (`model`),
with `given` inputs for it, and with what Keras answers to them (`expected`).
"""

import base64
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

layers = keras.layers
SHAPE = (12, 12, 3)


def sequential() -> Any:
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Conv2D(8, 3, activation="relu", padding="same"),
            layers.AveragePooling2D(2, padding="same"),
            layers.ZeroPadding2D(((1, 0), (0, 2))),
            layers.Conv2D(6, 3, strides=2, use_bias=False),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(16, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def mixed_precision() -> Any:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        block = [layers.Conv2D(8, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(6)]
        end = layers.Dense(10, activation="softmax", dtype="float32")
        model = keras.Sequential([keras.Input(SHAPE), *block, layers.Flatten(), end])
    finally:
        keras.config.set_dtype_policy("float32")
    return model


def functional() -> Any:
    """Two inputs, two outputs, a layer that is called twice, sums, and concatenation."""
    left, right = keras.Input(SHAPE, name="left"), keras.Input((4,), name="right")
    shared = layers.Conv2D(5, 3, padding="same", name="shared")
    one = layers.BatchNormalization(scale=False)(shared(left))
    two = layers.BatchNormalization(center=False)(shared(layers.ReLU()(left)))
    summed = layers.Activation("silu")(layers.Add()([one, two]))
    pooled = layers.GlobalAveragePooling2D()(summed)
    joined = layers.Concatenate()([pooled, layers.Dense(3)(right)])
    answer = layers.Softmax()(layers.Dense(7)(joined))
    return keras.Model([left, right], [answer, layers.Dense(1)(pooled)])


def every_layer() -> Any:
    """What the others leave out."""
    image = keras.Input(SHAPE)
    x = layers.Rescaling(2.0, offset=-1.0)(image)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.SeparableConv2D(8, 3, padding="same", activation="gelu")(x)
    x = layers.LayerNormalization()(layers.LeakyReLU(negative_slope=0.2)(x))
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="same")(layers.PReLU(shared_axes=[1, 2])(x))
    x = layers.Cropping2D(((1, 2), (3, 4)))(layers.UpSampling2D(2)(x))
    x = layers.Conv2D(6, 3, dilation_rate=2, activation="selu")(layers.ELU()(x))
    x = layers.GaussianNoise(0.1)(layers.GaussianDropout(0.1)(layers.AlphaDropout(0.1)(x)))
    branches = [layers.Activation(name)(x) for name in ("mish", "softplus", "softsign", "relu6")]
    pairs = [layers.Average()(branches), layers.Maximum()(branches), layers.Minimum()(branches)]
    x = layers.Multiply()([layers.Add()(pairs), layers.Activation("sigmoid")(x)])
    row = layers.GlobalMaxPooling2D()(x)
    rows = layers.Permute((2, 1))(layers.Reshape((-1, 2))(layers.RepeatVector(4)(row)))
    rows = layers.Conv1D(5, 3, padding="same")(layers.Reshape((12, 2))(rows))
    rows = layers.AveragePooling1D(2)(layers.MaxPooling1D(2)(rows))
    ends = [layers.GlobalAveragePooling1D()(rows), layers.GlobalMaxPooling1D()(rows)]
    return keras.Model(image, layers.Activation("log_softmax")(layers.Concatenate()(ends)))


def embedded_words() -> Any:
    words = keras.Input((6,), dtype="int32")
    x = layers.Conv1D(4, 2, activation="elu")(layers.Embedding(20, 5)(words))
    return keras.Model(words, layers.Dense(3)(layers.Flatten()(x)))


def without_weights() -> Any:
    return keras.Sequential([keras.Input(SHAPE), layers.MaxPooling2D(3), layers.Flatten()])


def model_within() -> Any:
    return keras.Sequential([keras.Input(SHAPE), sequential()])


def bare_sum() -> Any:
    image = keras.Input(SHAPE)
    return keras.Model(image, layers.Flatten()(layers.ReLU()(image) + image))


def grouped() -> Any:
    return keras.Sequential([keras.Input(SHAPE), layers.Conv2D(6, 3, groups=3)])


def own_layer() -> Any:
    class Doubling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return 2 * inputs

    return keras.Sequential([keras.Input(SHAPE), Doubling(name="twice")])


NETWORKS = (
    *(sequential, mixed_precision, functional, every_layer, embedded_words, without_weights),
    *(model_within, bare_sum, grouped, own_layer),
)


def inputs_of(model: Any, random: np.random.Generator) -> Iterator[Any]:
    """100 inputs: whole numbers to 19 or numbers from 0 to 1."""
    for given in model.inputs:
        size = (100, *given.shape[1:])
        if "int" in given.dtype:
            yield random.integers(0, 20, size).astype(np.int32)
        else:
            yield random.random(size, dtype=np.float32)


def train(model: Any, random: np.random.Generator) -> None:
    """Weights as a training leaves them: none is at the value with which it began."""
    for layer in model.layers:
        for weight in layer.weights:
            positive = weight.name in ("gamma", "moving_variance")
            noise = random.normal(0, 0.1, weight.shape)
            weight.assign(weight + (np.abs(noise) if positive else noise))


def in_float32(model: Any) -> Any:
    """What a network of mixed precision is to answer like once it is exported."""
    config = model.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = "float32"
    plain = keras.Sequential.from_config(config)
    plain.set_weights(model.get_weights())
    return plain


def file_text(model: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        return base64.b64encode(path.read_bytes()).decode("ascii")


def snaplogic_process(row: dict[str, Any]) -> dict[str, Any]:
    keras.utils.set_random_seed(7)
    random = np.random.default_rng(7)
    [build] = [network for network in NETWORKS if network.__name__ == row["name"]]
    model = build()
    train(model, random)
    text = file_text(model)
    given = list(inputs_of(model, random))
    if build is mixed_precision:
        model = in_float32(model)
    answers = model(given if len(given) > 1 else given[0], training=False)
    answers = answers if isinstance(answers, list) else [answers]
    return {
        "model": text,
        "given": [values.tolist() for values in given],
        "expected": [answer.numpy().tolist() for answer in answers],
    }
