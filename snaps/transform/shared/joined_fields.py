"""Merges a left and a right document; right fields that clash get the name of their input.

A right field whose name the left document has, too, is called `<right input>_<field>`. As nearly
all documents of a stream have the same fields, a table renames its documents once, for the fields
of the first left document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.sdk import Document

_EMITTED = 512

Names = tuple[str, ...]


def without_clash(view: str, left: Iterable[str], right: Names) -> Names:
    """The names of the right fields beside those of the left document."""
    taken = set(left)
    if taken.isdisjoint(right):
        return right
    taken.update(right)
    names = []
    for field in right:
        name = field
        if field in left:
            while name in taken:
                name = f"{view}_{name}"
            taken.add(name)
        names.append(name)
    return tuple(names)


class ClashNames:
    """The names of the fields of one right input, remembered by the fields of both documents."""

    def __init__(self, view: str) -> None:
        self._view = view
        self._known: dict[tuple[Names, Names], Names] = {}

    def merged(self, left: Document, right: Document) -> Document:
        if left.keys().isdisjoint(right):
            return {**left, **right}
        return {**left, **self.renamed(tuple(left), right)}

    def names(self, left: Names, right: Names) -> Names:
        """The names of the right fields beside those of the left document."""
        names = self._known.get((left, right))
        if names is None:
            names = self._known[left, right] = without_clash(self._view, left, right)
        return names

    def renamed(self, left: Names, right: Document) -> Document:
        """The right document with the names that it has beside the left one."""
        fields = tuple(right)
        names = self.names(left, fields)
        return right if names is fields else dict(zip(names, right.values(), strict=True))


class JoinTable:
    """Documents of a right input by key, ready to be merged into left documents.

    `first_only`: only the first document of each key is used.
    """

    def __init__(self, view: str, *, first_only: bool = False) -> None:
        self._first_only = first_only
        self._view = view
        self._clashes = ClashNames(view)
        self._rows: dict[Any, Document | list[Document]] = {}
        self._left: Names | None = None
        self._came_as: dict[Names, Names] = {}
        self._fields: set[str] = set()
        self._clashing: set[str] | None = None

    def add(self, keys: list[Any], documents: list[Document]) -> None:
        """Add documents. Those whose key is None match nothing."""
        rows = self._rows
        for key, document in zip(keys, documents, strict=True):
            found = rows.get(key)
            if found is None:
                if key is not None:
                    rows[key] = document
            elif self._first_only:
                continue
            elif found.__class__ is list:
                found.append(document)
            else:
                rows[key] = [found, document]  # type: ignore[list-item]  # it is a document

    def rows(self) -> Iterator[tuple[Any, Document]]:
        """The documents with their keys; those of one key in their order."""
        for key, found in self._rows.items():
            for document in _as_list(found):
                yield key, document

    def join(
        self,
        documents: list[Document],
        keys: list[Any],
        unmatched: list[int],
        *,
        keep_unmatched: bool,
    ) -> Iterator[tuple[list[Document], list[int]]]:
        """The merged documents, and for each the position of its left document.

        Positions without a match are added to `unmatched`, or the left documents are returned.
        """
        find, left_names = self._rows.get, self._left
        merged: list[Document] = []
        positions: list[int] = []
        for position, (left, key) in enumerate(zip(documents, keys, strict=True)):
            found = find(key)
            if found is None:
                if keep_unmatched:
                    merged.append(left)
                    positions.append(position)
                else:
                    unmatched.append(position)
                continue
            if self._clashing is None or tuple(left) != left_names:
                found = self._fitted(left, key)
                left_names = self._left
            if found.__class__ is dict:
                merged.append({**left, **found})
                positions.append(position)
            else:
                for right in found:
                    merged.append({**left, **right})  # type: ignore[dict-item]  # a document
                    positions.append(position)
                    if len(merged) >= _EMITTED:
                        yield merged, positions
                        merged, positions = [], []
        if merged:
            yield merged, positions

    def _fitted(self, left: Document, key: Any) -> Document | list[Document]:
        """The documents of a key with the names that they have beside this left document."""
        if self._left is None:
            self._rename_all(tuple(left))
        if self._clashing is not None and self._fields & left.keys() == self._clashing:
            self._left = tuple(left)
            return self._rows[key]
        return [self._renamed(tuple(left), right) for right in _as_list(self._rows[key])]

    def _rename_all(self, left: Names) -> None:
        """Rename for the first left document, unless this could not be undone for another one."""
        self._left = left
        shapes = {tuple(each) for found in self._rows.values() for each in _as_list(found)}
        self._came_as = {self._clashes.names(left, shape): shape for shape in shapes}
        if len(self._came_as) < len(shapes):
            self._came_as = {}
            return
        for key, found in self._rows.items():
            renamed = [self._clashes.renamed(left, each) for each in _as_list(found)]
            self._rows[key] = renamed if isinstance(found, list) else renamed[0]
        fields = {field for shape in shapes for field in shape}
        self._fields = fields | {f"{self._view}_{field}" for field in fields}
        self._clashing = self._fields & set(left)

    def _renamed(self, left: Names, document: Document) -> Document:
        now = tuple(document)
        came = self._came_as.get(now, now)
        names = self._clashes.names(left, came)
        return dict(zip(names, document.values(), strict=True))


def _as_list(found: Document | list[Document]) -> list[Document]:
    return found if isinstance(found, list) else [found]
