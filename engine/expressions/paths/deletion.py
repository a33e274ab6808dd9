"""Deleting by path: first every place is marked, then all are removed at once.

So no deletion affects what a filter, a position or a computed name has yet to examine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.expressions.failures import AbsentFailure, Failure
from engine.expressions.paths import steps
from engine.expressions.paths.steps import Key, Step

Owned = dict[int, Any]
"""Containers that are already copies, by id, so that many changes copy each only once."""
Marks = dict[Key, Any]
"""The places of a container: None for a deleted one, otherwise the marks inside its value."""


class Marker:
    """Finds the places of a path; `root` is what `$` means in its expressions."""

    def __init__(self, text: str, found: Sequence[Step], root: Any) -> None:
        self.text = text
        self.steps = found
        self.root = root

    def mark(self, container: Any, number: int, marks: Marks, definite: bool = True) -> None:
        step = self.steps[number]
        if isinstance(step, steps.Method):
            raise Failure(f"`{self.text}` is computed by `.{step.name}()` and cannot be deleted")
        if isinstance(step, steps.Descend):
            self.mark_below(container, number + 1, marks)
            return
        definite = definite and step.definite
        keys = list(step.keys(container, self.root))
        if definite and not keys:
            raise AbsentFailure(f"the field to delete, `{self.text}`, does not exist")
        for key in keys:
            if number == len(self.steps) - 1:
                marks[key] = None
            elif (inner := marks.setdefault(key, {})) is not None:
                self.mark(container[key], number + 1, inner, definite)

    def mark_below(self, container: Any, number: int, marks: Marks) -> None:
        self.mark(container, number, marks, definite=False)
        for key in steps.all_keys(container):
            inner: Marks | None = marks.get(key, {})
            if inner is not None:
                self.mark_below(container[key], number, inner)
                if inner:
                    marks[key] = inner


def without(container: Any, marks: Marks, owned: Owned) -> Any:
    """`container`, or a copy of it, without what is marked."""
    if not marks:
        return container
    copy = container
    if id(container) not in owned:
        copy = container.copy()
        owned[id(copy)] = copy
    from_the_end = sorted(marks, reverse=True) if copy.__class__ is list else list(marks)
    for key in from_the_end:
        inner = marks[key]
        if inner is None:
            del copy[key]
        else:
            copy[key] = without(copy[key], inner, owned)
    return copy
