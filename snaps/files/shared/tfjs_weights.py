"""The weights of a model as TensorFlow.js reads them: a run of bytes and a list of what is in it.

A quantised weight takes fewer bytes and is brought back to float32 when it is loaded: float16 keeps
three digits, uint8 is a number of even steps between the least and the greatest. Both are as the
official converter makes them. Vectors (biases, the four of a batch normalisation) stay float32
under uint8: they take next to no room, and all outputs of a channel hang on each.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from math import isfinite, prod
from typing import Literal

import msgspec

from engine.sdk import Value, excerpt
from snaps.files.shared.tfjs_layers import refused

Quantization = Literal["none", "float16", "uint8"]
SHARD = 4 * 2**20
STEPS = 255


class Encoded(msgspec.Struct, frozen=True):
    """A weight's entry in the manifest, and its bytes."""

    entry: dict[str, Value]
    content: bytes


def shards(content: bytes) -> dict[str, bytes]:
    """The bytes by file name, 4 MiB in each and the rest in the last."""
    count = -(-len(content) // SHARD)
    return {
        f"group1-shard{number + 1}of{count}.bin": content[number * SHARD : (number + 1) * SHARD]
        for number in range(count)
    }


def encoded(name: str, weight: Mapping[str, Value], quantize: Quantization) -> Encoded:
    """A weight of {shape, data} under the name. Raises DataError if data does not fit the shape."""
    shape = _shape(name, weight.get("shape"))
    content = _bytes(name, weight.get("data"))
    count = prod(shape)
    if len(content) != 4 * count:
        raise refused(
            f"the weight {name!r} of shape {excerpt(shape)} has {len(content):,} bytes, not "
            f"{4 * count:,}",
            "give its numbers as little-endian float32, row by row",
        )
    values = struct.unpack(f"<{count}f", content)
    _refuse_infinite(name, values)
    entry: dict[str, Value] = {"name": name, "shape": shape, "dtype": "float32"}
    if quantize == "float16":
        entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        content = _float16(name, values)
    elif quantize == "uint8" and len(shape) > 1:
        entry["quantization"], content = _uint8(values)
    return Encoded(entry, content)


def _shape(name: str, shape: Value) -> list[int]:
    if isinstance(shape, list) and all(type(side) is int and side > 0 for side in shape):
        return shape
    raise refused(
        f"the weight {name!r} has the shape {excerpt(shape)}", "give a list of whole numbers"
    )


def _bytes(name: str, data: Value) -> bytes:
    if isinstance(data, bytes):
        return data
    text = "".join(data.split()) if isinstance(data, str) else data
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise refused(
            f"the data of the weight {name!r} is not proper base64: {error}",
            "give its numbers as float32, as bytes or base64 of them",
        ) from None


def _refuse_infinite(name: str, values: tuple[float, ...]) -> None:
    if not all(map(isfinite, values)):
        strange = next(value for value in values if not isfinite(value))
        raise refused(
            f"the weight {name!r} holds {excerpt(strange)}: the training has failed",
            "train the network again, with a lower learning rate",
        )


def _float16(name: str, values: tuple[float, ...]) -> bytes:
    try:
        return struct.pack(f"<{len(values)}e", *values)
    except OverflowError:
        raise refused(
            f"the weight {name!r} holds {max(values, key=abs):g}, and float16 ends at 65504",
            "set quantize to none",
        ) from None


def _uint8(values: tuple[float, ...]) -> tuple[dict[str, Value], bytes]:
    """Zero is met exactly where it lies within: half of the weights may be zeros."""
    least, greatest = min(values), max(values)
    scale = (greatest - least) / STEPS or 1.0
    if least < 0 < greatest:
        least = -round(-least / scale) * scale
    steps = bytes(min(STEPS, max(0, round((value - least) / scale))) for value in values)
    parameters = {"min": least, "scale": scale, "dtype": "uint8", "original_dtype": "float32"}
    return parameters, steps
