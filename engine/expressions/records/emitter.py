"""The fast code of an expression, with the document's paths as variables."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from decimal import Decimal

from engine.documents import copied
from engine.expressions import nodes
from engine.expressions.compilation import mutates
from engine.expressions.compiler import facts
from engine.expressions.compiler.fast import Fast
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import KNOWN, Unit, bind, class_of, is_, item, load
from engine.expressions.functions import Declaration
from engine.expressions.limits import bounded
from engine.expressions.nodes import Node
from engine.expressions.parser import parse
from engine.expressions.records.state import Elements, State, Steps, UnfusableError

_OPERATORS: dict[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}
_SMALL = 1 << 60
_MAX_OPERATORS = 12
_CONSUMERS = ("map", "sum", "reduce")
"""Loops over elements that do not pass the elements themselves on."""


class RecordEmitter(Fast):
    """`$a.b` is what the state says; an expression that needs `$` itself cannot be emitted.

    `guesses` are the classes that variables probably have: the code tests them before it relies on
    them. `computed` are the variables that hold the values of earlier formulas.
    """

    def __init__(
        self,
        unit: Unit,
        text: str,
        names: Names,
        null_safe: bool,
        state: State | None = None,
        guesses: Mapping[str, type] | None = None,
        computed: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(unit, text, names, null_safe)
        self.state = state
        self.guesses = guesses or {}
        self.computed = computed or {}
        self._elements: dict[str, Mapping[str, str]] = {}
        self._lists: dict[int, ast.expr] = {}
        self._guessed: dict[tuple[str, str], type] = {}

    # --- paths ---

    def known(self, path: Steps) -> ast.expr | None:
        return None if self.state is None else self.state.read(path, self.null_safe)

    def root(self, node: nodes.Root) -> ast.expr:
        raise UnfusableError("the whole document is used")

    def member(self, node: nodes.Member) -> ast.expr:
        if id(node) in self._lists:
            return self._lists[id(node)]
        if node.name != "length":
            path = constant_path(node)
            known = self.known(path) if path else self.of_element(node)
            if known is not None:
                return known
        return super().member(node)

    def index(self, node: nodes.Index) -> ast.expr:
        if id(node) in self._lists:
            return self._lists[id(node)]
        path = constant_path(node)
        if path and path[-1] != "length":
            known = self.known(path)
            if known is not None:
                return known
        return super().index(node)

    def name(self, node: nodes.Name) -> ast.expr:
        if node.name == "snap" and node.name not in self.locals:
            raise UnfusableError("the counts of the snap are used")
        return super().name(node)

    def declared_call(self, node: nodes.Call | nodes.MethodCall, declared: Declaration) -> ast.expr:
        if "document" in declared.handed_in:
            raise UnfusableError(f"`{declared.name}` may look at the whole document")
        return super().declared_call(node, declared)

    # --- elements of arrays, of which only some fields are read ---

    def of_element(self, node: nodes.Member) -> ast.expr | None:
        """`x.name` in a loop over such elements, or `$list[0].name`."""
        target = node.target
        if isinstance(target, nodes.Name):
            attribute = self._elements.get(target.name, {}).get(node.name)
            if attribute is None or target.name not in self.locals:
                return None
            field = ast.Attribute(load(self.locals[target.name]), attribute, ast.Load())
            field.guess = self._guessed.get((target.name, node.name))  # type: ignore[attr-defined]
            return field
        if not isinstance(target, nodes.Index) or not _is_position(target.key):
            return None
        found = self.list_of(target.target, {node.name})
        if found is None:
            return None
        element = item(found.array, self.emit(target.key))
        field = ast.Attribute(element, found.attributes[node.name], ast.Load())
        field.guess = found.classes.get(node.name)  # type: ignore[attr-defined]
        return field

    def list_of(self, node: Node, fields: set[str]) -> Elements | None:
        path = constant_path(node)
        if not path or self.null_safe or self.state is None:
            return None
        return self.state.elements(path, fields)

    def loop(self, node: nodes.MethodCall) -> ast.expr:
        first = node
        while self.is_loop(first.target):
            first = first.target  # type: ignore[assignment]
        fields = _fields_of_elements(node, first)
        found = None if fields is None else self.list_of(first.target, fields)
        if found is None:
            return super().loop(node)
        before = self._elements
        self._lists[id(first.target)] = found.array
        element_names = _element_names(node, first)
        self._elements = {**before, **dict.fromkeys(element_names, found.attributes)}
        for name in element_names:
            self._guessed.update({(name, field): cls for field, cls in found.classes.items()})
        made = super().loop(node)
        self._elements = before
        return made

    # --- arithmetic ---

    def binary(self, node: nodes.Binary) -> ast.expr:
        """A formula over numbers of the usual classes as one Python expression."""
        formula = _Formula(self)
        quick = formula.read(node)
        is_simple = formula.operators < 2 and formula.kind is int
        if quick is None or not formula.tests or is_simple:
            return super().binary(node)
        result = self.unit.new_name()
        tests = [*formula.tests.values(), bind(result, quick)]  # zero may have a sign
        other = super().binary(node)
        made = ast.IfExp(ast.BoolOp(ast.And(), tests), load(result), other)
        made.guess = formula.kind  # type: ignore[attr-defined]
        made.formula = ast.dump(quick)  # type: ignore[attr-defined]
        return made


class Either:
    """The guess for a number that is an integer or a decimal."""


class _Formula:
    """Sums, differences and products of fields and constants. Needs the exact decimal context.

    A decimal with a decimal or an integer is exact; integers are small enough for few operators.
    """

    def __init__(self, emitter: RecordEmitter) -> None:
        self.tests: dict[str, ast.expr] = {}
        self.kind: type = int
        self.operators = 0
        self._emitter = emitter

    def read(self, node: Node) -> ast.expr | None:
        if isinstance(node, nodes.Binary):
            operator = _OPERATORS.get(node.operator)
            self.operators += 1
            if operator is None or self.operators > _MAX_OPERATORS:
                return None
            left = self.read(node.left)
            right = None if left is None else self.read(node.right)
            if left is None or right is None:
                return None
            made = ast.BinOp(left, operator(), right)
            earlier = self._emitter.computed.get(ast.dump(made))
            return made if earlier is None else load(earlier)
        if isinstance(node, nodes.Literal | nodes.Name | nodes.Member | nodes.Index):
            return self._operand(self._emitter.emit(node))
        return None

    def _operand(self, made: ast.expr) -> ast.expr | None:
        if isinstance(made, KNOWN):
            is_small = made.value.__class__ is int and -_SMALL < made.value < _SMALL
            if made.value.__class__ is Decimal:
                self.kind = Decimal
            return made if is_small or made.value.__class__ is Decimal else None
        first: ast.expr
        if isinstance(made, ast.Attribute):  # a field of an element
            name = self._emitter.unit.new_name()
            guess, first = getattr(made, "guess", None), bind(name, made)
        elif isinstance(made, ast.Name):
            name, first = made.id, load(made.id)
            in_loop = name in self._emitter.locals.values()
            guess = self._emitter.guesses.get(name, Either if in_loop else None)
        else:
            return None
        test = self._test(name, first, guess)
        if test is None:
            return None
        self.tests.setdefault(name, test)
        return load(name)

    def _test(self, name: str, first: ast.expr, guess: type | None) -> ast.expr | None:
        """Whether the value, read by `first`, has the class that it probably has."""
        if guess is Decimal:
            self.kind = Decimal
            return self._has_class(first, Decimal)
        if guess is not int and guess is not Either:
            return None
        ends = ast.Constant(-_SMALL), ast.Constant(_SMALL)
        is_small = ast.Compare(ends[0], [ast.Lt(), ast.Lt()], [load(name), ends[1]])
        if guess is int:
            return ast.BoolOp(ast.And(), [self._has_class(first, int), is_small])
        is_whole = ast.BoolOp(ast.And(), [self._has_class(load(name), int), is_small])
        return ast.BoolOp(ast.Or(), [self._has_class(first, Decimal), is_whole])

    def _has_class(self, value: ast.expr, cls: type) -> ast.expr:
        return is_(class_of(value), self._emitter.unit.constant(cls))


def constant_path(node: Node) -> Steps:
    """The path of `$a.b['c d']`; empty for anything else."""
    steps: list[str] = []
    while True:
        if isinstance(node, nodes.Member):
            steps.append(node.name)
        elif (
            isinstance(node, nodes.Index)
            and isinstance(node.key, nodes.Literal)
            and node.key.value.__class__ is str
        ):
            steps.append(node.key.value)
        elif isinstance(node, nodes.Root):
            return tuple(reversed(steps))
        else:
            return ()
        node = node.target


def _is_position(node: Node) -> bool:
    return isinstance(node, nodes.Literal) and node.value.__class__ is int and node.value >= 0


def _element_names(last: nodes.MethodCall, first: nodes.MethodCall) -> list[str]:
    """The names of the elements in the callbacks of a chain of loops."""
    names = []
    stage = last
    while True:
        function = stage.arguments[0]
        assert isinstance(function, nodes.Arrow)  # the chain can be written out
        names.append(function.parameters[1 if stage.name == "reduce" else 0].name)
        if stage is first:
            return names
        stage = stage.target  # type: ignore[assignment]


def _fields_of_elements(last: nodes.MethodCall, first: nodes.MethodCall) -> set[str] | None:
    """The fields that a chain of loops reads; None if it might use elements as a whole."""
    fields: set[str] = set()
    stage = last
    names = _element_names(last, first)
    for name in names:
        is_last = stage is last
        if stage.name == "reduce" and len(stage.arguments) != 2:
            return None  # the first element may be the result
        if stage.name not in _CONSUMERS if is_last else stage.name != "filter":
            return None
        function: nodes.Arrow = stage.arguments[0]  # type: ignore[assignment]
        others = [one.name for one in function.parameters if one.name != name]
        if name in others or len(others) != len(function.parameters) - 1:
            return None
        members = [
            inner
            for inner in function.body.walk()
            if isinstance(inner, nodes.Member) and _is_name(inner.target, name)
        ]
        uses = sum(_is_name(inner, name) for inner in function.body.walk())
        if uses != len(members) or any(member.name == "length" for member in members):
            return None
        fields.update(member.name for member in members)
        stage = stage.target  # type: ignore[assignment]
    return fields


def _is_name(node: Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def emit(
    text: str,
    unit: Unit,
    names: Names,
    null_safe: bool,
    state: State,
    guesses: Mapping[str, type],
    computed: Mapping[str, str],
) -> tuple[ast.expr, Node]:
    """The Python of an expression in this state. Raises UnfusableError."""
    node = parse(text)
    if mutates(node, names):
        raise UnfusableError("it may change the document")
    if _may_give_functions(node):
        raise UnfusableError("a function would see the variables of other records")
    emitter = RecordEmitter(unit, text, names, null_safe, state, guesses, computed)
    made = emitter.emit(node)
    if emitter.problems:
        raise UnfusableError("it has mistakes")
    if facts.may_multiply(node):
        made = emitter.call(bounded, made)
    return (emitter.call(copied, made) if facts.reads_constants(node) else made), node


_CALLING = frozenset(
    [
        "every",
        "filter",
        "find",
        "findIndex",
        "map",
        "mapValues",
        "reduce",
        "reduceRight",
        "some",
        "sort",
        "sum",
    ]
)
"""Methods that call their first argument and do not keep it."""


def _may_give_functions(node: Node) -> bool:
    """Whether a function in it may outlive the evaluation."""
    called = {
        id(inner.arguments[0])
        for inner in node.walk()
        if isinstance(inner, nodes.MethodCall) and inner.name in _CALLING and inner.arguments
    }
    return any(isinstance(inner, nodes.Arrow) and id(inner) not in called for inner in node.walk())
