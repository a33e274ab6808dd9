"""Recognises the most common result of a script at once: a flat document like the ones before it.

Looking at the keys of a document and at the types of its values takes as long as encoding it. A
function made for just these keys and types takes a third of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SAMPLED = 16
"""Every so many documents that were not recognised, one is looked at."""

_MOST_KEYS = 256
_MOST_SHAPES = 64

Check = Callable[[dict[Any, Any]], bool]


class FlatDocuments:
    """`check` says whether a document has the keys of earlier ones, and types that they had.

    It may say no to any document.
    """

    def __init__(self) -> None:
        self.check: Check = _nothing
        self._missed = 0
        self._candidate: tuple[str, ...] = ()
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def missed(self, document: dict[str, Any]) -> None:
        """Learn from a flat document of plain values that was not recognised."""
        self._missed += 1
        if self._missed % _SAMPLED or len(document) > _MOST_KEYS or "snaplogic_flag" in document:
            return
        keys = tuple(document)
        if keys != self._candidate:  # where every document has other keys, nothing is worth making
            self._candidate = keys
            return
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        shape = self._shapes.setdefault(keys, _Shape())
        shape.add(document)
        self.check = shape.check


class _Shape:
    """The types that the values of documents with certain keys have had."""

    def __init__(self) -> None:
        self.check: Check = _nothing
        self._types: dict[str, list[type]] = {}

    def add(self, document: dict[str, Any]) -> None:
        is_new = False
        for key, value in document.items():
            types = self._types.setdefault(key, [])
            if type(value) not in types:
                types.append(type(value))
                is_new = True
        if is_new:
            self.check = _check_for(self._types)


def _check_for(shape: dict[str, list[type]]) -> Check:
    names: dict[str, Any] = {"NoneType": type(None)}
    tests = [f"len(d) == {len(shape)}"]
    for number, (key, types) in enumerate(shape.items()):
        names[f"k{number}"] = key  # finding the very same object takes no comparison of strings
        first, *others = (kind.__name__ for kind in types)
        found = f"(t := type(d[k{number}])) is {first}"
        tests.append(" or ".join([found, *(f"t is {other}" for other in others)]))
    conditions = " and ".join(f"({test})" for test in tests)
    source = f"def check(d):\n try: return {conditions}\n except KeyError: return False\n"
    exec(source, names)  # noqa: S102  # the source holds no text of the document
    check: Check = names["check"]
    return check


def _nothing(document: dict[Any, Any]) -> bool:
    return False
