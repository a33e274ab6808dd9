"""What can be said about an expression without a document: mistakes, warnings, what it uses."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions import nodes
from engine.expressions.compilation import compile_in, context_of, parse_path
from engine.expressions.compiler.names import Names
from engine.expressions.failures import Failure
from engine.expressions.functions import METHODS
from engine.expressions.functions.dates import check_pattern
from engine.expressions.nodes import Node
from engine.expressions.parser import parse
from engine.expressions.scope import Scope
from engine.expressions.suggestions import did_you_mean
from engine.expressions.values import property_name

Steps = tuple[str, ...]
_BY_NAME = frozenset({"get", "getFirst"})
_WHOLE = frozenset({"hasOwnProperty", "hasPath"})


class Lint(msgspec.Struct, frozen=True):
    """A doubtful place in an expression that works."""

    message: str
    offset: int
    length: int
    hint: str = ""


def check(
    text: str, *, libraries: Collection[str] = (), parameters: Collection[str] = ()
) -> list[ExpressionSyntaxError]:
    """The mistakes that can be known without a document; hints may propose `parameters`."""
    try:
        node = parse(text)
        compile_in(text, Names(context_of(Scope(), False), {}, parameters), False)
    except ExpressionSyntaxError as error:
        return [error]
    return [
        *_bad_paths(text, node),
        *_bad_patterns(text, node),
        *_unknown_libraries(text, node, libraries),
    ]


def _bad_paths(text: str, node: Node) -> Iterator[ExpressionSyntaxError]:
    for call in node.walk():
        if not (isinstance(call, nodes.Call) and _is_name(call.function, "jsonPath")):
            continue
        path = call.arguments[1] if len(call.arguments) > 1 else None
        if isinstance(path, nodes.Literal) and isinstance(path.value, str):
            try:
                parse_path(path.value)
            except ExpressionSyntaxError as error:
                message = f"the path `{path.value}` is wrong: {error.message}"
                yield ExpressionSyntaxError(message, text, path.offset, path.length, error.hint)


def _bad_patterns(text: str, node: Node) -> Iterator[ExpressionSyntaxError]:
    for call in node.walk():
        if not (
            isinstance(call, nodes.MethodCall) and call.name == "parse" and len(call.arguments) == 2
        ):
            continue
        pattern = call.arguments[1]
        if isinstance(pattern, nodes.Literal) and isinstance(pattern.value, str):
            try:
                check_pattern(pattern.value)
            except Failure as failure:
                yield ExpressionSyntaxError(
                    failure.message, text, pattern.offset, pattern.length, failure.hint
                )


def _unknown_libraries(
    text: str, node: Node, libraries: Collection[str]
) -> Iterator[ExpressionSyntaxError]:
    for name, member in _library_members(node):
        if name not in libraries:
            hint = did_you_mean(name, libraries) or "import it among the libraries of the pipeline"
            message = f"there is no library `{name}`"
            yield ExpressionSyntaxError(message, text, member.offset, member.length, hint)


def _is_name(node: Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def lint(text: str) -> list[Lint]:
    """Warnings; none for a text that is no expression."""
    try:
        node = parse(text)
    except ExpressionSyntaxError:
        return []
    return [
        Lint(
            "a condition within a condition without parentheses",
            inner.offset,
            inner.length,
            "put the inner one in parentheses: a ? b : (c ? d : e)",
        )
        for outer in node.walk()
        if isinstance(outer, nodes.Conditional)
        for inner in (outer.yes, outer.no)
        if isinstance(inner, nodes.Conditional) and not _in_parentheses(inner)
    ]


def _in_parentheses(node: nodes.Conditional) -> bool:
    return node.offset < node.test.offset


def parameters_used(text: str) -> dict[str, int]:
    """Names (without underscore) of the parameters, with the place where each is first."""
    found: dict[str, int] = {}
    for node, local in with_locals(parse(text), frozenset()):
        if isinstance(node, nodes.Name) and node.name.startswith("_") and node.name not in local:
            if not node.name.startswith("__"):
                found.setdefault(node.name[1:], node.offset)
        elif name := _argument_name(node):
            found.setdefault(name, node.offset)
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _argument_name(node: Node) -> str:
    """The name in `pipe.args.name` or `pipe.args['name']`."""
    if isinstance(node, nodes.Member):
        name = node.name
    elif isinstance(node, nodes.Index) and isinstance(node.key, nodes.Literal):
        name = node.key.value if isinstance(node.key.value, str) else ""
    else:
        return ""
    target = node.target
    is_args = isinstance(target, nodes.Member) and target.name == "args"
    return name if is_args and _is_name(target.target, "pipe") else ""  # type: ignore[attr-defined]


def with_locals(node: Node, local: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    """All nodes with the names that functions and patterns around them bind."""
    yield node, local
    if isinstance(node, nodes.Arrow):
        local |= {parameter.name for parameter in node.parameters}
    elif isinstance(node, nodes.Arm):
        patterns = (inner for pattern in node.patterns for inner in pattern.walk())
        local |= {p.name for p in patterns if isinstance(p, nodes.NamePattern | nodes.RestPattern)}
    for child in node.children():
        yield from with_locals(child, local)


def _library_members(node: Node) -> Iterator[tuple[str, Node]]:
    for inner in node.walk():
        if isinstance(inner, nodes.Member | nodes.MethodCall) and _is_name(inner.target, "lib"):
            yield inner.name, inner
        elif isinstance(inner, nodes.Index) and _is_name(inner.target, "lib"):
            key = inner.key
            if isinstance(key, nodes.Literal) and isinstance(key.value, str):
                yield key.value, inner


def libraries_used(text: str) -> dict[str, int]:
    """Names of the libraries, with the place where each is first."""
    found: dict[str, int] = {}
    for name, node in _library_members(parse(text)):
        found.setdefault(name, node.offset)
    return found


class LibraryMember(msgspec.Struct, frozen=True):
    """What an expression takes from a library: `name` in `lib.library.name`."""

    library: str
    name: str
    offset: int
    length: int


def library_members_used(text: str) -> Iterator[LibraryMember]:
    """Every `lib.library.name`, but for calls of what is a method of every object."""
    for node in parse(text).walk():
        if not isinstance(node, nodes.Member | nodes.MethodCall):
            continue
        owner = node.target
        if not (isinstance(owner, nodes.Member) and _is_name(owner.target, "lib")):
            continue
        if isinstance(node, nodes.Member) or dict not in METHODS.get(node.name, {}):
            at = text.index(node.name, owner.offset + owner.length)
            yield LibraryMember(owner.name, node.name, at, len(node.name))


def library_members(text: str) -> tuple[str, ...] | None:
    """The names that a library has; None if they cannot be told from its text."""
    node = parse(text)
    if not isinstance(node, nodes.ObjectLiteral):
        return None
    names: dict[str, None] = {}
    for entry in node.entries:
        if not (isinstance(entry, nodes.Property) and isinstance(entry.key, nodes.Literal)):
            return None
        names[property_name(entry.key.value)] = None
    return tuple(names)


def paths_read(text: str) -> frozenset[Steps] | None:
    """The paths of the document that the expression reads; None if that cannot be told."""
    try:
        return frozenset(_paths(parse(text)))
    except _EverythingError:
        return None


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
    if isinstance(node, nodes.Call) and _is_name(node.function, "eval"):
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
    """The path of the document that `node` is, and the nodes within it to look at apart."""
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
