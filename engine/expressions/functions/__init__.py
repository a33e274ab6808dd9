"""All functions of the language, family by family, and the tables by which they are called.

Many expressions call none, so the families are imported when a table is used for the first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.expressions.functions.declare import Declaration, Example, Family

if TYPE_CHECKING:
    from engine.expressions.functions.tables import (
        DISPATCH,
        FAMILIES,
        GLOBALS,
        METHODS,
        NAMESPACES,
    )

__all__ = [
    "DISPATCH",
    "FAMILIES",
    "GLOBALS",
    "METHODS",
    "NAMESPACES",
    "Declaration",
    "Example",
    "Family",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from engine.expressions.functions import tables

    value = globals()[name] = getattr(tables, name)
    return value
