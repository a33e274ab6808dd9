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


class Layout:
    """The struct with these leaves, and the attributes that lead to each."""

    def __init__(self, leaves: Mapping[Steps, Leaf]) -> None:
        self.attributes: dict[Steps, tuple[str, ...]] = {}
        self.elements: dict[Steps, dict[str, str]] = {}
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
                fields.append((attribute, list[_element(self.elements[here])]))  # type: ignore[misc]
            else:
                fields.append((attribute, Any) if leaf else (attribute, Any, None))
        return _defined(fields, names)


def _element(attributes: Mapping[str, str]) -> type:
    names = {attribute: name for name, attribute in attributes.items()}
    return _defined([(attribute, Any) for attribute in names], names)


def _defined(fields: list[Any], names: dict[str, str]) -> type:
    try:
        return msgspec.defstruct("Record", fields, rename=names, gc=False, kw_only=True)
    except ValueError:
        raise UnfusableError("a name of a field needs escapes") from None


def value_at(document: Any, path: Steps) -> Any:
    """The value at a path; None if there is none."""
    for step in path:
        document = document.get(step) if document.__class__ is dict else None
    return document
