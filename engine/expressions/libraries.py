"""Expression libraries: one expression per file, evaluated once, available as `lib.<name>`."""

from __future__ import annotations

from typing import Any

from engine.expressions.compilation import compile_in, context_of
from engine.expressions.compiler.names import Names
from engine.expressions.scope import Scope


def load_library(text: str, name: str, scope: Scope | None = None, path: str = "") -> Any:
    """The value of a library. Its functions keep `scope`: parameters, and the other libraries.

    `scope.libraries` may be a dict that is filled later; functions look into it.
    """
    names = Names(context_of(scope or Scope(), False), {"__name__": name, "__path__": path or name})
    return compile_in(text, names, False)(None)


def overlay(first: Any, second: Any) -> Any:
    """Two libraries with one name: what the second defines wins, the rest stays."""
    if first.__class__ is dict and second.__class__ is dict:
        return {**first, **second}
    return second
