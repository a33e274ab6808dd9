"""The Keras layers that TensorFlow.js has too, and what it calls their settings and weights.

TensorFlow.js 4 speaks the spelling of Keras 2 and ignores settings that it does not know. So a
layer is written only if each of its settings is known here: taken along, of no meaning after the
training, or at the one value at which it changes nothing. Everything else is refused by name,
because a network that gives other answers is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.sdk import DataError, Value, excerpt


class Weight(msgspec.Struct, frozen=True):
    """A weight of a layer: its name in Keras and in TensorFlow.js.

    `only_if` names a setting without which the layer does not have it.
    """

    keras: str
    tfjs: str
    only_if: str = ""


class Kind(msgspec.Struct, frozen=True):
    """A class of layers.

    `keeps` are settings that mean the same in both; `renames` those with another name. Those of
    `fixed` must have the value given there, the only one that TensorFlow.js computes.
    """

    keeps: tuple[str, ...] = ()
    fixed: Mapping[str, Value] = {}
    renames: Mapping[str, str] = {}
    weights: tuple[Weight, ...] = ()


def kind_of(class_name: str) -> Kind | None:
    return _KINDS.get(class_name)


def known_kinds() -> str:
    return ", ".join(_KINDS)


def translated_settings(
    name: str, class_name: str, config: Mapping[str, Value]
) -> dict[str, Value]:
    """A layer's settings in the words of TensorFlow.js.

    Raises DataError for a setting that TensorFlow.js would not heed.
    """
    kind = _KINDS[class_name]
    translated: dict[str, Value] = {"name": name, "trainable": True, "dtype": "float32"}
    for key, value in config.items():
        if key == "padding" and value == "causal":
            raise _setting_refused(name, class_name, key, value, "valid or same")
        if key in kind.keeps:
            translated[key] = _activation(name, value) if key == "activation" else value
        elif key in kind.renames:
            translated[kind.renames[key]] = value
        elif key in kind.fixed:
            if value != kind.fixed[key]:
                raise _setting_refused(name, class_name, key, value, kind.fixed[key])
        elif not (key in _FOR_TRAINING or key.endswith(_TRAINING_ENDINGS) or not value):
            raise _setting_refused(name, class_name, key, value, None)
    return translated


def weights_of(class_name: str, config: Mapping[str, Value]) -> Iterator[Weight]:
    """The weights that a layer with these settings has, in the order of Keras."""
    for weight in _KINDS[class_name].weights:
        if not weight.only_if or config.get(weight.only_if, True):
            yield weight


def refused(reason: str, resolution: str) -> DataError:
    return DataError("cannot write the model for TensorFlow.js", reason, resolution)


def _setting_refused(name: str, class_name: str, key: str, value: Value, only: Value) -> DataError:
    known = f"; it computes with {excerpt(only)} only" if only is not None else ""
    return refused(
        f"the layer {name!r} ({class_name}) has {key} {excerpt(value)}, which TensorFlow.js does "
        f"not know{known}",
        f"build the network without this {key}",
    )


def _activation(name: str, value: Any) -> str:
    if value is None:
        return "linear"
    called = value if isinstance(value, str) else ""
    if called not in _ACTIVATIONS:
        raise refused(
            f"the layer {name!r} has the activation {excerpt(value)}, which TensorFlow.js does not "
            "know, or computes otherwise than Keras",
            f"use one of {', '.join(_ACTIVATIONS)}",
        )
    return _ACTIVATIONS[called]


# `hard_sigmoid` is left out: the two compute it differently.
_ACTIVATIONS = {
    "linear": "linear",
    "relu": "relu",
    "relu6": "relu6",
    "elu": "elu",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "softplus": "softplus",
    "softsign": "softsign",
    "tanh": "tanh",
    "silu": "swish",
    "swish": "swish",
    "mish": "mish",
    "gelu": "gelu",
}

_FOR_TRAINING = {"name", "trainable", "dtype", "seed", "noise_shape", "renorm_momentum"}
_TRAINING_ENDINGS = ("_initializer", "_regularizer", "_constraint")

_LAST = {"data_format": "channels_last"}
_BIAS = Weight("bias", "bias", "use_bias")
_KERNEL = Weight("kernel", "kernel")
_SCALE_AND_CENTER = (Weight("gamma", "gamma", "scale"), Weight("beta", "beta", "center"))
_CONVOLUTION = ("kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
_CONV = Kind(("filters", *_CONVOLUTION), _LAST | {"groups": 1}, weights=(_KERNEL, _BIAS))
_POOLING = Kind(("pool_size", "strides", "padding"), _LAST)
_GLOBAL_POOLING = Kind(fixed=_LAST | {"keepdims": False})
_MERGING = Kind()

_KINDS = {
    "Dense": Kind(("units", "activation", "use_bias"), weights=(_KERNEL, _BIAS)),
    "Conv1D": _CONV,
    "Conv2D": _CONV,
    "Conv2DTranspose": Kind(
        ("filters", "kernel_size", "strides", "padding", "activation", "use_bias"),
        _LAST | {"dilation_rate": [1, 1], "output_padding": None},
        weights=(_KERNEL, _BIAS),
    ),
    "DepthwiseConv2D": Kind(
        (*_CONVOLUTION, "depth_multiplier"),
        _LAST,
        weights=(Weight("kernel", "depthwise_kernel"), _BIAS),
    ),
    "SeparableConv2D": Kind(
        ("filters", *_CONVOLUTION, "depth_multiplier"),
        _LAST,
        weights=(
            Weight("depthwise_kernel", "depthwise_kernel"),
            Weight("pointwise_kernel", "pointwise_kernel"),
            _BIAS,
        ),
    ),
    "MaxPooling1D": _POOLING,
    "MaxPooling2D": _POOLING,
    "AveragePooling1D": _POOLING,
    "AveragePooling2D": _POOLING,
    "GlobalMaxPooling1D": _GLOBAL_POOLING,
    "GlobalMaxPooling2D": _GLOBAL_POOLING,
    "GlobalAveragePooling1D": _GLOBAL_POOLING,
    "GlobalAveragePooling2D": _GLOBAL_POOLING,
    "ZeroPadding2D": Kind(("padding",), _LAST),
    "Cropping2D": Kind(("cropping",), _LAST),
    "UpSampling2D": Kind(("size",), _LAST | {"interpolation": "nearest"}),
    "Flatten": Kind(fixed=_LAST),
    "Reshape": Kind(("target_shape",)),
    "Permute": Kind(("dims",)),
    "RepeatVector": Kind(("n",)),
    "Dropout": Kind(("rate",)),
    "AlphaDropout": Kind(("rate",)),
    "GaussianDropout": Kind(("rate",)),
    "GaussianNoise": Kind(("stddev",)),
    "BatchNormalization": Kind(
        ("axis", "momentum", "epsilon", "center", "scale"),
        {"renorm": False, "synchronized": False},
        weights=(
            *_SCALE_AND_CENTER,
            Weight("moving_mean", "moving_mean"),
            Weight("moving_variance", "moving_variance"),
        ),
    ),
    "LayerNormalization": Kind(
        ("axis", "epsilon", "center", "scale"),
        {"rms_scaling": False},
        weights=_SCALE_AND_CENTER,
    ),
    "Activation": Kind(("activation",)),
    "ReLU": Kind(("max_value",), {"negative_slope": 0, "threshold": 0}),
    "LeakyReLU": Kind(renames={"negative_slope": "alpha"}),
    "ELU": Kind(fixed={"alpha": 1}),
    "PReLU": Kind(("shared_axes",), weights=(Weight("alpha", "alpha"),)),
    "Softmax": Kind(("axis",)),
    "Rescaling": Kind(("scale", "offset")),
    "Embedding": Kind(("input_dim", "output_dim"), weights=(Weight("embeddings", "embeddings"),)),
    "Add": _MERGING,
    "Average": _MERGING,
    "Maximum": _MERGING,
    "Minimum": _MERGING,
    "Multiply": _MERGING,
    "Concatenate": Kind(("axis",)),
}
