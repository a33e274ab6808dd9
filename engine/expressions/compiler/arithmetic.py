"""Operators as plain Python, where the classes of both sides are the usual ones.

Integers and decimals are computed inline. Python's operators on decimals are exact in the context
`EXACT` only; in another context the methods of `EXACT` do the same, more slowly.
"""

from __future__ import annotations

import ast
from datetime import UTC
from decimal import Decimal, getcontext
from typing import Any

from engine.expressions import nodes, operators
from engine.expressions.compiler import facts
from engine.expressions.compiler.careful import Careful
from engine.expressions.compiler.rules import is_plain_word
from engine.expressions.compiler.templates import Template
from engine.expressions.compiler.unit import KNOWN, bind, class_of, is_, load
from engine.expressions.dates import DateTime
from engine.expressions.decimals import DECIMAL128, EXACT, decimal_text
from engine.expressions.nodes import Node
from engine.expressions.values import truthy

_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SMALL = 1 << 60
_LONG_CHAIN = 20
_EXACT = (int, Decimal)
_METHODS = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply, "/": DECIMAL128.divide}

# --- templates: T and A are the sides where they are first read, t and a afterwards ---

_VALUES: dict[str, Any] = {
    "Decimal": Decimal,
    "DateTime": DateTime,
    "LEAST": -_SMALL,
    "MOST": _SMALL,
    "UTC": UTC,
    "int": int,
    "str": str,
    **{f"method_{ord(sign)}": method for sign, method in _METHODS.items()},
}
_BOTH = (
    "(t.__class__ is Decimal and (a.__class__ is Decimal or a.__class__ is int)"
    " or t.__class__ is int and a.__class__ is Decimal)"
)
_SIDES = {  # which sides are constants, with the tests for integers and for decimals
    "neither": ("T.__class__ is A.__class__ is int", _BOTH),
    "right": ("T.__class__ is int", "t.__class__ is Decimal"),
    "left": ("A.__class__ is int", "a.__class__ is Decimal"),
    "decimal right": ("", "(T.__class__ is Decimal or t.__class__ is int)"),
    "decimal left": ("", "(A.__class__ is Decimal or a.__class__ is int)"),
}


def _exact(sign: str, with_decimal: str) -> str:
    method = f"method_{ord(sign)}"
    exact = f"(t {sign} a if exact else {method}(t, a))"
    if sign == "*":  # the product of a negative number and zero has a sign, which `other` removes
        exact = f"({exact} or other)"
    return f"{exact} if {with_decimal} else other"


def _sum_like(sign: str, with_integer: str, with_decimal: str) -> str:
    decimal = _exact(sign, with_decimal)
    if not with_integer:
        return decimal
    return f"r if {with_integer} and LEAST < (r := t {sign} a) < MOST else {decimal}"


def _quotient(with_integer: str, with_decimal: str) -> str:
    method = f"method_{ord('/')}"
    decimal = f"({method}(t, a) or other) if {with_decimal} and a else other"
    if not with_integer:
        return decimal
    integer = f"(t // a if t % a == 0 else {method}(t, a))"
    return f"{integer} if {with_integer} and a and LEAST < t < MOST else {decimal}"


def _remainder(with_integer: str, with_decimal: str) -> str:
    return f"t % a if {with_integer} and t >= 0 and a > 0 else other" if with_integer else ""


def _templates() -> dict[tuple[str, str], Template]:
    found: dict[tuple[str, str], Template] = {}
    for sides, tests in _SIDES.items():
        texts = {sign: _sum_like(sign, *tests) for sign in "+-*"}
        texts.update({"/": _quotient(*tests), "%": _remainder(*tests)})
        found.update({(s, sides): Template(text, _VALUES) for s, text in texts.items() if text})
    return found


_ARITHMETIC = _templates()
_ARITHMETIC_ONCE = {
    **_ARITHMETIC,
    **{
        (sign, sides): Template(f"t {sign} a if {tests[0]} else {_exact(sign, tests[1])}", _VALUES)
        for sign in "+-"
        for sides, tests in _SIDES.items()
        if tests[0]
    },
}
"""Outside of loops: a sum has at most one digit more than its sides, so its size is not checked."""
_NUMBERS = "t.__class__ is a.__class__ is Decimal"
_INSTANTS = "t.__class__ is a.__class__ is DateTime and t.tzinfo is a.tzinfo is UTC"
_COMPARED = {
    sign: Template(
        f"t {sign} a if T.__class__ is A.__class__ is int or {_NUMBERS} or {_INSTANTS}"
        f"{' or t.__class__ is a.__class__ is str' if sign in ('==', '!=') else ''} else other",
        _VALUES,
    )
    for sign in _COMPARE
}
_JOINED = "t + a if T.__class__ is A.__class__ is str{} else "
_IS_SHORT = " and len(t) < SHORT and len(a) < SHORT"
_OF_NUMBER = (
    "t + str(a) if a.__class__ is int and LEAST < a < MOST"
    " else t + decimal_text(a) if a.__class__ is Decimal else other"
)
_OF_TEXTS = {**_VALUES, "decimal_text": decimal_text, "len": len, "SHORT": 100}
_JOINED_LEFT = Template(_JOINED.format("") + "other", _VALUES)
_JOINED_RIGHT = Template(_JOINED.format("") + _OF_NUMBER, _OF_TEXTS)
_SHORT_LEFT = Template(_JOINED.format(_IS_SHORT) + "other", _OF_TEXTS)
_SHORT_RIGHT = Template(
    f"{_JOINED.format(_IS_SHORT)}"
    f"({_OF_NUMBER}) if t.__class__ is str and len(t) < SHORT else other",
    _OF_TEXTS,
)
"""A string is certain on the right or on the left, if not both."""


_TRUTH = Template(  # for these classes Python and JavaScript agree
    "t if T is None or t.__class__ is bool or t.__class__ is str or t.__class__ is int"
    " else truthy(t)",
    {**_VALUES, "bool": bool, "truthy": truthy},
)
_NEGATED = Template("-t if T.__class__ is int else other", _VALUES)


class FastOperators(Careful):
    in_long_chain = False
    """Python's compiler has a limit of nesting, so the links of a long chain stay simple calls."""

    def logical(self, node: nodes.Logical) -> ast.expr:
        before, links = self.in_long_chain, 0
        left: Node = node
        while isinstance(left, nodes.Logical):
            left, links = left.left, links + 1
        self.in_long_chain = before or links > _LONG_CHAIN
        made = super().logical(node)
        self.in_long_chain = before
        return made

    def truth(self, value: ast.expr) -> ast.expr:
        if self.in_long_chain:
            return super().truth(value)
        first, again = self.bound(value)
        return _TRUTH.filled(self.unit, {"T": first, "t": again})

    def unary(self, node: nodes.Unary) -> ast.expr:
        if node.operator != "-":
            return super().unary(node)
        value = self.emit(node.operand)
        if isinstance(value, KNOWN):
            return self.folded(operators.negate, value)
        first, again = self.bound(value)
        other = self.call(operators.negate, again)
        return _NEGATED.filled(self.unit, {"T": first, "t": again, "other": other})

    def operation(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        constants = isinstance(left, KNOWN), isinstance(right, KNOWN)
        if constants == (True, True):
            return super().operation(node, left, right)
        if node.operator in _COMPARE:
            if constants == (False, False):
                return self.shaped(node, _COMPARED[node.operator], left, right)
            return self.compared(node, left, right)
        if node.operator == "+" and "string" in (facts.kind(node.left), facts.kind(node.right)):
            if facts.joins_plainly(node):
                return self.joined(node, left, right)
            return super().operation(node, left, right)
        sides = _sides(left, right)
        known = _ARITHMETIC if self.loops else _ARITHMETIC_ONCE
        template = known.get((node.operator, sides)) if sides else None
        if template is None:
            return super().operation(node, left, right)
        return self.shaped(node, template, left, right)

    def shaped(
        self, node: nodes.Binary, template: Template, left: ast.expr, right: ast.expr
    ) -> ast.expr:
        first, second = self.bound(left), self.bound(right)
        other = self.call(operators.BINARY[node.operator], first[1], second[1])
        holes = {"T": first[0], "t": first[1], "A": second[0], "a": second[1], "other": other}
        holes["exact"] = self.in_exact()
        return template.filled(self.unit, {**holes, "r": load(self.unit.new_name())})

    def in_exact(self) -> ast.expr:
        """Whether Python's operators on decimals are exact here."""
        return is_(self.call(getcontext), self.unit.constant(EXACT))

    def compared(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        """A value against a constant: one test of its class, then Python's own operator."""
        sign = node.operator
        if isinstance(left, KNOWN):
            left, right, sign = right, left, _MIRRORED[sign]
        value = right.value  # type: ignore[attr-defined]
        if value is None and sign in ("==", "!="):
            same = ast.Is() if sign == "==" else ast.IsNot()
            return ast.Compare(left, [same], [right])
        other = operators.BINARY[sign]
        if value.__class__ is not str and value.__class__ not in _EXACT:
            return self.call(other, left, right)
        is_equality = sign in ("==", "!=")
        if value.__class__ is str and not is_equality and max(value, default="") >= "\ud800":
            return self.call(other, left, right)
        compare = _COMPARE[sign]
        if is_equality and is_plain_word(value):
            return ast.Compare(left, [compare()], [right])
        first, again = self.bound(left)
        made: ast.expr = self.call(other, again, right)
        classes = (str,) if value.__class__ is str else self.number_classes(left)
        for cls in reversed(classes):  # each class with a constant of its own: that is faster
            constant = self.unit.constant(Decimal(value) if cls is Decimal else value)
            quick = ast.Compare(again, [compare()], [constant])
            given = first if cls is classes[0] else again
            made = ast.IfExp(is_(class_of(given), self.unit.constant(cls)), quick, made)
        return made

    def number_classes(self, value: ast.expr) -> tuple[type, ...]:
        """The classes of numbers, the most likely one first."""
        return _EXACT

    def joined(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        """Two strings, or a string and a number, inline; the rest is left to `add`.

        In loops, where strings may grow without bound, only short ones.
        """
        if self.loops:
            is_left = facts.kind(node.right) == "string"
            return self.shaped(node, _SHORT_LEFT if is_left else _SHORT_RIGHT, left, right)
        if facts.kind(node.left) == facts.kind(node.right):
            return ast.BinOp(left, ast.Add(), right)
        if facts.kind(node.left) == "string":
            return self.shaped(node, _JOINED_RIGHT, left, right)
        return self.shaped(node, _JOINED_LEFT, left, right)

    def bound(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """`value` at its first use, and the expression that reads it again."""
        if isinstance(value, ast.Constant | ast.Name):
            return value, value
        if isinstance(value, ast.NamedExpr):
            return value, load(value.target.id)
        variable = self.unit.new_name()
        return bind(variable, value), load(variable)


def _sides(left: ast.expr, right: ast.expr) -> str:
    """Which side is a constant; '' if it is none for which there is a template."""
    for side, name in ((right, "right"), (left, "left")):
        if isinstance(side, KNOWN):
            value = side.value
            if value.__class__ is Decimal:
                return f"decimal {name}"
            is_small = value.__class__ is int and -_SMALL < value < _SMALL
            return name if is_small else ""
    return "neither"
