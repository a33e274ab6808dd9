"""The paths that a run reads, as fields of generated structs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.expressions.records.state import Steps

Tree = dict[str, Any]


def cover(reads: Mapping[Steps, bool]) -> dict[Steps, bool]:
    """The leaves that hold all paths read, none inside another; each with whether it must exist.

    `reads` says of each path whether reading it fails if it is missing. An optional path becomes
    the top-level field around it, since a struct cannot tell a missing object from null.
    """
    wanted = {path if required else path[:1]: required for path, required in reads.items()}
    leaves: dict[Steps, bool] = {}
    for path in sorted(wanted):  # a prefix comes before what it begins
        outer = next((path[:size] for size in range(1, len(path)) if path[:size] in leaves), path)
        leaves[outer] = leaves.get(outer, False) or wanted[path] or reads.get(path, False)
    return leaves


def struct_of(leaves: Mapping[Steps, bool]) -> tuple[type, dict[Steps, tuple[str, ...]]]:
    """The struct with these leaves, and the attributes that lead to each."""
    attributes: dict[Steps, tuple[str, ...]] = {}
    tree: Tree = {}
    for path, required in leaves.items():
        inner = tree
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
        inner[path[-1]] = required
    return _struct(tree, (), (), attributes), attributes


def _struct(
    tree: Tree,
    path: Steps,
    reached: tuple[str, ...],
    attributes: dict[Steps, tuple[str, ...]],
) -> type:
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, (step, inner) in enumerate(tree.items()):
        attribute = f"f{number}"
        names[attribute] = step
        if isinstance(inner, dict):
            kind = _struct(inner, (*path, step), (*reached, attribute), attributes)
            fields.append((attribute, kind))
        else:
            fields.append((attribute, Any) if inner else (attribute, Any, None))
            attributes[(*path, step)] = (*reached, attribute)
    return msgspec.defstruct("Record", fields, rename=names, gc=False, kw_only=True)
