"""What an expression reveals without a document: mistakes, warnings, what it uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions import functions, nodes
from engine.expressions.compilation import compile_node, context_of, path_in
from engine.expressions.compiler.names import Names
from engine.expressions.failures import Failure
from engine.expressions.nodes import Node
from engine.expressions.parser import parse, read
from engine.expressions.paths.call import relocated
from engine.expressions.scope import Scope
from engine.expressions.values import property_name

Steps = tuple[str, ...]
_BY_NAME = frozenset({"get", "getFirst"})
_WHOLE = frozenset({"hasOwnProperty", "hasPath"})


class Lint(msgspec.Struct, frozen=True):
    """A suspicious place in a valid expression."""

    message: str
    offset: int
    length: int
    hint: str = ""


class LibraryMember(msgspec.Struct, frozen=True):
    """What an expression uses of a library: `name` in `lib.library.name`."""

    library: str
    name: str
    offset: int
    length: int


class Analysis(msgspec.Struct, frozen=True):
    """The result for an expression or path, including the paths in its `jsonPath` calls.

    `node` is None for a path. `parameters` (without underscore) and `libraries` map each name to
    its first place. `members` omits calls of methods that every object has.
    """

    text: str
    node: Node | None
    errors: tuple[ExpressionSyntaxError, ...]
    parameters: dict[str, int]
    libraries: dict[str, int]
    members: tuple[LibraryMember, ...]
    lints: tuple[Lint, ...]


def analyse(text: str, parameters: Collection[str] = ()) -> Analysis:
    """Analyse an expression; hints may propose `parameters`."""
    pieces = _Pieces(text, parameters)
    pieces.read_expression()
    return pieces.analysis()


def analyse_path(text: str, *, target: bool = False, parameters: Collection[str] = ()) -> Analysis:
    """Analyse a path; a `target` is written to."""
    pieces = _Pieces(text, parameters)
    pieces.read_path(text, target, lambda error: error)
    return pieces.analysis()


class _Piece(msgspec.Struct, frozen=True):
    """An expression in the text; `place` turns its offsets into offsets in the text."""

    text: str
    node: Node
    place: Callable[[int], int]


class _Pieces:
    """All expressions in a text: the text itself and those inside its paths."""

    def __init__(self, text: str, parameters: Collection[str]) -> None:
        self.text = text
        self.names = Names(context_of(Scope(), False), {}, parameters)
        self.errors: list[ExpressionSyntaxError] = []
        self.pieces: list[_Piece] = []
        self.node: Node | None = None

    def read_expression(self) -> None:
        try:
            node, errors = read(self.text)
        except ExpressionSyntaxError as error:
            self.errors.append(error)
            return
        self.errors += errors
        self.node = node
        self.pieces.append(_Piece(self.text, node, lambda offset: offset))
        try:
            compile_node(self.text, node, self.names, False)
        except ExpressionSyntaxError as error:
            self.errors += error.all
        for call in node.walk():
            if isinstance(call, nodes.Call) and _is_name(call.function, "jsonPath"):
                for argument in call.arguments[1:2]:
                    self.read_called_path(argument)
            elif isinstance(call, nodes.MethodCall):
                self.errors += _bad_pattern(self.text, call)

    def read_called_path(self, node: Node) -> None:
        """The path in a `jsonPath` call, if it is a literal."""
        if isinstance(node, nodes.Literal) and isinstance(node.value, str):
            path = node.value
            place = (self.text, node.offset, node.length, path)
            self.read_path(path, False, lambda error: relocated(error, *place))

    def read_path(
        self,
        path: str,
        target: bool,
        placed: Callable[[ExpressionSyntaxError], ExpressionSyntaxError],
    ) -> None:
        def place(offset: int) -> int:
            return placed(ExpressionSyntaxError("", path, offset)).offset

        def found(text: str, node: Node, inner: Callable[[int], int]) -> None:
            self.pieces.append(_Piece(text, node, lambda offset: place(inner(offset))))

        try:
            path_in(path, self.names, target=target, found=found)
        except ExpressionSyntaxError as error:
            self.errors += map(placed, error.all)

    def analysis(self) -> Analysis:
        errors = ExpressionSyntaxError.of(self.errors).all if self.errors else ()
        parameters: dict[str, int] = {}
        libraries: dict[str, int] = {}
        members: list[LibraryMember] = []
        for piece in self.pieces:
            for name, offset in _parameters(piece.node):
                parameters.setdefault(name, piece.place(offset))
            for name, node in _library_members(piece.node):
                libraries.setdefault(name, piece.place(node.offset))
            members += _members_used(piece)
        first = sorted(parameters.items(), key=lambda pair: pair[1])
        lints = tuple(_lints(self.node)) if self.node is not None and not errors else ()
        return Analysis(self.text, self.node, errors, dict(first), libraries, tuple(members), lints)


def _bad_pattern(text: str, call: nodes.MethodCall) -> Iterator[ExpressionSyntaxError]:
    if call.name != "parse" or len(call.arguments) != 2:
        return
    pattern = call.arguments[1]
    if isinstance(pattern, nodes.Literal) and isinstance(pattern.value, str):
        from engine.expressions.functions.dates import check_pattern  # few expressions have one

        try:
            check_pattern(pattern.value)
        except Failure as failure:
            yield ExpressionSyntaxError(
                failure.message, text, pattern.offset, pattern.length, failure.hint
            )


def _is_name(node: Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def _lints(node: Node) -> Iterator[Lint]:
    message = "nested conditional without parentheses"
    hint = "put the inner one in parentheses: a ? b : (c ? d : e)"
    for outer in node.walk():
        if isinstance(outer, nodes.Conditional):
            for inner in (outer.yes, outer.no):
                if isinstance(inner, nodes.Conditional) and not _in_parentheses(inner):
                    yield Lint(message, inner.offset, inner.length, hint)


def _in_parentheses(node: nodes.Conditional) -> bool:
    return node.offset < node.test.offset


def _parameters(root: Node) -> Iterator[tuple[str, int]]:
    for node, local in with_locals(root, frozenset()):
        if isinstance(node, nodes.Name) and node.name.startswith("_") and node.name not in local:
            if not node.name.startswith("__"):
                yield node.name[1:], node.offset
        elif name := _argument_name(node):
            yield name, node.offset


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
    """All nodes, each with the names bound by the functions and patterns around it."""
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


def _members_used(piece: _Piece) -> Iterator[LibraryMember]:
    for node in piece.node.walk():
        if not isinstance(node, nodes.Member | nodes.MethodCall):
            continue
        owner = node.target
        if not (isinstance(owner, nodes.Member) and _is_name(owner.target, "lib")):
            continue
        if isinstance(node, nodes.Member) or dict not in functions.METHODS.get(node.name, {}):
            at = piece.text.index(node.name, owner.offset + owner.length)
            yield LibraryMember(owner.name, node.name, piece.place(at), len(node.name))


def library_members(text: str) -> tuple[str, ...] | None:
    """The names that a library defines; None if its text does not show them."""
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
    """The document paths that the expression reads; None if they are unknown."""
    try:
        return frozenset(_paths(parse(text)))
    except _EverythingError:
        return None


def path_moved(text: str) -> Steps | None:
    """The path `$.a.b` that is the whole expression; None for any other expression."""
    try:
        node = parse(text)
    except ExpressionSyntaxError:
        return None
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
