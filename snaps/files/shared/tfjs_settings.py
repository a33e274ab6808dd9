"""The values of a layer's settings with which TensorFlow.js computes what Keras does.

A setting is described by the values that are kept, never by its name alone: each class here turns a
value of Keras into that of TensorFlow.js, or raises NotKeptError. The tests take their models from
these descriptions, so a setting cannot be kept without being compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite, prod
from typing import Any

import msgspec

from engine.sdk import Value, excerpt

Shape = tuple[int | None, ...]
"""The sides of a tensor, the batch first; None for a side that is known only when it is fed."""

LEFT_OUT = msgspec.UNSET
"""In place of a value: TensorFlow.js is not given the setting."""


class NotKeptError(Exception):
    """TensorFlow.js computes something else with the value; `kept` says with which it does not."""

    def __init__(self, kept: str) -> None:
        super().__init__(kept)
        self.kept = kept


class Setting(msgspec.Struct, frozen=True):
    """`translated` is given the shape of the layer's input, the first if there are several."""

    def translated(self, value: Any, shape: Shape) -> Any:
        raise NotImplementedError


class Unused(Setting, frozen=True):
    """Of no meaning once the network is trained; its values are like those of another setting."""

    like: Setting

    def translated(self, value: Any, shape: Shape) -> Any:
        return LEFT_OUT


class Only(Setting, frozen=True):
    """The one value that TensorFlow.js computes, without being given it."""

    value: Value

    def translated(self, value: Any, shape: Shape) -> Any:
        if value != self.value:
            raise NotKeptError(excerpt(self.value))
        return LEFT_OUT


class OneOf(Setting, frozen=True):
    values: tuple[str, ...]

    def translated(self, value: Any, shape: Shape) -> Any:
        if value not in self.values:
            raise NotKeptError(" or ".join(self.values))
        return value


class Flag(Setting, frozen=True):
    def translated(self, value: Any, shape: Shape) -> Any:
        if not isinstance(value, bool):
            raise NotKeptError("true or false")
        return value


class Count(Setting, frozen=True):
    def translated(self, value: Any, shape: Shape) -> Any:
        if not is_side(value):
            raise NotKeptError("a whole number greater than 0")
        return value


class Number(Setting, frozen=True):
    """A finite number; `or_none` if it may be missing."""

    or_none: bool = False

    def translated(self, value: Any, shape: Shape) -> Any:
        if value is None and self.or_none:
            return None
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        if not number or not isfinite(value):
            raise NotKeptError("a finite number")
        return float(value) if isinstance(value, Decimal) else value


class Sides(Setting, frozen=True):
    """A whole number for each of the axes that a window moves along, or one for all."""

    count: int

    def translated(self, value: Any, shape: Shape) -> Any:
        if not is_side(value) and not (_sides(value) and len(value) == self.count):
            raise NotKeptError(f"{self.count} whole numbers greater than 0")
        return value


class Margins(Setting, frozen=True):
    """[[top, bottom], [left, right]]."""

    def translated(self, value: Any, shape: Shape) -> Any:
        pairs = isinstance(value, list) and len(value) == 2
        if not pairs or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            raise NotKeptError("[[top, bottom], [left, right]]")
        if not all(type(side) is int and side >= 0 for pair in value for side in pair):
            raise NotKeptError("whole numbers that are not negative")
        return value


class Activation(Setting, frozen=True):
    def translated(self, value: Any, shape: Shape) -> Any:
        called = "linear" if value is None else value
        if not isinstance(called, str) or called not in ACTIVATIONS:
            raise NotKeptError(", ".join(ACTIVATIONS))
        return ACTIVATIONS[called]


# `hard_sigmoid` is left out: the two compute it differently.
ACTIVATIONS = {
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


class LastAxis(Setting, frozen=True):
    """The last axis, however it is counted."""

    def translated(self, value: Any, shape: Shape) -> Any:
        if isinstance(value, list) and len(value) == 1:
            [value] = value
        if axis_of(value, shape) != len(shape) - 1:
            raise NotKeptError("the last axis")
        return -1


class Axis(Setting, frozen=True):
    """Any axis but that of the batch, counted from the front."""

    def translated(self, value: Any, shape: Shape) -> Any:
        axis = axis_of(value, shape)
        if not axis:
            raise NotKeptError("an axis behind that of the batch")
        return axis


class Axes(Setting, frozen=True):
    """One axis or several in ascending order, without that of the batch."""

    def translated(self, value: Any, shape: Shape) -> Any:
        given = value if isinstance(value, list) else [value]
        axes = [axis_of(axis, shape) or 0 for axis in given]
        if not axes or 0 in axes or axes != sorted(set(axes)):
            raise NotKeptError("axes behind that of the batch, in ascending order")
        return axes


class SharedAxes(Setting, frozen=True):
    """None, or a list of axes without that of the batch."""

    def translated(self, value: Any, shape: Shape) -> Any:
        if value is None:
            return None
        if not _sides(value) or max(value) >= len(shape):
            raise NotKeptError("axes behind that of the batch")
        return value


class Order(Setting, frozen=True):
    """Each axis but that of the batch once."""

    def translated(self, value: Any, shape: Shape) -> Any:
        if not _sides(value) or sorted(value) != list(range(1, len(shape))):
            raise NotKeptError("each axis behind that of the batch, once")
        return value


class TargetShape(Setting, frozen=True):
    """A shape without the batch; a side of -1 is worked out, because TensorFlow.js does not."""

    def translated(self, value: Any, shape: Shape) -> Any:
        if not isinstance(value, list) or not all(is_side(side) or side == -1 for side in value):
            raise NotKeptError("a list of whole numbers greater than 0, with at most one -1")
        unknown = [place for place, side in enumerate(value) if side == -1]
        known = prod(side for side in value if side != -1)
        given = shape[1:]
        if not value or len(unknown) > 1:
            raise NotKeptError("a list of whole numbers greater than 0, with at most one -1")
        if None in given:
            return value
        size = prod(side for side in given if side is not None)
        if size % known or (not unknown and size != known):
            raise NotKeptError(f"{size} numbers")
        return [size // known if side == -1 else side for side in value]


def axis_of(value: Any, shape: Shape) -> int | None:
    """The axis counted from the front, or None if there is no such axis."""
    if type(value) is not int or not -len(shape) <= value < len(shape):
        return None
    return value % len(shape)


def is_side(value: Any) -> bool:
    return type(value) is int and value > 0


def _sides(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_side, value))


def tuple_of(value: Any, count: int) -> Sequence[int]:
    """Sides as Keras writes them, for each axis: one number stands for all."""
    return value if isinstance(value, list) else [value] * count
