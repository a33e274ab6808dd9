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
    try:
        from jsonschema import Draft202012Validator, SchemaError, validators
        from referencing import Registry
    except ImportError as error:
        raise ConfigurationError(
            "JSON Schema needs the package 'jsonschema'; install it with: "
            "pip install 'snapline[schema]'"
        ) from error
    kind = validators.validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        place = error.json_path
        raise ConfigurationError(
            f"{where} is not a JSON Schema: {place}: {error.message}"
        ) from None
    checker = kind.TYPE_CHECKER.redefine("integer", _is_integer).redefine("number", _is_number)
    exact = validators.extend(kind, type_checker=checker)
    validator = exact(schema, registry=Registry())

    def violations(document: Document) -> Iterator[tuple[str, str]]:
        for error in sorted(validator.iter_errors(document), key=lambda each: each.json_path):
            yield error.json_path.replace("$.", "$", 1), _DECIMAL.sub(r"\1", error.message)

    return violations


def _is_number(checker: Any, value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(checker: Any, value: Any) -> bool:
    return _is_number(checker, value) and value == int(value)
