"""The condition of a filter. A member tested on its own may be missing: `[?(value.isbn)]`."""

from __future__ import annotations

import msgspec

from engine.expressions import nodes
from engine.expressions.nodes import Node


def as_condition(node: Node) -> Node:
    """`node`, in which members that are tested on their own are null if missing."""
    if isinstance(node, nodes.Logical):
        left, right = as_condition(node.left), as_condition(node.right)
        return msgspec.structs.replace(node, left=left, right=right)
    if isinstance(node, nodes.Unary) and node.operator == "!":
        return msgspec.structs.replace(node, operand=as_condition(node.operand))
    if isinstance(node, nodes.Member | nodes.Index) and not _is_of_pipeline(node):
        return nodes.Presence(node.offset, node.length, node)
    return node


def _is_of_pipeline(node: Node) -> bool:
    """Whether it reads a library or `pipe`, of which nothing may be missing."""
    while isinstance(node, nodes.Member | nodes.Index):
        node = node.target
    return isinstance(node, nodes.Name) and node.name in ("lib", "pipe")
