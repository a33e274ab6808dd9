"""`match` as Python: the subject is a variable, the arms a chain of conditions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from engine.expressions import nodes, shapes
from engine.expressions.compiler.unit import class_of, is_, item, let, load
from engine.expressions.nodes import Node
from engine.expressions.regexes import pattern

if TYPE_CHECKING:
    from engine.expressions.compiler.careful import Careful


def matched(emitter: Careful, node: nodes.Match) -> ast.expr:
    subject = emitter.unit.new_name()
    given = emitter.emit(node.subject)
    emitter.loops += 1
    result: ast.expr = ast.Constant(None)
    for arm in reversed(node.arms):
        result = _Arm(emitter, arm).choice(subject, result)
    emitter.loops -= 1
    return ast.IfExp(let(subject, given), result, ast.Constant(None))


class _Arm:
    """One arm; the names that its patterns bind become Python names."""

    def __init__(self, emitter: Careful, arm: nodes.Arm) -> None:
        self.emitter = emitter
        self.arm = arm
        self.bound: dict[str, str] = {}

    def choice(self, subject: str, otherwise: ast.expr) -> ast.expr:
        tests = [self.test(one, subject) for one in self.arm.patterns]
        test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
        with self.emitter.with_locals(self.bound):
            if self.arm.guard is not None:
                test = ast.BoolOp(ast.And(), [test, self.emitter.test(self.arm.guard)])
            body = self.emitter.emit(self.arm.body)
        unset = [let(name, ast.Constant(None)) for name in self.bound.values()]
        return ast.IfExp(_all([*unset, test]), body, otherwise)

    def test(self, node: Node, subject: str) -> ast.expr:
        """The condition that the value named `subject` matches."""
        value, call, constant = load(subject), self.emitter.call, self.emitter.unit.constant
        match node:
            case nodes.LiteralPattern(value=str() as wanted):
                return ast.Compare(value, [ast.Eq()], [ast.Constant(wanted)])
            case nodes.LiteralPattern() if node.value.__class__ is int:
                literal = constant(node.value)
                other = call(shapes.matches_literal, value, literal)
                return self.if_integer(value, ast.Compare(value, [ast.Eq()], [literal]), other)
            case nodes.LiteralPattern():
                return call(shapes.matches_literal, value, constant(node.value))
            case nodes.RangePattern():
                low, high, closed = (constant(x) for x in (node.low, node.high, node.closed))
                other = call(shapes.in_range, value, low, high, closed)
                if not node.low.__class__ is node.high.__class__ is int:
                    return other
                below = ast.LtE() if node.closed else ast.Lt()
                inside = ast.Compare(low, [ast.LtE(), below], [value, high])
                return self.if_integer(value, inside, other)
            case nodes.RegexPattern():
                if fault := self.emitter.faults.get(id(node)):
                    return self.emitter.fail(fault)
                regex = pattern(node.pattern, node.flags)
                return call(shapes.matches_regex, value, constant(regex))
            case nodes.TypePattern():
                return call(shapes.INSTANCE_TESTS[node.type_name], value)
            case nodes.NamePattern():
                return self.binding(node.name, value)
            case nodes.EitherPattern():
                return ast.BoolOp(ast.Or(), [self.test(one, subject) for one in node.alternatives])
            case nodes.ArrayPattern():
                return self.array(node, subject)
            case nodes.ObjectPattern():
                return self.object(node, subject)
        return ast.Constant(True)

    def if_integer(self, value: ast.expr, quick: ast.expr, other: ast.expr) -> ast.expr:
        return ast.IfExp(is_(class_of(value), self.emitter.unit.constant(int)), quick, other)

    def binding(self, name: str, value: ast.expr) -> ast.expr:
        if not name:
            return ast.Constant(True)
        return let(self.bound.setdefault(name, self.emitter.unit.new_name()), value)

    def part(self, node: Node, value: ast.expr) -> ast.expr:
        """Give a part of the value a name, and test it."""
        variable = self.emitter.unit.new_name()
        return _all([let(variable, value), self.test(node, variable)])

    def array(self, node: nodes.ArrayPattern, subject: str) -> ast.expr:
        plain = [one for one in node.items if not isinstance(one, nodes.RestPattern)]
        more = len(plain) < len(node.items)
        count = ast.Constant(len(plain))
        tests = [self.emitter.call(shapes.is_array_of, load(subject), count, ast.Constant(more))]
        parts: list[ast.expr] = [*tests]
        parts += (
            self.part(one, item(load(subject), ast.Constant(place)))
            for place, one in enumerate(plain)
        )
        for one in node.items:
            if isinstance(one, nodes.RestPattern):
                rest = self.emitter.call(shapes.elements_from, load(subject), count)
                parts.append(self.binding(one.name, rest))
        return _all(parts)

    def object(self, node: nodes.ObjectPattern, subject: str) -> ast.expr:
        fields = [one for one in node.items if isinstance(one, nodes.FieldPattern)]
        keys = [ast.Constant(one.key) for one in fields]
        is_object = is_(class_of(load(subject)), self.emitter.unit.constant(dict))
        has_keys = (ast.Compare(key, [ast.In()], [load(subject)]) for key in keys)
        parts: list[ast.expr] = [is_object, *has_keys]
        parts += (
            self.part(one.pattern, item(load(subject), ast.Constant(one.key))) for one in fields
        )
        for other in node.items:
            if isinstance(other, nodes.RestPattern):
                rest = self.emitter.call(shapes.without, load(subject), *keys)
                parts.append(self.binding(other.name, rest))
        return _all(parts)


def _all(tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)
