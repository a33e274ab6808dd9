"""Values of documents as an Avro schema has them: decimals become floats where it has floats."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.sdk import Value
from snaps.format.shared.doubles import LARGEST_FLOAT, double_of

_FLOATS = ("double", "float")
_INTEGERS = ("int", "long")


def fitted(value: Value, schema: Any, named: Mapping[str, Any]) -> Value:
    """The value, changed where it is a number of another type than the schema has, or a missing
    field that may be null. Whether it is valid is for the library to say. Raises ValueError if a
    number is too large for a float."""
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        return _of_union(value, schema, named)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, dict | list):
        return fitted(value, kind, named)
    if isinstance(schema, dict) and "logicalType" in schema:
        return (
            Decimal(value) if _is_integer(value) and schema["logicalType"] == "decimal" else value
        )
    if kind in _FLOATS and (_is_integer(value) or isinstance(value, Decimal | float)):
        return double_of(value, LARGEST_FLOAT if kind == "float" else None)
    if kind in _INTEGERS and isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if kind == "record" and isinstance(value, dict):
        return _record(value, schema, named)
    if kind == "array" and isinstance(value, list):
        return [fitted(item, schema["items"], named) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: fitted(item, schema["values"], named) for key, item in value.items()}
    return value


def _record(value: dict[str, Value], schema: Any, named: Mapping[str, Any]) -> dict[str, Value]:
    made = {}
    for field in schema["fields"]:
        name = field["name"]
        if name in value:
            made[name] = fitted(value[name], field["type"], named)
        elif "default" not in field and _takes_null(field["type"]):
            made[name] = None
    return made


def _of_union(value: Value, branches: list[Any], named: Mapping[str, Any]) -> Value:
    if value is None:
        return None
    others = [branch for branch in branches if branch != "null"]
    if len(others) == 1:
        return fitted(value, others[0], named)
    kinds = {branch["type"] if isinstance(branch, dict) else branch for branch in others}
    if isinstance(value, float):
        return double_of(value)
    if isinstance(value, Decimal) and kinds.isdisjoint({"bytes", "fixed"}):
        bound = 2**63 if "long" in kinds else 2**31 if "int" in kinds else 0
        fits = -bound <= value < bound and value == value.to_integral_value()
        return int(value) if fits else double_of(value)
    return value


def _takes_null(schema: Any) -> bool:
    return schema == "null" or (isinstance(schema, list) and "null" in schema)


def _is_integer(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
