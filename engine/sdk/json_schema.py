"""JSON Schema, with the exact numbers of documents; the library is an extra."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from engine.errors import ConfigurationError, DataError
from engine.sdk.patterns import searcher

_DECIMAL = re.compile(r"Decimal\('([^']*)'\)")


def schema_check(schema: Any, where: str) -> Callable[[Any], Iterator[tuple[str, str]]]:
    """A function that yields (path, what is wrong there) for a value, such as a document.

    Nothing is fetched: a `$ref` can only lead into the schema itself. Raises ConfigurationError.
    The function raises DataError if the schema cannot be applied to the document.
    """
    kind = _kind_of(schema)
    if mistake := _mistake(kind, schema):
        path, message = mistake
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        raise ConfigurationError(f"{where} is not a JSON Schema: ${place}: {message}")
    from jsonschema import validators
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    checker = kind.TYPE_CHECKER.redefine("integer", _is_integer).redefine("number", _is_number)
    keywords = {"pattern": _pattern, "patternProperties": _pattern_properties}
    exact = validators.extend(kind, keywords, type_checker=checker)
    validator = exact(schema, registry=Registry())

    def violations(document: Any) -> Iterator[tuple[str, str]]:
        try:
            errors = sorted(validator.iter_errors(document), key=lambda each: each.json_path)
        except Unresolvable as error:
            raise _inapplicable(
                f"its $ref {error.ref!r} leads to nothing in the schema; nothing is fetched",
                "copy what it should lead to into the schema, for example below '$defs'",
            ) from None
        except RecursionError:
            raise _inapplicable(
                "the schema refers to itself without end, or the document is nested too deeply",
                "correct the $ref that leads back to its own place",
            ) from None
        for each in errors:
            yield each.json_path.replace("$.", "$", 1), _DECIMAL.sub(r"\1", each.message)

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

    checker = kind(kind.META_SCHEMA, format_checker=kind.FORMAT_CHECKER)
    error = best_match(checker.iter_errors(schema))
    return None if error is None else (tuple(error.absolute_path), error.message)


def _inapplicable(reason: str, resolution: str) -> DataError:
    return DataError("the document could not be checked", reason, resolution)


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    """The library's keyword, with a time limit."""
    from jsonschema import ValidationError

    if isinstance(value, str) and not searcher(pattern)(value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[Any]:
    """The library's keyword, with a time limit."""
    if not isinstance(value, dict):
        return
    for pattern, subschema in patterns.items():
        for key, item in value.items():
            if searcher(pattern)(key):
                yield from validator.descend(item, subschema, path=key, schema_path=pattern)


def _is_number(checker: Any, value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_integer(checker: Any, value: Any) -> bool:
    return _is_number(checker, value) and value == int(value)
