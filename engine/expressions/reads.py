"""Which paths of the document an expression reads, and which one it only moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.expressions import nodes
from engine.expressions.nodes import Node
from engine.late_regex import late_regex

Steps = tuple[str, ...]
_BY_NAME = frozenset({"get", "getFirst"})
_WHOLE = frozenset({"hasOwnProperty", "hasPath"})
_COUNTED = frozenset({"in", "out", "error"})
_NAMES_IN_PATH = late_regex(r"[^.$\[\]'\"]+")


def paths_read_by(node: Node) -> frozenset[Steps] | None:
    """The paths that are read; None if they are unknown."""
    try:
        return frozenset(_paths(node))
    except _EverythingError:
        return None


def path_moved_by(node: Node) -> Steps | None:
    """The path `$.a.b` that the node is; None for anything else."""
    names: list[str] = []
    while not isinstance(node, nodes.Root):
        if isinstance(node, nodes.Member) and node.name != "length":
            names.append(node.name)
        elif isinstance(node, nodes.Index) and isinstance(node.key, nodes.Literal):
            if not isinstance(node.key.value, str):
                return None
            names.append(node.key.value)
        else:
            return None
        node = node.target
    return tuple(reversed(names)) or None


def fields_expected_by(node: Node, text: str) -> Iterator[tuple[str, int, int]]:
    """(name, offset, length) of the fields of the document that must be there, at their names or
    at `$['name']`.

    Without those that the expression asks for, with `in`, `typeof`, `get`, `hasPath` or
    `hasOwnProperty`: it knows that they may be missing.
    """
    doubted: set[str] = set()
    found: list[tuple[str, Node]] = []
    for each in node.walk():
        name = _field_of(each)
        if name:
            found.append((name, each))
        elif isinstance(each, nodes.MethodCall) and each.name in _BY_NAME | _WHOLE:
            doubted.update(_first_names(each.arguments[:1]))
        elif isinstance(each, nodes.Binary) and each.operator == "in":
            doubted.update(_first_names((each.left,)))
        elif isinstance(each, nodes.Unary) and each.operator == "typeof":
            doubted.add(_field_of(each.operand))
        elif isinstance(each, nodes.Call) and _is_eval(each.function):
            return
    for name, each in found:
        if name not in doubted:
            start, end = each.offset, each.offset + each.length
            if isinstance(each, nodes.Member) and text[start:end].endswith(name):
                start = end - len(name)
            yield name, start, end - start


def sees_counts_in(node: Node) -> bool:
    """Whether it may use `snap.in`, `snap.out` or `snap.error`, also in the text of a path; `eval`
    may do anything."""
    others: set[int] = set()
    for each in node.walk():
        if isinstance(each, nodes.Name) and each.name == "snap":
            if id(each) not in others:
                return True
        elif isinstance(each, nodes.Member) and each.name not in _COUNTED:
            others.add(id(each.target))
        elif isinstance(each, nodes.Call) and (
            _is_eval(each.function) or any(map(_names_snap, each.arguments))
        ):
            return True
    return False


def _names_snap(node: Node) -> bool:
    return isinstance(node, nodes.Literal) and "snap" in str(node.value)


def _field_of(node: Node) -> str:
    """The name in `$name` or `$['name']`; empty for other nodes."""
    if not isinstance(node, nodes.Member | nodes.Index) or not isinstance(node.target, nodes.Root):
        return ""
    if isinstance(node, nodes.Member):
        return node.name
    key = node.key.value if isinstance(node.key, nodes.Literal) else ""
    return key if isinstance(key, str) else ""


def _first_names(asked: Sequence[Node]) -> Iterator[str]:
    """The fields at which paths such as 'a.b' or '$.a.b' begin."""
    for node in asked:
        if isinstance(node, nodes.Literal) and isinstance(node.value, str):
            yield from _NAMES_IN_PATH.findall(node.value)[:1]


class _EverythingError(Exception):
    pass


def _paths(node: Node) -> Iterator[Steps]:
    path, inner = _path(node)
    if path is not None:
        if not path:
            raise _EverythingError
        yield path
        for one in inner:
            yield from _paths(one)
        return
    if isinstance(node, nodes.Call) and _is_eval(node.function):
        raise _EverythingError
    if isinstance(node, nodes.Binary) and node.operator == "in":
        yield from _paths_of_in(node)
        return
    for child in node.children():
        yield from _paths(child)


def _paths_of_in(node: nodes.Binary) -> Iterator[Steps]:
    target, inner = _path(node.right)
    if target is not None and isinstance(node.left, nodes.Literal) and not inner:
        yield (*target, str(node.left.value))
        return
    yield from _paths(node.left)
    yield from _paths(node.right)


def _path(node: Node) -> tuple[Steps | None, list[Node]]:
    """The document path that `node` reads, and the nodes inside it to examine separately."""
    if isinstance(node, nodes.Root):
        return (), []
    if isinstance(node, nodes.Member):
        target, inner = _path(node.target)
        if target is None:
            return None, []
        return (target if node.name == "length" and target else (*target, node.name)), inner
    if isinstance(node, nodes.Index):
        target, inner = _path(node.target)
        if target is None:
            return None, []
        if isinstance(node.key, nodes.Literal) and isinstance(node.key.value, str):
            return (*target, node.key.value), inner
        return target, [*inner, node.key]
    if isinstance(node, nodes.MethodCall) and len(node.arguments) >= 1:
        return _path_of_get(node)
    return None, []


def _path_of_get(node: nodes.MethodCall) -> tuple[Steps | None, list[Node]]:
    """`$.get('name', default)` reads `name`; `$.hasPath('a.b')` reads what `a` holds."""
    name = node.arguments[0]
    if node.name not in _BY_NAME | _WHOLE or not isinstance(name, nodes.Literal):
        return None, []
    target, inner = _path(node.target)
    if target is None or not isinstance(name.value, str):
        return None, []
    if node.name in _WHOLE and any(mark in name.value for mark in ".[$"):
        return target, [*inner, *node.arguments[1:]]
    return (*target, name.value), [*inner, *node.arguments[1:]]


def _is_eval(node: Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "eval"
