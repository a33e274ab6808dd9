"""The paths that a run reads, as fields of generated structs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.expressions.records.state import Steps, UnfusableError, overlap

Tree = dict[str, Any]


Leaf = bool | tuple[str, ...]
"""Whether a field must exist; or for an array of objects, the only fields of these to read."""


def cover(reads: Mapping[Steps, bool], lists: Mapping[Steps, set[str]]) -> dict[Steps, Leaf]:
    """The leaves that hold all paths read, none inside another.

    `reads` says of each path whether reading it fails if it is missing. An optional path becomes
    the top-level field around it, since a struct cannot tell a missing object from null. `lists`
    are arrays of which only some fields of the elements are read, unless `reads` has them as well.
    """
    wanted: dict[Steps, bool] = {}
    for path, required in reads.items():
        outer = path if required else path[:1]
        wanted[outer] = wanted.get(outer, False) or required
    alone = {
        path
        for path in lists
        if not any(overlap(path, other) for other in wanted)
        and not any(overlap(path, other) for other in lists if other != path)
    }
    wanted.update(dict.fromkeys(lists.keys() - alone, True))
    leaves: dict[Steps, Leaf] = {path: tuple(sorted(lists[path])) for path in alone}
    for path in sorted(wanted):  # a prefix comes before what it begins
        outer = next((path[:size] for size in range(1, len(path)) if path[:size] in leaves), path)
        leaves[outer] = leaves.get(outer, False) or wanted[path]
    return leaves


def without(leaves: Mapping[Steps, Leaf], known: Mapping[Steps, Leaf]) -> dict[Steps, Leaf]:
    """The leaves but those whose values are known from a record with the leaves `known`."""
    return {
        path: leaf
        for path, leaf in leaves.items()
        if isinstance(leaf, tuple) or known.get(path) not in ((True,) if leaf else (True, False))
    }


def in_order(leaves: Mapping[Steps, Leaf], sample: Mapping[str, Any]) -> dict[Steps, Leaf]:
    """The leaves as they follow each other in the sample: so the decoder finds fields at once."""

    def place(path: Steps) -> list[int]:
        inner: Any = sample
        places: list[int] = []
        for step in path:
            keys = list(inner) if inner.__class__ is dict else []
            places.append(keys.index(step) if step in keys else len(keys))
            inner = inner[step] if step in keys else None
        return places

    return {path: leaves[path] for path in sorted(leaves, key=place)}


def unread(leaves: Mapping[Steps, Leaf], sample: Mapping[str, Any]) -> dict[Steps, Leaf] | None:
    """What else the sample holds, as optional leaves.

    None if an array belongs to it, whose length differs from line to line.
    """
    found: dict[Steps, Leaf] = {}
    pending: list[tuple[Steps, Mapping[str, Any]]] = [((), sample)]
    while pending:
        path, inner = pending.pop()
        for key, value in inner.items():
            here = (*path, key)
            leaf = leaves.get(here)
            if isinstance(leaf, tuple):
                items = value if value.__class__ is list else []
                if any(item.__class__ is dict and not item.keys() <= set(leaf) for item in items):
                    return None
            elif leaf is None and any(other[: len(here)] == here for other in leaves):
                if value.__class__ is dict:
                    pending.append((here, value))
            elif leaf is None:
                if _holds_array(value):
                    return None
                found[here] = False
    return found


def _holds_array(value: Any) -> bool:
    if value.__class__ is dict:
        return any(map(_holds_array, value.values()))
    return value.__class__ is list


class Layout:
    """The struct with these leaves, and the attributes that lead to each.

    One that is `closed` refuses documents with other fields.
    """

    def __init__(self, leaves: Mapping[Steps, Leaf], *, closed: bool = False) -> None:
        self.attributes: dict[Steps, tuple[str, ...]] = {}
        self.elements: dict[Steps, dict[str, str]] = {}
        self.closed = closed
        tree: Tree = {}
        for path, leaf in leaves.items():
            inner = tree
            for step in path[:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = leaf
        self.record = self._struct(tree, (), ())

    def values(self, document: Any) -> list[Any]:
        """What a record would hold of a document."""
        found: list[Any] = []
        for path in self.attributes:
            value = value_at(document, path)
            if path in self.elements and value.__class__ is list:
                items = (item for item in value if item.__class__ is dict)
                found += [item.get(name) for item in items for name in self.elements[path]]
            else:
                found.append(value)
        return found

    def _struct(self, tree: Tree, path: Steps, reached: tuple[str, ...]) -> type:
        fields: list[Any] = []
        names: dict[str, str] = {}
        for number, (step, leaf) in enumerate(tree.items()):
            attribute = f"f{number}"
            names[attribute] = step
            here, there = (*path, step), (*reached, attribute)
            if isinstance(leaf, dict):
                fields.append((attribute, self._struct(leaf, here, there)))
                continue
            self.attributes[here] = there
            if isinstance(leaf, tuple):
                self.elements[here] = {name: f"f{place}" for place, name in enumerate(leaf)}
                fields.append((attribute, list[self._element(here)]))  # type: ignore[misc]
            else:
                fields.append((attribute, Any) if leaf else (attribute, Any, None))
        return self._defined(fields, names)

    def _element(self, path: Steps) -> type:
        names = {attribute: name for name, attribute in self.elements[path].items()}
        return self._defined([(attribute, Any) for attribute in names], names)

    def _defined(self, fields: list[Any], names: dict[str, str]) -> type:
        closed = self.closed
        try:
            return msgspec.defstruct(
                "Record",
                fields,
                rename=names,
                gc=False,
                kw_only=True,
                forbid_unknown_fields=closed,
            )
        except ValueError:
            raise UnfusableError("a name of a field needs escapes") from None


def value_at(document: Any, path: Steps) -> Any:
    """The value at a path; None if there is none."""
    for step in path:
        document = document.get(step) if document.__class__ is dict else None
    return document
