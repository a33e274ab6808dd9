"""Evaluate an expression from Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import expressions
from engine.errors import ConfigurationError
from engine.expressions.evaluation import Libraries
from engine.numbers import with_decimals, with_floats
from engine.sdk.plain_values import NotPlainError, plain


def evaluate(
    expression: str,
    document: Any = None,
    parameters: Mapping[str, Any] | None = None,
    null_safe: bool = False,
    libraries: Libraries | None = None,
    timezone: str = "UTC",
    context: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    exact: bool = False,
) -> Any:
    """The value of an expression on a document; raises ExpressionError, or ConfigurationError if
    the document has values that no document can have.

    `libraries` maps names to the source of libraries, or is a list of (name, source) in which a
    later one overlays an earlier one of the same name. `context` holds the properties of `pipe`,
    `snap` and `task`. The numbers of the value are int and float, or with `exact` int and Decimal.
    """
    try:
        document = plain(document)
    except NotPlainError as error:
        raise ConfigurationError(f"the document: {error}; {error.resolution}") from None
    value = expressions.evaluate(
        expression, document, parameters, null_safe, libraries, timezone, context
    )
    return (with_decimals if exact else with_floats)(value)
