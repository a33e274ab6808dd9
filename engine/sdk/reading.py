"""The paths of a document that expressions read, so that a snap can say what it reads."""

from __future__ import annotations

from collections.abc import Iterable

from engine import expressions
from engine.sdk.settings import Expression, Path

ReadPaths = frozenset[tuple[str, ...]]


def paths_read(settings: Iterable[Expression]) -> ReadPaths | None:
    """The paths that the expressions read; None if one of them may read the whole document."""
    together: set[tuple[str, ...]] = set()
    for expression in settings:
        paths = expressions.paths_read(expression.text)
        if paths is None:
            return None
        together |= paths
    return frozenset(together)


def fields_read(settings: Iterable[Path]) -> ReadPaths | None:
    """The same for paths; None if one of them goes anywhere but through fields."""
    together: set[tuple[str, ...]] = set()
    for path in settings:
        names = expressions.parse_path(path.text).names
        if not names:
            return None
        together.add(names)
    return frozenset(together)
