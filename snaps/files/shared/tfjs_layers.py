"""The Keras layers that TensorFlow.js has too, and what it calls their settings and weights.

TensorFlow.js 4 speaks the spelling of Keras 2 and ignores settings that it does not know. So a
layer is written only if each of its settings is known here, with a value with which TensorFlow.js
computes what Keras does. Everything else is refused by name, because a network that gives other
answers is worse than none.

The tests build models from this table, of every kind of layer with every setting that it keeps, and
compare the answers of TensorFlow.js with those of Keras.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from engine.sdk import DataError, Value, excerpt
from snaps.files.shared import tfjs_shapes as shapes_of
from snaps.files.shared.tfjs_settings import (
    LEFT_OUT,
    Activation,
    Axes,
    Axis,
    Count,
    Flag,
    LastAxis,
    Margins,
    NotKeptError,
    Number,
    OneOf,
    Only,
    Order,
    Setting,
    Shape,
    SharedAxes,
    Sides,
    TargetShape,
    Unused,
)
from snaps.files.shared.tfjs_shapes import OutputShape


class Weight(msgspec.Struct, frozen=True):
    """A weight of a layer: its name in Keras and in TensorFlow.js.

    `only_if` names a setting without which the layer does not have it.
    """

    keras: str
    tfjs: str
    only_if: str = ""


class Kind(msgspec.Struct, frozen=True):
    """A class of layers.

    `ranks` are the numbers of axes, that of the batch included, that its input may have. `renames`
    are settings with another name in TensorFlow.js. `idle` are ranks at which the layer gives its
    input unchanged, and is written as a linear activation because TensorFlow.js would not take it.
    Of the settings in `one_above_1` only one may be other than 1. A layer that is for
    `fractions_only` computes something else, or nothing, with whole numbers; one without weights
    gives whole numbers for whole numbers unless it `gives_fractions`.
    """

    ranks: tuple[int, ...]
    settings: Mapping[str, Setting] = {}
    weights: tuple[Weight, ...] = ()
    output: OutputShape = shapes_of.same
    renames: Mapping[str, str] = {}
    merges: bool = False
    idle: tuple[int, ...] = ()
    needs_known_sides: bool = False
    one_above_1: tuple[str, ...] = ()
    fractions_only: bool = False
    gives_fractions: bool = False


class Flow(msgspec.Struct, frozen=True):
    """What goes from layer to layer; `whole` if it may be whole numbers, as Keras keeps them."""

    shape: Shape
    whole: bool = False


class Layer(msgspec.Struct, frozen=True):
    """A layer in the words of TensorFlow.js."""

    class_name: str
    settings: dict[str, Value]
    output: Flow


def kind_of(class_name: str) -> Kind | None:
    return KINDS.get(class_name)


def known_kinds() -> str:
    return ", ".join(KINDS)


def translated_layer(
    name: str, class_name: str, config: Mapping[str, Value], inputs: Sequence[Flow]
) -> Layer:
    """A layer in the words of TensorFlow.js, called with these inputs.

    Raises DataError for a setting that TensorFlow.js would not heed, and for inputs that it cannot
    compute with.
    """
    kind = KINDS[class_name]
    shapes = [flow.shape for flow in inputs]
    whole = all(flow.whole for flow in inputs)
    settings = dict(_settings(name, class_name, config, shapes[0]))
    _check_inputs(name, class_name, shapes)
    if whole and kind.fractions_only:
        raise refused(
            f"the layer {name!r} ({class_name}) has an integer input, for which "
            "TensorFlow.js does not compute what Keras does",
            "put keras.layers.Rescaling(1.0) before it",
        )
    above_1 = [key for key in kind.one_above_1 if settings.get(key, 1) not in (1, [1], [1, 1])]
    if len(above_1) > 1:
        raise refused(
            f"the layer {name!r} ({class_name}) has both {' and '.join(above_1)} above 1, with "
            "which TensorFlow.js does not compute together",
            "build the network with only one of them above 1",
        )
    try:
        shape = kind.output({**config, **settings}, shapes)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise refused(
            f"the settings of the layer {name!r} ({class_name}) do not fit an input of the shape "
            f"{_told(shapes[0])}: {type(error).__name__} {error}",
            "give what model.to_json() of Keras 3 gives, parsed",
        ) from None
    if len(shapes[0]) in kind.idle:
        class_name, settings = "Activation", {"activation": "linear"}
    output = Flow(shape, whole and not (kind.weights or kind.gives_fractions))
    return Layer(class_name, {"trainable": True, "dtype": "float32", **settings}, output)


def _settings(
    name: str, class_name: str, config: Mapping[str, Value], shape: Shape
) -> Iterator[tuple[str, Value]]:
    kind = KINDS[class_name]
    for key, value in config.items():
        setting = kind.settings.get(key)
        if setting is None:
            if value is not None and not _for_training(key):
                raise _setting_refused(name, class_name, key, value, "")
            continue
        try:
            translated = setting.translated(value, shape)
        except NotKeptError as error:
            if isinstance(setting, Activation):
                raise _activation_refused(name, key, value, error.kept) from None
            raise _setting_refused(name, class_name, key, value, error.kept) from None
        if translated is not LEFT_OUT:
            yield kind.renames.get(key, key), translated


def _check_inputs(name: str, class_name: str, inputs: Sequence[Shape]) -> None:
    kind = KINDS[class_name]
    if kind.merges != (len(inputs) > 1):
        wanted = "two inputs or more" if kind.merges else "one input"
        raise refused(
            f"the layer {name!r} ({class_name}) is called with {len(inputs)} input"
            f"{'s' if len(inputs) > 1 else ''}; TensorFlow.js takes {wanted}",
            f"call it with {wanted}",
        )
    for shape in inputs:
        if len(shape) not in kind.ranks:
            ranks = [str(rank) for rank in kind.ranks]
            raise refused(
                f"the layer {name!r} ({class_name}) has an input of the shape {_told(shape)}, "
                f"which has {len(shape)} axes with that of the batch; TensorFlow.js computes it "
                f"for {' or '.join(ranks)} axes only",
                "reshape its input, or build the network without this layer",
            )
        if kind.needs_known_sides and None in shape[1:]:
            raise refused(
                f"the layer {name!r} ({class_name}) has an input of the shape {_told(shape)}, and "
                "TensorFlow.js must know all of it but the batch",
                "give the input of the model a shape without None",
            )


def weights_of(class_name: str, config: Mapping[str, Value]) -> Iterator[Weight]:
    """The weights that a layer with these settings has, in the order of Keras."""
    for weight in KINDS[class_name].weights:
        if not weight.only_if or config.get(weight.only_if, True):
            yield weight


def refused(reason: str, resolution: str) -> DataError:
    return DataError("cannot write the model for TensorFlow.js", reason, resolution)


def _setting_refused(name: str, class_name: str, key: str, value: Value, kept: str) -> DataError:
    known = f"; it computes with {kept} only" if kept else ""
    return refused(
        f"the layer {name!r} ({class_name}) has {key} {excerpt(value)}, which TensorFlow.js does "
        f"not know{known}",
        f"build the network without this {key}",
    )


def _activation_refused(name: str, key: str, value: Value, kept: str) -> DataError:
    return refused(
        f"the layer {name!r} has the {key} {excerpt(value)}, which TensorFlow.js does not know, or "
        "computes differently from Keras",
        f"use one of {kept}",
    )


def _told(shape: Shape) -> str:
    return excerpt(list(shape))


def _for_training(key: str) -> bool:
    return key in _FOR_TRAINING or key.endswith(_TRAINING_ENDINGS)


_FOR_TRAINING = {"name", "trainable", "dtype", "seed", "noise_shape"}
_TRAINING_ENDINGS = ("_initializer", "_regularizer", "_constraint")

_ANY = (2, 3, 4, 5)
_CHANNELS_LAST = {"data_format": Only("channels_last")}
_FLAG, _COUNT, _NUMBER = Flag(), Count(), Number()
_BIAS = Weight("bias", "bias", "use_bias")
_KERNEL = Weight("kernel", "kernel")
_SCALE_AND_CENTER = (Weight("gamma", "gamma", "scale"), Weight("beta", "beta", "center"))


def _window(axes: int) -> dict[str, Setting]:
    """The settings of what moves a window along these axes."""
    padding = OneOf(("valid", "same"))
    return {"strides": Sides(axes), "padding": padding, **_CHANNELS_LAST}


def _kernel(axes: int) -> dict[str, Setting]:
    activated = {"activation": Activation(), "use_bias": _FLAG}
    return {"kernel_size": Sides(axes), **_window(axes), **activated}


def _convolution(axes: int) -> Kind:
    settings = _kernel(axes) | {"dilation_rate": Sides(axes), "groups": Only(1)}
    settings |= {"filters": _COUNT}
    return Kind((axes + 2,), settings, (_KERNEL, _BIAS), shapes_of.convolution)


def _pooling(axes: int) -> Kind:
    return Kind((axes + 2,), {"pool_size": Sides(axes), **_window(axes)}, output=shapes_of.pooling)


def _global_pooling(axes: int) -> Kind:
    settings = {**_CHANNELS_LAST, "keepdims": Only(False)}
    return Kind((axes + 2,), settings, output=shapes_of.global_pooling)


def _recurrent(**settings: Setting) -> Kind:
    kept: dict[str, Setting] = {
        "units": _COUNT,
        "activation": Activation(),
        "use_bias": _FLAG,
        "return_sequences": _FLAG,
        "go_backwards": _FLAG,
        "return_state": Only(False),
        "stateful": Only(False),
        **dict.fromkeys(("unroll", "zero_output_for_mask"), Unused(_FLAG)),
        **dict.fromkeys(("dropout", "recurrent_dropout"), Unused(_NUMBER)),
        **settings,
    }
    weights = (_KERNEL, Weight("recurrent_kernel", "recurrent_kernel"), _BIAS)
    return Kind((3,), kept, weights, shapes_of.recurrent)


_MERGING = Kind(_ANY, output=shapes_of.merged, merges=True)

KINDS = {
    "Dense": Kind(
        _ANY,
        {"units": _COUNT, "activation": Activation(), "use_bias": _FLAG},
        (_KERNEL, _BIAS),
        shapes_of.dense,
    ),
    "Conv1D": _convolution(1),
    "Conv2D": _convolution(2),
    "Conv2DTranspose": Kind(
        (4,),
        _kernel(2)
        | {"filters": _COUNT, "dilation_rate": Only([1, 1]), "output_padding": Only(None)},
        (_KERNEL, _BIAS),
        shapes_of.transposed_convolution,
    ),
    "DepthwiseConv2D": Kind(
        (4,),
        _kernel(2) | {"dilation_rate": Only([1, 1]), "depth_multiplier": _COUNT},
        (Weight("kernel", "depthwise_kernel"), _BIAS),
        shapes_of.depthwise_convolution,
    ),
    "SeparableConv2D": Kind(
        (4,),
        _kernel(2) | {"filters": _COUNT, "dilation_rate": Sides(2), "depth_multiplier": _COUNT},
        (
            Weight("depthwise_kernel", "depthwise_kernel"),
            Weight("pointwise_kernel", "pointwise_kernel"),
            _BIAS,
        ),
        shapes_of.convolution,
        one_above_1=("strides", "dilation_rate"),
    ),
    "MaxPooling1D": _pooling(1),
    "MaxPooling2D": _pooling(2),
    "AveragePooling1D": _pooling(1),
    "AveragePooling2D": _pooling(2),
    "GlobalMaxPooling1D": _global_pooling(1),
    "GlobalMaxPooling2D": _global_pooling(2),
    "GlobalAveragePooling1D": _global_pooling(1),
    "GlobalAveragePooling2D": _global_pooling(2),
    "ZeroPadding2D": Kind(
        (4,), {"padding": Margins(), **_CHANNELS_LAST}, output=shapes_of.zero_padding
    ),
    "Cropping2D": Kind((4,), {"cropping": Margins(), **_CHANNELS_LAST}, output=shapes_of.cropping),
    "UpSampling2D": Kind(
        (4,),
        {"size": Sides(2), "interpolation": Only("nearest"), **_CHANNELS_LAST},
        output=shapes_of.up_sampling,
    ),
    "Flatten": Kind(_ANY, _CHANNELS_LAST, output=shapes_of.flat, idle=(2,), needs_known_sides=True),
    "Reshape": Kind(_ANY, {"target_shape": TargetShape()}, output=shapes_of.reshaped),
    "Permute": Kind(_ANY, {"dims": Order()}, output=shapes_of.permuted),
    "RepeatVector": Kind((2,), {"n": _COUNT}, output=shapes_of.repeated),
    "Identity": Kind(_ANY, idle=_ANY),
    "Dropout": Kind(_ANY, {"rate": _NUMBER}),
    "SpatialDropout1D": Kind((3,), {"rate": _NUMBER}),
    "SpatialDropout2D": Kind((4,), {"rate": _NUMBER, **_CHANNELS_LAST}, idle=(4,)),
    "AlphaDropout": Kind(_ANY, {"rate": _NUMBER}),
    "GaussianDropout": Kind(_ANY, {"rate": _NUMBER}),
    "GaussianNoise": Kind(_ANY, {"stddev": _NUMBER}),
    "BatchNormalization": Kind(
        (2, 3, 4),
        {
            "axis": LastAxis(),
            "momentum": _NUMBER,
            "epsilon": _NUMBER,
            "center": _FLAG,
            "scale": _FLAG,
            "renorm": Only(False),
            "renorm_momentum": Unused(_NUMBER),
            "synchronized": Unused(_FLAG),
        },
        (
            *_SCALE_AND_CENTER,
            Weight("moving_mean", "moving_mean"),
            Weight("moving_variance", "moving_variance"),
        ),
        fractions_only=True,
    ),
    "LayerNormalization": Kind(
        (2, 3, 4),
        {
            "axis": Axes(),
            "epsilon": _NUMBER,
            "center": _FLAG,
            "scale": _FLAG,
            "rms_scaling": Only(False),
        },
        _SCALE_AND_CENTER,
    ),
    "Activation": Kind(_ANY, {"activation": Activation()}, fractions_only=True),
    "ReLU": Kind(
        _ANY,
        {"max_value": Number(or_none=True), "negative_slope": Only(0), "threshold": Only(0)},
    ),
    "LeakyReLU": Kind(_ANY, {"negative_slope": _NUMBER}, renames={"negative_slope": "alpha"}),
    "ELU": Kind(_ANY, {"alpha": Only(1)}),
    "PReLU": Kind(_ANY, {"shared_axes": SharedAxes()}, (Weight("alpha", "alpha"),)),
    "Softmax": Kind(_ANY, {"axis": LastAxis()}),
    "Rescaling": Kind(_ANY, {"scale": _NUMBER, "offset": _NUMBER}, gives_fractions=True),
    "Embedding": Kind(
        (2, 3, 4),
        {"input_dim": _COUNT, "output_dim": _COUNT, "mask_zero": Only(False)},
        (Weight("embeddings", "embeddings"),),
        shapes_of.embedded,
    ),
    "SimpleRNN": _recurrent(),
    "GRU": _recurrent(recurrent_activation=Activation(), reset_after=Only(False)),
    "LSTM": _recurrent(recurrent_activation=Activation(), unit_forget_bias=Unused(_FLAG)),
    "Add": _MERGING,
    "Average": _MERGING,
    "Maximum": _MERGING,
    "Minimum": _MERGING,
    "Multiply": _MERGING,
    "Subtract": _MERGING,
    "Concatenate": Kind(_ANY, {"axis": Axis()}, output=shapes_of.concatenated, merges=True),
}
