"""JSON Schema, with the exact numbers of documents; the library is an extra."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from engine.sdk import ConfigurationError, Document

_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")


def schema_check(schema: Any, where: str) -> Callable[[Document], Iterator[tuple[str, str]]]:
    """A function that yields (path, what is wrong there) for a document.

    Nothing is fetched: a `$ref` can only lead into the schema itself. Raises ConfigurationError.
    """
    kind = _kind_of(schema)
    if mistake := _mistake(kind, schema):
        path, message = mistake
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        raise ConfigurationError(f"{where} is not a JSON Schema: ${place}: {message}")
    from jsonschema import validators
    from referencing import Registry

    checker = kind.TYPE_CHECKER.redefine("integer", _is_integer).redefine("number", _is_number)
    exact = validators.extend(kind, type_checker=checker)
    validator = exact(schema, registry=Registry())

    def violations(document: Document) -> Iterator[tuple[str, str]]:
        for error in sorted(validator.iter_errors(document), key=lambda each: each.json_path):
            yield error.json_path.replace("$.", "$", 1), _DECIMAL.sub(r"\1", error.message)

    return violations


def schema_mistake(schema: Any) -> tuple[tuple[str | int, ...], str] | None:
    """Where a schema is not one, and why. Raises ConfigurationError if the library is missing."""
    return _mistake(_kind_of(schema), schema)


def _kind_of(schema: Any) -> Any:
    """The class of validators for the schema's version."""
    try:
        from jsonschema import Draft202012Validator, validators
    except ImportError as error:
        raise ConfigurationError(
            "JSON Schema needs the package 'jsonschema'; install it with: "
            "pip install 'snapline[schema]'"
        ) from error
    return validators.validator_for(schema, default=Draft202012Validator)


def _mistake(kind: Any, schema: Any) -> tuple[tuple[str | int, ...], str] | None:
    from jsonschema.exceptions import best_match

    error = best_match(kind(kind.META_SCHEMA).iter_errors(schema))
    return None if error is None else (tuple(error.absolute_path), error.message)


def _is_number(checker: Any, value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(checker: Any, value: Any) -> bool:
    return _is_number(checker, value) and value == int(value)
