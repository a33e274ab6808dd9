"""Calls by the class of the receiver: a rule's plain Python, or the method from the table."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from engine.expressions import functions, nodes
from engine.expressions.compiler import facts
from engine.expressions.compiler.arithmetic import FastOperators
from engine.expressions.compiler.rules import FUNCTION_RULES, IN_UTC, LONG, METHOD_RULES
from engine.expressions.compiler.templates import UNKNOWN, Rule, Template
from engine.expressions.compiler.unit import DOCUMENT, KNOWN, class_of, is_, item, load
from engine.expressions.decimals import PLAIN_DIGITS
from engine.expressions.functions import Declaration
from engine.expressions.nodes import Node
from engine.late_regex import late_regex

_LOOKUPS = {"get": 2, "getFirst": 2, "hasOwnProperty": 1, "hasPath": 1}
_CONVERSION = late_regex(r"%[0-9.]*[sdf]")
_FRACTION = late_regex(r"%\.[0-9]f")
_PLAIN = r"%(?:s|(?:0?[1-9])?d|\.[0-9]f)"
_PLAIN_FORMAT = late_regex(rf"[^%]*(?:{_PLAIN}[^%]+)*(?:{_PLAIN})?")
_SHORT = {
    "s": Template("len(t) < LONG", {"LONG": LONG, "len": len}),
    "d": Template("LEAST < t < MOST", {"LEAST": -(10**18), "MOST": 10**18}),
    "f": Template("t > 0 and t.adjusted() < PLAIN_DIGITS", {"PLAIN_DIGITS": PLAIN_DIGITS}),
}
_CLASSES = {"s": str, "d": int, "f": Decimal}
_FIRST = Template("(t[0] if t else default) if T.__class__ is list else t", {"list": list})
_UNRULED = (nodes.Arrow, nodes.Regex, nodes.Spread)


class FastCalls(FastOperators):
    def dispatched(
        self, node: nodes.MethodCall, target: ast.expr, arguments: list[ast.expr] | None = None
    ) -> ast.expr:
        """The method by the class of the target; `arguments` if they are already compiled."""
        table = self.unit.constant(functions.DISPATCH[node.name])
        if arguments is None:
            arguments = self.arguments(node.arguments, node.name in facts.TAKE_REGEX)
        first, again = self.bound(target)
        if not self.null_safe or isinstance(first, ast.Constant):
            return ast.Call(item(table, class_of(first)), [again, *arguments], [])
        absent = ast.Compare(first, [ast.Is()], [ast.Constant(None)])
        made = ast.Call(item(table, class_of(again)), [again, *arguments], [])
        return ast.IfExp(absent, ast.Constant(None), made)

    def ruled(self, node: nodes.MethodCall) -> ast.expr:
        """A method call by the first rule whose class and test fit, otherwise by the table."""
        rules = METHOD_RULES.get((node.name, len(node.arguments)))
        if rules is None or any(isinstance(one, _UNRULED) for one in node.arguments):
            return self.dispatched(node, self.emit(node.target))
        target, arguments = self.emit(node.target), self.arguments(node.arguments)
        accepted = self.accepted(rules, arguments)
        if isinstance(target, KNOWN):
            accepted = [rule for rule in accepted if target.value.__class__ is rule.receiver]
        if not accepted:
            return self.dispatched(node, target, arguments)
        given = [self.bound(argument) for argument in arguments]
        first, again = self.bound(target)
        other = self.dispatched(node, again, [one for _, one in given])
        return self.chosen(accepted, (first, again), given, other)

    def formatted(self, node: nodes.MethodCall) -> ast.expr:
        """`'%s: %05d %.2f'.sprintf(a, b, c)` by Python's own operator, for strings, integers and
        positive decimals."""
        assert isinstance(node.target, nodes.Literal)
        text: str = node.target.value
        given = [self.bound(argument) for argument in self.arguments(node.arguments)]
        tests: list[ast.expr] = []
        values: list[ast.expr] = []
        for conversion, (first, again) in zip(_CONVERSION.findall(text), given, strict=True):
            letter = conversion[-1]
            tests.append(is_(class_of(first), self.unit.constant(_CLASSES[letter])))
            tests.append(_SHORT[letter].filled(self.unit, {"t": again}))
            if letter == "f":
                again = self.call(_fixed_text(), again, ast.Constant(int(conversion[-2])))
            values.append(again)
        plain = ast.Constant(_FRACTION.sub("%s", text))
        quick = ast.BinOp(plain, ast.Mod(), ast.Tuple(values, ast.Load()))
        return ast.IfExp(ast.BoolOp(ast.And(), tests), quick, super().method_call(node))

    def declared_call(self, node: nodes.Call | nodes.MethodCall, declared: Declaration) -> ast.expr:
        name = _full_name(node), len(node.arguments)
        rules = FUNCTION_RULES.get(name)
        if name in IN_UTC and self.names.context.zone is UTC:
            rules = IN_UTC[name]
        if rules is None or any(isinstance(one, _UNRULED) for one in node.arguments):
            return super().declared_call(node, declared)
        arguments = self.arguments(node.arguments)
        accepted = self.accepted(rules, arguments[1:])
        first, *given = [self.bound(argument) for argument in arguments]
        handed = {"context": self.unit.constant(self.names.context), "document": load(DOCUMENT)}
        before = [handed[name] for name in declared.handed_in]
        if isinstance(arguments[0], KNOWN):
            return self.constant_call(declared, *arguments)
        if not accepted:
            return self.call(declared.call, *before, *arguments)
        other = self.call(declared.call, *before, first[1], *(one for _, one in given))
        return self.chosen(accepted, first, given, other)

    def constant_call(self, declared: Declaration, *arguments: ast.expr) -> ast.expr:
        """A function whose result depends on its arguments and the context only."""
        given = [self.names.context] if "context" in declared.handed_in else []

        def call(*values: Any) -> Any:
            return declared.call(*given, *values)

        return self.folded(call, *arguments)

    def accepted(self, rules: tuple[Rule, ...], arguments: list[ast.expr]) -> list[Rule]:
        known = [one.value if isinstance(one, KNOWN) else UNKNOWN for one in arguments]
        return [rule for rule in rules if not (rule.grows and self.loops) and rule.accepts(*known)]

    def chosen(
        self,
        rules: Sequence[Rule],
        target: tuple[ast.expr, ast.expr],
        arguments: list[tuple[ast.expr, ast.expr]],
        other: ast.expr,
    ) -> ast.expr:
        """The value of the first rule that fits; pairs are first uses and later ones."""
        first, again = target
        holes = {"t": again, **dict(zip("ab", (one for _, one in arguments), strict=False))}
        made = other
        for place, rule in reversed(list(enumerate(rules))):
            given = again if place else first
            tests = [is_(class_of(given), self.unit.constant(rule.receiver))]
            if rule.test is not None:
                tests.append(rule.test.filled(self.unit, holes))
            test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)
            made = ast.IfExp(test, rule.value.filled(self.unit, holes), made)
        bindings = [one for one, later in arguments if one is not later]
        if bindings:
            assert isinstance(made, ast.IfExp)
            always = ast.Tuple(bindings, ast.Load())
            made.test = ast.BoolOp(ast.And(), [always, made.test])
        return made

    def present(self, node: nodes.MethodCall, target: ast.expr) -> ast.expr:
        """Whether an object has a property, or a value at a dotted path; for `hasPath` not null."""
        text: str = node.arguments[0].value  # type: ignore[attr-defined]
        is_there = self.is_not_null if node.name == "hasPath" else _is_in
        made = is_there(text, target)
        *outer, last = text.split(".")
        if not outer:
            return made
        tests: list[ast.expr] = []
        for name in outer:
            first, target = self.bound(_got(target, name))
            tests.append(is_(class_of(first), self.unit.constant(dict)))
        inside = ast.BoolOp(ast.And(), [*tests, is_there(last, target)])
        return ast.BoolOp(ast.Or(), [made, inside])

    def is_not_null(self, name: str, target: ast.expr) -> ast.expr:
        return ast.Compare(_got(target, name), [ast.IsNot()], [ast.Constant(None)])

    def lookup(self, node: nodes.MethodCall) -> ast.expr:
        """`x.get('name', default)` and `x.hasOwnProperty('name')` on an object."""
        given = [self.bound(argument) for argument in self.arguments(node.arguments)]
        arguments = [again for _, again in given]
        first, target = self.bound(self.emit(node.target))
        found: ast.expr
        if node.name in ("get", "getFirst"):
            found = ast.Call(ast.Attribute(target, "get", ast.Load()), arguments, [])
            if node.name == "getFirst":
                default = ast.Constant(None) if len(arguments) < 2 else arguments[1]
                one, again = self.bound(found)
                holes = {"T": one, "t": again, "default": default}
                found = _FIRST.filled(self.unit, holes)
        else:
            found = self.present(node, target)
        no_function = ast.Compare(ast.Constant(node.name), [ast.NotIn()], [target])
        tests = [is_(class_of(first), self.unit.constant(dict)), no_function]
        if bindings := [one for one, later in given if one is not later]:
            tests.insert(0, ast.Tuple(bindings, ast.Load()))
        other = self.dispatched(node, target, arguments)
        return ast.IfExp(ast.BoolOp(ast.And(), tests), found, other)


def is_plain_lookup(node: nodes.MethodCall) -> bool:
    """A lookup of a constant name; a test for a property may also have a dotted path of names."""
    if node.name not in _LOOKUPS or not 1 <= len(node.arguments) <= _LOOKUPS[node.name]:
        return False
    name = node.arguments[0]
    if not isinstance(name, nodes.Literal) or name.value.__class__ is not str:
        return False
    is_reader = node.name in ("get", "getFirst")
    return is_reader or all(part.isidentifier() for part in name.value.split("."))


def is_plain_format(node: nodes.MethodCall) -> bool:
    """A constant format of `%s`, `%d` and `%.2f` that Java and Python understand alike.

    A character between two conversions keeps halves of characters apart.
    """
    target, arguments = node.target, node.arguments
    if node.name != "sprintf" or not isinstance(target, nodes.Literal) or not arguments:
        return False
    if any(isinstance(one, _UNRULED) for one in arguments) or target.value.__class__ is not str:
        return False
    is_plain = target.value.isascii() and _PLAIN_FORMAT.fullmatch(target.value) is not None
    return is_plain and len(_CONVERSION.findall(target.value)) == len(arguments)


def _got(target: ast.expr, name: str) -> ast.expr:
    return ast.Call(ast.Attribute(target, "get", ast.Load()), [ast.Constant(name)], [])


def _is_in(name: str, target: ast.expr) -> ast.expr:
    return ast.Compare(ast.Constant(name), [ast.In()], [target])


def _fixed_text() -> Any:
    from engine.expressions.functions.formatting import fixed_text  # few expressions format

    return fixed_text


def _full_name(node: Node) -> str:
    """`Math.max` or `parseInt` for a call of that function."""
    if isinstance(node, nodes.MethodCall) and isinstance(node.target, nodes.Name):
        return f"{node.target.name}.{node.name}"
    if isinstance(node, nodes.Call) and isinstance(node.function, nodes.Name):
        return node.function.name
    return ""
