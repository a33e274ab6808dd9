"""numpy arrays in jsonpickle texts: each with bytes of its own, and unpacked within bounds.

jsonpickle's own handlers write an array that is a part of another one as a reference with an
offset, and believe what the text says when they read it.
"""

from __future__ import annotations

import ast
import base64
import math
import zlib
from typing import Any

BASE_BYTES = 64 << 20
BYTES_PER_CHARACTER = 20
"""What the arrays of a text may take: this much, and so much more for each of its characters."""


class Allowance:
    """The bytes that the arrays of one text may still take."""

    def __init__(self, text: str) -> None:
        self._left = BASE_BYTES + BYTES_PER_CHARACTER * len(text)

    def take(self, size: int) -> None:
        """Raises ValueError if there is not as much left."""
        self._left -= size
        if self._left < 0:
            raise ValueError(
                "decode refuses arrays that take far more memory than their text; "
                "call decode(text, safe=False) if you trust where the text comes from"
            )


def register_arrays(allowance: Allowance) -> None:
    """Let jsonpickle encode and decode arrays in this way until its own are registered again."""
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
        allowance.take(_count(items) * max(dtype.itemsize, 1))
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
    """Exactly so many bytes; raises ValueError."""
    packed = base64.b64decode(values, validate=True)
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"decode cannot unpack an array: {error}") from None
    if len(unpacked) != size:
        raise ValueError("decode refuses an array whose bytes do not fit its shape")
    return unpacked


def _count(items: Any) -> int:
    return sum(map(_count, items)) if isinstance(items, list | tuple) else 1
