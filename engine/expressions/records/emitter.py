"""The fast code of an expression, with the document's paths as variables."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from decimal import Decimal

from engine.documents import copied
from engine.expressions import nodes
from engine.expressions.checks import faults_in
from engine.expressions.compilation import mutates
from engine.expressions.compiler import facts
from engine.expressions.compiler.fast import Fast
from engine.expressions.compiler.names import Names
from engine.expressions.compiler.unit import Unit, bind, class_of, is_, item, load
from engine.expressions.functions import Declaration
from engine.expressions.limits import bounded
from engine.expressions.nodes import Node
from engine.expressions.parsed import parse
from engine.expressions.records.formulas import Either, formula, joined_text
from engine.expressions.records.state import Elements, State, Steps, UnfusableError

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
        self._arrays: set[str] = set()
        self._whole: nodes.MethodCall | None = None
        self.before: list[ast.stmt] = []
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
        if isinstance(found.array, ast.Name):
            self._arrays.add(found.array.id)
        element_names = _element_names(node, first)
        self._elements = {**before, **dict.fromkeys(element_names, found.attributes)}
        for name in element_names:
            self._guessed.update({(name, field): cls for field, cls in found.classes.items()})
        made = super().loop(node)
        self._elements = before
        return made

    def is_array(self, items: ast.expr) -> bool:
        return isinstance(items, ast.Name) and items.id in self._arrays

    def whole(self, node: Node) -> ast.expr:
        """The value of a complete expression; `before` is what has to run before it."""
        self._whole = node if isinstance(node, nodes.MethodCall) else None
        return self.emit(node)

    def written_out(self, stages: list[nodes.MethodCall], items: ast.expr) -> ast.expr:
        """A complete expression as a loop, which is faster than a comprehension."""
        made = super().written_out(stages, items)
        if stages[-1] is not self._whole or not isinstance(made, ast.ListComp):
            return made
        (loop,) = made.generators
        result = self.unit.new_name()
        append = ast.Attribute(load(result), "append", ast.Load())
        body: ast.stmt = ast.Expr(ast.Call(append, [made.elt], []))
        for condition in reversed(loop.ifs):
            body = ast.If(condition, [body], [])
        self.before = [
            assign(result, ast.List([], ast.Load())),
            ast.For(loop.target, loop.iter, [body], [], None),
        ]
        return load(result)

    def reduced(self, node: nodes.MethodCall, items: ast.expr) -> ast.expr:
        if node is not self._whole or not self.is_array(items):
            return super().reduced(node, items)
        function: nodes.Arrow = node.arguments[0]  # type: ignore[assignment]
        names = [self.unit.new_name() for _ in function.parameters]
        start = self.emit(node.arguments[1])
        self.loops += 1
        parameters = (parameter.name for parameter in function.parameters)
        with self.with_locals(dict(zip(parameters, names, strict=True))):
            step = assign(names[0], self.emit(function.body))
        self.loops -= 1
        element = ast.Name(names[1], ast.Store())
        self.before = [assign(names[0], start), ast.For(element, items, [step], [], None)]
        return load(names[0])

    # --- sums of numbers or strings ---

    def binary(self, node: nodes.Binary) -> ast.expr:
        """As one Python expression, if the operands are of the usual classes."""
        is_text = facts.kind(node) == "string"
        if is_text and self.loops:
            return super().binary(node)
        quick = joined_text(node, self) if is_text else formula(node, self)
        if quick is None:
            return super().binary(node)
        value = quick.value
        tests = quick.tests
        if not is_text:  # zero may have a sign
            name = self.unit.new_name()
            value, tests = load(name), [*tests, bind(name, value)]
        made = ast.IfExp(ast.BoolOp(ast.And(), tests), value, super().binary(node))
        made.guess = quick.kind  # type: ignore[attr-defined]
        made.formula = ast.dump(quick.value)  # type: ignore[attr-defined]
        return made

    def number_classes(self, value: ast.expr) -> tuple[type, ...]:
        return (Decimal, int) if self.guess(value) is Decimal else (int, Decimal)

    def guess(self, value: ast.expr) -> type | None:
        if isinstance(value, ast.Attribute):
            return getattr(value, "guess", None)
        if not isinstance(value, ast.Name):
            return None
        is_local = value.id in self.locals.values()
        return self.guesses.get(value.id, Either if is_local else None)


def assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value, None)


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
) -> tuple[list[ast.stmt], ast.expr, Node]:
    """The Python of an expression in this state: what comes before, and the value.

    Raises UnfusableError.
    """
    node = parse(text)
    if mutates(node, names):
        raise UnfusableError("it may change the document")
    if _may_give_functions(node):
        raise UnfusableError("a function would see the variables of other records")
    emitter = RecordEmitter(unit, text, names, null_safe, state, guesses, computed)
    if faults_in(text, node, names):
        raise UnfusableError("it has mistakes")
    made = emitter.whole(node)
    if facts.may_multiply(node):
        made = _bounded(made, emitter)
    if facts.reads_constants(node):
        made = emitter.call(copied, made)
    return emitter.before, made, node


def _bounded(made: ast.expr, emitter: RecordEmitter) -> ast.expr:
    """Python's own test is faster than the call for a number."""
    call = emitter.call(bounded, made)
    if not isinstance(made, ast.Name):
        return call
    is_decimal = is_(class_of(load(made.id)), emitter.unit.constant(Decimal))
    return ast.IfExp(is_decimal, load(made.id), call)


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
