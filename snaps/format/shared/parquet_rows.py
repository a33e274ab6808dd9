"""Groups of rows of a Parquet file, each converted to columns by one schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from engine.sdk import DataError, Document, Value
from snaps.format.shared.doubles import LARGEST_FLOAT, double_of


def schema_of(arrow: Any, documents: list[Document]) -> Any:
    """A schema for all documents: where values of a column differ in type, that of the first."""
    columns: dict[str, list[Value]] = {}
    for document in documents:
        for name in document:
            columns.setdefault(name, [])
    for name, values in columns.items():
        values += [_with_doubles(document.get(name), float) for document in documents]
    fields = [arrow.field(name, _kind(arrow, values)) for name, values in columns.items()]
    return arrow.schema(fields)


def table_of(arrow: Any, documents: Iterable[Document], schema: Any, *, is_exact: bool) -> Any:
    """The documents as a table. Raises DataError if the schema does not allow one of them."""
    try:
        rows = (
            [_fitted(row, schema) for row in documents]
            if is_exact
            else [_fitted(_with_doubles(row, double_of), schema) for row in documents]
        )
        _check_required(rows, schema)
        return arrow.Table.from_pylist(rows, schema=schema)
    except (arrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            "the Parquet schema does not allow the document",
            str(error).partition("\n")[0] or type(error).__name__,
            "change the document first, for example with a Mapper, or set schema",
        ) from None


def _with_doubles(value: Value, double: Callable[[Any], float]) -> Value:
    """The value with doubles instead of decimals, whose scale would have to be the same."""
    if isinstance(value, Decimal | float):
        return double(value)
    if isinstance(value, Mapping):
        return {key: _with_doubles(item, double) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_doubles(item, double) for item in value]
    return value


def _fitted(document: Document, schema: Any) -> Document:
    """The document with numbers of the types that the schema has. Raises ValueError."""
    fields = {field.name: field.type for field in schema}
    return {
        name: _number(value, fields[name]) for name, value in document.items() if name in fields
    }


def _number(value: Value, kind: Any) -> Value:
    if isinstance(value, Decimal | float):
        name = str(kind)
        if name in ("float", "double"):
            return double_of(value, LARGEST_FLOAT if name == "float" else None)
        if not name.startswith(("int", "uint")):
            return value
        if value % 1:  # Arrow would cut the fraction off
            raise ValueError(f"{value} is not an integer")
        return int(value)
    if isinstance(value, list) and hasattr(kind, "value_type"):
        return [_number(item, kind.value_type) for item in value]
    if isinstance(value, dict) and hasattr(kind, "fields"):
        return _fitted(value, kind.fields)
    return value


def _check_required(rows: list[Document], schema: Any) -> None:
    required = [field.name for field in schema if not field.nullable]
    for name in required:
        if any(row.get(name) is None for row in rows):
            raise ValueError(f"the required field {name!r} is missing or null")


def _kind(arrow: Any, values: list[Value]) -> Any:
    """The type of a column; text if all values are null."""
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: arrow.array(values).type,
        lambda: arrow.array([next(value for value in values if value is not None)]).type,
    )
    for attempt in attempts:
        try:
            kind = attempt()
        except (arrow.ArrowException, OverflowError, StopIteration):
            continue
        return arrow.string() if kind == arrow.null() else kind
    return arrow.string()
