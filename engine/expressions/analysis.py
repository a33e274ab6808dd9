"""What an expression reveals without a document: mistakes, warnings, what it uses.

Nothing is compiled. The result for a text is remembered; only if the text has mistakes does it
depend on the parameters, which hints may propose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

import msgspec

from engine.errors import ExpressionSyntaxError
from engine.expressions import functions, nodes
from engine.expressions.checks import faults_in
from engine.expressions.compilation import PATH_VARIABLES, context_of
from engine.expressions.compiler.names import Names
from engine.expressions.failures import Failure
from engine.expressions.nodes import Node
from engine.expressions.parsed import Memo, parse, parsed
from engine.expressions.parser import read
from engine.expressions.paths.call import called_path, relocated
from engine.expressions.paths.conditions import as_condition
from engine.expressions.paths.path import read_path
from engine.expressions.paths.reading import Use
from engine.expressions.paths.steps import Embedded
from engine.expressions.reads import Steps
from engine.expressions.scope import Scope
from engine.expressions.values import property_name
from engine.hints import Hint, Replacement


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


class UsedName(msgspec.Struct, frozen=True):
    """A name from outside that an expression uses: a parameter (without underscore), or a library.

    `offset` is that of what refers to it, such as `_name` or `lib.name`; `start` that of the name.
    """

    name: str
    offset: int
    start: int


class Analysis(msgspec.Struct, frozen=True):
    """The result for an expression or path, including the paths in its `jsonPath` calls.

    `node` is None for a path. `members` omits calls of methods that every object has.
    """

    text: str
    node: Node | None
    errors: tuple[ExpressionSyntaxError, ...]
    used_parameters: tuple[UsedName, ...]
    used_libraries: tuple[UsedName, ...]
    members: tuple[LibraryMember, ...]
    lints: tuple[Lint, ...]

    @property
    def parameters(self) -> dict[str, int]:
        """The first place of each parameter, in the order of these."""
        return _first_places(self.used_parameters)

    @property
    def libraries(self) -> dict[str, int]:
        """The first place of each library."""
        return _first_places(self.used_libraries)


def analyse(text: str, parameters: Collection[str] = ()) -> Analysis:
    """Analyse an expression; hints may propose `parameters`."""
    return _with_hints(text, parameters, ANALYSES(text), _analysed)


def analyse_path(text: str, *, target: bool = False, parameters: Collection[str] = ()) -> Analysis:
    """Analyse a path; a `target` is written to."""
    if target:
        return _with_hints(text, parameters, TARGETS(text), _analysed_target)
    return _with_hints(text, parameters, PATHS(text), _analysed_path)


def _with_hints(
    text: str,
    parameters: Collection[str],
    found: Analysis,
    again: Callable[[str, Collection[str]], Analysis],
) -> Analysis:
    return again(text, parameters) if found.errors and parameters else found


def _analysed(text: str, parameters: Collection[str] = ()) -> Analysis:
    pieces = _Pieces(text, parameters)
    pieces.read_expression()
    return pieces.analysis()


def _analysed_path(text: str, parameters: Collection[str] = ()) -> Analysis:
    pieces = _Pieces(text, parameters)
    pieces.read_path(text, False, lambda error: error)
    return pieces.analysis()


def _analysed_target(text: str, parameters: Collection[str] = ()) -> Analysis:
    pieces = _Pieces(text, parameters)
    pieces.read_path(text, True, lambda error: error)
    return pieces.analysis()


ANALYSES: Memo[Analysis] = Memo(_analysed)
PATHS: Memo[Analysis] = Memo(_analysed_path)
TARGETS: Memo[Analysis] = Memo(_analysed_target)


class _Piece(msgspec.Struct, frozen=True):
    """An expression in the text; `place` turns its offsets into offsets in the text."""

    text: str
    node: Node
    place: Callable[[int], int]


class _Pieces:
    """All expressions in a text: the text itself and those inside its paths."""

    def __init__(self, text: str, parameters: Collection[str]) -> None:
        self.text = text
        self.names = Names(_CONTEXT, {}, parameters)
        self.errors: list[ExpressionSyntaxError] = []
        self.pieces: list[_Piece] = []
        self.node: Node | None = None

    def read_expression(self) -> None:
        found = parsed(self.text)
        self.errors += found.errors
        self.node = node = found.node
        self.pieces.append(_Piece(self.text, node, lambda offset: offset))
        self.errors += faults_in(self.text, node, self.names).values()
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
        text: str,
        target: bool,
        placed: Callable[[ExpressionSyntaxError], ExpressionSyntaxError],
    ) -> None:
        try:
            called = None if target else called_path(text)
        except ExpressionSyntaxError as error:
            self.errors += map(placed, error.all)
            return
        path, found = text, placed
        if called is not None:
            path, found = called.path, lambda error: placed(called.error(error))

        def place(offset: int) -> int:
            return found(ExpressionSyntaxError("", path, offset)).offset

        def embedded(start: int, end: int, use: Use) -> Embedded:
            node, errors = read(path, start, end)
            node = node if use == "value" else as_condition(node)
            errors = [*errors, *faults_in(path, node, self.names, PATH_VARIABLES).values()]
            self.errors += map(found, errors)
            self.pieces.append(_Piece(path, node, place))
            return _never

        try:
            read_path(path, embedded, target)
        except ExpressionSyntaxError as error:
            self.errors += map(found, error.all)

    def analysis(self) -> Analysis:
        errors = ExpressionSyntaxError.of(self.errors).all if self.errors else ()
        parameters: list[UsedName] = []
        libraries: list[UsedName] = []
        members: list[LibraryMember] = []
        for piece in self.pieces:
            parameters += (_used(piece, *found) for found in _parameters(piece.node))
            libraries += (_used(piece, *found) for found in _library_members(piece.node))
            members += _members_used(piece)
        parameters.sort(key=lambda used: used.offset)
        lints = tuple(_lints(self.node, self.text)) if self.node is not None and not errors else ()
        return Analysis(
            self.text,
            self.node,
            errors,
            tuple(parameters),
            tuple(libraries),
            tuple(members),
            lints,
        )


_CONTEXT = context_of(Scope(), False)


def _never(document: object, *arguments: object) -> None:
    raise AssertionError("a path that is only analysed is not evaluated")


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


def _lints(node: Node, text: str) -> Iterator[Lint]:
    message = "nested conditional without parentheses"
    hint = "put the inner one in parentheses: a ? b : (c ? d : e)"
    for outer in node.walk():
        if isinstance(outer, nodes.Conditional):
            for inner in (outer.yes, outer.no):
                if isinstance(inner, nodes.Conditional) and not _in_parentheses(inner):
                    written = text[inner.offset : inner.offset + inner.length]
                    fixes = [Replacement(f"({written})", written)]
                    yield Lint(message, inner.offset, inner.length, Hint(hint, fixes))


def _in_parentheses(node: nodes.Conditional) -> bool:
    return node.offset < node.test.offset


def _used(piece: _Piece, name: str, node: Node, behind: int) -> UsedName:
    """`name` as `node` refers to it; it stands behind an offset in the text of the piece."""
    start = piece.text.find(name, behind)
    return UsedName(name, piece.place(node.offset), piece.place(max(start, node.offset)))


def _first_places(names: Iterable[UsedName]) -> dict[str, int]:
    places: dict[str, int] = {}
    for used in names:
        places.setdefault(used.name, used.offset)
    return places


def _parameters(root: Node) -> Iterator[tuple[str, Node, int]]:
    """The name of each parameter, the node that refers to it, and what the name stands behind."""
    for node, local in with_locals(root, frozenset()):
        if isinstance(node, nodes.Name) and node.name.startswith("_") and node.name not in local:
            if not node.name.startswith("__"):
                yield node.name[1:], node, node.offset + 1
        elif isinstance(node, nodes.Member | nodes.Index) and (name := _argument_name(node)):
            yield name, node, node.target.offset + node.target.length


def _argument_name(node: nodes.Member | nodes.Index) -> str:
    """The name in `pipe.args.name` or `pipe.args['name']`; empty for any other node."""
    target = node.target
    if not (isinstance(target, nodes.Member) and target.name == "args"):
        return ""
    return _name_after(node) if _is_name(target.target, "pipe") else ""


def _name_after(node: nodes.Member | nodes.MethodCall | nodes.Index) -> str:
    """The name in `target.name` or `target['name']`; empty if it is computed."""
    if not isinstance(node, nodes.Index):
        return node.name
    key = node.key
    return key.value if isinstance(key, nodes.Literal) and isinstance(key.value, str) else ""


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


def _library_members(node: Node) -> Iterator[tuple[str, Node, int]]:
    """The name of each library, the node that refers to it, and what the name stands behind."""
    for inner in node.walk():
        if not isinstance(inner, nodes.Member | nodes.MethodCall | nodes.Index):
            continue
        if _is_name(inner.target, "lib") and (name := _name_after(inner)):
            yield name, inner, inner.target.offset + inner.target.length


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
    return parsed(text).reads


def fields_expected(text: str) -> tuple[tuple[str, int, int], ...]:
    """(name, offset, length) of the reads of fields as if all documents had them: `$name`.

    The place is that of the name, or of `$['name']`.
    """
    return parsed(text).fields_expected


def sees_counts(text: str) -> bool:
    """Whether the value may depend on how many documents the snap has had: `snap.in.totalCount`."""
    return parsed(text).sees_counts


def path_moved(text: str) -> Steps | None:
    """The path `$.a.b` that is the whole expression; None for any other expression."""
    return parsed(text).moved
