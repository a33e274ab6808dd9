"""Nodes -> Python that bets on the usual types.

Members are plain subscripts, comparisons look at the class once, `filter` and `map` become list
comprehensions. A lost bet raises an exception or calls a careful helper; after an exception the
careful code evaluates the document again and finds the right value, or the message. So the fast
code must never return a wrong value, and must not change anything.

Inside loops, whatever can grow goes through the helpers that count steps.
"""

from __future__ import annotations

import ast
from decimal import Decimal, getcontext
from typing import Any

from engine.expressions import access, nodes, operators
from engine.expressions.compiler import facts
from engine.expressions.compiler.careful import Careful
from engine.expressions.compiler.unit import KNOWN, bind, class_of, is_, item, load
from engine.expressions.decimals import EXACT
from engine.expressions.functions import DISPATCH
from engine.expressions.limits import charge
from engine.expressions.nodes import Node
from engine.expressions.utf16 import length as text_length
from engine.expressions.values import truthy

_COMPARE: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_ARITHMETIC: dict[str, type[ast.operator]] = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}
_SMALL = 1 << 60
_EXACT = (int, Decimal)
_LOOKUPS = {"get": 2, "hasOwnProperty": 1}
_LOOPING = ("filter", "map")


def _charged(items: list[Any]) -> bool:
    charge(len(items) + 1)
    return True


def _between(value: ast.expr) -> ast.expr:
    """Whether an integer is small enough for a sum or product to stay within the limits."""
    least, most = ast.Constant(-_SMALL), ast.Constant(_SMALL)
    return ast.Compare(least, [ast.Lt(), ast.Lt()], [value, most])


def _is_small(value: Any) -> bool:
    return value.__class__ is int and -_SMALL < value < _SMALL


class Fast(Careful):
    # --- access ---

    def member(self, node: nodes.Member) -> ast.expr:
        if self.namespace_of(node.target):
            return super().member(node)
        if node.name == "length":
            return self.length(node)
        target, name = self.emit(node.target), ast.Constant(node.name)
        if self.null_safe:
            return self.property_or_null(target, name)
        return self.subscript(target, name)

    def subscript(self, target: ast.expr, key: ast.expr) -> ast.expr:
        """`target[key]`; a call for literals, since Python warns about subscripts on them."""
        if isinstance(target, ast.Name | ast.Subscript | ast.Call | ast.IfExp):
            return item(target, key)
        return self.call(access.index, target, key)

    def property_or_null(self, target: ast.expr, name: ast.expr) -> ast.expr:
        variable = self.unit.new_name()
        found = ast.Call(ast.Attribute(load(variable), "get", ast.Load()), [name], [])
        absent = ast.Compare(bind(variable, target), [ast.Is()], [ast.Constant(None)])
        return ast.IfExp(absent, ast.Constant(None), found)

    def length(self, node: nodes.Member) -> ast.expr:
        variable = self.unit.new_name()
        is_array = is_(class_of(bind(variable, self.emit(node.target))), self.unit.constant(list))
        is_text = is_(class_of(load(variable)), self.unit.constant(str))
        reader = access.safe_member if self.null_safe else access.member
        other = self.call(reader, load(variable), ast.Constant("length"))
        text = ast.IfExp(is_text, self.text_length(variable), other)
        return ast.IfExp(is_array, self.call(len, load(variable)), text)

    def text_length(self, text: str) -> ast.expr:
        """For ASCII, Python counts as JavaScript does."""
        is_ascii = ast.Call(ast.Attribute(load(text), "isascii", ast.Load()), [], [])
        plain = self.call(len, load(text))
        return ast.IfExp(is_ascii, plain, self.call(text_length, load(text)))

    def index(self, node: nodes.Index) -> ast.expr:
        key = node.key
        plain = isinstance(key, nodes.Literal) and (
            (key.value.__class__ is str and key.value != "length")
            or (key.value.__class__ is int and key.value >= 0)
        )
        if not plain or self.null_safe or self.namespace_of(node.target):
            return super().index(node)
        if key.value.__class__ is str:  # type: ignore[attr-defined]
            return self.subscript(self.emit(node.target), self.emit(key))
        variable = self.unit.new_name()
        is_array = is_(class_of(bind(variable, self.emit(node.target))), self.unit.constant(list))
        place = self.emit(key)
        other = self.call(access.index, load(variable), place)
        return ast.IfExp(is_array, item(load(variable), place), other)

    # --- operators ---

    def operation(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        constants = isinstance(left, KNOWN), isinstance(right, KNOWN)
        if constants == (False, True) and node.operator in _COMPARE:
            return self.compared(node, left, right)
        if node.operator == "+" and "string" in (facts.kind(node.left), facts.kind(node.right)):
            if constants != (True, True) and not self.loops and facts.joins_plainly(node):
                return self.joined(node, left, right)
        elif node.operator in _ARITHMETIC and constants != (True, True):
            return self.arithmetic(node, left, right)
        return super().operation(node, left, right)

    def compared(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        """A value against a constant: one test of its class, then Python's own operator."""
        value = right.value  # type: ignore[attr-defined]
        if value is None and node.operator in ("==", "!="):
            same = ast.Is() if node.operator == "==" else ast.IsNot()
            return ast.Compare(left, [same], [right])
        if value.__class__ is not str and value.__class__ not in _EXACT:
            return super().operation(node, left, right)
        if (
            value.__class__ is str
            and node.operator not in ("==", "!=")
            and max(value, default="") >= "\ud800"
        ):
            return super().operation(node, left, right)
        compare = _COMPARE[node.operator]
        if node.operator in ("==", "!=") and _is_plain_word(value):
            return ast.Compare(left, [compare()], [right])
        variable = self.unit.new_name()
        made: ast.expr = self.call(operators.BINARY[node.operator], load(variable), right)
        classes = (str,) if value.__class__ is str else _EXACT
        for cls in reversed(classes):  # each class with a constant of its own: that is faster
            same_class = self.unit.constant(cls(value) if cls is Decimal else value)
            quick = ast.Compare(load(variable), [compare()], [same_class])
            given = bind(variable, left) if cls is classes[0] else load(variable)
            made = ast.IfExp(is_(class_of(given), self.unit.constant(cls)), quick, made)
        return made

    def joined(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        """Two strings, or a string and a small integer, inline; the rest is left to `add`."""
        if facts.kind(node.left) == facts.kind(node.right):
            return ast.BinOp(left, ast.Add(), right)
        first, second = self.bound(left), self.bound(right)
        both_texts = is_(class_of(first[0]), class_of(second[0]), self.unit.constant(str))
        quick = ast.BinOp(first[1], ast.Add(), second[1])
        other: ast.expr = self.call(operators.add, first[1], second[1])
        if facts.kind(node.left) == "string":
            is_number = ast.BoolOp(ast.And(), self.small(second[1]))
            with_number = ast.BinOp(first[1], ast.Add(), self.call(str, second[1]))
            other = ast.IfExp(is_number, with_number, other)
        return ast.IfExp(both_texts, quick, other)

    def arithmetic(self, node: nodes.Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        """Small integers and decimals are computed inline; the rest is left to the helper.

        Python's operators on decimals are exact only in the context `EXACT`.
        """
        known = [side.value for side in (left, right) if isinstance(side, KNOWN)]
        if not all(value.__class__ is Decimal or _is_small(value) for value in known):
            return super().operation(node, left, right)
        first, second = self.bound(left), self.bound(right)
        sides = [side for side in (first, second) if not isinstance(side[0], KNOWN)]
        other: ast.expr = self.call(operators.BINARY[node.operator], first[1], second[1])
        quick: ast.expr = ast.BinOp(first[1], _ARITHMETIC[node.operator](), second[1])
        # the product of a negative number and zero has a sign, which the helper removes
        exact = quick if node.operator != "*" else ast.BoolOp(ast.Or(), [quick, other])
        if known and known[0].__class__ is Decimal:
            return ast.IfExp(self.is_exact(*sides[0], int), exact, other)
        again = [side[1] for side in sides]
        is_exact = self.is_exact(again[0], again[-1]) if known else self.are_exact(*again)
        tests: list[ast.expr] = [
            is_(*(class_of(side[0]) for side in sides), self.unit.constant(int)),
            *map(_between, again),
        ]
        return ast.IfExp(ast.BoolOp(ast.And(), tests), quick, ast.IfExp(is_exact, exact, other))

    def is_exact(self, value: ast.expr, again: ast.expr, *others: type) -> ast.expr:
        """Whether the value is a decimal (or of one of the other classes) in the exact context."""
        return ast.BoolOp(
            ast.And(), [self.has_class(value, again, Decimal, *others), self.in_exact()]
        )

    def are_exact(self, left: ast.expr, right: ast.expr) -> ast.expr:
        """The same for two values: one is a decimal, and the other as well or an integer."""
        is_decimal = self.has_class(left, left, Decimal)
        one = ast.BoolOp(ast.And(), [is_decimal, self.has_class(right, right, Decimal, int)])
        is_whole = self.has_class(left, left, int)
        other = ast.BoolOp(ast.And(), [is_whole, self.has_class(right, right, Decimal)])
        return ast.BoolOp(ast.And(), [ast.BoolOp(ast.Or(), [one, other]), self.in_exact()])

    def has_class(self, value: ast.expr, again: ast.expr, *classes: type) -> ast.expr:
        tests = [
            is_(class_of(again if place else value), self.unit.constant(cls))
            for place, cls in enumerate(classes)
        ]
        return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)

    def in_exact(self) -> ast.expr:
        return is_(self.call(getcontext), self.unit.constant(EXACT))

    def small(self, value: ast.expr) -> list[ast.expr]:
        return [is_(class_of(value), self.unit.constant(int)), _between(value)]

    def bound(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """`value` at its first use, and the expression that reads it again."""
        if isinstance(value, KNOWN):
            return value, value
        variable = self.unit.new_name()
        return bind(variable, value), load(variable)

    # --- methods ---

    def method_call(self, node: nodes.MethodCall) -> ast.expr:
        problem = facts.method_problem(node, self.variables) or self.static_problem(node)
        if problem or self.namespace_of(node.target) or node.name not in DISPATCH:
            return super().method_call(node)
        if not self.null_safe and self.is_loop(node):
            return self.loop(node)
        if _is_plain_lookup(node):
            return self.lookup(node)
        return self.dispatched(node, self.emit(node.target))

    def lookup(self, node: nodes.MethodCall) -> ast.expr:
        """`x.get('name', default)` and `x.hasOwnProperty('name')` on an object."""
        variable = self.unit.new_name()
        given = [self.bound(argument) for argument in self.arguments(node.arguments)]
        arguments = [again for _, again in given]
        no_function = ast.Compare(ast.Constant(node.name), [ast.NotIn()], [load(variable)])
        is_object = is_(class_of(bind(variable, self.emit(node.target))), self.unit.constant(dict))
        if node.name == "get":
            found: ast.expr = ast.Call(
                ast.Attribute(load(variable), "get", ast.Load()), arguments, []
            )
        else:
            found = ast.Compare(arguments[0], [ast.In()], [load(variable)])
        made = ast.Tuple([first for first, _ in given], ast.Load())
        test = ast.BoolOp(ast.And(), [made, is_object, no_function])
        return ast.IfExp(test, found, self.dispatched(node, load(variable), arguments))

    def dispatched(
        self, node: nodes.MethodCall, target: ast.expr, arguments: list[ast.expr] | None = None
    ) -> ast.expr:
        """The method by the class of the target; `arguments` if they are already compiled."""
        variable = self.unit.new_name()
        table = self.unit.constant(DISPATCH[node.name])
        if arguments is None:
            arguments = self.arguments(node.arguments, node.name in facts.TAKE_REGEX)
        if not self.null_safe:
            method = item(table, class_of(bind(variable, target)))
            return ast.Call(method, [load(variable), *arguments], [])
        method = item(table, class_of(load(variable)))
        absent = ast.Compare(bind(variable, target), [ast.Is()], [ast.Constant(None)])
        made = ast.Call(method, [load(variable), *arguments], [])
        return ast.IfExp(absent, ast.Constant(None), made)

    def is_loop(self, node: Node) -> bool:
        """`x.filter(v => ..)` or `x.map(v => ..)` that can become a comprehension."""
        return (
            isinstance(node, nodes.MethodCall)
            and node.name in _LOOPING
            and len(node.arguments) == 1
            and _can_be_inlined(node.arguments[0])
        )

    def loop(self, node: nodes.MethodCall) -> ast.expr:
        """`list.filter(..).filter(..).map(..)` as one list comprehension."""
        stages = [node]
        while self.is_loop(stages[-1].target) and stages[-1].target.name == "filter":  # type: ignore[attr-defined]
            stages.append(stages[-1].target)  # type: ignore[arg-type]
        stages.reverse()
        variable = self.unit.new_name()
        is_array = is_(
            class_of(bind(variable, self.emit(stages[0].target))), self.unit.constant(list)
        )
        if self.loops:
            is_array = ast.BoolOp(ast.And(), [is_array, self.call(_charged, load(variable))])
        return ast.IfExp(
            is_array, self.comprehension(stages, variable), self.step_by_step(stages, variable)
        )

    def comprehension(self, stages: list[nodes.MethodCall], variable: str) -> ast.expr:
        variable = self.unit.new_name()
        conditions: list[ast.expr] = []
        element: ast.expr = load(variable)
        self.loops += 1
        for stage in stages:
            function: nodes.Arrow = stage.arguments[0]  # type: ignore[assignment]
            with self.with_locals({function.parameters[0].name: variable}):
                if stage.name == "map":
                    element = self.emit(function.body)
                else:
                    conditions.append(self.test(function.body))
        self.loops -= 1
        target = ast.Name(variable, ast.Store())
        return ast.ListComp(element, [ast.comprehension(target, load(variable), conditions, 0)])

    def step_by_step(self, stages: list[nodes.MethodCall], variable: str) -> ast.expr:
        made: ast.expr = load(variable)
        for stage in stages:
            made = self.dispatched(stage, made)
        return made

    # --- conditions ---

    def test(self, node: Node) -> ast.expr:
        made = self.emit(node)
        if isinstance(made, KNOWN):
            return ast.Constant(truthy(made.value))
        return made if facts.kind(node) else self.call(truthy, made)


def _is_plain_lookup(node: nodes.MethodCall) -> bool:
    """`get` or `hasOwnProperty` with the name of a property, not a path."""
    if node.name not in _LOOKUPS or not 1 <= len(node.arguments) <= _LOOKUPS[node.name]:
        return False
    name = node.arguments[0]
    if not isinstance(name, nodes.Literal) or name.value.__class__ is not str:
        return False
    return node.name == "get" or name.value.isidentifier()


def _is_plain_word(value: Any) -> bool:
    """A string that equals only itself: no number or date has this form."""
    if value.__class__ is not str:
        return False
    word: str = value.lstrip("+-")
    return (
        bool(word) and (word[0].isalpha() or word[0] in "_$/#") and not word.startswith("Infinity")
    )


def _can_be_inlined(function: Node) -> bool:
    """One plain parameter, and nothing in the body that could capture the variable."""
    if not isinstance(function, nodes.Arrow) or len(function.parameters) != 1:
        return False
    parameter = function.parameters[0]
    if parameter.rest or parameter.default is not None:
        return False
    for inner in function.body.walk():
        if isinstance(inner, nodes.Arrow | nodes.Match):
            return False
        if isinstance(inner, nodes.ObjectLiteral) and facts.refers_to_itself(inner):
            return False
    return True
