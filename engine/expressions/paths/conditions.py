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
    if isinstance(node, nodes.Member | nodes.Index):
        return nodes.Presence(node.offset, node.length, node)
    return node
