"""The nodes at a place in the text of an expression, finished or not."""

from __future__ import annotations

from engine.expressions.nodes import Node


def nodes_at(root: Node, offset: int) -> tuple[Node, ...]:
    """The nodes around the place before the character at `offset`, outermost first.

    A node that ends there counts, so the last one is what has just been typed.
    """
    found = [root]
    while True:
        around = [child for child in found[-1].children() if _is_around(child, offset)]
        if not around:
            return tuple(found)
        found.append(around[-1])


def _is_around(node: Node, offset: int) -> bool:
    return node.offset <= offset <= node.offset + node.length
