"""Models of one layer, made from the table of the layers that are written for TensorFlow.js.

For each kind of layer there is a model for each value of each setting, a few with all settings
mixed, and one with an input of whole numbers; settings that name axes are varied at each rank of
the input. Whoever adds a kind or a setting adds its models with it; a new class of settings needs
an entry in SAMPLES.
"""

from collections.abc import Iterator, Mapping
from itertools import permutations
from math import prod
from random import Random
from typing import Any

import msgspec

from snaps.files.shared.tfjs_layers import KINDS
from snaps.files.shared.tfjs_settings import (
    ACTIVATIONS,
    Activation,
    Axes,
    Axis,
    Count,
    Flag,
    LastAxis,
    Margins,
    Number,
    OneOf,
    Only,
    Order,
    Setting,
    SharedAxes,
    Sides,
    TargetShape,
    Unused,
)

SIDES: Mapping[int, list[int]] = {2: [6], 3: [7, 4], 4: [8, 7, 4], 5: [3, 2, 5, 4]}
MIXED = 4
NAMING_AXES = (LastAxis, Axis, Axes, SharedAxes, Order, TargetShape)


class LayerModel(msgspec.Struct, frozen=True):
    """A layer with these settings, called with inputs of these shapes (without the batch).

    `scale` is how large numbers are, of both signs: beyond all bends of the activations.
    """

    class_name: str
    settings: dict[str, Any]
    shapes: list[list[int]]
    dtype: str = "float32"
    scale: float = 3

    @property
    def description(self) -> str:
        return f"{self.class_name} {self.settings} {self.shapes} {self.dtype}"


def layer_models() -> Iterator[LayerModel]:
    for class_name, kind in KINDS.items():
        for rank in kind.ranks:
            yield from _of_rank(class_name, rank, first=rank == kind.ranks[0])


def _of_rank(class_name: str, rank: int, first: bool) -> Iterator[LayerModel]:
    kind = KINDS[class_name]
    sides, scale, dtype = SIDES[rank], 3.0, "float32"
    if "return_sequences" in kind.settings:
        sides, scale = [3, 4], 0.5  # because some activations grow with each step
    if class_name == "Embedding":
        dtype = "int32"
    shapes = [sides] * (1 if not kind.merges else 2 if class_name == "Subtract" else 3)
    values = {key: samples(setting, sides) for key, setting in kind.settings.items()}
    plain = {key: of_setting[0] for key, of_setting in values.items()}
    variants = [plain]
    for key, of_setting in values.items():
        if first or isinstance(kind.settings[key], NAMING_AXES):
            variants += [{**plain, key: value} for value in of_setting[1:]]
    if first and len(values) > 1:
        random = Random(class_name)
        variants += [
            {key: random.choice(of_setting) for key, of_setting in values.items()}
            for _ in range(MIXED)
        ]
    for settings in variants:
        yield LayerModel(class_name, settings, shapes, dtype, scale)
    if not kind.fractions_only:
        yield LayerModel(class_name, plain, shapes, "int32")


def samples(setting: Setting, sides: list[int]) -> list[Any]:
    """Values of the setting for an input with these sides; the first changes least."""
    found: list[Any] = SAMPLES[type(setting)](setting, sides)
    return found


SAMPLES: Mapping[type[Setting], Any] = {
    Unused: lambda setting, sides: samples(setting.like, sides)[::-1],
    Only: lambda setting, sides: [setting.value],
    OneOf: lambda setting, sides: list(setting.values),
    Flag: lambda setting, sides: [True, False],
    Count: lambda setting, sides: [3, 1, 5],
    Number: lambda setting, sides: [0.25, 0, 3, *([None] if setting.or_none else [])],
    Sides: lambda setting, sides: [
        *([side] * setting.count for side in (1, 2, 3)),
        *([[2, 1], [1, 3]] if setting.count > 1 else []),
    ],
    Margins: lambda setting, sides: [[[1, 1], [1, 1]], [[0, 2], [1, 0]], [[0, 0], [0, 0]]],
    Activation: lambda setting, sides: list(ACTIVATIONS),
    LastAxis: lambda setting, sides: [-1, len(sides), [-1]],
    Axis: lambda setting, sides: [-1, *range(1, len(sides) + 1), *range(-len(sides), -1)],
    Axes: lambda setting, sides: [
        -1,
        *range(1, len(sides) + 1),
        *range(-len(sides), -1),
        *(list(range(first, len(sides) + 1)) for first in range(1, len(sides) + 1)),
        [1, len(sides)],
    ],
    SharedAxes: lambda setting, sides: [None, *([axis] for axis in _axes(sides)), _axes(sides)],
    Order: lambda setting, sides: [list(order) for order in permutations(_axes(sides))],
    TargetShape: lambda setting, sides: [
        [-1],
        [-1, 2],
        [2, -1],
        [prod(sides[:-1]), sides[-1], 1],
        list(reversed(sides)),
        [3, -1, 1, 2],
    ],
}


def _axes(sides: list[int]) -> list[int]:
    return list(range(1, len(sides) + 1))
