"""Refuses jsonpickle texts that name anything but plain data and numpy arrays.

jsonpickle imports and calls what a text names, so a text from elsewhere can run any code. What is
allowed is listed here; any other tag, class or element type is refused before jsonpickle sees it.
"""

from __future__ import annotations

import ast
import re
from typing import Any

_PLAIN_TAGS = frozenset({"py/tuple", "py/set", "py/b64", "py/b85", "py/bytes", "py/id"})
_DATES = frozenset({"datetime.datetime", "datetime.date", "datetime.time"})
_NUMPY = re.compile(
    r"numpy\.(ndarray|dtype|dtypes\.\w+DType|bool_?|u?int(8|16|32|64|c|p)?|u?(byte|short|long|longlong)"
    r"|half|single|double|float(16|32|64|128)|longdouble|complex(64|128)|str_|bytes_|datetime64"
    r"|timedelta64)"
)
_ELEMENTS = re.compile(
    r"[<>=|]?([?biufcmMSUV]\d*|bool|u?int\d+|float\d+|complex\d+)(\[\d*\w+\])?|str|bytes"
)


def refuse_strangers(value: Any) -> None:
    """Raise ValueError if the parsed jsonpickle text `value` names what is not on the lists."""
    if isinstance(value, list):
        for item in value:
            refuse_strangers(item)
    elif isinstance(value, dict):
        _check_tags(value)
        for key, item in value.items():
            if not (key == "__reduce__" and value.get("py/object") in _DATES):
                refuse_strangers(item)


def _check_tags(value: dict[str, Any]) -> None:
    for tag in value:
        if tag.startswith("py/") and tag not in _PLAIN_TAGS and tag != "py/object":
            raise _refusal(f"the tag {tag!r}")
    name = value.get("py/object")
    if name in _DATES:
        _check_date(value, str(name))
    elif name is not None:
        if not isinstance(name, str) or not _NUMPY.fullmatch(name):
            raise _refusal(f"the class {name!r}")
        _check_elements(value.get("dtype"))


def _check_date(value: dict[str, Any], name: str) -> None:
    match value.get("__reduce__"):
        case [{"py/type": kind}, [str()]] if kind == name:
            return
    raise _refusal(f"a {name} with a time zone of its own")


def _check_elements(dtype: Any) -> None:
    """Arrays of Python objects are memory addresses when they come as bytes."""
    if isinstance(dtype, str) and _ELEMENTS.fullmatch(dtype):
        return
    if isinstance(dtype, str) and dtype.startswith("[") and _are_plain_fields(dtype):
        return
    raise _refusal(f"the element type {dtype!r}")


def _are_plain_fields(dtype: str) -> bool:
    try:
        fields = ast.literal_eval(dtype)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for field in fields:
        match field:
            case (str(), str(elements), *_) if _ELEMENTS.fullmatch(elements):
                continue
        return False
    return True


def _refusal(what: str) -> ValueError:
    return ValueError(
        f"decode refuses {what}: only plain data and numpy arrays are decoded; "
        "call decode(text, safe=False) if you trust where the text comes from"
    )
