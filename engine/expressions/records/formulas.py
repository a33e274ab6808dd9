"""Sums of numbers or strings as one Python expression, if the variables have the classes that they
had in the sample."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, Protocol

from engine.expressions import nodes
from engine.expressions.compiler import facts
from engine.expressions.compiler.unit import KNOWN, Unit, bind, class_of, is_, item, load
from engine.expressions.decimals import decimal_text
from engine.expressions.nodes import Node

_OPERATORS: dict[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}
_SMALL = 1 << 60
_MAX_OPERATORS = 12
_OPERANDS = nodes.Literal | nodes.Name | nodes.Member | nodes.Index


class Either:
    """The guess for a number that is an integer or a decimal."""


class _Decimals(dict[int, Decimal]):
    """The decimals of integers: Python takes longer to convert one in each operation."""

    def __missing__(self, number: int) -> Decimal:
        made = Decimal(number)
        if len(self) < _MAX_DECIMALS and -_SMALL < number < _SMALL:
            self[number] = made
        return made


_DECIMALS = _Decimals()
_MAX_DECIMALS = 10_000


class Emitter(Protocol):
    """`computed` are the variables with the values of earlier formulas."""

    unit: Unit
    computed: Mapping[str, str]

    def emit(self, node: Node) -> ast.expr: ...

    def guess(self, value: ast.expr) -> type | None:
        """The class that a variable or attribute probably has."""
        ...


class Quick(NamedTuple):
    """An expression that is right if all tests pass, in this order; `kind` is its class."""

    value: ast.expr
    tests: list[ast.expr]
    kind: type


def formula(node: nodes.Binary, emitter: Emitter) -> Quick | None:
    """Arithmetic on fields, unless a single operation on integers, which is as quick anyway."""
    numbers = _Numbers(emitter)
    part = numbers.read(node)
    if part is None or not numbers.tests or (numbers.operators < 2 and part.kind is int):
        return None
    return Quick(part.value, list(numbers.tests.values()), part.kind)


def joined_text(node: nodes.Binary, emitter: Emitter) -> Quick | None:
    """A sum that begins with a string as an f-string."""
    operands: list[Node] = []
    left: Node = node
    while isinstance(left, nodes.Binary) and left.operator == "+":
        if not facts.joins_plainly(left):
            return None
        operands.append(left.right)
        left = left.left
    texts = _Texts(emitter)
    parts = [texts.read(operand) for operand in (left, *reversed(operands))]
    if None in parts or not texts.tests or not texts.begins_with_text:
        return None
    return Quick(ast.JoinedStr(parts), list(texts.tests.values()), str)  # type: ignore[arg-type]


class _Operands:
    """The tests of the classes of an expression's operands."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        self.tests: dict[str, ast.expr] = {}

    def demand_class(self, name: str, first: ast.expr, cls: type) -> None:
        """`first` reads the variable for the first time."""
        if cls is Either:
            either = [self._has_class(first, Decimal), self._has_class(load(name), int)]
            self.tests.setdefault(name, ast.BoolOp(ast.Or(), either))
        else:
            self.tests.setdefault(name, self._has_class(first, cls))

    def demand_small(self, name: str, cls: type) -> None:
        """If it is an integer, it must be small."""
        ends = ast.Constant(-_SMALL), ast.Constant(_SMALL)
        test: ast.expr = ast.Compare(ends[0], [ast.Lt(), ast.Lt()], [load(name), ends[1]])
        if cls is Either:
            test = ast.BoolOp(ast.Or(), [self._has_class(load(name), Decimal), test])
        self.tests.setdefault(f"{name} is small", test)

    def _has_class(self, value: ast.expr, cls: type) -> ast.expr:
        return is_(class_of(value), self.emitter.unit.constant(cls))


class _Texts(_Operands):
    """The parts of an f-string."""

    begins_with_text = False
    _count = 0

    def read(self, node: Node) -> ast.expr | None:
        self._count += 1
        if not isinstance(node, _OPERANDS):
            return None
        made = self.emitter.emit(node)
        kind = made.value.__class__ if isinstance(made, KNOWN) else self.emitter.guess(made)
        if kind is str and self._count <= 2:
            self.begins_with_text = True
        if isinstance(made, ast.Constant):
            return made if kind is str else None
        if not isinstance(made, ast.Name) or kind not in (str, int, Decimal):
            return None
        self.demand_class(made.id, made, kind)
        value: ast.expr = load(made.id)
        if kind is int:
            self.demand_small(made.id, int)
        elif kind is Decimal:
            value = self.emitter.unit.call(decimal_text, value)
        return ast.FormattedValue(value, -1, None)


class _Part(NamedTuple):
    value: ast.expr
    kind: type


class _Numbers(_Operands):
    """Sums, differences and products of fields and constants. Needs the exact decimal context.

    That context limits the results of decimals; integers have to be small enough for few operators.
    """

    operators = 0

    def read(self, node: Node) -> _Part | None:
        if isinstance(node, nodes.Binary):
            return self._operation(node)
        return self._operand(self.emitter.emit(node)) if isinstance(node, _OPERANDS) else None

    def _operation(self, node: nodes.Binary) -> _Part | None:
        operator = _OPERATORS.get(node.operator)
        self.operators += 1
        if operator is None or self.operators > _MAX_OPERATORS:
            return None
        before = dict(self.tests)
        left = self.read(node.left)
        right = None if left is None else self.read(node.right)
        if left is None or right is None:
            return None
        kind = self._kind(left, right)
        sides = [self._side(part, kind) for part in (left, right)]
        made = ast.BinOp(sides[0], operator(), sides[1])
        earlier = self.emitter.computed.get(ast.dump(made))
        if earlier is None:
            return _Part(made, kind)
        self.tests = before
        return self._operand(load(earlier))

    def _kind(self, left: _Part, right: _Part) -> type:
        if Decimal in (left.kind, right.kind):
            return Decimal
        return int if left.kind is right.kind is int else Either

    def _side(self, part: _Part, kind: type) -> ast.expr:
        value = part.value
        if kind is not Decimal and isinstance(value, ast.Name):
            self.demand_small(value.id, part.kind)
        if kind is Decimal and isinstance(value, ast.Name) and part.kind is int:
            return item(self.emitter.unit.constant(_DECIMALS), value)
        if kind is Decimal and isinstance(value, ast.Constant) and isinstance(value.value, int):
            return self.emitter.unit.constant(_DECIMALS[value.value])
        return value

    def _operand(self, made: ast.expr) -> _Part | None:
        if isinstance(made, KNOWN):
            value = made.value
            is_small = value.__class__ is int and -_SMALL < value < _SMALL
            return _Part(made, value.__class__) if is_small or value.__class__ is Decimal else None
        guess = self.emitter.guess(made)
        if guess not in (int, Decimal, Either):
            return None
        name, first = made.id if isinstance(made, ast.Name) else "", made
        if not name:  # a field of an element
            name = self.emitter.unit.new_name()
            first = bind(name, made)
        self.demand_class(name, first, guess)
        return _Part(load(name), guess)
