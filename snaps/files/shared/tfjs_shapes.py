"""The shape that a layer gives to its output, from its settings and the shapes of its inputs.

What TensorFlow.js can compute hangs on it: which axis is the last, how large a side of -1 is. All
shapes have the batch first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from snaps.files.shared.tfjs_settings import Shape, axis_of, tuple_of

Config = Mapping[str, Any]
OutputShape = Callable[[Config, Sequence[Shape]], Shape]


def same(config: Config, shapes: Sequence[Shape]) -> Shape:
    return shapes[0]


def dense(config: Config, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0][:-1], config["units"])


def convolution(config: Config, shapes: Sequence[Shape]) -> Shape:
    return (*_windows(config, config["kernel_size"], shapes[0]), config["filters"])


def depthwise_convolution(config: Config, shapes: Sequence[Shape]) -> Shape:
    channels = (shapes[0][-1] or 0) * config.get("depth_multiplier", 1)
    return (*_windows(config, config["kernel_size"], shapes[0]), channels)


def transposed_convolution(config: Config, shapes: Sequence[Shape]) -> Shape:
    batch, *sides, _ = shapes[0]
    kernels = tuple_of(config["kernel_size"], len(sides))
    strides = tuple_of(config.get("strides", 1), len(sides))
    overlaps = config.get("padding", "valid") == "valid"
    spread = [
        None if side is None else side * stride + (max(kernel - stride, 0) if overlaps else 0)
        for side, kernel, stride in zip(sides, kernels, strides, strict=True)
    ]
    return (batch, *spread, config["filters"])


def pooling(config: Config, shapes: Sequence[Shape]) -> Shape:
    size = config.get("pool_size", 2)
    windowed = {**config, "strides": config.get("strides") or size}
    return (*_windows(windowed, size, shapes[0]), shapes[0][-1])


def _windows(config: Config, size: Any, shape: Shape) -> Shape:
    """The batch, and how often a window fits along each side."""
    batch, *sides, _ = shape
    sizes = tuple_of(size, len(sides))
    strides = tuple_of(config.get("strides", 1), len(sides))
    dilations = tuple_of(config.get("dilation_rate", 1), len(sides))
    padded = config.get("padding", "valid") == "same"
    fits: list[int | None] = []
    for side, window, stride, dilation in zip(sides, sizes, strides, dilations, strict=True):
        reach = 0 if padded else (window - 1) * dilation
        fits.append(None if side is None else -(-(side - reach) // stride))
    return (batch, *fits)


def global_pooling(config: Config, shapes: Sequence[Shape]) -> Shape:
    return (shapes[0][0], shapes[0][-1])


def zero_padding(config: Config, shapes: Sequence[Shape]) -> Shape:
    return _with_margins(config["padding"], shapes[0], 1)


def cropping(config: Config, shapes: Sequence[Shape]) -> Shape:
    return _with_margins(config["cropping"], shapes[0], -1)


def _with_margins(margins: Any, shape: Shape, sign: int) -> Shape:
    batch, *sides, channels = shape
    changed = [
        None if side is None else side + sign * sum(pair)
        for side, pair in zip(sides, margins, strict=True)
    ]
    return (batch, *changed, channels)


def up_sampling(config: Config, shapes: Sequence[Shape]) -> Shape:
    batch, *sides, channels = shapes[0]
    factors = tuple_of(config["size"], len(sides))
    grown = [
        None if side is None else side * factor for side, factor in zip(sides, factors, strict=True)
    ]
    return (batch, *grown, channels)


def flat(config: Config, shapes: Sequence[Shape]) -> Shape:
    batch, *sides = shapes[0]
    return (batch, None if None in sides else prod(side or 0 for side in sides))


def reshaped(config: Config, shapes: Sequence[Shape]) -> Shape:
    """`config` is that of TensorFlow.js: a side of -1 is left only if it is known when fed."""
    sides = [None if side == -1 else side for side in config["target_shape"]]
    return (shapes[0][0], *sides)


def permuted(config: Config, shapes: Sequence[Shape]) -> Shape:
    return (shapes[0][0], *(shapes[0][axis] for axis in config["dims"]))


def repeated(config: Config, shapes: Sequence[Shape]) -> Shape:
    return (shapes[0][0], config["n"], shapes[0][1])


def embedded(config: Config, shapes: Sequence[Shape]) -> Shape:
    return (*shapes[0], config["output_dim"])


def recurrent(config: Config, shapes: Sequence[Shape]) -> Shape:
    steps = shapes[0][1:2] if config.get("return_sequences") else ()
    return (shapes[0][0], *steps, config["units"])


def merged(config: Config, shapes: Sequence[Shape]) -> Shape:
    """Sides of 1 are stretched; a shape with fewer sides gets sides of 1 behind the batch."""
    rank = max(map(len, shapes))
    sides: list[int | None] = []
    for along in zip(*(_stretched(shape, rank) for shape in shapes), strict=True):
        others = [side for side in along if side != 1]
        sides.append(next((side for side in others if side is not None), None) if others else 1)
    return tuple(sides)


def _stretched(shape: Shape, rank: int) -> Shape:
    return (shape[0], *(1 for _ in range(rank - len(shape))), *shape[1:])


def concatenated(config: Config, shapes: Sequence[Shape]) -> Shape:
    axis = axis_of(config.get("axis", -1), shapes[0])
    sides = list(shapes[0])
    along = [shape[axis or 0] for shape in shapes]
    sides[axis or 0] = None if None in along else sum(side or 0 for side in along)
    return tuple(sides)
