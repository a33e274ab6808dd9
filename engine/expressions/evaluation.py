"""Evaluate one expression on one document, for the embedding API, the command line and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.expressions.compilation import compile_expression
from engine.expressions.libraries import load_library, overlay
from engine.expressions.scope import Scope

Libraries = Mapping[str, str] | Iterable[tuple[str, str]]


def evaluate(
    expression: str,
    document: Any = None,
    parameters: Mapping[str, Any] | None = None,
    null_safe: bool = False,
    libraries: Libraries | None = None,
    timezone: str = "UTC",
    context: Mapping[str, Mapping[str, Any]] | None = None,
) -> Any:
    """The value of `expression` on `document`; raises ExpressionError.

    `libraries` maps names to the source of libraries, or is a list of (name, source) in which a
    later one overlays an earlier one of the same name. `context` holds the properties of `pipe`,
    `snap` and `task`.
    """
    scope = scope_with_libraries(parameters, libraries, timezone, context)
    return compile_expression(expression, null_safe=null_safe, scope=scope)(document)


def scope_with_libraries(
    parameters: Mapping[str, Any] | None = None,
    libraries: Libraries | None = None,
    timezone: str = "UTC",
    context: Mapping[str, Mapping[str, Any]] | None = None,
) -> Scope:
    """A scope with the libraries loaded, each able to use all others."""
    facts = context or {}
    loaded: dict[str, Any] = {}
    scope = Scope(
        parameters=parameters or {},
        libraries=loaded,
        pipe=facts.get("pipe", {}),
        snap=facts.get("snap", {}),
        task=facts.get("task", {}),
        timezone=timezone,
    )
    pairs = libraries.items() if isinstance(libraries, Mapping) else libraries or ()
    for name, text in pairs:
        value = load_library(text, name, scope)
        loaded[name] = overlay(loaded[name], value) if name in loaded else value
    return scope
