"""Attributes of HDF5 files as h5py 2 returned them, with `decode`; h5py 3 returns str."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class DecodableText(str):
    """A str with the method `decode`, which Keras calls on every text of a model file."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self)


def mend(attributes: ModuleType) -> None:
    """`attributes` is the module `h5py._hl.attrs`."""
    manager = attributes.AttributeManager
    read = manager.__getitem__

    def get_item(self: Any, name: str) -> Any:
        return _as_before(read(self, name))

    manager.__getitem__ = get_item


def _as_before(value: Any) -> Any:
    if isinstance(value, str):
        return DecodableText(value)
    if getattr(value, "dtype", None) is None or not getattr(value, "shape", ()):
        return value
    if value.size == 0:  # the truth value of an empty array is an error in numpy 2.2
        return []
    if value.dtype.kind == "O":
        return [DecodableText(each) if isinstance(each, str) else each for each in value.tolist()]
    return value
