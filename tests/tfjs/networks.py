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


def block(name: str) -> Any:
    """Layers of the same names in every block."""
    parts = [layers.Dense(4, name="dense"), layers.BatchNormalization(name="norm")]
    return keras.Sequential([keras.Input((4,)), *parts, layers.ReLU(name="relu")], name=name)


def model_within() -> Any:
    return keras.Sequential([block("first"), layers.Dense(4, name="dense"), block("second")])


def model_within_twice() -> Any:
    """A model that is called twice, with a model within it and two outputs."""
    image = keras.Input((4,))
    deep = block("deep")(image)
    inner = keras.Model(image, [layers.Dense(3)(deep), layers.Add()([deep, image])], name="inner")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    one, two = inner(left), inner(layers.ReLU()(right))
    return keras.Model([left, right], [layers.Concatenate()([one[0], two[0]]), two[1], one[1]])


def model_within_at_the_start() -> Any:
    image = keras.Input((4,))
    return keras.Model(image, layers.Dense(2)(block("backbone")(image)))


def model_of_models() -> Any:
    return keras.Sequential([model_within_at_the_start(), block_of_two()])


def block_of_two() -> Any:
    return keras.Sequential([keras.Input((2,)), layers.Dense(4), block("inmost")], name="outer")


def calls_out_of_order() -> Any:
    """The first call of `shared` is the last of which the input is there."""
    image = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    deep = layers.ReLU()(layers.Dense(4)(image))
    late = shared(deep)
    early = shared(image)
    deeper = layers.Dense(4)(layers.ReLU()(layers.Dense(4)(layers.ReLU()(early))))
    return keras.Model(image, [layers.Dense(2)(late), late, deeper, shared(deeper)])


def subtractions() -> Any:
    left, right = keras.Input((5, 3)), keras.Input((3,))
    less = layers.Subtract(name="less")
    one = less([left, right])
    two = less([one, layers.ReLU()(left)])
    return keras.Model([left, right], [one, two])


def merged_ranks() -> Any:
    one, two, three = keras.Input((5, 1, 3)), keras.Input((4, 3)), keras.Input((3,))
    kinds = (layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Multiply)
    sums = [kind()([one, two, three]) for kind in kinds]
    return keras.Model([one, two, three], [*sums, layers.Concatenate(axis=-3)(sums)])


def sides_unknown() -> Any:
    words = keras.Input((None, 6))
    x = layers.Conv1D(4, 3)(layers.Reshape((-1, 3))(words))
    x = layers.GRU(3, return_sequences=True, reset_after=False)(layers.MaxPooling1D(2)(x))
    return keras.Model(words, [layers.LSTM(3)(x), layers.GlobalAveragePooling1D()(x), x])


def sides_of_minus_one() -> Any:
    image = keras.Input((6, 4))
    x = layers.Dense(3)(layers.Reshape((-1,))(image))
    y = layers.Dense(2)(layers.Flatten()(layers.Reshape((2, -1, 3))(image)))
    return keras.Model(image, [x, y, layers.Flatten()(layers.Identity()(x))])


def fixed_batch() -> Any:
    return keras.Sequential([keras.Input(batch_shape=(3, 4)), layers.Dense(2)])


def input_that_is_an_output() -> Any:
    image = keras.Input((4,))
    return keras.Model(image, [image, layers.ReLU()(image)])


def inputs_that_are_not_used() -> Any:
    left, right = keras.Input((4,)), keras.Input((3,))
    return keras.Model([left, right], layers.ReLU()(left))


def whole_numbers() -> Any:
    words = keras.Input((6,), dtype="int32")
    x = layers.Rescaling(0.5, offset=1)(words)
    y = layers.Flatten()(layers.Embedding(20, 3)(layers.Reshape((3, 2))(words)))
    return keras.Model(words, [layers.Dense(3)(x), y, layers.Dense(2)(words)])


def same_output_twice() -> Any:
    image = keras.Input((4,))
    answer = layers.Dense(2)(image)
    return keras.Model(image, [answer, answer])


def same_output_twice_by_identity() -> Any:
    image = keras.Input((4,))
    answer = layers.Dense(2)(image)
    return keras.Model(image, [answer, layers.Identity()(answer)])


def strange_name() -> Any:
    return keras.Sequential([keras.Input((4,)), layers.Dense(2, name="my dense")])


def named_with_a_dot() -> Any:
    return keras.Sequential([keras.Input((4,), name="in.1"), layers.Dense(2, name="a.b-c_d")])


def normalised_volume() -> Any:
    return keras.Sequential([keras.Input((2, 2, 2, 3)), layers.BatchNormalization()])


def normalised_rows() -> Any:
    return keras.Sequential([keras.Input((5, 3)), layers.BatchNormalization(axis=1)])


def softmax_of_rows() -> Any:
    return keras.Sequential([keras.Input((5, 3)), layers.Softmax(axis=1)])


def sides_unknown_flattened() -> Any:
    return keras.Sequential([keras.Input((None, 3)), layers.Flatten()])


def reset_after() -> Any:
    return keras.Sequential([keras.Input((5, 3)), layers.GRU(2)])


def whole_numbers_normalised() -> Any:
    words = keras.Input((6,), dtype="uint8")
    return keras.Model(words, layers.BatchNormalization()(layers.Reshape((3, 2))(words)))


def fractions_normalised() -> Any:
    words = keras.Input((6,), dtype="uint8")
    return keras.Model(words, layers.BatchNormalization()(layers.Rescaling(1.0)(words)))


def whole_rescaling() -> Any:
    return keras.Sequential(
        [keras.Input((4,), dtype="int32"), layers.Rescaling(0.5, dtype="int32")]
    )


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
    build = globals()[row["name"]]
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
