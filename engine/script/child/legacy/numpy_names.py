"""Names that numpy removed in 1.24 and 2.0."""

from __future__ import annotations

import builtins
from types import ModuleType

_RENAMED = {
    "Inf": "inf",
    "NaN": "nan",
    "alltrue": "all",
    "bool8": "bool_",
    "float_": "float64",
    "complex_": "complex128",
    "product": "prod",
    "cumproduct": "cumprod",
    "sometrue": "any",
    "string_": "bytes_",
    "unicode_": "str_",
}
_OF_PYTHON = ("bool", "int", "float", "complex", "object", "str")


def mend(numpy: ModuleType) -> None:
    """Add the old names. `numpy.bool` of numpy 2 is a type of its own, and stays."""
    there = vars(numpy)
    for old, new in _RENAMED.items():
        if old not in there:
            setattr(numpy, old, getattr(numpy, new))
    for name in _OF_PYTHON:
        if name not in there:
            setattr(numpy, name, getattr(builtins, name))
