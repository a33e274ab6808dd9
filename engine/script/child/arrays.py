"""numpy arrays in jsonpickle texts: each is written with its own bytes and unpacked within limits.

jsonpickle's own handlers write an array that is a view of another as a reference with an offset,
and trust such references when reading.
"""

from __future__ import annotations

import ast
import base64
import math
import zlib
from typing import Any

BASE_BYTES = 64 << 20
BYTES_PER_CHARACTER = 20
"""The memory limit for the arrays of a text: a base, plus this much per character of the text."""

_CHARACTER_BYTES = 4


class Allowance:
    """The memory, in bytes, that the arrays of one text may still use."""

    def __init__(self, text: str) -> None:
        self._left = BASE_BYTES + BYTES_PER_CHARACTER * len(text)

    def take(self, size: int) -> None:
        """Use up `size` bytes. Raises ValueError if that many are not left."""
        self._left -= size
        if self._left < 0:
            raise ValueError(
                "decode refuses arrays that take far more memory than their text; "
                "call decode(text, safe=False) if you trust the source of the text"
            )


def register_arrays(allowance: Allowance) -> None:
    """Make jsonpickle use these handlers until its own are registered again."""
    import numpy
    from jsonpickle.ext.numpy import NumpyNDArrayHandlerBinary
    from jsonpickle.handlers import register

    class ArrayHandler(NumpyNDArrayHandlerBinary):  # type: ignore[misc]
        def flatten(self, obj: Any, data: dict[str, Any]) -> Any:
            return super().flatten(obj if obj.flags.forc else obj.copy(order="C"), data)

        def restore(self, data: dict[str, Any]) -> Any:
            return _restored(self, data, allowance)

    register(numpy.ndarray, ArrayHandler(), base=True)


def _restored(handler: Any, data: dict[str, Any], allowance: Allowance) -> Any:
    import numpy

    dtype = _dtype(data["dtype"])
    values, order = data["values"], data.get("order", "C")
    shape: Any = data.get("shape")
    if isinstance(shape, dict):
        shape = shape["py/tuple"]
    if isinstance(values, str):
        size = math.prod(shape) * dtype.itemsize
        allowance.take(size)
        unpacked = _unpacked(values, size)
        array = numpy.frombuffer(unpacked, dtype).reshape(shape, order=order).copy(order=order)
        if byteorder := data.get("byteorder"):
            array = array.view(dtype.newbyteorder(byteorder))
    else:
        items = handler.context.restore(values, reset=False)
        allowance.take(_count(items) * max(dtype.itemsize or _longest(items), 1))
        array = numpy.array(items, dtype=dtype, order=order)
        if shape is not None:
            array = array.reshape(shape)
    if data.get("writeable") is False:
        array.flags.writeable = False
    return array


def _dtype(text: str) -> Any:
    import numpy

    return numpy.dtype(ast.literal_eval(text) if text.startswith("[") else text)


def _unpacked(values: str, size: int) -> bytes:
    """Exactly `size` bytes; raises ValueError."""
    packed = base64.b64decode(values, validate=True)
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"decode could not unpack an array: {error}") from None
    if len(unpacked) != size:
        raise ValueError("decode refuses an array whose size in bytes does not match its shape")
    return unpacked


def _count(items: Any) -> int:
    return sum(map(_count, items)) if isinstance(items, list | tuple) else 1


def _longest(items: Any) -> int:
    """Bytes for each element if the type has no size: numpy makes all as long as the longest."""
    if isinstance(items, list | tuple):
        return max(map(_longest, items), default=0)
    return len(items if isinstance(items, str | bytes) else str(items)) * _CHARACTER_BYTES
