"""Refuses jsonpickle texts that hold anything but plain data and self-contained numpy arrays.

jsonpickle imports and calls whatever a text names, so an untrusted text can run any code, and its
arrays may point to any memory. This module lists the tags and classes that are allowed, and the
keys of each class. Anything else is refused before jsonpickle sees it.
"""

from __future__ import annotations

import ast
import re
from typing import Any

_TAGS_ALONE = {
    "py/tuple": list,
    "py/set": list,
    "py/b64": str,
    "py/b85": str,
    "py/bytes": str,
    "py/id": int,
}
"""Tags that must be the only key of their map, and the type of their value."""

_DATES = {"datetime.datetime": 16, "datetime.date": 8, "datetime.time": 8}
"""Classes of dates, and the length of their Base64 state."""

_ARRAY_KEYS = frozenset({"dtype", "values", "shape", "order", "byteorder", "writeable"})
_SCALAR_KEYS = frozenset({"dtype", "value"})
_DTYPE_KEYS = frozenset({"dtype"})
_SCALAR = re.compile(
    r"numpy\.(bool_?|u?int(8|16|32|64|c|p)?|u?(byte|short|long|longlong)|half|single|double"
    r"|float(16|32|64|128)|longdouble|complex(64|128)|str_|bytes_|datetime64|timedelta64)"
)
_DTYPE = re.compile(r"numpy\.(dtype|dtypes\.\w+DType)")
_ELEMENTS = re.compile(
    r"[<>=|]?([?biufcmMSUV]\d*|bool|u?int\d+|float\d+|complex\d+|datetime64|timedelta64)"
    r"(\[\d*\w+\])?|str|bytes"
)
_RAW = re.compile(r"[<>=|]?V\d*")

_FREE_VALUES = 1_000_000
"""What a text may unfold to by references, beyond one value for each of its characters."""


def check_decodable(value: Any) -> None:
    """Raise ValueError if the parsed jsonpickle text `value` holds anything that is not allowed."""
    if isinstance(value, list):
        for item in value:
            check_decodable(item)
    elif isinstance(value, dict):
        if name := value.get("py/object"):
            _check_object(value, name)
        else:
            _check_tags(value)
            for item in value.values():
                check_decodable(item)


def refuse_inflated(value: Any, text: str) -> None:
    """Raise ValueError if references make the decoded `value` of the `text` unfold too far.

    A list of ten references to a list of ten references, and so on, is small here, and huge as
    soon as it is written or walked through.
    """
    if _unfolded(value, {}) > _FREE_VALUES + len(text):
        raise ValueError(
            "decode refuses references that unfold to far more values than their text has; "
            "call decode(text, safe=False) if you trust the source of the text"
        )


def _unfolded(value: Any, counts: dict[int, int]) -> int:
    """The number of values that the value holds, shared ones counted wherever they stand."""
    if not isinstance(value, dict | list | tuple | set):
        return 1
    count = counts.get(id(value))
    if count is None:
        counts[id(value)] = 1  # a value that holds itself is refused by whoever writes it
        items = value.values() if isinstance(value, dict) else value
        count = counts[id(value)] = 1 + sum(_unfolded(item, counts) for item in items)
    return count


def _check_tags(value: dict[str, Any]) -> None:
    for tag, item in value.items():
        if tag.startswith("py/"):
            if tag not in _TAGS_ALONE:
                raise _refusal(f"the tag {tag!r}")
            if len(value) > 1 or type(item) is not _TAGS_ALONE[tag]:
                raise _refusal(f"the content of the tag {tag!r}")
        elif tag.startswith("json://") or tag == "__reduce__":
            raise _refusal(f"the key {tag!r}")


def _check_object(value: dict[str, Any], name: Any) -> None:
    keys = value.keys() - {"py/object"}
    if not isinstance(name, str):
        raise _refusal(f"the class {name!r}")
    if name in _DATES:
        _check_date(value, keys, name)
    elif name == "numpy.ndarray":
        _check_keys(name, keys, _ARRAY_KEYS, needed=("dtype", "values"))
        _check_elements(value["dtype"])
        _check_array(value)
    elif _SCALAR.fullmatch(name):
        _check_keys(name, keys, _SCALAR_KEYS, needed=("dtype", "value"))
        _check_elements(value["dtype"])
        if _RAW.fullmatch(value["dtype"]) or value["dtype"].startswith("["):
            raise _refusal(f"a {name} with the element type {value['dtype']!r}")
        check_decodable(value["value"])
    elif _DTYPE.fullmatch(name):
        _check_keys(name, keys, _DTYPE_KEYS, needed=("dtype",))
        _check_elements(value["dtype"])
    else:
        raise _refusal(f"the class {name!r}")


def _check_keys(name: str, keys: set[str], known: frozenset[str], needed: tuple[str, ...]) -> None:
    if name == "numpy.ndarray" and "base" in keys:
        raise _refusal("an array that is part of another one (encode a copy of it)")
    for key in keys - known:
        raise _refusal(f"the key {key!r} of a {name}")
    for key in needed:
        if key not in keys:
            raise _refusal(f"a {name} without {key!r}")


def _check_array(value: dict[str, Any]) -> None:
    shape, values = value.get("shape"), value["values"]
    if isinstance(shape, dict):
        shape = shape.get("py/tuple")
    if shape is not None and not _is_shape(shape):
        raise _refusal(f"the shape {shape!r}")
    if isinstance(values, str):
        if shape is None:
            raise _refusal("a binary array without a shape")
    elif values is not None:
        _refuse_references(values)
        check_decodable(values)
    for key, choices in (("order", "CF"), ("byteorder", "<>=|")):
        chosen = value.get(key)
        if chosen is not None and chosen not in tuple(choices):
            raise _refusal(f"the {key} {chosen!r}")


def _refuse_references(values: Any) -> None:
    """An array copies each value, so references to lists would multiply in it."""
    if isinstance(values, dict):
        if "py/id" in values:
            raise _refusal("a reference among the values of an array")
        values = list(values.values())
    if isinstance(values, list):
        for item in values:
            _refuse_references(item)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)


def _check_date(value: dict[str, Any], keys: set[str], name: str) -> None:
    match value.get("__reduce__"):
        case [{"py/type": kind, **others}, [str(state)]] if (
            kind == name and not others and len(state) == _DATES[name] and keys == {"__reduce__"}
        ):
            return
    raise _refusal(f"a {name} with its own time zone, or without its state")


def _check_elements(dtype: Any) -> None:
    """Refuse unknown element types: arrays of Python objects hold memory addresses."""
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
        "call decode(text, safe=False) if you trust the source of the text"
    )
